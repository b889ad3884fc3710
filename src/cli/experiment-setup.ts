/** What an experiment is before its first run: a new one from the command line, or one to go on with from its folder. */
import { statSync } from 'node:fs';
import { resolve } from 'node:path';
import type { Command } from 'commander';
import { DEFAULT_MARGIN_RATIO, HEADLINE_METRICS } from '../../reports/index.ts';
import type { LoadedSuite } from '../config/index.ts';
import { HarnessError, type Host } from '../core/index.ts';
import { createResultFolder, makeRunId } from '../result/index.ts';
import { type ExperimentRecord, newExperiment, readExperiment, writeExperiment } from '../run/index.ts';
import { loadNamedSuite, type SuiteOptions } from './suite-options.ts';
import { VERSION } from './version.ts';

export interface ExperimentFlags extends SuiteOptions {
  a: string[];
  b: string[];
  pairs: number;
  seed?: string;
  margin?: number;
  metrics?: string[];
  out: string;
  resume?: string;
}

/** Both sides of an experiment, loaded. */
export interface Sides {
  a: LoadedSuite;
  b: LoadedSuite;
}

export interface Experiment {
  directory: string;
  record: ExperimentRecord;
  sides: Sides;
}

/**
 * A new experiment with its folder, written before the first run.
 * @throws HM_USAGE, HM_CONFIG_INVALID: nothing was made then
 */
export async function begin(
  suite: string | undefined,
  flags: ExperimentFlags,
  host: Host,
): Promise<Experiment> {
  if (suite === undefined)
    throw new HarnessError('HM_USAGE', 'experiment takes a suite, or --resume and a folder');
  if (flags.a.length === 0 && flags.b.length === 0) {
    throw new HarnessError(
      'HM_USAGE',
      'experiment needs what the sides set: --a path=value or --b path=value',
      {
        hint: 'to see the noise of this machine, give both sides the same setting',
      },
    );
  }
  refuseUnknown(flags.metrics);
  const named = {
    suite: isFile(resolve(host.cwd, suite)) ? resolve(host.cwd, suite) : suite,
    set: flags.set,
    ...(flags.nodes === undefined ? {} : { nodes: flags.nodes }),
    a: { set: flags.a },
    b: { set: flags.b },
  };
  const sides = loadSides(named, host);
  const wallMs = host.clock.wallMs();
  const record = newExperiment({
    ...named,
    tool: { name: 'hollowmark', version: VERSION },
    startedAt: new Date(wallMs).toISOString(),
    a: { set: flags.a, ...identityOf(sides.a) },
    b: { set: flags.b, ...identityOf(sides.b) },
    pairCount: flags.pairs,
    seed: flags.seed ?? String(sides.a.suite.seed),
    marginRatio: flags.margin ?? DEFAULT_MARGIN_RATIO,
    metrics: flags.metrics ?? [],
  });
  const directory = await createResultFolder(
    resolve(host.cwd, flags.out),
    makeRunId(wallMs, sides.a.suite.name),
  );
  await writeExperiment(directory, record);
  return { directory, record, sides };
}

/**
 * The experiment in the folder at `path`, to go on with.
 * @throws HM_USAGE where there is none, where anything else was given, or where its suite has changed
 */
export async function resume(
  path: string,
  suite: string | undefined,
  command: Command,
  host: Host,
): Promise<Experiment> {
  const given = command.options
    .map((option) => option.attributeName())
    .filter((name) => name !== 'resume' && command.getOptionValueSource(name) === 'cli');
  if (suite !== undefined || given.length > 0) {
    const what = [...(suite === undefined ? [] : ['a suite']), ...given.map((name) => `--${name}`)].join(
      ', ',
    );
    throw new HarnessError(
      'HM_USAGE',
      `--resume takes everything from the experiment itself, got ${what} as well`,
      {
        hint: 'an experiment that was changed on the way is another experiment: begin a new one',
      },
    );
  }
  const directory = resolve(host.cwd, path);
  const record = await readExperiment(directory);
  if (record === undefined) {
    throw new HarnessError(
      'HM_USAGE',
      `${path} is not the folder of an experiment: it has no experiment.json`,
    );
  }
  const sides = loadSides(record, host);
  for (const side of ['a', 'b'] as const) {
    const then = record[side];
    const now = identityOf(sides[side]);
    if (now.sha256 === then.sha256 && now.version === then.version && now.profile === then.profile) continue;
    throw new HarnessError(
      'HM_USAGE',
      `resume refused: ${record.suite} has changed since the experiment began (side ${side.toUpperCase()}: ${inShort(then)} then, ${inShort(now)} now)`,
      { hint: 'runs of two suites cannot be compared: restore the suite, or begin a new experiment' },
    );
  }
  return { directory, record, sides };
}

function loadSides(
  named: { suite: string; set: string[]; nodes?: string; a: { set: string[] }; b: { set: string[] } },
  host: Host,
): Sides {
  const load = (own: readonly string[]) =>
    loadNamedSuite(
      named.suite,
      { set: [...named.set, ...own], ...(named.nodes === undefined ? {} : { nodes: named.nodes }) },
      host,
    );
  const sides = { a: load(named.a.set), b: load(named.b.set) };
  for (const { suite } of [sides.a, sides.b]) {
    if (suite.controlPlane.provider === 'local') continue;
    throw new HarnessError(
      'HM_USAGE',
      'experiment refused: each of its runs needs a fresh control plane, so provider: local',
      {
        hint: 'on a cluster of yours make the runs with `hollowmark run` and compare them with `hollowmark compare`',
      },
    );
  }
  return sides;
}

/** What must not change while an experiment goes on: the suite's hash leaves version and profile out. */
function identityOf({ sha256, suite }: LoadedSuite): { sha256: string; version: string; profile: string } {
  return { sha256, version: suite.controlPlane.version, profile: suite.controlPlane.profile };
}

function inShort(identity: { sha256: string; version: string; profile: string }): string {
  return `${identity.sha256.slice(0, 12)} ${identity.version} ${identity.profile}`;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true;
}

function refuseUnknown(metrics: readonly string[] | undefined): void {
  const known = HEADLINE_METRICS.map(({ id }) => id);
  const unknown = (metrics ?? []).filter((id) => !known.includes(id));
  if (unknown.length === 0) return;
  throw new HarnessError(
    'HM_USAGE',
    `unknown metric ${unknown.map((id) => `"${id}"`).join(', ')}: expected some of ${known.join(', ')}`,
  );
}
