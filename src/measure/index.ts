export { type CallWindow, LATE_START_US, RunCallRecorder, seriesId } from './call-recorder.ts';
export type { CallRecorder, CallSeriesRecorder, Outcome } from './calls.ts';
export {
  POD_INSTANTS,
  type PodDetail,
  type PodInstant,
  type PodInstantBatch,
  PodInstantBuffer,
  type PodInstantSink,
  replayBatch,
} from './pod-instants.ts';
