export { ActionTally, DROP_REASONS, type DropReason } from './calls/action-tally.ts';
export type { FlowPlacementCount } from './calls/flow-placements.ts';
export { type CallEnd, type LoadCall, LoadCaller, type LoadCallerOptions } from './calls/load-caller.ts';
export { LoadGenerator, type LoadGeneratorOptions } from './load-generator.ts';
export type { LoadActionOutcome, LoadPhaseOutcome, LoadShard, LoadStats } from './load-shard.ts';
export type { PodPlacement, Toleration } from './objects/run-marks.ts';
export { EndlessStream } from './pacer/endless-stream.ts';
export { intensityOf } from './pacer/intensity.ts';
export { Pacer, type PacerOptions } from './pacer/pacer.ts';
export { pacingText } from './pacer/pacing-text.ts';
export { arrivalCount } from './pacer/shapes/constant.ts';
export { type Shard, stripeLength } from './pacer/stripe.ts';
export { PhaseProbes, type PhaseProbesOptions, type PhaseProbesShard } from './probes/phase-probes.ts';
export { openProbePath, type ProbePath, probePaths } from './probes/probe-paths.ts';
export type { ProbeWindow } from './probes/probe-window.ts';
export {
  DEFAULT_STREAMS_PER_CONNECTION,
  WatchLoad,
  type WatchLoadOptions,
  type WatchLoadStats,
} from './watches/watch-load.ts';
