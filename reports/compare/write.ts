/** Writes a comparison: page, Markdown and JSON, each replaced in one step. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type RunResult, writeAtomically } from '../../src/result/index.ts';
import { loadAssets } from '../write.ts';
import { renderComparisonMarkdown } from './markdown.ts';
import type { Comparison } from './model.ts';
import { renderComparisonHtml } from './page.ts';

/**
 * Writes `comparison.html`, `comparison.md` and `comparison.json` into `folder` and returns their paths.
 * @throws HM_INTERNAL when the page's script was not built; HM_DISK_FULL
 */
export async function writeComparison(
  comparison: Comparison,
  runs: { a: readonly RunResult[]; b: readonly RunResult[] },
  folder: string,
): Promise<string[]> {
  await mkdir(folder, { recursive: true });
  const files = [
    { name: 'comparison.html', text: renderComparisonHtml(comparison, runs, await loadAssets()) },
    { name: 'comparison.md', text: renderComparisonMarkdown(comparison) },
    { name: 'comparison.json', text: renderComparisonJson(comparison) },
  ].map(({ name, text }) => ({ path: join(folder, name), text }));
  for (const { path, text } of files) await writeAtomically(path, text);
  return files.map(({ path }) => path);
}

/** The comparison for machines (`hollowmark.dev/comparison/v1`), ending in a line break. */
export function renderComparisonJson(comparison: Comparison): string {
  return `${JSON.stringify(comparison, undefined, 2)}\n`;
}
