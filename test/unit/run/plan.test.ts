import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadSuite, readSuiteSource, type Suite, type SuiteOverrides } from '../../../src/config/index.ts';
import { planRun } from '../../../src/run/plan.ts';
import {
  churnAction,
  createAction,
  type Plain,
  plainSuite,
  readsAction,
  suiteText,
} from '../config/suite-text.ts';

const MB = 1e6;
const suiteOf = (plain: Plain): Suite => loadSuite({ path: 'suite.yaml', text: suiteText(plain) }).suite;
const planOf = (plain: Plain) => planRun(suiteOf(plain));
const quickstart = (overrides?: SuiteOverrides) =>
  planRun(loadSuite(readSuiteSource('quickstart', { cwd: '/' }), overrides).suite);
const texts = (plain: Plain, kind: string) =>
  planOf(plain)
    .warnings.filter((warning) => warning.kind === kind)
    .map(({ text }) => text);

describe('a plan', () => {
  it('counts the quickstart suite call by call', () => {
    const plan = quickstart();
    expect(plan.totals).toMatchObject({
      objectCount: 1_600, // 1,000 and 10/s x 60 s
      podCount: 1_600,
      callCount: 4_600, // 1,000 creates, 600 creates and deletes, 40/s x 60 s reads
      watcherCount: 20,
      peakPodCount: 1_100, // 1,000 and 10/s x 10 s alive
      peakContainerCount: 1_100,
      peakObjects: { pods: 1_100 },
      inFlightTypicalCount: 1,
      // churn 20/s x 1 s, gets 27.2/s x 1 s, lists of a namespace 6.4/s x 30 s, of the cluster 6.4/s x 30 s
      inFlightAtLimitCount: 432,
    });
    const reads = plan.phases[1]?.actions.find(({ action }) => action === 'reads');
    expect(reads?.calls.map(({ verb, resource, count }) => [verb, resource, count])).toEqual([
      ['get', 'pods', 816], // from the watch cache
      ['get', 'pods', 816], // from etcd
      ['list', 'pods', 384],
      ['list', 'nodes', 384],
    ]);
    expect(plan.fleet).toMatchObject({
      connectionCount: 200,
      watchCount: 1_400, // 5 + 4 and the CA bundles of 5 namespaces, for each node
    });
    expect(plan.fleet.leasesPerSecond).toBeCloseTo(100 / 10.2, 6);
    // 20 pods/s come or go, 40 requests/s beside: the definition of cluster churn counts both.
    expect(plan.phases[1]).toMatchObject({ podChangesPerSecond: 20, userRequestsPerSecond: 40 });
    expect(plan.warnings.map(({ text }) => text)).toEqual([
      '60/s cluster churn in phase churn (20 pods created or deleted, 40 requests): the SLOs are promised up to 20/s',
    ]);
  });

  it('lasts as long as its phases, each as long as its longest action', () => {
    const plan = quickstart();
    const [saturate, churn] = plan.phases;
    // 1,000 at 20/s, then the slowest sandbox, container start and a second of scheduling and writes.
    expect(saturate?.durationMs).toBe(50_000 + 600 + 200 + 1_000);
    expect(churn).toMatchObject({ startMs: saturate?.durationMs, durationMs: 70_000 });
    const { totalMs, ...parts } = plan.duration;
    expect(totalMs).toBeCloseTo(
      Object.values(parts).reduce((sum, ms) => sum + ms, 0),
      6,
    );
  });

  it('has the memory that was measured at 1,000 and at 3,000 idle nodes', () => {
    const idle = (nodes: number) =>
      planOf(plainSuite(undefined, { fleet: { nodes, compat: 'kubemark' } })).memory;
    const within = (bytes: number, measured: number) =>
      expect(Math.abs(bytes / measured - 1)).toBeLessThan(0.1);
    within(idle(1_000).apiserverBytes, 1_780 * MB);
    within(idle(3_000).apiserverBytes, 5_200 * MB);
    within(idle(3_000).etcdBytes, 370 * MB);
    within(idle(3_000).fleetBytes, 3 * 130 * MB + 3_000 * 0.35 * MB);
    const empty = idle(0);
    within(empty.apiserverBytes + empty.etcdBytes + empty.controllersBytes, 480 * MB);
  });

  it('has the memory that suites were measured to take', () => {
    const { memory } = planRun(loadSuite(readSuiteSource('density', { cwd: '/' })).suite);
    const within = (bytes: number, measured: number) =>
      expect(Math.abs(bytes / measured - 1), `${bytes / MB} MB`).toBeLessThan(0.2);
    within(memory.apiserverBytes, 1_006 * MB);
    within(memory.etcdBytes, 219 * MB);
    within(memory.controllersBytes, 356 * MB);
    within(memory.fleetBytes, 202 * MB);
    within(memory.loadBytes, 285 * MB);
    const fanOut = planRun(loadSuite(readSuiteSource('watch-fanout', { cwd: '/' })).suite).memory;
    within(fanOut.apiserverBytes, 575 * MB);
    within(fanOut.loadBytes, 335 * MB);
  });

  it('counts what storms make of the nodes that they hit', () => {
    const storms = (fidelity: 'full' | 'light') =>
      planOf(
        plainSuite(undefined, {
          fleet: { nodes: 100, fidelity },
          load: {
            phases: [
              {
                name: 'only',
                duration: '60s',
                actions: [
                  { action: 'storm', kind: 'restart', share: '50%', after: '5s' },
                  { action: 'storm', kind: 'silence', nodes: 10, for: '20s' },
                  { action: 'storm', kind: 'slow', share: '10%', delay: '100ms', for: '20s' },
                ],
              },
            ],
          },
        }),
      );
    const full = storms('full');
    expect(full.totals.stormRequestCount).toBe(50 * 25 + 10 * 2);
    expect(full.phases[0]?.actions[0]?.description).toContain(
      'restart 50 nodes after 5 s: about 1,250 requests',
    );
    expect(storms('light').totals.stormRequestCount).toBe(50 * 2 + 10 * 2);
  });

  it('counts one write for each change of a pod on light nodes, and the watches of their process', () => {
    const fleetOf = (fidelity: 'full' | 'light') =>
      planOf(plainSuite([churnAction({ rate: '10/s' })], { fleet: { nodes: 100, fidelity } }));
    const { fleet, phases } = fleetOf('light');
    const beats = fleet.leasesPerSecond + fleet.statusPerSecond;
    expect((phases[0]?.fleetRequestsPerSecond ?? 0) - beats).toBeCloseTo(20, 6);
    expect(fleet).toMatchObject({ watchCount: 2, connectionCount: 1 });
    expect(fleetOf('full').phases[0]?.fleetRequestsPerSecond).toBeGreaterThan(150);
  });

  it('leaves an attached control plane out of the memory of this machine', () => {
    const { memory } = planOf(plainSuite(undefined, { controlPlane: { provider: 'kubeconfig' } }));
    expect(memory).toMatchObject({ apiserverBytes: 0, etcdBytes: 0, controllersBytes: 0 });
    expect(memory.totalBytes).toBe(memory.fleetBytes + memory.loadBytes);
  });

  it('adds up the pods of Deployments, which the controller manager makes at its own pace', () => {
    const deployments = createAction({
      object: { template: 'deployment', replicas: 5 },
      count: 200,
      rate: '10/s',
      waitFor: 'running',
    });
    const plan = planOf(plainSuite([deployments]));
    expect(plan.totals.peakObjects).toEqual({ 'deployments.apps': 200, pods: 1_000 });
    expect(plan.phases[0]).toMatchObject({
      podsStartedPerSecond: 50,
      controllerPodsPerSecond: 50,
      userRequestsPerSecond: 10,
    });
    const slow = planOf(
      plainSuite([deployments], { load: { phases: [{ name: 'only', actions: [deployments] }] } }),
    );
    expect(slow.duration.phasesMs).toBe((1_000 / 20) * 1_000 + 1_800);
    const fast = planOf(
      plainSuite([deployments], {
        controlPlane: { profile: 'fast' },
        load: { phases: [{ name: 'only', actions: [deployments] }] },
      }),
    );
    expect(fast.duration.phasesMs).toBe((200 / 10) * 1_000 + 1_800);
  });

  it('shares what a watch of pods delivers between the namespaces', () => {
    const watches = (scope: string) => ({ action: 'watches', resource: 'pods', scope, count: 10 });
    const plan = planOf(
      plainSuite(undefined, {
        load: {
          namespaces: 4,
          phases: [
            {
              name: 'only',
              duration: '60s',
              actions: [churnAction({ rate: '8/s' }), watches('namespace'), watches('cluster')],
            },
          ],
        },
      }),
    );
    // 8 pods/s x (5 events of a start + 4 of an end), to 10 watches, of a quarter of the pods or all.
    expect(plan.phases[0]?.actions.map(({ watchEventsPerSecond }) => watchEventsPerSecond)).toEqual([
      0, 180, 720,
    ]);
  });
});

describe('warnings of a plan', () => {
  it('name each published limit that the suite goes beyond', () => {
    const create = createAction({
      count: 160_000,
      rate: '20/s',
      object: {
        manifest: { apiVersion: 'v1', kind: 'Pod', spec: { containers: [{ name: 'a' }, { name: 'b' }] } },
      },
    });
    const beyond = texts(
      plainSuite(undefined, {
        fleet: { nodes: 6_000, capacity: { pods: 200 } },
        load: { namespaces: 11_000, phases: [{ name: 'fill', actions: [create] }] },
      }),
      'published-limit',
    );
    expect(beyond).toEqual([
      '6,000 nodes: the published limit is 5,000',
      '160,000 pods at once: the published limit is 150,000',
      '320,000 containers at once: the published limit is 300,000',
      '200 pods a node (capacity): the published limit is 110',
      '11,000 namespaces: the published limit is 10,000',
    ]);
  });

  it('are absent from a small suite, but for few samples', () => {
    const plan = planOf(plainSuite([{ ...readsAction('nodes'), rate: '10/s' }]));
    expect(plan.warnings).toEqual([]);
  });

  it.each([
    {
      why: 'pods in a namespace',
      plain: plainSuite([createAction({ count: 3_001 })], { fleet: { nodes: 100 } }),
      text: '3,001 pods a namespace: the published limit is 3,000',
    },
    {
      why: 'pods on a node',
      plain: plainSuite([createAction({ count: 1_110 })], { fleet: { nodes: 10 } }),
      text: '111 pods a node: the published limit is 110',
    },
    {
      why: 'deployments in a namespace',
      plain: plainSuite([createAction({ count: 2_001, object: { template: 'deployment' } })], {
        fleet: { nodes: 100 },
      }),
      text: '2,001 deployments a namespace: the published limit is 2,000',
    },
    {
      why: 'services',
      plain: plainSuite([
        createAction({ count: 5_001, object: { manifest: { apiVersion: 'v1', kind: 'Service' } } }),
      ]),
      text: '5,001 services a namespace: the published limit is 5,000',
    },
    {
      why: 'the controller manager',
      plain: plainSuite([createAction({ rate: '21/s', object: { template: 'deployment' } })]),
      text: "21/s pods of controllers in phase only: kube-controller-manager's client makes at most 20/s by default (profile fast, or its flag kube-api-qps, lifts it)",
    },
    {
      why: 'the scheduler',
      plain: plainSuite([createAction({ rate: '51/s' })]),
      text: "51/s pods in phase only: kube-scheduler's client binds at most 50/s by default (profile fast lifts it)",
    },
    {
      why: 'the cap in flight',
      plain: plainSuite([{ ...readsAction(), rate: '100/s' }], {
        load: {
          maxInFlight: 99,
          phases: [{ name: 'only', duration: '60s', actions: [{ ...readsAction(), rate: '100/s' }] }],
        },
      }),
      text: '100 calls would be in flight if each took as long as its SLO allows: load.maxInFlight is 99, the rest would be dropped',
    },
    {
      why: 'nodes that are full',
      plain: plainSuite([createAction({ count: 1_101 })], { fleet: { nodes: 10 } }),
      text: '1,101 pods at once on nodes for 1,100: the rest stay Pending',
    },
    {
      why: 'exempt load',
      plain: plainSuite(undefined, {
        load: {
          identity: { groups: ['system:masters'] },
          phases: [{ name: 'only', duration: '60s', actions: [readsAction()] }],
        },
      }),
      text: 'the load is in system:masters: Priority & Fairness does not apply to it',
    },
    {
      why: 'gets that nothing was created for',
      plain: plainSuite([readsAction()]),
      text: 'get pods in phase only: the suite has created none by then; unless the cluster has some, its arrivals are dropped and the run is invalid',
    },
    {
      why: 'few samples',
      plain: plainSuite([readsAction()]),
      text: '300 samples of get pods (resource) in phase only: a p99 of fewer than 368 is little more than their maximum',
    },
  ])('tell of $why', ({ plain, text }) => {
    expect(planOf(plain).warnings.map((warning) => warning.text)).toContain(text);
  });

  it('do not tell of client limits that the suite lifts', () => {
    const actions = [createAction({ rate: '60/s', object: { template: 'deployment' } })];
    expect(texts(plainSuite(actions, { controlPlane: { profile: 'fast' } }), 'bottleneck')).toEqual([]);
    expect(
      texts(
        plainSuite(actions, {
          controlPlane: { flags: { 'kube-controller-manager': { 'kube-api-qps': 100 } } },
        }),
        'bottleneck',
      ),
    ).toEqual([expect.stringMatching(/kube-scheduler/)]);
  });
});

describe('the algebra of plans', () => {
  it('grows with the fleet and with the load', () => {
    const sizes = fc.record({
      nodes: fc.integer({ min: 1, max: 5_000 }),
      perNode: fc.integer({ min: 1, max: 100 }),
      rate: fc.integer({ min: 1, max: 200 }),
    });
    const make = ({ nodes, perNode, rate }: { nodes: number; perNode: number; rate: number }) =>
      planOf(
        plainSuite([createAction({ count: `${perNode}/node`, rate: `${rate}/s` })], { fleet: { nodes } }),
      );
    void fc.assert(
      fc.property(sizes, ({ nodes, perNode, rate }) => {
        const plan = make({ nodes, perNode, rate });
        const more = make({ nodes: nodes + 1, perNode: perNode + 1, rate });
        expect(plan.totals.objectCount).toBe(nodes * perNode);
        expect(more.memory.totalBytes).toBeGreaterThan(plan.memory.totalBytes);
        expect(more.duration.totalMs).toBeGreaterThan(plan.duration.totalMs);
        expect(more.fleet.watchCount).toBeGreaterThan(plan.fleet.watchCount);
      }),
      { numRuns: 50 },
    );
  });
});
