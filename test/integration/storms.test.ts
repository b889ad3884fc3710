/** Storms, lost leases, deleted nodes and light nodes against a real control plane: what the cluster shows of them. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { Fleet, type FleetCommand, fleetLabels, HOLLOW_TAINT, nodeName } from '../../hollow/index.ts';
import type { FleetSettings } from '../../src/config/index.ts';
import { type LocalControlPlane, startLocalControlPlane } from '../../src/controlplane/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { type Connection, openConnection } from '../../src/kube/index.ts';
import { PodInstantBuffer, RunCallRecorder } from '../../src/measure/index.ts';
import { type ApiObject, ClusterAdmin } from '../helpers/cluster-admin.ts';
import { fleetSettings } from '../helpers/fleet-settings.ts';
import { until as waitUntil } from '../helpers/until.ts';

const NEVER = new AbortController().signal;
const FULL_COUNT = 12;
const LIGHT_COUNT = 30;
const LEASES = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
type Storm = Extract<FleetCommand, { type: 'storm' }>;

let directory: string;
let plane: LocalControlPlane;
let connection: Connection;
let full: Fleet;
let light: Fleet;
const ended = new Map<string, number>();
const admin = new ClusterAdmin(() => connection);
const until = (holds: () => Promise<boolean>, what: string) =>
  waitUntil(holds, what, { state: () => [full.stats(), light.stats()] });

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-storms-'));
  plane = await startLocalControlPlane(
    { directory: join(directory, 'run'), profile: 'fast' },
    { signal: NEVER, clock: systemClock, log: silentLogger(), env: process.env },
  );
  connection = await openConnection(plane.admin);
  const names = Array.from({ length: FULL_COUNT }, (_, index) => nodeName('full-', index));
  const certificates: Record<string, { certPem: string; keyPem: string }> = {};
  for (const name of names) {
    certificates[name] = await plane.issueClientCertificate({
      commonName: `system:node:${name}`,
      organizations: ['system:nodes'],
    });
  }
  full = makeFleet(
    'full',
    fleetSettings({
      nodeCount: FULL_COUNT,
      rampPerSecond: 20,
      identity: 'certificate',
      zones: ['zone-a', 'zone-b'],
      proxy: false,
    }),
    certificates,
  );
  light = makeFleet(
    'light',
    fleetSettings({
      nodeCount: LIGHT_COUNT,
      rampPerSecond: 100,
      fidelity: 'light',
      connections: 'shared',
      events: false,
      proxy: false,
      labels: { pool: 'light' },
    }),
  );
  for (const fleet of [full, light]) await fleet.start(NEVER);
  for (const fleet of [full, light]) await fleet.ready(AbortSignal.timeout(60_000));
}, 180_000);

afterAll(async () => {
  await full?.stop();
  await light?.stop();
  await connection?.close();
  await plane?.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

describe('a storm on real nodes', () => {
  it('restarts half of them: they register again under their names and keep their node objects', async () => {
    const before = await nodes('full-');
    const started = await full.apply(storm('restart', { kind: 'restart', overMs: 0 }, { ratio: 0.5 }));
    expect(started?.nodeNames).toHaveLength(FULL_COUNT / 2);
    await until(async () => full.stats().nodes.ready === FULL_COUNT, 'all nodes Ready again');
    expect((await nodes('full-')).map(({ metadata }) => metadata.uid)).toEqual(
      before.map(({ metadata }) => metadata.uid),
    );
    // A node is Ready a second before it opens the watch of its pods.
    await until(async () => full.stats().watchCount === 5 * FULL_COUNT, 'all watches');
    expect(full.stats()).toMatchObject({ connectionCount: FULL_COUNT, lostCount: 0 });
  });

  it('cuts the connections of a zone: sessions open again and watches resume without a list', async () => {
    const before = full.stats();
    await full.apply(storm('cut', { kind: 'drop-connections', overMs: 0 }, { zone: 'zone-b' }));
    await until(
      async () => full.stats().reconnectCount >= before.reconnectCount + FULL_COUNT / 2,
      'sessions to open again',
    );
    await until(async () => full.stats().connectionCount === FULL_COUNT, 'a connection for each node');
    await until(async () => full.stats().watchCount === 5 * FULL_COUNT, 'all watches');
    expect(full.stats().relistCount).toBe(before.relistCount);
  });

  it('expires certificates: the server answers 401 until they are renewed, and leases go on afterwards', async () => {
    const target = nodeName('full-', 2);
    await full.apply(storm('expire', { kind: 'expire-certificates' }, { names: [target] }));
    const frozen = (await admin.get(`${LEASES}/${target}`)).metadata.resourceVersion;
    await new Promise((resolve) => {
      setTimeout(resolve, 12_000);
    });
    expect((await admin.get(`${LEASES}/${target}`)).metadata.resourceVersion).toBe(frozen);
    await full.apply({ type: 'heal', id: 'expire' });
    await until(
      async () => (await admin.get(`${LEASES}/${target}`)).metadata.resourceVersion !== frozen,
      'the lease to be renewed',
    );
  });

  it('re-creates a lease that was deleted, for the same node', async () => {
    const target = nodeName('full-', 1);
    const path = `${LEASES}/${target}`;
    const { uid } = (await admin.get(path)).metadata;
    await admin.delete(path);
    await until(async () => {
      const found = await admin.find(path);
      return found !== undefined && found.metadata.uid !== uid;
    }, 'a new lease');
    expect(full.stats().nodes.ready).toBe(FULL_COUNT);
  });

  it('brings silenced nodes back: NotReady and tainted meanwhile, and healed with their pods', async () => {
    await makePods('default', 10, nodeName('light-', 4));
    await until(async () => (await podsReady('default')) === 10, 'pods Running');
    // Beside it, because both wait for the node controller: one that comes and goes while its storm lasts.
    const flapping = nodeName('full-', 6);
    const flaps = { kind: 'flap', silentMs: 62_000, aliveMs: 20_000 } as const;
    await full.apply(storm('flap', flaps, { names: [flapping] }));
    const seen: (string | undefined)[] = [];
    const look = setInterval(() => {
      admin.get(`/api/v1/nodes/${flapping}`).then(
        (node) => {
          if (seen.at(-1) !== readyOf(node)) seen.push(readyOf(node));
        },
        () => {
          // Seen at the next look, or missed by what waits for it.
        },
      );
    }, 500);
    onTestFinished(() => clearInterval(look));
    const silenced = [nodeName('light-', 4), nodeName('full-', 3)];
    for (const fleet of [full, light])
      await fleet.apply(storm('silence', { kind: 'silence' }, { names: silenced }));
    await until(async () => {
      const states = await Promise.all(
        silenced.map(async (name) => readyOf(await admin.get(`/api/v1/nodes/${name}`))),
      );
      return states.every((state) => state === 'Unknown');
    }, 'the node controller to give them up');
    await until(async () => (await podsReady('default')) === 0, 'their pods to be called not ready');
    const afterUs = systemClock.nowUs();
    for (const fleet of [full, light]) await fleet.apply({ type: 'heal', id: 'silence' });
    await until(async () => {
      const states = await Promise.all(
        silenced.map(async (name) => readyOf(await admin.get(`/api/v1/nodes/${name}`))),
      );
      return states.every((state) => state === 'True');
    }, 'them to be Ready again');
    await until(async () => (await podsReady('default')) === 10, 'their pods to be Ready again');
    expect(ended.get('silence')).toBeGreaterThanOrEqual(afterUs);
    await until(async () => seen.length >= 3, 'the flapping node to have gone and come back by itself');
    expect(seen.slice(0, 3)).toEqual(['True', 'Unknown', 'True']);
    await full.apply({ type: 'heal', id: 'flap' });
    expect(full.stats()).toMatchObject({ stormLostCount: 2, lostCount: 0 });
    expect(light.stats()).toMatchObject({ stormLostCount: 1, lostCount: 0 });
    await until(
      async () => full.stats().nodes.ready + light.stats().nodes.ready === FULL_COUNT + LIGHT_COUNT,
      'all ready',
    );
  });
});

describe('the ramp', () => {
  it('lets fewer nodes register at once while the API server does not answer, and then gets them all', async () => {
    const settings = { fidelity: 'light', connections: 'shared', events: false, proxy: false } as const;
    const fleet = makeFleet('ramp', fleetSettings({ ...settings, nodeCount: 40, rampPerSecond: 400 }));
    const window = fleet.stats().rampWindow;
    plane.levers.pause('kube-apiserver-0');
    try {
      await fleet.start(NEVER);
      await new Promise((resolve) => {
        setTimeout(resolve, 4_000);
      });
      expect(fleet.stats().nodes.ready).toBe(0);
    } finally {
      plane.levers.resume('kube-apiserver-0');
    }
    try {
      await fleet.ready(AbortSignal.timeout(60_000));
      expect(fleet.stats().rampWindow).toBeLessThanOrEqual(window / 2);
      expect(await nodes('ramp-')).toHaveLength(40);
    } finally {
      await fleet.stop();
    }
  });
});

describe('light nodes', () => {
  it('are Ready with a lease each, over few connections and two watches', async () => {
    const listed = await nodes('light-');
    expect(listed).toHaveLength(LIGHT_COUNT);
    await until(async () => {
      const untainted = (await nodes('light-')).filter(
        ({ spec }) => !(spec.taints ?? []).some(({ key }) => key.startsWith('node.kubernetes.io/')),
      );
      return untainted.length === LIGHT_COUNT;
    }, 'the node controller to untaint them');
    const leases = (await admin.list(LEASES)).filter(({ metadata }) => metadata.name.startsWith('light-'));
    expect(leases).toHaveLength(LIGHT_COUNT);
    expect(light.stats().watchCount).toBe(2);
    expect(light.stats().connectionCount).toBeLessThanOrEqual(2);
  });

  it('run scheduled pods and let go of them, and of those of a restarted node', async () => {
    await admin.create('/api/v1/namespaces', { metadata: { name: 'run' } });
    await until(async () => {
      const account = '/api/v1/namespaces/run/serviceaccounts/default';
      return (await admin.find(account)) !== undefined;
    }, 'a service account');
    await makePods('run', 60);
    await until(async () => (await podsReady('run')) === 60, 'all pods Ready');
    await light.apply(storm('light-restart', { kind: 'restart', overMs: 0 }, { ratio: 1 }));
    await until(async () => light.stats().nodes.ready === LIGHT_COUNT, 'all nodes Ready again');
    await until(async () => light.stats().pods.Running >= 60, 'them to know their pods');
    await admin.delete('/api/v1/namespaces/run/pods');
    await until(async () => (await admin.list('/api/v1/namespaces/run/pods')).length === 0, 'all pods gone');
  });

  it('register again when their node object is deleted', async () => {
    const path = `/api/v1/nodes/${nodeName('light-', 9)}`;
    const { uid } = (await admin.get(path)).metadata;
    await admin.delete(path);
    await until(async () => {
      const found = await admin.find(path);
      return found !== undefined && found.metadata.uid !== uid;
    }, 'a new node object');
    await until(async () => light.stats().nodes.ready === LIGHT_COUNT, 'all nodes ready');
  });
});

function makeFleet(
  runId: string,
  settings: FleetSettings,
  certificates?: Record<string, { certPem: string; keyPem: string }>,
): Fleet {
  return new Fleet(
    {
      runId,
      seed: 1,
      nodeNamePrefix: `${runId}-`,
      shard: { index: 0, count: 1 },
      settings,
      access: plane.admin,
      kubernetesVersion: plane.kubernetesVersion,
      labels: fleetLabels(runId, settings.labels),
      taints: [HOLLOW_TAINT],
      zones: settings.zones,
      ...(certificates === undefined ? {} : { certificates }),
      phase: 'test',
    },
    {
      clock: systemClock,
      log: silentLogger(),
      recorder: new RunCallRecorder(),
      podInstants: new PodInstantBuffer(),
      onStormEnded: ({ id, atUs }) => ended.set(id, atUs),
    },
  );
}

function storm(id: string, disturbance: Storm['disturbance'], selection: Partial<Storm['selection']>): Storm {
  return { type: 'storm', id, disturbance, selection: { ratio: 1, seed: 1, ...selection } };
}

async function makePods(namespace: string, count: number, node?: string): Promise<void> {
  for (let index = 0; index < count; index++) {
    const body = {
      metadata: { name: `pod-${index}` },
      spec: {
        tolerations: [{ key: HOLLOW_TAINT.key, operator: 'Exists' }],
        containers: [{ name: 'pause', image: 'registry.k8s.io/pause:3.10' }],
        ...(node === undefined ? { nodeSelector: { pool: 'light' } } : { nodeName: node }),
      },
    };
    await admin.create(`/api/v1/namespaces/${namespace}/pods`, body);
  }
}

async function podsReady(namespace: string): Promise<number> {
  const pods = await admin.list(`/api/v1/namespaces/${namespace}/pods`);
  return pods.filter((pod) => pod.status.phase === 'Running' && readyOf(pod) === 'True').length;
}

function readyOf(object: ApiObject): string | undefined {
  return object.status.conditions?.find(({ type }) => type === 'Ready')?.status;
}

async function nodes(prefix: string): Promise<ApiObject[]> {
  return (await admin.list('/api/v1/nodes')).filter(({ metadata }) => metadata.name.startsWith(prefix));
}
