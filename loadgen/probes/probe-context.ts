/** What the probes of one phase work with. */
import type { Clock } from '../../src/core/index.ts';
import type { CallRecorder, CallSeriesRecorder } from '../../src/measure/index.ts';
import type { SeriesKey } from '../../src/result/index.ts';
import type { ActionTally } from '../calls/action-tally.ts';
import type { LoadCaller } from '../calls/load-caller.ts';

/** An open way to the cluster. */
export interface OpenPath {
  name: string;
  caller: LoadCaller;
}

export interface ProbeContext {
  phase: string;
  clock: Clock;
  recorder: CallRecorder;
  /** Of all probes of the phase: their slip. */
  tally: ActionTally;
  timeoutMs: number;
  /** Where the probes' objects are. */
  namespace: string;
  /** `balanced` first. */
  paths: readonly OpenPath[];
}

/** A kind of probe with its streams. */
export type ProbeSeriesKey = Pick<SeriesKey, 'verb' | 'resource' | 'scope' | 'variant'>;

/** The series of one kind of probe call. */
export function probeSeries(context: ProbeContext, key: ProbeSeriesKey): CallSeriesRecorder {
  return context.recorder.series({ source: 'probe', subresource: '', phase: context.phase, ...key });
}

export const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps', namespaced: true } as const;

/** Body of a write: the number that watchers and readers look for. */
export function sequencePatch(sequence: number): string {
  return JSON.stringify({ data: { sequence: String(sequence) } });
}
