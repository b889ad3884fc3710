export { DROP_REASONS, type DropReason } from './calls/action-tally.ts';
export { LoadGenerator, type LoadGeneratorOptions } from './load-generator.ts';
export type { LoadActionOutcome, LoadPhaseOutcome, LoadShard, LoadStats } from './load-shard.ts';
export type { PodPlacement, Toleration } from './objects/run-marks.ts';
export { Pacer, type PacerOptions } from './pacer/pacer.ts';
export { type Shard, stripeLength } from './pacer/stripe.ts';
export {
  DEFAULT_STREAMS_PER_CONNECTION,
  WatchLoad,
  type WatchLoadOptions,
  type WatchLoadStats,
} from './watches/watch-load.ts';
