/**
 * What a run lets others see of itself while it goes on: one object that the engine updates and the display reads.
 * Nothing decides on it.
 */

/** One step of a run, in the order they come. */
export type RunStep =
  | 'starting control plane'
  | 'preparing cluster'
  | 'starting agents'
  | 'registering nodes'
  | 'phase'
  | 'cleaning up'
  | 'stopping control plane'
  | 'writing result'
  | 'done';

export interface RunProgress {
  step: RunStep;
  /** Name of the phase while `step` is `phase`, and its place among all. */
  phase: string;
  phaseNumber: number;
  phaseCount: number;
  /** Monotonic microseconds; phase end is an estimate, absent if unknown. */
  startedUs: number;
  stepStartedUs: number;
  stepEndEstimateUs?: number;
  /** One line about what the step does right now, such as what is being built. */
  detail: string;
  nodeCount: number;
  nodesReady: number;
  nodesLost: number;
  podsPending: number;
  podsRunning: number;
  /** Of the last second. */
  offeredPerSecond: number;
  achievedPerSecond: number;
  inFlightCount: number;
  droppedCount: number;
  failedCount: number;
  /** Of the last closed window; absent before the first. */
  p50Us?: number;
  p99Us?: number;
  slipP99Us?: number;
  loopLagP99Us?: number;
  /** Things a person should know now, newest last. */
  notices: string[];
}

/** A run before its first step. */
export function initialProgress(options: {
  nowUs: number;
  nodeCount: number;
  phaseCount: number;
}): RunProgress {
  return {
    step: 'starting control plane',
    phase: '',
    phaseNumber: 0,
    phaseCount: options.phaseCount,
    startedUs: options.nowUs,
    stepStartedUs: options.nowUs,
    detail: '',
    nodeCount: options.nodeCount,
    nodesReady: 0,
    nodesLost: 0,
    podsPending: 0,
    podsRunning: 0,
    offeredPerSecond: 0,
    achievedPerSecond: 0,
    inFlightCount: 0,
    droppedCount: 0,
    failedCount: 0,
    notices: [],
  };
}
