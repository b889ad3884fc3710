import { describe, expect, it } from 'vitest';
import { FlowPlacements } from '../../../loadgen/calls/flow-placements.ts';
import type { ObjectTemplate, ScaleAction, UpdateAction } from '../../../src/config/index.ts';
import { churn, create, PODS, phaseOf, startWorld } from '../../helpers/load-world.ts';

const NAME = `\${name}`;
const DEPLOYMENTS = { group: 'apps', version: 'v1', plural: 'deployments', namespaced: true };

const DEPLOYMENT: ObjectTemplate = {
  resource: DEPLOYMENTS,
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  manifest: {
    metadata: { name: NAME },
    spec: { replicas: 2, template: { spec: { containers: [{ name: 'c' }] } } },
  },
  podCount: 2,
};

const UNIT: ObjectTemplate = {
  ...DEPLOYMENT,
  companions: [
    {
      resource: { group: '', version: 'v1', plural: 'services', namespaced: true },
      apiVersion: 'v1',
      kind: 'Service',
      manifest: { metadata: { name: NAME }, spec: { selector: { app: NAME } } },
      podCount: 0,
    },
  ],
};

const update: UpdateAction = {
  action: 'update',
  name: 'update',
  resource: DEPLOYMENTS,
  ratePerSecond: 10,
  arrival: 'constant',
  durationMs: 600,
  patch: { metadata: { annotations: { revision: `\${index}`, of: NAME } } },
  rolls: false,
  waitFor: 'nothing',
};

const scale: ScaleAction = {
  action: 'scale',
  name: 'scale',
  resource: DEPLOYMENTS,
  ratePerSecond: 10,
  arrival: 'constant',
  durationMs: 900,
  replicas: [5, 1],
  waitFor: 'nothing',
};

const promptly = { answer: () => ({ serviceMs: 5 }) };

describe('a unit of several objects', () => {
  it('is created at one instant under one name, in the order of its documents', async () => {
    const world = await startWorld(promptly);
    const outcome = await world.run([create({ object: UNIT, objectCount: 3, ratePerSecond: 10 })], 2_000);
    const made = world.calls.map(({ request, sentUs }) => ({
      kind: JSON.parse(request.body ?? '').kind,
      name: JSON.parse(request.body ?? '').metadata.name,
      sentMs: sentUs / 1_000,
    }));
    expect(made.map(({ kind, sentMs }) => `${kind}@${sentMs}`)).toEqual([
      'Deployment@100',
      'Service@100',
      'Deployment@200',
      'Service@200',
      'Deployment@300',
      'Service@300',
    ]);
    expect(made.map(({ name }) => name).filter((name, index) => name === made[index ^ 1]?.name)).toHaveLength(
      6,
    );
    expect(outcome.actions[0]).toMatchObject({
      offeredCount: 6,
      expectedPodCount: 6,
      acknowledgedPodCount: 6,
    });
  });

  it('is removed by churn in the opposite order', async () => {
    const world = await startWorld(promptly);
    await world.run([churn({ object: UNIT, durationMs: 1_000, ratePerSecond: 1, lifetimeMs: 300 })], 2_000);
    expect(world.calls.map(({ request }) => `${request.method} ${request.path.split('/').at(-2)}`)).toEqual([
      expect.stringMatching(/^POST/),
      expect.stringMatching(/^POST/),
      'DELETE services',
      'DELETE deployments',
    ]);
  });
});

describe('schedulers', () => {
  it('are taken in turn, in every pod template', async () => {
    const world = await startWorld(promptly);
    const object = { ...DEPLOYMENT, schedulerNames: ['default-scheduler', 'second'] };
    await world.run([create({ object, objectCount: 4, ratePerSecond: 10 })], 2_000);
    expect(
      world.calls.map(({ request }) => JSON.parse(request.body ?? '').spec.template.spec.schedulerName),
    ).toEqual(['default-scheduler', 'second', 'default-scheduler', 'second']);
  });
});

describe('updates', () => {
  it('patch what the load has made, each in its turn, each a change of its own', async () => {
    const world = await startWorld(promptly);
    await world.runPhase(
      phaseOf([create({ object: DEPLOYMENT, objectCount: 3, ratePerSecond: 1_000 })]),
      500,
    );
    world.calls.length = 0;
    const outcome = await world.runPhase(phaseOf([update]), 2_000);
    const names = world.calls.map(({ request }) => request.path.split('/').at(-1));
    expect(new Set(names.slice(0, 3)).size).toBe(3);
    expect(names.slice(3)).toEqual(names.slice(0, 3));
    expect(world.calls[4]?.request).toMatchObject({
      method: 'PATCH',
      contentType: 'application/merge-patch+json',
      body: JSON.stringify({ metadata: { annotations: { revision: '4', of: names[4] } } }),
    });
    expect(outcome.actions[0]).toMatchObject({ offeredCount: 6, doneCount: 6 });
    expect(world.seriesKeys()).toContainEqual(
      expect.objectContaining({ verb: 'patch', resource: 'deployments.apps', scope: 'resource' }),
    );
  });

  it("never touch somebody else's objects: without its own they are dropped", async () => {
    const others = {
      items: [{ metadata: { namespace: 'kube-system', name: 'coredns' } }],
    };
    const world = await startWorld({
      answer: ({ path }) => ({
        serviceMs: 5,
        // The look-up by the run's label finds nothing, the one of everything does.
        body: JSON.stringify(path.includes('labelSelector') ? { items: [] } : others),
      }),
    });
    const prepared = world.generator.preparePhase(phaseOf([update]), new AbortController().signal);
    await world.clock.advance(100);
    await prepared;
    const outcome = await world.runPhase(phaseOf([update]), 2_000);
    expect(world.calls.filter(({ request }) => request.method === 'PATCH')).toEqual([]);
    expect(outcome.actions[0]).toMatchObject({ offeredCount: 6, droppedByReason: { 'no-object': 6 } });
  });
});

describe('scaling', () => {
  it('gives each object the next of the counts through its scale subresource', async () => {
    const world = await startWorld(promptly);
    await world.runPhase(
      phaseOf([create({ object: DEPLOYMENT, objectCount: 3, ratePerSecond: 1_000 })]),
      500,
    );
    world.calls.length = 0;
    await world.runPhase(phaseOf([scale]), 2_000);
    expect(world.calls.map(({ request }) => JSON.parse(request.body ?? '').spec.replicas)).toEqual([
      5, 5, 5, 1, 1, 1, 5, 5, 5,
    ]);
    expect(world.calls[0]?.request.path).toMatch(/\/deployments\/[^/]+\/scale$/);
    expect(world.seriesKeys()).toContainEqual(
      expect.objectContaining({ verb: 'patch', resource: 'deployments.apps', subresource: 'scale' }),
    );
  });
});

describe('exact lists', () => {
  it('ask for the version that a look-up found, and are dropped while there is none', async () => {
    const exact = {
      action: 'reads' as const,
      name: 'exact',
      ratePerSecond: 10,
      arrival: 'constant' as const,
      durationMs: 300,
      mix: [
        {
          verb: 'list' as const,
          resource: PODS,
          scope: 'cluster' as const,
          consistency: 'exact' as const,
          limit: 500,
          labelSelector: '',
          fieldSelector: '',
          weight: 1,
        },
      ],
    };
    const world = await startWorld({
      answer: () => ({ serviceMs: 5, body: '{"metadata":{"resourceVersion":"812"},"items":[]}' }),
    });
    const prepared = world.generator.preparePhase(phaseOf([exact]), new AbortController().signal);
    await world.clock.advance(100);
    await prepared;
    world.calls.length = 0;
    const outcome = await world.runPhase(phaseOf([exact]), 1_000);
    expect(world.calls.map(({ request }) => request.path)).toEqual(
      Array.from({ length: 3 }, () => '/api/v1/pods?resourceVersion=812&resourceVersionMatch=Exact'),
    );
    expect(outcome.actions[0]).toMatchObject({ doneCount: 3 });
  });
});

describe('flow placements', () => {
  it('are counted by flow schema and priority level, and begin anew when drained', () => {
    const placements = new FlowPlacements();
    const reply = { status: 200, body: '', receivedBytes: 0 };
    for (const flowSchemaUid of ['a', 'a', 'b', 'a'])
      placements.note({ ...reply, flowSchemaUid, priorityLevelUid: 'p' });
    placements.note(reply);
    expect(placements.drain()).toEqual([
      { flowSchemaUid: 'a', priorityLevelUid: 'p', callCount: 3 },
      { flowSchemaUid: 'b', priorityLevelUid: 'p', callCount: 1 },
      { flowSchemaUid: '', priorityLevelUid: '', callCount: 1 },
    ]);
    expect(placements.drain()).toEqual([]);
  });
});
