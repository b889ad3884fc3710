export { type AgentFacts, AgentHealthLedger } from './agent-health.ts';
export {
  CallCollector,
  type CallCollectorOptions,
  type CallFigures,
  type ClosedCallWindow,
} from './call-collector.ts';
export { type CallWindow, LATE_START_US, RunCallRecorder, seriesId } from './call-recorder.ts';
export type { CallRecorder, CallSeriesRecorder, Outcome } from './calls.ts';
export { HostMonitor, type HostSources } from './host-health.ts';
export {
  type ObserverSink,
  POD_INSTANTS,
  type PodDetail,
  type PodInstant,
  type PodInstantBatch,
  PodInstantBuffer,
  type PodInstantSink,
  replayBatch,
} from './pod-instants.ts';
export { hasStarted, type ObservedPod, podKind } from './pod-state.ts';
export { LATE_REPORT_MS, type PodProgress, PodTimelines, type PodTimelinesOptions } from './pod-timelines.ts';
export { PodTracker, type PodTrackerOptions, type PodTrackerParts } from './pod-tracker.ts';
export { type ProcessUsage, ProcessUsageMeter } from './process-usage.ts';
export { parseLabels, parsePrometheusText, type SampleSink } from './prometheus-text.ts';
export { type HealthWindow, LAG_RESOLUTION_MS, ProcessHealth } from './self-health.ts';
export { LOAD_ONLY_METRICS, WANTED_SAMPLES } from './server-headlines.ts';
export { type ScrapeTarget, ServerMetrics } from './server-metrics.ts';
