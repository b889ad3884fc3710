/**
 * What a load agent is given, and what it says of itself: plain data that goes between processes as JSON.
 */
import type { LoadSettings } from '../src/config/index.ts';
import type { ClusterAccess } from '../src/kube/index.ts';
import type { DistributionSummary, EncodedHistogram } from '../src/result/index.ts';
import type { DropReason } from './calls/action-tally.ts';
import type { FlowPlacementCount } from './calls/flow-placements.ts';
import type { PodPlacement } from './objects/run-marks.ts';
import type { Shard } from './pacer/stripe.ts';

/** One agent's share of the load. Rates and counts in `settings` are of the whole load; the shard takes its stripe. */
export interface LoadShard {
  runId: string;
  seed: number;
  shard: Shard;
  settings: LoadSettings;
  /** As the load's own identity. */
  access: ClusterAccess;
  /** Object i goes to namespace i mod length. */
  namespaces: string[];
  /** Put on every object and on whatever it makes. */
  labels: Record<string, string>;
  podPlacement: PodPlacement;
}

/** A glance at the generator, for live display and for the windows of the time series. All counts since the start. */
export interface LoadStats {
  offeredCount: number;
  /** Ended calls, failed ones included. */
  achievedCount: number;
  failedCount: number;
  droppedCount: number;
  inFlightCount: number;
  maxInFlightCount: number;
  /** Objects whose creation was acknowledged. */
  createdObjectCount: number;
  /** Of the call that was sent last. */
  lastSlipUs: number;
}

export interface LoadPhaseOutcome {
  phase: string;
  /** `stopped`: stopNewWork() cut the schedule short. */
  state: 'completed' | 'stopped';
  actions: LoadActionOutcome[];
  /** Where Priority & Fairness put the phase's calls. */
  placements: FlowPlacementCount[];
}

/** One action of one phase on one shard. offered = done + failed + dropped; nothing is in flight any more. */
export interface LoadActionOutcome {
  action: string;
  name: string;
  description: string;
  offeredCount: number;
  doneCount: number;
  failedCount: number;
  droppedCount: number;
  droppedByReason: Record<DropReason, number>;
  /** Calls that were sent a second time after a 429's Retry-After. */
  retriedCount: number;
  /** Deletes that waited for the creation before them. */
  deferredCount: number;
  /** Deletes never offered, because their creation was refused or dropped. */
  voidedCount: number;
  /** Arrivals never offered, because the phase was called off before they were due. */
  notOfferedCount: number;
  /** Pods that this shard's creations were to make and leave running. */
  expectedPodCount: number;
  /** Of those, pods whose object was acknowledged: what to wait for. */
  acknowledgedPodCount: number;
  slip: DistributionSummary;
  /** The same, to be merged with other shards'. */
  slipHistogram: EncodedHistogram;
}
