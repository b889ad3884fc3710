/** `hollowmark gate DIR --history DIR`: may this run pass, by its own limits and by what runs before it did. */
import { stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { type Command, Option } from 'commander';
import { HarnessError, type Host, isHarnessError } from '../core/index.ts';
import { type RunResult, readResult } from '../result/index.ts';
import { concludeGate, GATE_FORMATS, type GateFormat, openHistory } from './gate-verdict.ts';

interface GateFlags {
  history: string;
  accept: boolean;
  format: GateFormat;
  out?: string;
}

export function registerGateCommand(program: Command, host: Host, setExitCode: (code: number) => void): void {
  program
    .command('gate')
    .description(
      'Judge a saved run: validity, its limits, then the accepted runs before it. Exit code 0, 1 (fail), 3 (invalid) or 4 (suspect).',
    )
    .argument('<dirs...>', 'folder of the run; then, after a verdict of SUSPECT, those of its two re-runs')
    .requiredOption('--history <dir>', 'folder of result folders to hold the run against')
    .option('--accept', 'put the run into the history if it passes; makes the folder', false)
    .addOption(
      new Option('--format <format>', 'what to print').choices([...GATE_FORMATS]).default('terminal'),
    )
    .option('--out <dir>', 'folder for gate.json and gate.md (default: beside the result)')
    .action(async (dirs: string[], flags: GateFlags) => setExitCode(await gate(dirs, flags, host)));
}

async function gate(dirs: readonly string[], flags: GateFlags, host: Host): Promise<number> {
  const [first, ...others] = dirs;
  if (first === undefined || (others.length !== 0 && others.length !== 2))
    throw new HarnessError(
      'HM_USAGE',
      `gate takes one run, or a run and its two re-runs, got ${dirs.length}`,
    );
  const path = resolve(host.cwd, first);
  const run = await readResult(path);
  const reruns = await Promise.all(others.map((dir) => readResult(resolve(host.cwd, dir))));
  refuseRepeats([run, ...reruns]);
  const history = await openHistory(flags.history, flags.accept, host);
  const own = (await stat(path)).isDirectory() ? path : dirname(path);
  try {
    const { exitCode } = await concludeGate(
      {
        run,
        reruns,
        history,
        paths: { run: first, history: flags.history },
        folder: flags.out === undefined ? own : resolve(host.cwd, flags.out),
        accept: flags.accept,
        format: flags.format,
      },
      host,
    );
    return exitCode;
  } catch (error) {
    if (isHarnessError(error) || !(error instanceof TypeError)) throw error;
    throw new HarnessError(
      'HM_RESULT_UNREADABLE',
      'a result of the run or of its history is not as its schema says',
      {
        cause: error,
        hint: 'results were edited by hand, or written by another version',
      },
    );
  }
}

/** One run three times over would be a median that always agrees with itself. */
function refuseRepeats(runs: readonly RunResult[]): void {
  const distinct = new Set(runs.map(({ runId, startedAt }) => `${runId} ${startedAt}`));
  if (distinct.size < runs.length)
    throw new HarnessError('HM_USAGE', 'the run and its re-runs must be different runs, one is named twice');
}
