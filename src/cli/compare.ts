/** `hollowmark compare`: two sets of runs, or an experiment, held against each other. */
import { join, relative, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  ACROSS,
  type Across,
  type CompareOptions,
  type Comparison,
  compareRuns,
  DEFAULT_MARGIN_RATIO,
  HEADLINE_METRICS,
  type LeftOutRun,
  renderComparisonJson,
  renderComparisonTerminal,
  writeComparison,
} from '../../reports/index.ts';
import { HarnessError, type Host } from '../core/index.ts';
import { type RunResult, readResult } from '../result/index.ts';
import {
  droppedPairs,
  EXPERIMENT_RUNS,
  type ExperimentRecord,
  readExperiment,
  sideLabel,
  wholePairs,
} from '../run/index.ts';
import { readSide } from './result-folders.ts';
import { VERSION } from './version.ts';

interface CompareFlags {
  a: string[];
  b: string[];
  across: Across[];
  margin?: number;
  metrics?: string[];
  yardstick?: 'kubemark';
  out?: string;
  json: boolean;
}

const AFTER_HELP = `
A and B are a result folder, its result.json, or a folder of result folders:
  hollowmark compare results/monday results/tuesday
  hollowmark compare --a results/2026112[01]-* --b results/2026112[23]-* --out comparison
  hollowmark compare experiments/20261122-120400-quickstart     an experiment: its runs in pairs

Figures: ${HEADLINE_METRICS.map(({ id }) => id).join(', ')}
Exit codes: 0 no regression, 1 regression, 4 inconclusive, 2 the runs cannot be compared.
docs/compare.md says how it decides and how many runs that takes.`;

export function registerCompareCommand(
  program: Command,
  host: Host,
  setExitCode: (code: number) => void,
): void {
  addComparisonOptions(
    program
      .command('compare')
      .description('Compare two sets of runs: effect, interval and verdict for each headline figure.')
      .argument('[runs...]', 'A and B, or the folder of an experiment')
      .addOption(new Option('--a <dir...>', 'runs of side A, the base').default([], 'none'))
      .addOption(new Option('--b <dir...>', 'runs of side B, held against A').default([], 'none'))
      .addOption(
        new Option('--across <difference>', 'a difference that is on purpose (repeatable)')
          .choices(Object.keys(ACROSS))
          .argParser(parseAcross)
          .default([], 'none'),
      )
      .addOption(
        new Option(
          '--yardstick <name>',
          'B is hollow and A a real cluster: hold the ratios against the yardstick of Kubemark',
        ).choices(['kubemark']),
      )
      .option('--out <dir>', 'write comparison.html, comparison.md and comparison.json into this folder')
      .option('--json', 'print the comparison as JSON instead of the table', false),
  )
    .addHelpText('after', AFTER_HELP)
    .action(async (paths: string[], flags: CompareFlags) => setExitCode(await compare(paths, flags, host)));
}

/** Adds `--margin` and `--metrics`, which an experiment takes too. */
export function addComparisonOptions(command: Command): Command {
  return command
    .addOption(
      new Option(
        '--margin <ratio>',
        `changes up to this are of no interest: 0.1, 20% (default: ${DEFAULT_MARGIN_RATIO * 100}%)`,
      ).argParser(parseMargin),
    )
    .addOption(
      new Option(
        '--metrics <ids>',
        'figures to compare, separated by commas; fewer need fewer runs (default: all)',
      ).argParser((text: string) => text.split(',').map((id) => id.trim())),
    );
}

// A list of values after one option would swallow A and B.
function parseAcross(text: string, previous: Across[]): Across[] {
  const found = (Object.keys(ACROSS) as Across[]).find((name) => name === text);
  if (found === undefined) {
    throw new InvalidArgumentError(`expected one of ${Object.keys(ACROSS).join(', ')}, got "${text}".`);
  }
  return [...previous, found];
}

function parseMargin(text: string): number {
  const percent = /^(\d+(?:\.\d+)?)\s*%$/.exec(text.trim());
  const ratio = percent === null ? Number(text) : Number(percent[1]) / 100;
  if (!(ratio > 0 && ratio <= 10)) throw new InvalidArgumentError(`expected 10% or 0.1, got "${text}".`);
  return ratio;
}

async function compare(paths: readonly string[], flags: CompareFlags, host: Host): Promise<number> {
  const [only, ...rest] = paths;
  if (only !== undefined && rest.length === 0 && flags.a.length === 0 && flags.b.length === 0) {
    const directory = resolve(host.cwd, only);
    const record = await readExperiment(directory);
    if (record !== undefined) return compareExperiment(directory, record, flags, host);
  }
  const sides = sidesOf(paths, flags);
  const [a, b] = await Promise.all([readSide(sides.a, host.cwd), readSide(sides.b, host.cwd)]);
  const leftOut = [
    ...a.without.map((runId): LeftOutRun => ({ side: 'A', runId, why: 'it has no result.json' })),
    ...b.without.map((runId): LeftOutRun => ({ side: 'B', runId, why: 'it has no result.json' })),
  ];
  const comparison = compareRuns(a.runs, b.runs, {
    labels: { a: a.label, b: b.label },
    leftOut,
    across: flags.across,
    ...(flags.yardstick === undefined ? {} : { yardstick: flags.yardstick }),
    ...commonOptions(flags),
  });
  return present(comparison, { a: a.runs, b: b.runs }, flags, host);
}

function sidesOf(paths: readonly string[], flags: CompareFlags): { a: string[]; b: string[] } {
  const [first, second, ...more] = paths;
  const given = flags.a.length > 0 || flags.b.length > 0;
  if (!given && first !== undefined && second !== undefined && more.length === 0)
    return { a: [first], b: [second] };
  if (given && paths.length === 0 && flags.a.length > 0 && flags.b.length > 0)
    return { a: flags.a, b: flags.b };
  const what = given
    ? 'both --a and --b, and nothing else'
    : `two sets of runs or one experiment, got ${paths.length}`;
  throw new HarnessError('HM_USAGE', `compare takes ${what}`, {
    hint: 'hollowmark compare A B, or hollowmark compare --a DIR... --b DIR..., or hollowmark compare EXPERIMENT',
  });
}

/** What `margin` and `metrics` come to, and who compares. */
function commonOptions(
  flags: Pick<CompareFlags, 'margin' | 'metrics'>,
): Pick<CompareOptions, 'toolVersion' | 'marginRatio' | 'metrics'> {
  return {
    toolVersion: VERSION,
    ...(flags.margin === undefined ? {} : { marginRatio: flags.margin }),
    ...(flags.metrics === undefined ? {} : { metrics: flags.metrics }),
  };
}

/**
 * Compares what an experiment has run so far, in pairs; margin and metrics are those it was begun with, unless `flags`
 * has others. Prints, writes, and returns the exit code.
 */
export async function compareExperiment(
  directory: string,
  record: ExperimentRecord,
  flags: Pick<CompareFlags, 'margin' | 'metrics' | 'out' | 'json'>,
  host: Host,
): Promise<number> {
  const pairs = wholePairs(record.attempts);
  if (pairs.length === 0) {
    throw new HarnessError(
      'HM_USAGE',
      `compare refused: experiment ${directory} has no whole pair of runs yet`,
      {
        hint: `hollowmark experiment --resume ${relative(host.cwd, directory)}`,
      },
    );
  }
  const read = (folder: string) => readResult(join(directory, EXPERIMENT_RUNS, folder));
  const a: RunResult[] = [];
  const b: RunResult[] = [];
  for (const pair of pairs) {
    a.push(await read(pair.a));
    b.push(await read(pair.b));
  }
  const metrics = flags.metrics ?? record.metrics;
  const comparison = compareRuns(a, b, {
    design: 'paired',
    labels: { a: sideLabel(record, 'a'), b: sideLabel(record, 'b') },
    // Whatever the two sides set is what the experiment asks about; the machine never is.
    across: EXPERIMENT_ACROSS,
    leftOut: leftOutOf(record, pairs),
    notes: experimentNotes(record, pairs.length, flags),
    ...commonOptions({ margin: flags.margin ?? record.marginRatio, metrics }),
  });
  return present(comparison, { a, b }, flags, host);
}

const EXPERIMENT_ACROSS = (Object.keys(ACROSS) as Across[]).filter((name) => name !== 'machine');

function leftOutOf(record: ExperimentRecord, pairs: readonly { pair: number }[]): LeftOutRun[] {
  return record.attempts.flatMap(({ pair, side, folder, invalid }) => {
    const name = side === 'a' ? 'A' : 'B';
    if (invalid !== undefined) return { side: name, runId: folder, why: invalid };
    if (pairs.some((whole) => whole.pair === pair)) return [];
    return { side: name, runId: folder, why: 'the other run of its pair is missing' };
  });
}

function experimentNotes(
  record: ExperimentRecord,
  wholeCount: number,
  flags: Pick<CompareFlags, 'metrics'>,
): string[] {
  const notes: string[] = [];
  const dropped = droppedPairs(record.attempts);
  if (dropped.length > 0) {
    notes.push(`dropped: pair ${dropped.join(', ')}, of which a run was twice such as does not count`);
  }
  if (wholeCount + dropped.length < record.pairCount) {
    notes.push(`${wholeCount} of ${record.pairCount} pairs have been run: the experiment is not at its end`);
  }
  if (flags.metrics !== undefined && flags.metrics.join() !== record.metrics.join()) {
    notes.push('the figures were chosen after the runs: the level holds only for figures chosen before');
  }
  return notes;
}

async function present(
  comparison: Comparison,
  runs: { a: readonly RunResult[]; b: readonly RunResult[] },
  flags: Pick<CompareFlags, 'out' | 'json'>,
  host: Host,
): Promise<number> {
  const files =
    flags.out === undefined ? [] : await writeComparison(comparison, runs, resolve(host.cwd, flags.out));
  host.stdout.write(
    flags.json
      ? renderComparisonJson(comparison)
      : renderComparisonTerminal(comparison, {
          colour: host.stdout.isTTY === true && (host.env['NO_COLOR'] ?? '') === '',
          files: files.map((file) => relative(host.cwd, file)),
        }),
  );
  return comparison.exitCode;
}
