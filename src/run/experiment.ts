/**
 * An experiment: two configurations of one suite, run in turns, each run on a fresh control plane. What has been run
 * stands in `experiment.json` after every run, so that a killed experiment goes on where it was.
 */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { HarnessError } from '../core/index.ts';
import { type RunResult, writeAtomically } from '../result/index.ts';
import {
  droppedPairs,
  type ExperimentAttempt,
  type ExperimentSlot,
  experimentOrder,
  openSlots,
  type SideName,
} from './experiment-order.ts';

export const EXPERIMENT_SCHEMA = 'hollowmark.dev/experiment/v1';
export const EXPERIMENT_FILE = 'experiment.json';
/** Folder of the runs inside the experiment's. */
export const EXPERIMENT_RUNS = 'runs';

/** One side: what it sets beyond what both share, and what the suite came to with it. */
export interface ExperimentSide {
  set: string[];
  sha256: string;
  version: string;
  profile: string;
}

/** experiment.json: what was asked for and what has been run. */
export interface ExperimentRecord {
  schema: typeof EXPERIMENT_SCHEMA;
  tool: { name: 'hollowmark'; version: string };
  startedAt: string;
  /** As it was given: a path, absolute where it is one, or the name of a suite that ships. */
  suite: string;
  /** `--set` and `--nodes` of both sides. */
  set: string[];
  nodes?: string;
  a: ExperimentSide;
  b: ExperimentSide;
  pairCount: number;
  seed: string;
  marginRatio: number;
  /** Ids of the metrics to compare, chosen beforehand; empty for all. */
  metrics: string[];
  order: ExperimentSlot[];
  attempts: ExperimentAttempt[];
}

/** What one run came to: `undefined` result where it was interrupted before it had begun. */
export interface ExperimentRun {
  folder: string;
  result?: RunResult;
}

export interface ExperimentActions {
  /** Makes one run on a fresh control plane. */
  runOne(slot: ExperimentSlot, attempt: number): Promise<ExperimentRun>;
  /** Keeps the record; called after every run. */
  save(record: ExperimentRecord): Promise<void>;
  /** Why the figures of a run do not count, or undefined. */
  unusable(result: RunResult): string | undefined;
  /** One line for people. */
  say(line: string): void;
  /** True once nothing more is to be started. */
  stopped(): boolean;
}

/** A new record with its order. */
export function newExperiment(
  asked: Omit<ExperimentRecord, 'schema' | 'order' | 'attempts'>,
): ExperimentRecord {
  const order = experimentOrder(asked.pairCount, asked.seed);
  return { schema: EXPERIMENT_SCHEMA, ...asked, order, attempts: [] };
}

/**
 * Makes the runs that `record` still lacks, and keeps it up to date.
 * @returns `interrupted` where a run was; what had been run before stays
 * @throws what keeps a run from starting
 */
export async function runExperiment(
  record: ExperimentRecord,
  actions: ExperimentActions,
): Promise<'completed' | 'interrupted'> {
  for (;;) {
    const [slot] = openSlots(record.order, record.attempts);
    if (slot === undefined) return 'completed';
    if (actions.stopped()) return 'interrupted';
    const { pair, side } = slot;
    const tried = record.attempts.filter((one) => one.pair === pair && one.side === side).length;
    const { folder, result } = await actions.runOne(slot, tried + 1);
    if (result === undefined || result.state === 'interrupted') return 'interrupted';
    const invalid = actions.unusable(result);
    record.attempts.push({ pair, side, folder, ...(invalid === undefined ? {} : { invalid }) });
    await actions.save(record);
    if (invalid === undefined) continue;
    const dropped = droppedPairs(record.attempts).includes(pair);
    actions.say(
      `run ${folder} does not count: ${invalid}; ${dropped ? `it was the second time: pair ${pair} is dropped` : 'it is repeated once'}`,
    );
  }
}

/** Labels of the sides: what each sets. */
export function sideLabel(record: ExperimentRecord, side: SideName): string {
  const { set } = record[side];
  return set.length === 0 ? 'the suite as it is' : set.join(' ');
}

/** Replaces experiment.json in one step. @throws HM_DISK_FULL */
export async function writeExperiment(directory: string, record: ExperimentRecord): Promise<void> {
  await writeAtomically(join(directory, EXPERIMENT_FILE), `${JSON.stringify(record, undefined, 2)}\n`);
}

/**
 * The experiment in `directory`, or undefined where there is none.
 * @throws HM_RESULT_UNREADABLE where its file is not one of this version
 */
export async function readExperiment(directory: string): Promise<ExperimentRecord | undefined> {
  const path = join(directory, EXPERIMENT_FILE);
  // Not there, or the folder is not one: then it is no experiment, and the caller knows what else it may be.
  const text = await readFile(path, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  let value: Partial<ExperimentRecord>;
  try {
    value = JSON.parse(text);
  } catch (cause) {
    throw new HarnessError('HM_RESULT_UNREADABLE', `read ${path} failed: it is not whole JSON`, { cause });
  }
  if (value.schema !== EXPERIMENT_SCHEMA || !Array.isArray(value.order) || !Array.isArray(value.attempts)) {
    throw new HarnessError(
      'HM_RESULT_UNREADABLE',
      `read ${path} failed: its schema is ${JSON.stringify(value.schema)}, this version reads "${EXPERIMENT_SCHEMA}"`,
    );
  }
  return value as ExperimentRecord;
}
