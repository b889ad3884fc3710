/**
 * What an action is to the generator: something that, begun for one phase, gives streams of arrivals to pace and keeps
 * a tally of what became of them. An action is one file beside this one and one line in action-kinds.ts.
 */
import {
  type ObjectTemplate,
  objectsOfUnit,
  type ResourceRef,
  resourceLabel,
} from '../../src/config/index.ts';
import type { CallRecorder, PodInstantSink } from '../../src/measure/index.ts';
import type { ActionTally } from '../calls/action-tally.ts';
import type { LoadCaller } from '../calls/load-caller.ts';
import type { LiveObjects } from '../objects/live-objects.ts';
import type { RunMarks } from '../objects/run-marks.ts';
import type { PacedStream } from '../pacer/arrival-stream.ts';
import type { Shard } from '../pacer/stripe.ts';

/** What an action works with, in one phase. */
export interface ActionContext {
  runId: string;
  shard: Shard;
  phase: string;
  /** Tells the action from every other of its phase, also from one with the same name. */
  actionKey: string;
  /** Belongs to this action of this phase of this run's seed; the same on every shard. */
  seed: string;
  /** Instant of the phase's start. */
  zeroUs: number;
  namespaces: readonly string[];
  marks: RunMarks;
  requestTimeoutMs: number;
  caller: LoadCaller;
  recorder: CallRecorder;
  podInstants: PodInstantSink;
  live: LiveObjects;
  /** Looks for existing objects of a resource, in the background and at most every few seconds. */
  discover: (resource: ResourceRef) => void;
  /** A recent resourceVersion for exact lists, kept fresh in the background; undefined before there is one. */
  revisionOf: (resource: ResourceRef) => string | undefined;
  tally: ActionTally;
}

export interface BegunAction {
  streams: readonly PacedStream[];
  /** Pods that this shard's creations of the action stand for, if all succeed; 0 for actions that make none to stay. */
  expectedPodCount: number;
  /** One line for people: `20/s of pods, 1,000 in all`. */
  description: string;
}

/** What an arrival makes: `deployments.apps`, `configmaps + pods`. */
export function unitText(object: ObjectTemplate): string {
  return objectsOfUnit(object)
    .map(({ resource }) => resourceLabel(resource))
    .join(' + ');
}
