/** Makers of results and their parts: everything healthy and passing unless told otherwise. */
import {
  type AgentHealth,
  type CallSeries,
  emptyDistribution,
  LatencyHistogram,
  type PodStartup,
  RUN_RESULT_SCHEMA,
  type RunResult,
  type SeriesKey,
  type ServerComponent,
  type ServerSli,
  type TimelineWindow,
  type TrustInput,
} from '../../src/result/index.ts';

/** A histogram of `count` samples of `us` each, per pair. */
export function histogramOf(...groups: readonly { us: number; count: number }[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const { us, count } of groups) for (let i = 0; i < count; i++) histogram.record(us);
  return histogram;
}

export function seriesKey(key: Partial<SeriesKey> = {}): SeriesKey {
  return {
    source: 'load',
    verb: 'create',
    resource: 'configmaps',
    subresource: '',
    scope: 'resource',
    variant: '',
    phase: 'churn',
    ...key,
  };
}

export function callSeries(
  response: LatencyHistogram,
  key: Partial<SeriesKey> = {},
  rest: Partial<CallSeries> = {},
): CallSeries {
  const failedCount = Object.values(rest.errors ?? {}).reduce((sum, count) => sum + count, 0);
  return {
    key: seriesKey(key),
    offeredCount: response.count,
    doneCount: response.count - failedCount,
    failedCount,
    droppedCount: 0,
    inFlightAtEndCount: 0,
    errors: {},
    receivedBytes: 0,
    sentBytes: 0,
    response: response.distribution(),
    service: response.distribution(),
    ...rest,
  };
}

export function podStartup(startup: LatencyHistogram, rest: Partial<PodStartup> = {}): PodStartup {
  return {
    kind: 'stateless',
    phase: 'churn',
    createdCount: startup.count + (rest.neverStartedCount ?? 0) + (rest.censoredCount ?? 0),
    startedCount: startup.count,
    neverStartedCount: 0,
    censoredCount: 0,
    phases: { pod_startup: startup.distribution() },
    slowest: [],
    ...rest,
  };
}

export function serverSli(
  buckets: Readonly<Record<string, number>>,
  rest: Partial<ServerSli> = {},
): ServerSli {
  const list = Object.entries(buckets).map(([le, count]) => ({
    leSeconds: le === '+Inf' ? null : Number(le),
    count,
  }));
  return {
    verb: 'POST',
    resource: 'pods',
    group: '',
    subresource: '',
    scope: 'resource',
    count: buckets['+Inf'] ?? 0,
    sumSeconds: 0,
    buckets: list.sort((a, b) => (a.leSeconds ?? Infinity) - (b.leSeconds ?? Infinity)),
    ...rest,
  };
}

export function apiServer(
  sli: ServerSli[] | undefined,
  rest: Partial<ServerComponent> = {},
): ServerComponent {
  return {
    component: 'kube-apiserver',
    name: 'kube-apiserver',
    scrapeCount: sli === undefined ? 0 : 2,
    scrapeGapCount: 0,
    metrics: {},
    ...(sli === undefined ? {} : { sli }),
    ...rest,
  };
}

export function agentHealth(rest: Partial<AgentHealth> = {}): AgentHealth {
  return {
    id: 'load-0',
    role: 'load',
    pid: 1,
    state: 'completed',
    slip: histogramOf({ us: 500, count: 1_000 }).distribution(),
    loopLag: histogramOf({ us: 1_000, count: 1_000 }).distribution(),
    gcRatio: 0.01,
    maxGcPauseMs: 10,
    meanCpuRatio: 0.1,
    maxCpuRatio: 0.3,
    maxRssBytes: 100e6,
    maxInFlightCount: 3,
    maxReportGapMs: 1_000,
    ...rest,
  };
}

export function timelineWindow(rest: Partial<TimelineWindow> = {}): TimelineWindow {
  return {
    startMs: 0,
    endMs: 10_000,
    phase: 'churn',
    offeredCount: 1_000,
    achievedCount: 1_000,
    startedCount: 1_000,
    droppedCount: 0,
    failedCount: 0,
    heat: [],
    gauges: {},
    ...rest,
  };
}

/** A small whole result; completed, and VALID by its parts. */
export function runResult(rest: Partial<RunResult> = {}): RunResult {
  return {
    schema: RUN_RESULT_SCHEMA,
    runId: '20260101-000000-quickstart',
    tool: { name: 'hollowmark', version: '0.1.0' },
    state: 'completed',
    startedAt: '2026-01-01T00:00:00.000Z',
    endedAt: '2026-01-01T00:01:00.000Z',
    durationMs: 60_000,
    command: ['hollowmark', 'run', 'suites/quickstart.yaml'],
    suite: {
      name: 'quickstart',
      description: '',
      path: 'suites/quickstart.yaml',
      sha256: '00',
      text: '',
      seed: 1,
      overrides: [],
      resolved: {},
    },
    machine: {
      hostname: 'host',
      os: 'linux',
      arch: 'x64',
      cpuModel: 'cpu',
      cpuCount: 2,
      memoryBytes: 8e9,
      nodeVersion: 'v20.20.2',
    },
    controlPlane: {
      provider: 'local',
      kubernetesVersion: 'v1.36.3',
      clusterUid: 'uid',
      profile: 'production-like',
      provenance: { source: 'built', kubernetesVersion: 'v1.36.3' },
      components: [],
      colocated: false,
    },
    fingerprint: {
      suiteSha256: '00',
      nodeCount: 100,
      kubernetesVersion: 'v1.36.3',
      profile: 'production-like',
      provenance: 'built',
      fidelity: 'full',
      identity: 'impersonation',
      connections: 'per-node',
      encoding: 'json',
      machineClass: 'x',
    },
    phases: [{ name: 'churn', measured: true, startMs: 0, endMs: 60_000, state: 'completed', actions: [] }],
    series: [callSeries(histogramOf({ us: 5_000, count: 1_000 }))],
    podStartup: [podStartup(histogramOf({ us: 900_000, count: 600 }))],
    watches: [],
    fleet: {
      nodeCount: 100,
      registeredCount: 100,
      readyCount: 100,
      lostCount: 0,
      registration: emptyDistribution(),
      leaseLateness: histogramOf({ us: 10_000, count: 600 }).distribution(),
      leaseSlip: histogramOf({ us: 1_000, count: 600 }).distribution(),
      leaseMissedCount: 0,
      watchCount: 900,
      connectionCount: 200,
      reconnectCount: 0,
      relistCount: 0,
      podsStartedCount: 600,
      podsDeletedCount: 600,
    },
    timeline: [timelineWindow()],
    server: [apiServer([serverSli({ '0.05': 900, '1': 1_000, '+Inf': 1_000 })])],
    agents: [agentHealth()],
    hostHealth: { cpuCount: 2, meanCpuRatio: 0.4, maxCpuRatio: 0.8, stealRatio: 0, throttledCount: 0 },
    cleanup: { state: 'clean', leftCount: 0, durationMs: 100, text: 'nothing left' },
    verdicts: { slo: [], trust: { state: 'VALID', checks: [], notes: [] }, exitCode: 0, text: '' },
    ...rest,
  };
}

/** What the trust verdict looks at, healthy unless told otherwise. */
export function trustInput(rest: Partial<TrustInput> = {}): TrustInput {
  return {
    ...runResult(),
    tightestLimitUs: 1_000_000,
    reportPeriodMs: 10_000,
    pods: { createdCount: 600, missingCount: 0, lostInstantCount: 0, observerGapCount: 0 },
    ...rest,
  };
}
