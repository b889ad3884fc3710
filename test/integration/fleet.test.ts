/** The fleet against a real control plane: what the cluster shows of it, and what the API server was asked. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fleet, fleetLabels, HOLLOW_TAINT, nodeName } from '../../hollow/index.ts';
import { type LocalControlPlane, startLocalControlPlane } from '../../src/controlplane/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { type Connection, openConnection } from '../../src/kube/index.ts';
import { PodInstantBuffer, RunCallRecorder } from '../../src/measure/index.ts';
import { type ApiObject, ClusterAdmin, conditionTrue } from '../helpers/cluster-admin.ts';
import { fleetSettings } from '../helpers/fleet-settings.ts';
import { until as waitUntil } from '../helpers/until.ts';

const NEVER = new AbortController().signal;
const NODE_COUNT = 20;
const POD_COUNT = 40;
const AUDITED = nodeName('it-', 3);

const SETTINGS = fleetSettings({ nodeCount: NODE_COUNT });

let directory: string;
let plane: LocalControlPlane;
let connection: Connection;
let fleet: Fleet;
let restarted: ChildProcess | undefined;
const admin = new ClusterAdmin(() => connection);
const until = (holds: () => Promise<boolean>, what: string) =>
  waitUntil(holds, what, { state: () => fleet.stats() });

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-fleet-'));
  const auditPolicyPath = join(directory, 'policy.yaml');
  writeFileSync(
    auditPolicyPath,
    'apiVersion: audit.k8s.io/v1\nkind: Policy\nomitStages: [RequestReceived]\nrules: [{level: Request}]\n',
  );
  plane = await startLocalControlPlane(
    { directory: join(directory, 'run'), profile: 'fast', auditPolicyPath },
    { signal: NEVER, clock: systemClock, log: silentLogger(), env: process.env },
  );
  connection = await openConnection(plane.admin);
  await admin.create('/api/v1/namespaces/kube-system/serviceaccounts', { metadata: { name: 'kube-proxy' } });
  await admin.create('/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'it:node-proxier' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-proxier' },
    subjects: [{ kind: 'ServiceAccount', name: 'kube-proxy', namespace: 'kube-system' }],
  });
  fleet = new Fleet(
    {
      runId: 'it',
      seed: 1,
      nodeNamePrefix: 'it-',
      shard: { index: 0, count: 1 },
      settings: SETTINGS,
      access: plane.admin,
      kubernetesVersion: plane.kubernetesVersion,
      labels: fleetLabels('it', SETTINGS.labels),
      taints: [HOLLOW_TAINT],
      zones: ['zone-a', 'zone-b'],
      phase: 'test',
    },
    {
      clock: systemClock,
      log: silentLogger(),
      recorder: new RunCallRecorder(),
      podInstants: new PodInstantBuffer(),
    },
  );
  await fleet.start(NEVER);
  await fleet.ready(AbortSignal.timeout(120_000));
}, 600_000);

afterAll(async () => {
  await fleet?.stop();
  await connection?.close();
  restarted?.kill('SIGKILL');
  await plane?.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

describe('hollow nodes on a real control plane', () => {
  it('are Ready, tainted, labelled and as big as real ones', async () => {
    const nodes = await admin.list('/api/v1/nodes');
    expect(nodes).toHaveLength(NODE_COUNT);
    for (const node of nodes) {
      expect(conditionTrue(node, 'Ready')).toBe(true);
      expect(node.metadata.labels).toMatchObject({
        type: 'hollow',
        pool: 'test',
        'hollowmark.dev/run': 'it',
      });
      expect(node.spec['taints']).toContainEqual(HOLLOW_TAINT);
      expect(Math.abs(JSON.stringify(node).length - SETTINGS.nodeObjectBytes)).toBeLessThan(1_500);
    }
    const zones = nodes.map((node) => node.metadata.labels?.['topology.kubernetes.io/zone']);
    expect(zones.filter((zone) => zone === 'zone-a')).toHaveLength(NODE_COUNT / 2);
    expect(fleet.stats()).toMatchObject({ nodes: { ready: NODE_COUNT }, connectionCount: 2 * NODE_COUNT });
  });

  it('own a lease and a CSINode each', async () => {
    const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
    // The first lease comes with the second tick.
    await until(async () => (await admin.list(leases)).length === NODE_COUNT, 'a lease for each node');
    const uid = (await admin.get(`/api/v1/nodes/${AUDITED}`)).metadata.uid;
    const lease = await admin.get(`${leases}/${AUDITED}`);
    expect(lease.spec).toMatchObject({ holderIdentity: AUDITED, leaseDurationSeconds: 40 });
    expect(lease.metadata.ownerReferences).toEqual([expect.objectContaining({ kind: 'Node', uid })]);
    const csiNode = await admin.get(`/apis/storage.k8s.io/v1/csinodes/${AUDITED}`);
    expect(csiNode.metadata.ownerReferences).toEqual([expect.objectContaining({ kind: 'Node', uid })]);
  });

  it('run the pods of a Deployment under addresses of their own, and let go of them', async () => {
    const labels = { app: 'web' };
    await admin.create('/apis/apps/v1/namespaces/default/deployments', {
      metadata: { name: 'web' },
      spec: {
        replicas: POD_COUNT,
        selector: { matchLabels: labels },
        template: {
          metadata: { labels },
          spec: {
            tolerations: [{ key: HOLLOW_TAINT.key, operator: 'Exists' }],
            containers: [{ name: 'pause', image: 'registry.k8s.io/pause:3.10' }],
          },
        },
      },
    });
    const pods = () => admin.list('/api/v1/namespaces/default/pods');
    const isReady = (pod: ApiObject) => conditionTrue(pod, 'Ready');
    await until(async () => (await pods()).filter(isReady).length === POD_COUNT, 'all pods Ready');
    const running = await pods();
    expect(running.map((pod) => pod.status.phase)).toEqual(running.map(() => 'Running'));
    expect(new Set(running.map((pod) => pod.status.podIP)).size).toBe(POD_COUNT);
    const deployment = await admin.get('/apis/apps/v1/namespaces/default/deployments/web');
    expect(deployment.status['readyReplicas']).toBe(POD_COUNT);
    await admin.delete('/apis/apps/v1/namespaces/default/deployments/web');
    await until(async () => (await pods()).length === 0, 'all pods gone');
    await until(async () => fleet.stats().pods.Succeeded === 0, 'the fleet to have seen it');
    expect(fleet.stats()).toMatchObject({ podsStartedCount: POD_COUNT, podsDeletedCount: POD_COUNT });
  });

  it('ask the API server for what a real kubelet asks for, in its order', async () => {
    // A renewal is one of the things asked for; the first comes ten seconds after the lease.
    await until(async () => {
      const path = `/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/${AUDITED}`;
      const { metadata, spec } = await admin.get(path);
      return Date.parse(String(spec['renewTime'])) - Date.parse(metadata.creationTimestamp) > 5_000;
    }, 'a renewal of the lease');
    const captured = readAudit(
      new URL('../fixtures/real-kubelet-v1.36.3.ndjson', import.meta.url).pathname,
      (line) => ({ verb: String(line['verb']), uri: String(line['uri']) }),
    );
    // The Node authorizer learns of a pod by its own watch. Where that is late the first watch of a ConfigMap gets a
    // 403, and a reflector falls back to LIST and WATCH, ours as client-go's.
    let fellBack = false;
    const ours = readAudit(join(directory, 'run/logs/audit.ndjson'), (line) => {
      const user = (line['impersonatedUser'] as { username?: string } | undefined)?.username;
      if (user !== `system:node:${AUDITED}`) return undefined;
      const { code } = line['responseStatus'] as { code?: number };
      const uri = String(line['requestURI']);
      fellBack ||= code === 403 && uri.includes('/configmaps');
      return { verb: String(line['verb']), uri };
    });
    const kinds = (calls: readonly string[]) => [...new Set(calls)].sort();
    // The capture's last pod mounts a ConfigMap and a Secret of its own; the pods of this test only the root CA.
    const expected = kinds(captured).filter((call) => !call.startsWith('watch secrets'));
    const fallback = [
      'list configmaps metadata.name fieldSelector,limit',
      'watch configmaps metadata.name allowWatchBookmarks,fieldSelector,timeout,timeoutSeconds,watch',
    ];
    expect(kinds(ours)).toEqual(fellBack ? kinds([...expected, ...fallback]) : expected);
    const order = [
      'get csinodes',
      'create nodes',
      'patch nodes/status',
      'create csinodes',
      'watch pods',
      'create leases',
      'patch pods/status',
      'delete pods',
    ];
    for (const calls of [captured, ours]) {
      const places = order.map((call) => calls.findIndex((other) => other.startsWith(call)));
      expect(places).not.toContain(-1);
    }
    const started = ['get csinodes', 'create nodes', 'patch nodes/status', 'create csinodes', 'watch pods'];
    const places = started.map((call) => ours.findIndex((other) => other.startsWith(call)));
    expect(places).toEqual([...places].sort((a, b) => a - b));
  });

  it('come back by themselves when their node object is deleted', async () => {
    const path = `/api/v1/nodes/${nodeName('it-', 7)}`;
    const { uid } = (await admin.get(path)).metadata;
    await admin.delete(path);
    await until(async () => {
      const node = await admin.find(path);
      return node?.metadata.uid !== uid && conditionTrue(node, 'Ready');
    }, 'the node to register again');
    await until(async () => fleet.stats().nodes.ready === NODE_COUNT, 'all nodes ready');
  });

  it('outlive a restart of the API server', async () => {
    const server = plane.components.find(({ component }) => component === 'kube-apiserver');
    const program = plane.programs['kube-apiserver'];
    if (server?.pid === undefined || server.args === undefined || program === undefined) {
      throw new Error('the API server is not known');
    }
    const before = fleet.stats();
    const { pid } = server;
    process.kill(pid, 'SIGKILL');
    // Its port is free only when the kernel has done with it.
    await until(async () => !isAlive(pid), 'the end of the API server');
    restarted = spawn(program, [...server.args], { stdio: 'ignore' });
    await until(
      async () => fleet.stats().reconnectCount >= before.reconnectCount + 2 * NODE_COUNT,
      'reconnection',
    );
    fleet.drain();
    await until(async () => fleet.drain().leaseLateness.encoded !== '', 'a lease renewed');
    await connection.close();
    connection = await openConnection(plane.admin);
    await until(async () => {
      const nodes = await admin.list('/api/v1/nodes');
      return nodes.every((node) => conditionTrue(node, 'Ready'));
    }, 'all nodes Ready');
    expect(fleet.stats().watchCount).toBe(before.watchCount);
  });
});

/** `create events`, `patch pods/status`, `watch configmaps metadata.name`: what was asked, without whose. */
function readAudit(
  path: string,
  read: (line: Record<string, unknown>) => { verb: string; uri: string } | undefined,
): string[] {
  const calls: string[] = [];
  for (const line of readFileSync(path, 'utf8').trim().split('\n')) {
    const call = read(JSON.parse(line) as Record<string, unknown>);
    if (call === undefined) continue;
    const url = new URL(call.uri, 'http://server');
    const parts = url.pathname.replace(/^\/(api\/v1|apis\/[^/]+\/[^/]+)\//, '').split('/');
    if (parts[0] === 'namespaces') parts.splice(0, 2);
    const [resource, , subresource] = parts;
    const selector = url.searchParams.get('fieldSelector')?.split('=')[0] ?? '';
    const keys = [...url.searchParams.keys()].filter((key) => key !== 'resourceVersion').sort();
    calls.push(
      `${call.verb} ${resource}${subresource === undefined ? '' : `/${subresource}`} ${selector} ${keys}`.trim(),
    );
  }
  return calls;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
