/** Writes the reports of a run beside its result; each format is a pure function of the result. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { HarnessError, packageRoot } from '../src/core/index.ts';
import { type RunResult, writeAtomically } from '../src/result/index.ts';
import { renderHtml } from './html/page.ts';
import type { PageAssets } from './html/shell.ts';
import { renderJunit } from './junit.ts';
import { renderMarkdown } from './markdown.ts';
import { perfDataFiles } from './perf-data.ts';

/** Every format that can be written, in the order in which they are. */
export const REPORT_FORMATS = ['html', 'markdown', 'junit', 'perf-data'] as const;
export type ReportFormat = (typeof REPORT_FORMATS)[number];

/** Folder of the perf-data files inside the run's. */
const PERF_DATA_FOLDER = 'perf-data';
/** Where `node scripts/build-report-client.mjs` puts the page's script and style, from the package's root. */
const CLIENT_FOLDER = 'dist/reports/html/client';

/**
 * Writes the reports of `result` into `folder` and returns the files' paths. Each file is replaced in one step.
 * @throws HM_INTERNAL when the page's script was not built; HM_DISK_FULL
 */
export async function writeReports(
  result: RunResult,
  folder: string,
  options: { formats?: readonly ReportFormat[] } = {},
): Promise<string[]> {
  const formats = options.formats ?? REPORT_FORMATS;
  const written: string[] = [];
  const write = async (name: string, text: string) => {
    const path = join(folder, name);
    await writeAtomically(path, text);
    written.push(path);
  };
  await mkdir(folder, { recursive: true });
  if (formats.includes('html')) await write('report.html', renderHtml(result, await loadAssets()));
  if (formats.includes('markdown')) await write('summary.md', renderMarkdown(result));
  if (formats.includes('junit')) await write('junit.xml', renderJunit(result));
  if (formats.includes('perf-data')) {
    // Files of a former version of the report must not stay beside the new ones: perf-dash would read both.
    await rm(join(folder, PERF_DATA_FOLDER), { recursive: true, force: true });
    await mkdir(join(folder, PERF_DATA_FOLDER), { recursive: true });
    for (const file of perfDataFiles(result)) {
      await write(join(PERF_DATA_FOLDER, file.name), `${JSON.stringify(file.content, undefined, 2)}\n`);
    }
  }
  return written;
}

/**
 * The page's script and style as they were built with the package.
 * @throws HM_INTERNAL when they were not
 */
export async function loadAssets(): Promise<PageAssets> {
  const folder = join(packageRoot(), CLIENT_FOLDER);
  try {
    const [script, style] = await Promise.all([
      readFile(join(folder, 'main.js'), 'utf8'),
      readFile(join(folder, 'main.css'), 'utf8'),
    ]);
    return { script, style };
  } catch (cause) {
    throw new HarnessError('HM_INTERNAL', `read the report's script in ${folder} failed`, {
      cause,
      hint: 'build the package: npm run build',
    });
  }
}
