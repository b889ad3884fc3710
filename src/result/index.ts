export type { AgentHealth, AgentRole, HostHealth } from './agent-health.ts';
export { DurableFile, writeAtomically } from './durable-file.ts';
export { decideExitCode, type ExitInput } from './exit-code.ts';
export { judgeFaults } from './fault-verdict.ts';
export type {
  ExpectationCheck,
  FaultCard,
  FaultFinding,
  FaultObservation,
  FaultsResult,
  FaultVerdictState,
  FindingName,
  InvariantCheck,
  InvariantName,
  PathObservation,
  ProbeLatency,
  ProbeParts,
  ProbeSecond,
  ProcessSighting,
} from './faults.ts';
export {
  CALLS_FILE,
  createResultFolder,
  LATEST_LINK,
  linkLatest,
  makeRunId,
  RESULT_FILE,
  readResult,
  writeRunResult,
} from './files.ts';
export {
  type EncodedHistogram,
  emptyDistribution,
  HISTOGRAM_DIGITS,
  HISTOGRAM_MAX_US,
  type HistogramBucket,
  LatencyHistogram,
  type PercentilePoint,
  rankOf,
} from './histogram.ts';
export {
  type HlogContents,
  type HlogInterval,
  type HlogWindow,
  HlogWriter,
  parseHlog,
  readHlog,
} from './hlog.ts';
export {
  findLimiter,
  LIMITER_LIMITS,
  type Limiter,
  type LimiterFinding,
  type LimiterInput,
  type LimiterName,
  SERIAL_METRICS,
} from './limiter.ts';
export type { MeasuredServer } from './measured-server.ts';
export type {
  PodKind,
  PodOutcome,
  PodRecord,
  PodStartup,
  PodStartupPhase,
  PodTimeline,
} from './pod-result.ts';
export { ALIVE_PODS_FILE, PODS_FILE, PodStream, readPods } from './pod-stream.ts';
export {
  BALANCED_PATH,
  type PathAvailability,
  type PhaseProbes,
  type ReadBack,
  type WatchPropagation,
} from './probes.ts';
export { formatCount, formatEdge, formatQuantile, judgeQuantile, minSampleCount } from './quantiles.ts';
export {
  type CallSeries,
  type CallSource,
  type Distribution,
  type DistributionSummary,
  type ErrorClass,
  type Fingerprint,
  type FleetSummary,
  type FlowPlacement,
  type Gauges,
  LATENCY_ROWS_US,
  type LimitWindow,
  type NetworkProgramming,
  type PhaseResult,
  type RolloutWait,
  RUN_RESULT_SCHEMA,
  type RunMark,
  type RunResult,
  type Scope,
  type SeriesKey,
  type ServerComponent,
  type ServerSli,
  type SloCheck,
  type SloKind,
  type SloVerdict,
  type TimelineWindow,
  type TrustCheck,
  type TrustState,
  type TrustVerdict,
  type Verb,
  type VerdictState,
  type Verdicts,
  type WatchFanOut,
} from './run-result.ts';
export { judgeSlo, type SloInput, tightestLimitUs } from './slo.ts';
export { UNSERVED_CLASSES, unservedCount } from './slo-client.ts';
export { NETWORK_PROGRAMMING_LIMIT_MS } from './slo-network.ts';
export {
  type CallShape,
  type CallSlo,
  callSlo,
  OFFICIAL_LIMITS,
  SLO_NAME,
  SLO_WINDOW_MS,
  type SloLimits,
  type SloRules,
} from './slo-rules.ts';
export {
  formatThresholdFigure,
  parseThreshold,
  THRESHOLD_LABEL_VALUES,
  THRESHOLD_METRICS,
  type ThresholdAggregate,
  type ThresholdExpression,
  type ThresholdMetricInfo,
  type ThresholdMetricName,
  type ThresholdProblem,
  type ThresholdUnit,
} from './threshold-expression.ts';
export { checkThreshold, judgeThresholds, type ThresholdInput } from './thresholds.ts';
export { judgeTrust, type PodAudit, TRUST_LIMITS, type TrustInput } from './trust.ts';
export {
  isSteady,
  MIN_WARM_UP_CALLS,
  WARM_UP_GRAIN_US,
  type WarmUpResult,
  type WarmUpRule,
  type WarmUpWindow,
  warmUpResult,
} from './warm-up.ts';
