/**
 * What benchmarks of fleets have in common: the settings of a fleet, a shard of it, and a control plane on which
 * proxies may do what kubeadm lets them.
 */
import { type FleetShard, fleetLabels } from '../../hollow/index.ts';
import type { FleetSettings, Profile } from '../../src/config/index.ts';
import { type LocalControlPlane, startLocalControlPlane } from '../../src/controlplane/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { type ClusterAccess, openConnection } from '../../src/kube/index.ts';

/** A control plane in `directory`, with the kube-proxy ServiceAccount and its rights. */
export async function startBenchPlane(
  directory: string,
  profile: Profile,
  signal: AbortSignal,
): Promise<LocalControlPlane> {
  const plane = await startLocalControlPlane(
    { directory, profile },
    { signal, clock: systemClock, log: silentLogger(), env: process.env },
  );
  try {
    await allowProxies(plane.admin);
    return plane;
  } catch (error) {
    await plane.stop();
    throw error;
  }
}

/** Settings of full nodes as suites have them by default, with `changes`. */
export function benchSettings(changes: Partial<FleetSettings>): FleetSettings {
  return {
    nodeCount: 0,
    agentCount: 1,
    identity: 'impersonation',
    connections: 'per-node',
    fidelity: 'full',
    compat: 'none',
    rampPerSecond: 25,
    readyTimeoutMs: 300_000,
    nodeObjectBytes: 15_000,
    leaseDurationMs: 40_000,
    statusReportMs: 300_000,
    events: true,
    proxy: true,
    kubeletApi: false,
    proxySync: { baseUs: 0, perRuleUs: 0 },
    capacity: { cpu: '32', memory: '256Gi', podCount: 110, ephemeralStorage: '200Gi' },
    labels: {},
    zones: [],
    behaviours: {},
    pods: {
      sandboxMs: { low: 300, high: 600 },
      startMs: { low: 50, high: 200 },
      stopMs: { low: 50, high: 300 },
    },
    compression: true,
    ...changes,
  };
}

/** The whole of a fleet with these settings, as one shard; nodes are called `<run>-00000` and so on. */
export function benchShard(
  run: string,
  settings: FleetSettings,
  plane: Pick<LocalControlPlane, 'admin' | 'kubernetesVersion'>,
): FleetShard {
  return {
    runId: run,
    seed: 1,
    nodeNamePrefix: `${run}-`,
    shard: { index: 0, count: 1 },
    settings,
    access: plane.admin,
    kubernetesVersion: plane.kubernetesVersion,
    labels: fleetLabels(run, settings.labels),
    taints: [],
    phase: 'bench',
  };
}

/** The kube-proxy ServiceAccount and its rights, as kubeadm makes them. */
async function allowProxies(admin: ClusterAccess): Promise<void> {
  const connection = await openConnection(admin);
  const post = (path: string, body: unknown) =>
    connection.request({ method: 'POST', path, body: JSON.stringify(body) });
  await post('/api/v1/namespaces/kube-system/serviceaccounts', { metadata: { name: 'kube-proxy' } });
  await post('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'hollowmark:node-proxier' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-proxier' },
    subjects: [{ kind: 'ServiceAccount', name: 'kube-proxy', namespace: 'kube-system' }],
  });
  await connection.close();
}
