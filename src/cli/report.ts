/** `hollowmark report DIR`: writes every report of a saved run again, from its result alone. */
import { stat } from 'node:fs/promises';
import { dirname, relative, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { REPORT_FORMATS, type ReportFormat, renderTerminal, writeReports } from '../../reports/index.ts';
import { HarnessError, type Host, isHarnessError } from '../core/index.ts';
import { type RunResult, readResult } from '../result/index.ts';

export function registerReportCommand(program: Command, host: Host): void {
  program
    .command('report')
    .description('Write every report of a saved run again and print its summary.')
    .argument('<dir>', 'folder of the run, or its result.json')
    .option('--out <dir>', 'folder to write to (default: beside the result)')
    .addOption(new Option('--format <format...>', 'write these only').choices([...REPORT_FORMATS]))
    .action(async (dir: string, options: { out?: string; format?: ReportFormat[] }) => {
      const path = resolve(host.cwd, dir);
      const result = await readResult(path);
      const folder = options.out === undefined ? await folderOf(path) : resolve(host.cwd, options.out);
      host.stdout.write(await rebuild(path, result, folder, options.format ?? REPORT_FORMATS, host));
    });
}

async function folderOf(path: string): Promise<string> {
  return (await stat(path)).isDirectory() ? path : dirname(path);
}

/** Writes the reports and returns the summary. */
async function rebuild(
  path: string,
  result: RunResult,
  folder: string,
  formats: readonly ReportFormat[],
  host: Host,
): Promise<string> {
  try {
    const files = await writeReports(result, folder, { formats });
    return renderTerminal(result, {
      colour: host.stdout.isTTY === true && (host.env['NO_COLOR'] ?? '') === '',
      files: files.map((file) => relative(host.cwd, file)),
    });
  } catch (error) {
    if (isHarnessError(error) || !(error instanceof TypeError)) throw error;
    // The result says it is of this schema and is not: a report stumbles over a part that is missing.
    throw new HarnessError('HM_RESULT_UNREADABLE', `read ${path} failed: it is not as its schema says`, {
      cause: error,
      hint: 'name a folder under results/ or its result.json',
    });
  }
}
