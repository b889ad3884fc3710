/** The whole load as one shard, for benchmarks. */
import type { LoadShard } from '../../loadgen/index.ts';
import type { ClusterAccess } from '../../src/kube/index.ts';

/** One namespace, 64 connections. */
export function benchShard(access: ClusterAccess): LoadShard {
  return {
    runId: 'bench',
    seed: 1,
    shard: { index: 0, count: 1 },
    settings: {
      agentCount: 1,
      namespaceCount: 1,
      identity: { user: 'load', groups: [] },
      connectionCount: 64,
      maxInFlightCount: 1_000,
      requestTimeoutMs: 10_000,
      honourRetryAfter: true,
      phases: [],
    },
    access,
    namespaces: ['bench'],
    labels: {},
    podPlacement: { nodeSelector: {}, tolerations: [] },
  };
}
