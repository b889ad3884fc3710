/** Pods that behave, under the real controllers: each workload does on hollow nodes what it does on real ones. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fleet, fleetLabels, nodeName } from '../../hollow/index.ts';
import type { NamedBehaviour } from '../../src/config/index.ts';
import { type LocalControlPlane, startLocalControlPlane } from '../../src/controlplane/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { type Connection, openConnection } from '../../src/kube/index.ts';
import { PodInstantBuffer, RunCallRecorder } from '../../src/measure/index.ts';
import {
  type ApiObject,
  ClusterAdmin,
  type ContainerEnd,
  type ContainerStatus,
  conditionTrue,
} from '../helpers/cluster-admin.ts';
import { fleetSettings } from '../helpers/fleet-settings.ts';
import { until as waitUntil } from '../helpers/until.ts';
import { HTTP, IMAGE, READINESS, template, workload } from '../helpers/workloads.ts';

const NEVER = new AbortController().signal;
const NODE_COUNT = 4;
const NAMESPACE = '/namespaces/default';
const PODS = `/api/v1${NAMESPACE}/pods`;

const fixed = (ms: number) => ({ low: ms, high: ms });
const behaviour = (main: NamedBehaviour['main'], containers: NamedBehaviour['containers'] = {}) => ({
  main,
  containers,
});

const BEHAVIOURS: Record<string, NamedBehaviour> = {
  worker: behaviour({ runMs: { low: 500, high: 1_500 } }),
  failing: behaviour({ runMs: fixed(300), exitCodes: [3] }),
  'slow-to-ready': behaviour({ readyMs: { low: 1_000, high: 2_000 } }),
  flapping: behaviour({ readyMs: fixed(1_000), unready: { everyMs: fixed(4_000), forMs: fixed(3_000) } }),
  hanging: behaviour({ hangMs: fixed(1_000), stopMs: fixed(100) }),
  stubborn: behaviour({ stopMs: fixed(60_000) }),
  hog: behaviour({ pressure: { resource: 'memory', afterMs: fixed(500) }, stopMs: fixed(60_000) }),
};

let directory: string;
let plane: LocalControlPlane;
let connection: Connection;
let fleet: Fleet;
const admin = new ClusterAdmin(() => connection);
const until = (holds: () => Promise<boolean>, what: string) =>
  waitUntil(holds, what, { state: () => fleet.stats() });

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-pods-'));
  plane = await startLocalControlPlane(
    { directory: join(directory, 'run'), profile: 'fast' },
    { signal: NEVER, clock: systemClock, log: silentLogger(), env: process.env },
  );
  connection = await openConnection(plane.admin);
  const settings = fleetSettings({ nodeCount: NODE_COUNT, behaviours: BEHAVIOURS, proxy: false });
  fleet = new Fleet(
    {
      runId: 'pods',
      seed: 1,
      nodeNamePrefix: 'pods-',
      shard: { index: 0, count: 1 },
      settings,
      access: plane.admin,
      kubernetesVersion: plane.kubernetesVersion,
      labels: fleetLabels('pods', settings.labels),
      taints: [],
      zones: [],
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
  // All at once: the tests then wait for what takes longest, not for one after the other.
  await createAll();
}, 300_000);

afterAll(async () => {
  await fleet?.stop();
  await connection?.close();
  await plane?.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

describe('Jobs', () => {
  it('complete when their pods have exited with 0', async () => {
    const job = await untilJob('batch', 'Complete');
    expect(job.status).toMatchObject({ succeeded: 6, uncountedTerminatedPods: {} });
    const pods = await podsOf('job-name=batch');
    expect(pods.map(({ status }) => status.phase)).toEqual(pods.map(() => 'Succeeded'));
    for (const { status } of pods) {
      expect(status.containerStatuses?.[0]?.state.terminated).toMatchObject({
        exitCode: 0,
        reason: 'Completed',
      });
      expect(status.conditions?.find(({ type }) => type === 'Ready')).toMatchObject({
        status: 'False',
        reason: 'PodCompleted',
      });
    }
  });

  it('complete by index', async () => {
    const job = await untilJob('indexed', 'Complete');
    expect(job.status['completedIndexes']).toBe('0-3');
  });

  it('complete with a sidecar, which ends after the main container', async () => {
    await untilJob('with-sidecar', 'Complete');
    const [pod] = await podsOf('job-name=with-sidecar');
    expect(pod?.status.phase).toBe('Succeeded');
    const ended = pod?.status.initContainerStatuses?.map(({ name, state }) => [
      name,
      state.terminated?.exitCode,
    ]);
    expect(ended).toEqual([
      ['prepare', 0],
      ['side', 0],
    ]);
  });

  it('fail when their pods have failed more often than the limit', async () => {
    const job = await untilJob('failing', 'Failed');
    expect(job.status.conditions?.find(({ type }) => type === 'Failed')?.reason).toBe('BackoffLimitExceeded');
    for (const pod of await podsOf('job-name=failing')) {
      expect(pod.status.phase).toBe('Failed');
      expect(pod.status.containerStatuses?.[0]?.state.terminated).toMatchObject({
        exitCode: 3,
        reason: 'Error',
      });
    }
  });
});

describe('workloads', () => {
  it('of a StatefulSet come up one after the other, each when the one before is ready', async () => {
    await until(async () => {
      const set = await admin.get(`/apis/apps/v1${NAMESPACE}/statefulsets/ordered`);
      return set.status['readyReplicas'] === 3;
    }, 'three ready replicas');
    const pods = await Promise.all([0, 1, 2].map((index) => admin.get(`${PODS}/ordered-${index}`)));
    for (const [index, pod] of pods.entries()) {
      const before = pods[index - 1];
      if (before === undefined) continue;
      const readySince =
        before.status.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? '';
      expect(Date.parse(pod.metadata.creationTimestamp)).toBeGreaterThanOrEqual(Date.parse(readySince));
    }
  });

  it('of a DaemonSet reach every node', async () => {
    await until(async () => {
      const set = await admin.get(`/apis/apps/v1${NAMESPACE}/daemonsets/everywhere`);
      return set.status['numberReady'] === NODE_COUNT;
    }, 'a ready pod on each node');
    const nodes = (await podsOf('app=everywhere')).map(({ spec }) => spec.nodeName);
    expect(new Set(nodes).size).toBe(NODE_COUNT);
  });

  it('of a Deployment are replaced without falling below what must be available', async () => {
    const path = `/apis/apps/v1${NAMESPACE}/deployments/rolling`;
    await until(async () => (await admin.get(path)).status['readyReplicas'] === 3, 'three ready replicas');
    await admin.merge(path, {
      spec: { template: { metadata: { annotations: { revision: 'two' } } } },
    });
    let least = 3;
    await until(async () => {
      const { status } = await admin.get(path);
      least = Math.min(least, Number(status['availableReplicas'] ?? 0));
      return status['updatedReplicas'] === 3 && status['availableReplicas'] === 3 && status['replicas'] === 3;
    }, 'the new revision everywhere');
    expect(least).toBe(3);
  });

  it('are kept by a PodDisruptionBudget and drained where it allows', async () => {
    await until(async () => {
      const { status } = await admin.get(`/apis/policy/v1${NAMESPACE}/poddisruptionbudgets/guarded`);
      return status['disruptionsAllowed'] === 1;
    }, 'the budget to allow one disruption');
    const strict = (await podsOf('app=strict'))[0];
    const refused = await admin.evict(`${PODS}/${strict?.metadata.name}`);
    expect(refused).toBe(429);

    const before = await podsOf('app=guarded');
    const node = before[0]?.spec.nodeName ?? '';
    await admin.merge(`/api/v1/nodes/${node}`, { spec: { unschedulable: true } });
    await until(async () => {
      const here = (await podsOf('app=guarded')).filter(({ spec }) => spec.nodeName === node);
      for (const pod of here) await admin.evict(`${PODS}/${pod.metadata.name}`);
      return here.length === 0;
    }, 'the node to be drained');
    await until(async () => {
      const pods = await podsOf('app=guarded');
      return (
        pods.length === 4 && pods.every((pod) => conditionTrue(pod, 'Ready') && pod.spec.nodeName !== node)
      );
    }, 'its pods to be ready elsewhere');
  });
});

describe('containers', () => {
  it('that crash restart at once and then after a back-off', async () => {
    await until(async () => {
      const [container] = (await admin.get(`${PODS}/crashing`)).status.containerStatuses ?? [];
      return (container?.restartCount ?? 0) >= 2;
    }, 'a second restart');
    const { status } = await admin.get(`${PODS}/crashing`);
    expect(status.phase).toBe('Running');
    const events = await admin.list(`/api/v1${NAMESPACE}/events?fieldSelector=involvedObject.name=crashing`);
    const reasons = events.map((event) => event['reason']);
    expect(reasons).toContain('BackOff');
    // Between the end of run two and the start of run three lie ten seconds, in whole seconds at least nine.
    expect(restartGapMs(status.containerStatuses?.[0])).toBeGreaterThanOrEqual(9_000);
  });

  it('that hang are killed by their liveness probe and start again', async () => {
    await until(async () => {
      const [container] = (await admin.get(`${PODS}/hanging`)).status.containerStatuses ?? [];
      return (container?.restartCount ?? 0) >= 1;
    }, 'a restart');
    const events = await admin.list(`/api/v1${NAMESPACE}/events?fieldSelector=involvedObject.name=hanging`);
    const messages = events.map((event) => event['message']);
    expect(messages).toContain('Liveness probe failed: HTTP probe failed with statuscode: 503');
    expect(messages).toContain('Container main failed liveness probe, will be restarted');
  });

  it('that flap go in and out of the endpoints of their Service', async () => {
    const seen: boolean[] = [];
    await until(async () => {
      const slices = await admin.list(
        `/apis/discovery.k8s.io/v1${NAMESPACE}/endpointslices?labelSelector=kubernetes.io/service-name=flapping`,
      );
      const [slice] = slices as unknown as { endpoints?: { conditions: { ready: boolean } }[] }[];
      const ready = slice?.endpoints?.[0]?.conditions.ready;
      if (ready !== undefined && ready !== seen.at(-1)) seen.push(ready);
      return seen.length >= 4;
    }, 'the endpoint to turn three times');
    expect(seen.slice(-3)).toEqual(seen.at(-1) === true ? [true, false, true] : [false, true, false]);
  });

  it('that outlast their grace period are killed at its end', async () => {
    await until(async () => (await admin.get(`${PODS}/stubborn`)).status.phase === 'Running', 'it to run');
    const deletedAtMs = Date.now();
    await connection.request({ method: 'DELETE', path: `${PODS}/stubborn?gracePeriodSeconds=3` });
    let terminated: ContainerEnd | undefined;
    await until(async () => {
      const pod = await admin.find(`${PODS}/stubborn`);
      terminated ??= pod?.status.containerStatuses?.[0]?.state.terminated;
      return pod === undefined;
    }, 'it to be gone');
    expect(Date.now() - deletedAtMs).toBeGreaterThanOrEqual(3_000);
    expect(terminated).toMatchObject({ exitCode: 137, reason: 'Error' });
  });
});

describe('pods that the kubelet ends', () => {
  it.each([
    [
      'too-big',
      'OutOfcpu',
      "Pod was rejected: Node didn't have enough resource: cpu, requested: 9000, used:",
    ],
    [
      'elsewhere',
      'NodeAffinity',
      "Pod was rejected: Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
    ],
  ])('are refused: %s with %s', async (name, reason, message) => {
    await until(async () => (await admin.get(`${PODS}/${name}`)).status.phase === 'Failed', 'its refusal');
    const { status } = await admin.get(`${PODS}/${name}`);
    expect(status.reason).toBe(reason);
    expect(status.message).toContain(message);
    expect(status.conditions ?? []).toEqual([]);
    expect(status.containerStatuses ?? []).toEqual([]);
  });

  it('fail at their deadline', async () => {
    await until(async () => (await admin.get(`${PODS}/overdue`)).status.phase === 'Failed', 'its deadline');
    expect((await admin.get(`${PODS}/overdue`)).status).toMatchObject({
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
  });

  it('are evicted from a node that they leave short of memory, which is tainted', async () => {
    await until(async () => (await admin.get(`${PODS}/hog`)).status.phase === 'Failed', 'its eviction');
    const { status } = await admin.get(`${PODS}/hog`);
    expect(status.reason).toBe('Evicted');
    expect(status.message).toMatch(
      /^The node was low on resource: memory\. Threshold quantity: 100Mi, available: /,
    );
    expect(status.conditions?.find(({ type }) => type === 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'TerminationByKubelet',
    });
    await until(async () => {
      const node = await admin.get(`/api/v1/nodes/${nodeName('pods-', 3)}`);
      return (
        conditionTrue(node, 'MemoryPressure') &&
        node.spec.taints?.some(({ key }) => key === 'node.kubernetes.io/memory-pressure') === true
      );
    }, 'the node to be tainted');
  });
});

async function createAll(): Promise<void> {
  const jobs = `/apis/batch/v1${NAMESPACE}/jobs`;
  const apps = `/apis/apps/v1${NAMESPACE}`;
  const job = (name: string, spec: object, template: object) =>
    admin.create(jobs, { metadata: { name }, spec: { ...spec, template: { ...template } } });
  await until(
    async () => (await admin.find(`/api/v1${NAMESPACE}/serviceaccounts/default`)) !== undefined,
    'the default service account',
  );
  const never = { restartPolicy: 'Never' };
  await Promise.all([
    job('batch', { completions: 6, parallelism: 3 }, template('batch', 'worker', never)),
    job(
      'indexed',
      { completions: 4, parallelism: 4, completionMode: 'Indexed' },
      template('indexed', 'worker', never),
    ),
    job('failing', { backoffLimit: 1 }, template('failing', 'failing', never)),
    job(
      'with-sidecar',
      {},
      template('with-sidecar', 'worker', {
        ...never,
        initContainers: [
          { name: 'prepare', image: IMAGE },
          { name: 'side', image: IMAGE, restartPolicy: 'Always' },
        ],
      }),
    ),
    admin.create(
      `${apps}/statefulsets`,
      workload('ordered', 3, 'slow-to-ready', { serviceName: 'ordered' }, READINESS),
    ),
    admin.create(`${apps}/daemonsets`, workload('everywhere', undefined, '', {})),
    admin.create(
      `${apps}/deployments`,
      workload(
        'rolling',
        3,
        'slow-to-ready',
        { strategy: { rollingUpdate: { maxUnavailable: 0, maxSurge: 1 } } },
        READINESS,
      ),
    ),
    admin.create(`${apps}/deployments`, workload('guarded', 4, '', {})),
    admin.create(`${apps}/deployments`, workload('strict', 1, '', {})),
    budget('guarded', 3),
    budget('strict', 1),
    pod('crashing', 'failing', {}),
    pod('hanging', 'hanging', {}, { livenessProbe: { ...HTTP, periodSeconds: 1, failureThreshold: 2 } }),
    pod('flapping', 'flapping', {}, { readinessProbe: { ...HTTP, periodSeconds: 1, failureThreshold: 1 } }),
    admin.create(`/api/v1${NAMESPACE}/services`, {
      metadata: { name: 'flapping' },
      spec: { selector: { app: 'flapping' }, ports: [{ port: 80 }] },
    }),
    pod('stubborn', 'stubborn', {}),
    pod('too-big', '', { nodeName: nodeName('pods-', 0) }, { resources: { requests: { cpu: '9' } } }),
    pod('elsewhere', '', { nodeName: nodeName('pods-', 0), nodeSelector: { disk: 'fast' } }),
    pod('overdue', '', { activeDeadlineSeconds: 3 }),
    pod('hog', 'hog', { nodeName: nodeName('pods-', 3) }),
  ]);
}

function pod(name: string, behaviourName: string, spec: object, container: object = {}): Promise<void> {
  const { metadata, ...rest } = template(name, behaviourName, spec, container);
  return admin.create(PODS, { metadata: { name, ...metadata }, ...rest });
}

function budget(app: string, minAvailable: number): Promise<void> {
  return admin.create(`/apis/policy/v1${NAMESPACE}/poddisruptionbudgets`, {
    metadata: { name: app },
    spec: { minAvailable, selector: { matchLabels: { app } } },
  });
}

function restartGapMs(container: ContainerStatus | undefined): number {
  const ended = Date.parse(container?.lastState.terminated?.finishedAt ?? '');
  const { running, terminated } = container?.state ?? {};
  const started = Date.parse(running?.startedAt ?? terminated?.startedAt ?? '');
  return started - ended;
}

async function untilJob(name: string, condition: string): Promise<ApiObject> {
  const path = `/apis/batch/v1${NAMESPACE}/jobs/${name}`;
  await until(async () => conditionTrue(await admin.get(path), condition), `job ${name} to be ${condition}`);
  return admin.get(path);
}

function podsOf(selector: string): Promise<ApiObject[]> {
  return admin.list(`${PODS}?labelSelector=${selector}`);
}
