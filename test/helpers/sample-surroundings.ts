/** What surrounds the calls of a sample run: machine, control plane, suite, agents. */
import type { Random } from '../../src/core/index.ts';
import {
  type AgentHealth,
  type Distribution,
  LatencyHistogram,
  RUN_RESULT_SCHEMA,
  type RunResult,
  type ServerSli,
} from '../../src/result/index.ts';
import type { SampleVariant } from './sample-calls.ts';

/** `count` log-normal latencies around `medianUs`. */
export function distribution(random: Random, count: number, medianUs: number, sigma = 0.4): Distribution {
  const histogram = new LatencyHistogram();
  for (let i = 0; i < count; i++) {
    histogram.record(Math.round(medianUs * Math.exp(random.normal() * sigma)));
  }
  return histogram.distribution();
}

/** Two minutes of measured phases on the sample's eight processors. */
const MEASURED = { durationMs: 112_000, maxCpuCount: 8, serialSeconds: {} };

/** One of each component; the API server with its SLI histograms. */
export function serverComponents(variant: SampleVariant, sli: ServerSli[]): RunResult['server'] {
  if (variant === 'no-data') return [];
  return [
    {
      component: 'kube-apiserver',
      name: 'kube-apiserver-0',
      scrapeCount: 25,
      scrapeGapCount: 0,
      cpuSeconds: 128.4,
      maxRssBytes: 786 * 1024 * 1024,
      maxGoroutineCount: 2_914,
      sli,
      priorityLevels: [
        { name: 'node-high', dispatchedCount: 3_408, rejectedCount: 0, waitSeconds: 0.2 },
        {
          name: 'workload-low',
          dispatchedCount: 7_214,
          rejectedCount: variant === 'slo-failure' ? 37 : 0,
          waitSeconds: 1.8,
        },
        { name: 'system', dispatchedCount: 5_310, rejectedCount: 0, waitSeconds: 0.4 },
      ],
      measured: {
        ...MEASURED,
        cpuSeconds: 61.2,
        priorityLevels: [
          {
            name: 'workload-low',
            dispatchedCount: 7_001,
            rejectedCount: variant === 'slo-failure' ? 37 : 0,
            waitSeconds: 1.7,
          },
        ],
      },
      flowSchemas: [
        { name: 'system-nodes', priorityLevel: 'system', dispatchedCount: 5_310 },
        { name: 'system-node-high', priorityLevel: 'node-high', dispatchedCount: 3_408 },
        { name: 'service-accounts', priorityLevel: 'workload-low', dispatchedCount: 7_214 },
      ],
      metrics: { apiserver_current_inflight_requests: 14 },
    },
    {
      component: 'etcd',
      name: 'etcd-0',
      scrapeCount: 25,
      scrapeGapCount: 0,
      cpuSeconds: 24.1,
      maxRssBytes: 201 * 1024 * 1024,
      measured: {
        ...MEASURED,
        cpuSeconds: 11.8,
        serialSeconds: { etcd_disk_wal_fsync_duration_seconds: 9.4 },
      },
      metrics: { etcd_mvcc_db_total_size_in_bytes: 41_943_040 },
    },
    {
      component: 'kube-controller-manager',
      name: 'kube-controller-manager-0',
      scrapeCount: 25,
      scrapeGapCount: 0,
      cpuSeconds: 9.3,
      maxRssBytes: 128 * 1024 * 1024,
      rateLimiterWaitSeconds: 0.02,
      rateLimiterWaitCount: 812,
      measured: { ...MEASURED, cpuSeconds: 4.2, rateLimiterWaitSeconds: 0.01, rateLimiterWaitCount: 402 },
      metrics: {},
    },
    {
      component: 'kube-scheduler',
      name: 'kube-scheduler-0',
      scrapeCount: 25,
      scrapeGapCount: 0,
      cpuSeconds: 6.7,
      maxRssBytes: 94 * 1024 * 1024,
      rateLimiterWaitSeconds: variant === 'slo-failure' ? 187.9 : 0.4,
      rateLimiterWaitCount: 3_204,
      measured: {
        ...MEASURED,
        cpuSeconds: 3.1,
        rateLimiterWaitSeconds: variant === 'slo-failure' ? 186.7 : 0.3,
        rateLimiterWaitCount: 2_804,
      },
      metrics: {},
    },
  ];
}

/** Self-health of a fleet, a load and an observer agent. */
export function agents(variant: SampleVariant, parent: Random): AgentHealth[] {
  const random = parent.fork('agents');
  const agent = (id: string, role: AgentHealth['role'], slipMedianUs: number): AgentHealth => ({
    id,
    role,
    pid: 4_200 + random.integer(90),
    state: 'completed',
    slip:
      role === 'load'
        ? distribution(random, 2_000, slipMedianUs, 0.6)
        : new LatencyHistogram().distribution(),
    loopLag: distribution(random, 4_000, variant === 'degraded' ? 9_000 : 600, 0.6),
    gcRatio: variant === 'degraded' ? 0.061 : 0.008,
    maxGcPauseMs: variant === 'degraded' ? 118 : 14,
    meanCpuRatio: 0.31,
    maxCpuRatio: variant === 'degraded' ? 0.91 : 0.52,
    maxRssBytes: 164 * 1024 * 1024,
    maxInFlightCount: 18,
    maxReportGapMs: 1_012,
  });
  const all = [
    agent('fleet-0', 'fleet', 0),
    agent('load-0', 'load', variant === 'invalid' ? 24_000 : 600),
    agent('observer-0', 'observer', 0),
  ];
  return all.map((entry) =>
    variant === 'invalid' && entry.id === 'fleet-0'
      ? { ...entry, state: 'lost', reason: 'no report for 15 s (SIGKILL, signal 9)' }
      : entry,
  );
}

/** Everything about the run that is no measurement. */
export function environment(
  variant: SampleVariant,
  nodeCount: number,
  durationMs: number,
): Pick<
  RunResult,
  | 'schema'
  | 'runId'
  | 'tool'
  | 'state'
  | 'reason'
  | 'startedAt'
  | 'endedAt'
  | 'durationMs'
  | 'command'
  | 'suite'
  | 'machine'
  | 'controlPlane'
  | 'fingerprint'
> {
  const startWallMs = Date.UTC(2026, 10, 22, 12, 4, 0);
  const sha256 = '6f1d3c0a5b7e4f2890ab12cd34ef5678901234567890abcdef1234567890abcd';
  return {
    schema: RUN_RESULT_SCHEMA,
    runId: '20261122-120400-quickstart',
    tool: { name: 'hollowmark', version: '0.1.0' },
    state: variant === 'interrupted' ? 'interrupted' : variant === 'no-data' ? 'failed' : 'completed',
    ...(variant === 'interrupted' ? { reason: 'interrupted by SIGINT in phase churn' } : {}),
    ...(variant === 'no-data' ? { reason: 'no node became Ready within 2 m' } : {}),
    startedAt: new Date(startWallMs).toISOString(),
    endedAt: new Date(startWallMs + durationMs).toISOString(),
    durationMs,
    command: ['hollowmark', 'run', 'suites/quickstart.yaml', '--set', 'seed=1', '--nodes', String(nodeCount)],
    suite: {
      name: 'quickstart',
      description: `${nodeCount} nodes, 1,000 pods, then churn beside reads and watches.`,
      path: 'suites/quickstart.yaml',
      sha256,
      text: 'apiVersion: hollowmark.dev/v1\nkind: Suite\nname: quickstart\nseed: 1\nfleet:\n  nodes: 100\n',
      seed: 1,
      overrides: ['seed=1', `fleet.nodes=${nodeCount}`],
      resolved: { name: 'quickstart', seed: 1, fleet: { nodeCount } },
    },
    machine: {
      hostname: 'bench-1',
      os: 'Linux 6.1.0',
      arch: 'x64',
      cpuModel: 'AMD EPYC 7B13',
      cpuCount: 8,
      memoryBytes: 32 * 1024 ** 3,
      nodeVersion: 'v20.20.2',
    },
    controlPlane: {
      provider: 'local',
      kubernetesVersion: 'v1.36.3',
      clusterUid: '0b8c4f5e-6f0d-4a52-9a55-0d7c3f1f2a11',
      profile: 'production-like',
      provenance: {
        source: 'go-build',
        kubernetesVersion: 'v1.36.3',
        etcdVersion: '3.6.16',
        goVersion: 'go1.26.1',
      },
      components: [
        { component: 'etcd', name: 'etcd-0', args: ['--quota-backend-bytes=8589934592'] },
        {
          component: 'kube-apiserver',
          name: 'kube-apiserver-0',
          args: ['--authorization-mode=Node,RBAC', '--enable-admission-plugins=NodeRestriction'],
        },
      ],
      startMs: 3_120,
      colocated: true,
    },
    fingerprint: {
      suiteSha256: sha256,
      nodeCount,
      kubernetesVersion: 'v1.36.3',
      profile: 'production-like',
      provenance: 'go-build go1.26.1',
      fidelity: 'full',
      identity: 'impersonation',
      connections: 'per-node',
      encoding: 'json',
      machineClass: 'linux-x64 8 CPU 32 GiB',
    },
  };
}
