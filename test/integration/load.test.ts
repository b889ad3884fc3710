/** The load against a real control plane: what it made, what it removed and what its watchers were told. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LoadGenerator, type LoadShard, WatchLoad } from '../../loadgen/index.ts';
import type { LoadAction, LoadPhase, ReadConsistency } from '../../src/config/index.ts';
import { type LocalControlPlane, startLocalControlPlane } from '../../src/controlplane/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { type Connection, openConnection } from '../../src/kube/index.ts';
import { type CallWindow, PodInstantBuffer, RunCallRecorder } from '../../src/measure/index.ts';

const NEVER = new AbortController().signal;
const NAMESPACES = ['load-0', 'load-1'];
const LABELS = { 'hollowmark.dev/run': 'it' };
const PODS = { group: '', version: 'v1', plural: 'pods', namespaced: true };
const DEPLOYMENTS = { group: 'apps', version: 'v1', plural: 'deployments', namespaced: true };
const NODES = { group: '', version: 'v1', plural: 'nodes', namespaced: false };
const NAME = `\${name}`;

let directory: string;
let plane: LocalControlPlane;
let admin: Connection;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hollowmark-load-'));
  plane = await startLocalControlPlane(
    { directory, profile: 'fast' },
    { signal: NEVER, clock: systemClock, log: silentLogger(), env: process.env },
  );
  admin = await openConnection(plane.admin);
  for (const name of NAMESPACES) {
    await post('/api/v1/namespaces', { metadata: { name } });
    await until(
      async () => (await get(`/api/v1/namespaces/${name}/serviceaccounts/default`)).status === 200,
      `the default service account of ${name}`,
    );
  }
  await post('/api/v1/nodes', { metadata: { name: 'somebody-elses' } });
}, 600_000);

afterAll(async () => {
  await admin?.close();
  await plane?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('the load on a real control plane', () => {
  it('creates pods and Deployments with the labels and placement of the run, and nothing else', async () => {
    const { generator, podInstants } = await started();
    const template = { metadata: { labels: { app: NAME } }, spec: podSpec() };
    const deployment = { spec: { replicas: 3, selector: { matchLabels: { app: NAME } }, template } };
    const outcome = await generator.runPhase(
      phaseOf('create', [
        createAction('pods', 20, {
          resource: PODS,
          apiVersion: 'v1',
          kind: 'Pod',
          manifest: { spec: podSpec() },
          podCount: 1,
        }),
        createAction('deployments', 4, {
          resource: DEPLOYMENTS,
          apiVersion: 'apps/v1',
          kind: 'Deployment',
          manifest: deployment,
          podCount: 3,
        }),
      ]),
      systemClock.nowUs() + 50_000,
      NEVER,
    );
    await generator.stop();
    expect(outcome.actions).toMatchObject([
      { offeredCount: 20, doneCount: 20, acknowledgedPodCount: 20 },
      { offeredCount: 4, doneCount: 4, acknowledgedPodCount: 12 },
    ]);
    await until(async () => (await list('/api/v1/pods')).length === 32, '32 pods');
    const pods = await list('/api/v1/pods');
    for (const { metadata, spec } of pods) {
      expect(metadata.labels).toMatchObject(LABELS);
      expect(spec.nodeSelector).toEqual({ 'hollowmark.dev/hollow': 'true' });
      expect(spec.tolerations).toContainEqual({ key: 'hollowmark.dev/hollow', operator: 'Exists' });
    }
    const bare = pods.filter(({ metadata }) => metadata.ownerReferences === undefined);
    expect(NAMESPACES.map((name) => bare.filter((pod) => pod.metadata.namespace === name).length)).toEqual([
      10, 10,
    ]);
    // intended, sent and created of each bare pod, under its real name.
    const batch = podInstants.drain();
    expect(batch?.rows).toHaveLength(3 * 60);
    expect(batch?.pods.toSorted()).toEqual(
      bare.map(({ metadata }) => `${metadata.namespace}/${metadata.name}`).sort(),
    );
  });

  it('churns, reads and watches side by side, and leaves no pod of the churn', async () => {
    const { generator, recorder, shard } = await started();
    const watches = new WatchLoad(shard, {
      clock: systemClock,
      log: silentLogger(),
      streamsPerConnection: 2,
    });
    await watches.start(NEVER);
    const before = (await list('/api/v1/pods')).length;
    const phase = phaseOf('mixed', [
      {
        action: 'churn',
        name: 'churn',
        object: { resource: PODS, apiVersion: 'v1', kind: 'Pod', manifest: { spec: podSpec() }, podCount: 1 },
        ratePerSecond: 20,
        arrival: 'poisson',
        durationMs: 2_000,
        lifetimeMs: 1_000,
      },
      {
        action: 'reads',
        name: 'reads',
        ratePerSecond: 60,
        arrival: 'constant',
        durationMs: 3_000,
        mix: [
          read('get', PODS, 'namespace', 'cached'),
          read('get', NODES, 'cluster', 'consistent'),
          read('list', PODS, 'namespace', 'cached'),
          read('list', PODS, 'cluster', 'paged'),
        ],
      },
      {
        action: 'watches',
        name: 'watches',
        watcherCount: 6,
        resource: PODS,
        scope: 'cluster',
        labelSelector: 'hollowmark.dev/run=it',
        fieldSelector: '',
      },
    ]);
    await watches.startPhase(phase);
    expect(watches.stats()).toMatchObject({ watcherCount: 6, syncedCount: 6 });
    await generator.preparePhase(phase, NEVER);
    const outcome = await generator.runPhase(phase, systemClock.nowUs() + 50_000, NEVER);
    const churned = outcome.actions[0];
    const created = (churned?.offeredCount ?? 0) / 2;
    expect(created).toBeGreaterThan(15);
    // Unscheduled pods go at once: each makes an ADDED and a DELETED event at least.
    await until(() => watches.stats().minEventCount >= 2 * created, 'all events at all watchers');
    const [fanOut] = await watches.endPhase();
    await watches.stop();
    await generator.stop();
    expect(churned).toMatchObject({ failedCount: 0, droppedCount: 0, doneCount: 2 * created });
    expect(outcome.actions[1]).toMatchObject({ offeredCount: 180 });
    const load = recorder.drain().filter(({ key }) => key.source === 'load');
    const sum = (pick: (window: CallWindow) => number) =>
      load.reduce((total, window) => total + pick(window), 0);
    expect(sum((window) => window.offeredCount)).toBe(
      sum((window) => window.doneCount + window.failedCount + window.droppedCount),
    );
    expect(load.map(({ key, errors }) => ({ verb: key.verb, variant: key.variant, errors }))).toEqual(
      load.map(({ key }) => ({ verb: key.verb, variant: key.variant, errors: {} })),
    );
    expect(load.map(({ key }) => `${key.verb} ${key.resource} ${key.scope} ${key.variant}`).sort()).toEqual([
      'create pods resource ',
      'delete pods resource ',
      'get nodes resource consistent',
      'get pods resource cached',
      'list pods cluster paged',
      'list pods namespace cached',
    ]);
    expect(fanOut).toMatchObject({ watcherCount: 6, relistCount: 0, reconnectCount: 0 });
    expect(fanOut?.eventCount).toBeGreaterThanOrEqual(6 * 2 * created);
    // Each event once for every watcher but the first; what was on its way at the end had not reached all.
    const toOthers = ((fanOut?.eventCount ?? 0) * 5) / 6;
    expect(fanOut?.deliverySpread.summary.count).toBeLessThanOrEqual(toOthers);
    expect(fanOut?.deliverySpread.summary.count).toBeGreaterThan(toOthers - 30);
    expect((await list('/api/v1/pods')).length).toBe(before);
  });
});

describe('changes and lists on a real control plane', () => {
  it('rolls, scales and removes what it made, by units of several objects, and reads it in every consistency', async () => {
    const { generator, recorder } = await started(['exact', 'streaming']);
    const unit: Extract<LoadAction, { action: 'create' }>['object'] = {
      resource: DEPLOYMENTS,
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      manifest: {
        metadata: { name: NAME },
        spec: {
          replicas: 1,
          selector: { matchLabels: { app: NAME } },
          template: { metadata: { labels: { app: NAME } }, spec: podSpec() },
        },
      },
      podCount: 1,
      schedulerNames: ['default-scheduler', 'second'],
      companions: [
        {
          resource: { group: '', version: 'v1', plural: 'services', namespaced: true },
          apiVersion: 'v1',
          kind: 'Service',
          manifest: { metadata: { name: NAME }, spec: { selector: { app: NAME }, ports: [{ port: 80 }] } },
          podCount: 0,
        },
      ],
    };
    const namespace: typeof unit = {
      resource: { group: '', version: 'v1', plural: 'namespaces', namespaced: false },
      apiVersion: 'v1',
      kind: 'Namespace',
      manifest: { metadata: { name: NAME } },
      podCount: 0,
    };
    const make = phaseOf('make', [createAction('units', 4, unit)]);
    await generator.runPhase(make, systemClock.nowUs() + 50_000, NEVER);
    const deployments = await list('/apis/apps/v1/deployments');
    const made = deployments.filter(({ metadata }) => metadata.name.startsWith('units-'));
    expect(made).toHaveLength(4);
    expect((await list('/api/v1/services')).map(({ metadata }) => metadata.name).sort()).toEqual(
      expect.arrayContaining(made.map(({ metadata }) => metadata.name).sort()),
    );
    const paced = { ratePerSecond: 20, arrival: 'constant' as const, durationMs: 1_000 };
    const change = phaseOf('change', [
      {
        action: 'update',
        name: 'roll',
        resource: DEPLOYMENTS,
        ...paced,
        patch: { spec: { template: { metadata: { annotations: { revision: `\${index}` } } } } },
        rolls: true,
        waitFor: 'nothing',
      },
      { action: 'scale', name: 'scale', resource: DEPLOYMENTS, ...paced, replicas: [3], waitFor: 'nothing' },
      {
        action: 'churn',
        name: 'namespaces',
        object: namespace,
        ...paced,
        ratePerSecond: 3,
        lifetimeMs: 200,
      },
      {
        action: 'reads',
        name: 'lists',
        ...paced,
        mix: [read('list', PODS, 'cluster', 'exact'), read('list', PODS, 'namespace', 'streaming')],
      },
    ]);
    await generator.preparePhase(change, NEVER);
    const outcome = await generator.runPhase(change, systemClock.nowUs() + 50_000, NEVER);
    await generator.stop();
    expect(outcome.actions).toMatchObject([
      { offeredCount: 20, doneCount: 20 },
      { offeredCount: 20, doneCount: 20 },
      { offeredCount: 6, doneCount: 6 },
      { offeredCount: 20, doneCount: 20 },
    ]);
    const changed = (await list('/apis/apps/v1/deployments')).filter(({ metadata }) =>
      made.some((deployment) => deployment.metadata.name === metadata.name),
    );
    expect(changed.map(({ spec }) => spec.replicas)).toEqual([3, 3, 3, 3]);
    expect(new Set(changed.map(({ spec }) => spec.template?.spec.schedulerName))).toEqual(
      new Set(['default-scheduler', 'second']),
    );
    for (const { spec } of changed) expect(spec.template?.metadata.annotations).toHaveProperty('revision');
    const series = recorder.drain().filter(({ key }) => key.source === 'load' && key.phase === 'change');
    expect(
      series.map(({ key }) => `${key.verb} ${key.resource}/${key.subresource} ${key.variant}`).sort(),
    ).toEqual([
      'create namespaces/ ',
      'delete namespaces/ ',
      'list pods/ exact',
      'patch deployments.apps/ ',
      'patch deployments.apps/scale ',
      'watch pods/ streaming',
    ]);
    // A streaming list brings the pods themselves: there are 30 and more by now.
    const streamed = series.find(({ key }) => key.variant === 'streaming');
    expect(streamed?.receivedBytes).toBeGreaterThan(10_000);
    // The administrator of the test is in system:masters, whose calls go to the exempt level.
    expect(outcome.placements).toHaveLength(1);
    expect(outcome.placements[0]?.priorityLevelUid).toMatch(/^[0-9a-f-]{36}$/);
  });
});

async function started(lists: ('exact' | 'streaming')[] = []) {
  const shard: LoadShard = {
    runId: 'it',
    seed: 3,
    shard: { index: 0, count: 1 },
    settings: {
      agentCount: 1,
      namespaceCount: 2,
      identity: { user: 'load', groups: [] },
      connectionCount: 8,
      maxInFlightCount: 100,
      requestTimeoutMs: 10_000,
      honourRetryAfter: true,
      phases: [phaseOf('lists', lists.map(listAction))],
    },
    access: plane.admin,
    namespaces: NAMESPACES,
    labels: LABELS,
    podPlacement: {
      nodeSelector: { 'hollowmark.dev/hollow': 'true' },
      tolerations: [{ key: 'hollowmark.dev/hollow', operator: 'Exists' }],
    },
  };
  const recorder = new RunCallRecorder();
  const podInstants = new PodInstantBuffer();
  const generator = new LoadGenerator(shard, {
    clock: systemClock,
    log: silentLogger(),
    recorder,
    podInstants,
  });
  await generator.start(NEVER);
  return { generator, recorder, podInstants, shard };
}

function podSpec() {
  return {
    containers: [{ name: 'c', image: 'registry.k8s.io/pause:3.10' }],
    terminationGracePeriodSeconds: 0,
  };
}

function createAction(
  name: string,
  objectCount: number,
  object: Extract<LoadAction, { action: 'create' }>['object'],
): LoadAction {
  return {
    action: 'create',
    name,
    object,
    objectCount,
    ratePerSecond: 40,
    arrival: 'constant',
    waitFor: 'nothing',
  };
}

function read(
  verb: 'get' | 'list',
  resource: typeof PODS,
  scope: 'namespace' | 'cluster',
  consistency: ReadConsistency,
) {
  return { verb, resource, scope, consistency, limit: 10, labelSelector: '', fieldSelector: '', weight: 1 };
}

function listAction(consistency: 'exact' | 'streaming'): LoadAction {
  return {
    action: 'reads',
    name: consistency,
    ratePerSecond: 1,
    arrival: 'constant',
    durationMs: 1_000,
    mix: [read('list', PODS, 'cluster', consistency)],
  };
}

function phaseOf(name: string, actions: LoadAction[]): LoadPhase {
  return { name, measured: true, durationMs: 0, settleTimeoutMs: 10_000, actions };
}

function get(path: string) {
  return admin.request({ method: 'GET', path });
}

async function post(path: string, body: object): Promise<void> {
  const reply = await admin.request({ method: 'POST', path, body: JSON.stringify(body) });
  expect(reply.status).toBe(201);
}

interface Item {
  metadata: { name: string; namespace: string; labels: Record<string, string>; ownerReferences?: unknown };
  spec: {
    nodeSelector: unknown;
    tolerations: unknown[];
    replicas?: number;
    template?: { metadata: { annotations: Record<string, string> }; spec: { schedulerName: string } };
  };
}

async function list(path: string): Promise<Item[]> {
  return JSON.parse((await get(path)).body).items;
}

async function until(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const endMs = performance.now() + 30_000;
  while (!(await condition())) {
    if (performance.now() > endMs) throw new Error(`waited 30 s for ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
