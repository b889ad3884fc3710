/** `hollowmark experiment`: two configurations in turns, each run on a fresh control plane, ending in one comparison. */
import { basename, join, relative } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import { ALPHA, HEADLINE_METRICS, minimumCount, unusable } from '../../reports/index.ts';
import { EXIT_CODE, formatMs, type Host } from '../core/index.ts';
import { createResultFolder, makeRunId } from '../result/index.ts';
import {
  EXPERIMENT_RUNS,
  type ExperimentRecord,
  type ExperimentSlot,
  openSlots,
  planRun,
  type RunPlan,
  runExperiment,
  type SideName,
  sideLabel,
  wholePairs,
  writeExperiment,
} from '../run/index.ts';
import { addComparisonOptions, compareExperiment } from './compare.ts';
import { begin, type ExperimentFlags, resume, type Sides } from './experiment-setup.ts';
import { executeRun } from './run.ts';
import { addSuiteOptions } from './suite-options.ts';
import { VERSION } from './version.ts';

const DEFAULT_PAIRS = 10;
/** Reading, writing and reporting between two runs. */
const BETWEEN_RUNS_MS = 3_000;

const AFTER_HELP = `
  hollowmark experiment quickstart --a controlPlane.version=v1.36.3 --b controlPlane.version=v1.35.4
  hollowmark experiment suite.yaml --b controlPlane.flags.kube-apiserver.max-requests-inflight=100 --pairs 12
  hollowmark experiment --resume experiments/20261122-120400-quickstart

Exit codes: 0 no regression of B against A, 1 regression, 4 inconclusive, 2 refused, 130 interrupted.
docs/compare.md says how many pairs it takes.`;

export function registerExperimentCommand(
  program: Command,
  host: Host,
  setExitCode: (code: number) => void,
): void {
  const settings = (flag: string, description: string) =>
    new Option(`${flag} <path=value>`, description)
      .argParser((text: string, previous: string[]) => [...previous, text])
      .default([], 'the suite as it is');
  addComparisonOptions(
    addSuiteOptions(
      program
        .command('experiment')
        .description('Run two configurations in turns (ABBA) and compare them: the answer before an upgrade.')
        .argument('[suite]', 'path of a suite, or the name of one that ships'),
    )
      .addOption(settings('--a', 'what side A, the base, sets (repeatable)'))
      .addOption(settings('--b', 'what side B sets (repeatable)'))
      .addOption(
        new Option('--pairs <count>', 'runs of each side').argParser(parseCount).default(DEFAULT_PAIRS),
      )
      .option('--seed <text>', 'draws the order of the runs (default: the seed of the suite)')
      .option('--out <dir>', 'where the folder of the experiment goes', 'experiments')
      .option('--resume <dir>', 'go on with the experiment in this folder'),
  )
    .addHelpText('after', AFTER_HELP)
    .action(async (suite: string | undefined, flags: ExperimentFlags, command: Command) =>
      setExitCode(await experiment(suite, flags, command, host)),
    );
}

function parseCount(text: string): number {
  const count = Number(text);
  if (!Number.isInteger(count) || count < 1 || count > 1_000) {
    throw new InvalidArgumentError(`expected a number of pairs, 1 to 1000, got "${text}".`);
  }
  return count;
}

async function experiment(
  suite: string | undefined,
  flags: ExperimentFlags,
  command: Command,
  host: Host,
): Promise<number> {
  const { directory, record, sides } =
    flags.resume === undefined
      ? await begin(suite, flags, host)
      : await resume(flags.resume, suite, command, host);
  const plans = { a: planRun(sides.a.suite), b: planRun(sides.b.suite) };
  announce(directory, record, plans, host);
  const startedUs = host.clock.nowUs();
  let made = 0;
  let interrupted = false;
  const stopListening = host.onInterrupt(() => {
    interrupted = true;
  });
  try {
    const state = await runExperiment(record, {
      runOne: async (slot, attempt) => {
        const meanRunMs = made === 0 ? undefined : (host.clock.nowUs() - startedUs) / 1_000 / made;
        const run = await runSlot(directory, record, sides, slot, attempt, meanRunMs, host);
        made++;
        return run;
      },
      save: (changed) => writeExperiment(directory, changed),
      unusable,
      say: (line) => host.stderr.write(`${line}\n`),
      stopped: () => interrupted,
    });
    interrupted ||= state === 'interrupted';
  } catch (error) {
    host.stderr.write(`experiment stopped; go on with it: ${resumeCommand(directory, host)}\n`);
    throw error;
  } finally {
    stopListening();
  }
  if (!interrupted && wholePairs(record.attempts).length === 0) {
    host.stderr.write('no pair of runs counts: every pair was dropped, and there is nothing to compare\n');
    return EXIT_CODE.invalid;
  }
  if (interrupted) {
    host.stderr.write(`interrupted; go on with it: ${resumeCommand(directory, host)}\n`);
    if (wholePairs(record.attempts).length === 0) return EXIT_CODE.interrupted;
  }
  const exitCode = await compareExperiment(directory, record, { out: directory, json: false }, host);
  return interrupted ? EXIT_CODE.interrupted : exitCode;
}

function announce(
  directory: string,
  record: ExperimentRecord,
  plans: Readonly<Record<SideName, RunPlan>>,
  host: Host,
): void {
  const { attempts, order, pairCount, metrics } = record;
  const open = openSlots(order, attempts);
  const leftMs = open.reduce((sum, { side }) => sum + plans[side].duration.totalMs + BETWEEN_RUNS_MS, 0);
  const say = (line: string) => host.stderr.write(`${line}\n`);
  say(`experiment in ${relative(host.cwd, directory) || '.'}`);
  say(`  A  ${sideLabel(record, 'a')} (a run takes about ${formatMs(plans.a.duration.totalMs)})`);
  say(`  B  ${sideLabel(record, 'b')} (a run takes about ${formatMs(plans.b.duration.totalMs)})`);
  say(
    `  ${pairCount} ${pairCount === 1 ? 'pair' : 'pairs'}, order ${order.map(({ side }) => side.toUpperCase()).join('')}`,
  );
  say(`  ${open.length} of ${order.length} runs to go, about ${formatMs(leftMs)}`);
  const figureCount = metrics.length === 0 ? HEADLINE_METRICS.length : metrics.length;
  const least = minimumCount('paired', figureCount);
  if (pairCount < least) {
    say(
      `  ${pairCount} ${pairCount === 1 ? 'pair' : 'pairs'} can decide nothing at level ${ALPHA}: ${figureCount} figures need ${least} pairs (fewer with --metrics)`,
    );
  }
}

async function runSlot(
  directory: string,
  record: ExperimentRecord,
  sides: Sides,
  slot: ExperimentSlot,
  attempt: number,
  meanRunMs: number | undefined,
  host: Host,
): Promise<{ folder: string; result?: NonNullable<Awaited<ReturnType<typeof executeRun>>['result']> }> {
  const { pair, side, index } = slot;
  const loaded = sides[side];
  const again = attempt > 1 ? ', once more' : '';
  const left = openSlots(record.order, record.attempts).length;
  const toGo = meanRunMs === undefined ? '' : `; about ${formatMs(left * meanRunMs)} to go`;
  host.stderr.write(
    `run ${index + 1} of ${record.order.length}: pair ${pair} of ${record.pairCount}, side ${side.toUpperCase()}${again}${toGo}\n`,
  );
  const runDirectory = await createResultFolder(
    join(directory, EXPERIMENT_RUNS),
    makeRunId(host.clock.wallMs(), `pair-${pair}-${side}`),
  );
  const set = [...record.set, ...record[side].set].flatMap((text) => ['--set', text]);
  const nodes = record.nodes === undefined ? [] : ['--nodes', record.nodes];
  const { result } = await executeRun(
    {
      runId: basename(runDirectory),
      loaded,
      plan: planRun(loaded.suite),
      directory: runDirectory,
      attach: { kubeconfigPath: undefined, context: undefined, allowClusterUid: undefined },
      program: { execPath: process.execPath, script: process.argv[1] ?? '' },
      command: ['hollowmark', 'run', loaded.path, ...set, ...nodes],
      version: VERSION,
      strict: false,
    },
    host,
    { summary: false },
  );
  if (result !== undefined && result.state !== 'interrupted') {
    host.stderr.write(
      `  ${result.verdicts.trust.state}, ${formatMs(result.durationMs)}: ${result.verdicts.text}\n`,
    );
  }
  return { folder: basename(runDirectory), ...(result === undefined ? {} : { result }) };
}

function resumeCommand(directory: string, host: Host): string {
  return `hollowmark experiment --resume ${relative(host.cwd, directory) || '.'}`;
}
