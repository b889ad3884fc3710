/**
 * RunResult v1: everything a run leaves behind, in one JSON document. Reports, comparisons and gates are rebuilt
 * from it alone. Instants are milliseconds since the start of the run (`…Ms`, monotonic) unless the name says wall
 * time; latencies are integer microseconds (`…Us`).
 */

import type { AgentHealth, HostHealth } from './agent-health.ts';
import type { FaultsResult } from './faults.ts';
import type { MeasuredServer } from './measured-server.ts';
import type { PhaseResult } from './phase-result.ts';
import type { PodStartup } from './pod-result.ts';
import type { PhaseProbes } from './probes.ts';

export type { FlowPlacement, PhaseAction, PhaseResult, RolloutWait } from './phase-result.ts';

export const RUN_RESULT_SCHEMA = 'hollowmark.dev/run-result/v1';

/** Percentiles of a histogram, for readers that do not decode it; all 0 where `count` is 0: look at it first. */
export interface DistributionSummary {
  count: number;
  minUs: number;
  meanUs: number;
  p50Us: number;
  p90Us: number;
  p95Us: number;
  p99Us: number;
  p999Us: number;
  maxUs: number;
}

/** A latency distribution: HDR histogram (V2, compressed, base64; microseconds, 3 digits) and its summary. */
export interface Distribution {
  /** Empty string where `summary.count` is 0. */
  encoded: string;
  summary: DistributionSummary;
  /** Samples clamped to the histogram's upper end, 1 h: never silently dropped. */
  overRangeCount: number;
}

export type Verb = 'get' | 'list' | 'watch' | 'create' | 'update' | 'patch' | 'delete' | 'deletecollection';
/** As kube-apiserver labels it: a request with a name or a create is `resource`; one namespace; the whole cluster. */
export type Scope = 'resource' | 'namespace' | 'cluster';
/** Who sent it: measured load, the fleet's kubelets and proxies, availability probes, or the harness's own set-up. */
export type CallSource = 'load' | 'kubelet' | 'kube-proxy' | 'probe' | 'setup';

export interface SeriesKey {
  source: CallSource;
  verb: Verb;
  /** Plural with group where there is one: `pods`, `deployments.apps`. */
  resource: string;
  /** `status`, `token`, …; empty for none. */
  subresource: string;
  scope: Scope;
  /** What makes two series of one verb differ: `cached`, `consistent`, `paged`; empty for none. */
  variant: string;
  /** Name of the suite's phase. */
  phase: string;
}

/** `http-429`, `http-5xx`, `timeout`, `connection`, …: see docs/measurements.md. */
export type ErrorClass =
  | 'http-4xx'
  | 'http-409'
  | 'http-429'
  | 'http-5xx'
  | 'timeout'
  | 'connection'
  | 'protocol'
  | 'cancelled';

export interface CallSeries {
  key: SeriesKey;
  /** Arrivals the schedule asked for. Conservation: offered = done + failed + dropped + inFlightAtEnd. */
  offeredCount: number;
  doneCount: number;
  failedCount: number;
  /** Arrivals that could not start (in-flight cap, stop); never rescheduled. */
  droppedCount: number;
  inFlightAtEndCount: number;
  errors: Partial<Record<ErrorClass, number>>;
  /** Bodies as received, after decompression. */
  receivedBytes: number;
  sentBytes: number;
  /** Body of the largest reply; the mean is receivedBytes by the calls that ended. */
  maxReplyBytes?: number;
  /** Intended start to last byte: what a user of the cluster feels; failed calls included by their duration. */
  response: Distribution;
  /** Sent to last byte. */
  service: Distribution;
  /** Response times by 5-minute window against the SLO limit of the series; load series that have a limit only. */
  windows?: LimitWindow[];
}

/** Samples of one 5-minute window of the run and how many of them were over their limit. */
export interface LimitWindow {
  startMs: number;
  count: number;
  /** Calls that failed for the server's sake and pods that never started are over any limit. */
  overLimitCount: number;
}

export interface WatchFanOut {
  phase: string;
  resource: string;
  scope: Scope;
  watcherCount: number;
  eventCount: number;
  /** Events of the watcher that received the fewest, of the median one, and of the one that received the most. */
  eventsPerWatcher?: { min: number; median: number; max: number };
  receivedBytes: number;
  reconnectCount: number;
  relistCount: number;
  /** From the first watcher's receipt of a resourceVersion to each other watcher's. */
  deliverySpread: Distribution;
  /** From the API server's own stamp of a change, of whole seconds, to the first watcher; absent without stamps. */
  serverLag?: Distribution;
  /** Stamp minus receipt of the event that came quickest, by wall clocks. */
  serverClockDifferenceMs?: number;
}

export interface FleetSummary {
  nodeCount: number;
  registeredCount: number;
  readyCount: number;
  lostCount: number;
  /** First request of a node → its Ready condition acknowledged. */
  registration: Distribution;
  /** Due → acknowledged. */
  leaseLateness: Distribution;
  /** The same by phase of the windows in which it was acknowledged; registration and clean-up are the empty one. */
  leaseLatenessByPhase?: { phase: string; lateness: Distribution }[];
  /** Part of the lateness that the fleet itself caused: due → sent. */
  leaseSlip: Distribution;
  /** A storm's end, a restart or the loss of the node object → Ready again; absent where no node came back. */
  recovery?: Distribution;
  /** Of nodes under a storm or just after one; not part of lostCount. Absent where there were none. */
  stormLostCount?: number;
  leaseMissedCount: number;
  watchCount: number;
  connectionCount: number;
  reconnectCount: number;
  relistCount: number;
  podsStartedCount: number;
  podsDeletedCount: number;
}

/** How long changes of Services' endpoints took to reach the rules of all hollow proxies, in one phase. */
export interface NetworkProgramming {
  phase: string;
  /** Change → in force on a node, a sample for each change of an EndpointSlice and node: upstream's SLI. */
  programming: Distribution;
  /** The part of it after the proxy had received the change. */
  proxyDelay: Distribution;
  /** Syncs of all proxies, also those that changed no endpoint. */
  syncCount: number;
  /** Most rules that one node's model had. */
  maxRuleCount: number;
}

/** One window of the run's time series; windows tile the run. Rates can be had from the counts and the length. */
export interface TimelineWindow {
  startMs: number;
  endMs: number;
  phase: string;
  /** Arrivals of the load that the schedule asked for in this window. */
  offeredCount: number;
  /** Calls of the load that ended in this window, whatever their outcome. */
  achievedCount: number;
  droppedCount: number;
  failedCount: number;
  /** Arrivals that went out, and within 1 s of their instant: what the trust verdict holds against offered. */
  startedCount?: number;
  /** Of the load's response times in this window; absent when there were none. */
  p50Us?: number;
  p99Us?: number;
  maxUs?: number;
  slipP99Us?: number;
  loopLagP99Us?: number;
  /** Counts of response times by row of LATENCY_ROWS_US, for the heatmap. */
  heat: number[];
  gauges: Gauges;
}

/** Last known values at the end of a window; absent if unknown. */
export interface Gauges {
  nodesReady?: number;
  podsPending?: number;
  podsRunning?: number;
  inFlight?: number;
  apiserverCpuCores?: number;
  apiserverRssBytes?: number;
  etcdCpuCores?: number;
  etcdRssBytes?: number;
  fleetCpuCores?: number;
  fleetRssBytes?: number;
  loadCpuCores?: number;
  /** Of all CPUs of this host, 0..1. */
  hostCpuRatio?: number;
}

/** Upper edges of the heatmap's rows, in microseconds: four a decade from 100 µs to 100 s; the last row is open. */
export const LATENCY_ROWS_US: readonly number[] = Array.from({ length: 25 }, (_, i) =>
  Math.round(100 * 10 ** (i / 4)),
);

/** Difference of one server-side SLI histogram between two scrapes. */
export interface ServerSli {
  verb: string;
  resource: string;
  group: string;
  subresource: string;
  scope: string;
  count: number;
  sumSeconds: number;
  /** Cumulative counts by upper edge in seconds, ascending, +Inf last as null. */
  buckets: { leSeconds: number | null; count: number }[];
}

/** What one process of the control plane said of itself between the first and the last scrape. */
export interface ServerComponent {
  component: string;
  name: string;
  scrapeCount: number;
  scrapeGapCount: number;
  unreachable?: string;
  /** Times that the process was found to be another one; what it did not tell before it ended is lost. */
  restartCount?: number;
  cpuSeconds?: number;
  maxRssBytes?: number;
  maxGoroutineCount?: number;
  /** kube-apiserver only. */
  sli?: ServerSli[];
  priorityLevels?: { name: string; dispatchedCount: number; rejectedCount: number; waitSeconds: number }[];
  flowSchemas?: {
    name: string;
    priorityLevel: string;
    dispatchedCount: number;
    rejectedCount?: number;
    waitSeconds?: number;
  }[];
  /** Clients of the API server: time their own rate limiter held requests back. */
  rateLimiterWaitSeconds?: number;
  rateLimiterWaitCount?: number;
  /** The measured phases alone; absent where none ended between two scrapes. */
  measured?: MeasuredServer;
  /** Anything else worth showing, by metric name: deltas of counters, maxima of gauges. */
  metrics: Record<string, number>;
}

/** What must be equal before two runs are compared. */
export interface Fingerprint {
  suiteSha256: string;
  nodeCount: number;
  kubernetesVersion: string;
  profile: string;
  provenance: string;
  fidelity: string;
  identity: string;
  connections: string;
  encoding: string;
  machineClass: string;
}

export type VerdictState = 'pass' | 'fail' | 'inconclusive' | 'no-data';

/** One limit held against one set of samples. */
export interface SloCheck {
  /** `client-slo` / `official-sli` / `threshold`. */
  kind: SloKind;
  /** Official name of the SLI: `mutating API call latency`, `read-only API call latency`, `pod startup latency`. */
  slo: string;
  /** What it was held against: `create pods (resource)`. */
  subject: string;
  /** Empty for all measured phases together, which is what is judged. */
  phase: string;
  state: VerdictState;
  sampleCount: number;
  /** 0 where the check is not of a quantile: thresholds only. */
  quantile: number;
  /** 0 where the limit is no latency: thresholds only. */
  limitUs: number;
  /** Absent where the server's first bucket hides it; then `text` says `<50 ms`. */
  valueUs?: number;
  /** Samples over the limit, never-started pods included. */
  overLimitCount: number;
  /** Good 5-minute windows / all; absent when the run is shorter than one. */
  goodWindowRatio?: number;
  /** One sentence for people, with the figure. */
  text: string;
  /** Shown, but decides nothing: one phase's own line beside the line over all measured phases. */
  informational?: true;
  /** Of kind `threshold`: its figure and its limit as people read them, in the unit of its metric. */
  threshold?: { unit: 'us' | 'count' | 'ratio' | 'per-second'; limitText: string; valueText?: string };
}

/** `fault-response`: each fault of the run, and each invariant at its end. */
export type SloKind = 'client-slo' | 'official-sli' | 'threshold' | 'fault-response';

export interface SloVerdict {
  kind: SloKind;
  /** True where it decides the exit code (`slo.judge`). */
  judged: boolean;
  state: VerdictState;
  checks: SloCheck[];
  text: string;
}

export type TrustState = 'VALID' | 'DEGRADED' | 'INVALID';

export interface TrustCheck {
  name: string;
  state: TrustState;
  /** Figure, its unit in the text: `slip p99 3.1 ms, limit 50 ms`. */
  text: string;
  value?: number;
  limit?: number;
}

export interface TrustVerdict {
  state: TrustState;
  checks: TrustCheck[];
  /** Facts a reader must know that are no fault: co-location, profile. */
  notes: string[];
}

export interface Verdicts {
  slo: SloVerdict[];
  trust: TrustVerdict;
  exitCode: number;
  /** One line: what decided the exit code. */
  text: string;
}

/**
 * Something that was done to the cluster or its nodes while the run went on, and is marked in the time series: a storm,
 * a fault. Milliseconds since the start of the run.
 */
export interface RunMark {
  /** `storm`, `fault`: who did it. */
  kind: string;
  /** `silence 50 nodes`: one phrase for people. */
  text: string;
  phase: string;
  atMs: number;
  /** Absent where it was not ended, or ended with the run. */
  endMs?: number;
  /** Nodes that were hit. */
  nodeCount?: number;
}

export interface RunResult {
  schema: typeof RUN_RESULT_SCHEMA;
  /** `20261122-120400-quickstart` */
  runId: string;
  tool: { name: 'hollowmark'; version: string };
  state: 'completed' | 'interrupted' | 'failed';
  /** Why the run is not `completed`. */
  reason?: string;
  startedAt: string;
  endedAt: string;
  durationMs: number;
  /** Arguments that repeat the run exactly. */
  command: string[];
  suite: {
    name: string;
    description: string;
    path: string;
    sha256: string;
    text: string;
    seed: number;
    overrides: string[];
    /** The suite as resolved, defaults filled in. */
    resolved: unknown;
  };
  machine: {
    hostname: string;
    os: string;
    arch: string;
    cpuModel: string;
    cpuCount: number;
    memoryBytes: number;
    nodeVersion: string;
  };
  controlPlane: {
    provider: string;
    kubernetesVersion: string;
    clusterUid: string;
    profile: string;
    provenance: { source: string; kubernetesVersion: string; etcdVersion?: string; goVersion?: string };
    components: { component: string; name: string; args: string[] }[];
    startMs?: number;
    colocated: boolean;
  };
  fingerprint: Fingerprint;
  phases: PhaseResult[];
  series: CallSeries[];
  podStartup: PodStartup[];
  watches: WatchFanOut[];
  fleet: FleetSummary;
  /** Absent in results of versions that did not measure it. */
  networkProgramming?: NetworkProgramming[];
  /** By phase; absent where the suite has no probes. */
  probes?: PhaseProbes[];
  /** Pods bound per second while pods waited: scheduler throughput, best 10 s window and mean. */
  scheduling?: { boundCount: number; meanPerSecond: number; maxPerSecond: number };
  timeline: TimelineWindow[];
  /** Absent where nothing was done. */
  marks?: RunMark[];
  /** Absent where the suite has no faults. */
  faults?: FaultsResult;
  server: ServerComponent[];
  agents: AgentHealth[];
  hostHealth: HostHealth;
  cleanup: { state: 'clean' | 'left' | 'skipped'; leftCount: number; durationMs: number; text: string };
  verdicts: Verdicts;
}
