import { describe, expect, it } from 'vitest';
import { parseResource } from '../../../src/config/index.ts';
import { isRolledOut } from '../../../src/run/rollouts.ts';

function done(resource: string, spec: object, status: object): boolean {
  const ref = parseResource(resource, undefined);
  if (ref === undefined) throw new Error(`no resource ${resource}`);
  return isRolledOut(ref, { metadata: { name: 'it', generation: 2 }, spec, status });
}

describe('a rollout', () => {
  const deployment = { observedGeneration: 2, replicas: 3, updatedReplicas: 3, availableReplicas: 3 };
  it.each([
    { why: 'all are new and available', change: {}, expected: true },
    { why: 'the controller has not seen the change', change: { observedGeneration: 1 }, expected: false },
    { why: 'one is not yet updated', change: { updatedReplicas: 2 }, expected: false },
    { why: 'an old one is still there', change: { replicas: 4 }, expected: false },
    { why: 'one is not yet available', change: { availableReplicas: 2 }, expected: false },
  ])('of a Deployment is over: $expected, where $why', ({ change, expected }) => {
    expect(done('deployments.apps', { replicas: 3 }, { ...deployment, ...change })).toBe(expected);
  });

  const set = {
    observedGeneration: 2,
    replicas: 2,
    readyReplicas: 2,
    currentRevision: 'b',
    updateRevision: 'b',
  };
  it.each([
    { why: 'all are ready at one revision', change: {}, expected: true },
    { why: 'two revisions are about', change: { currentRevision: 'a' }, expected: false },
    { why: 'one is not ready', change: { readyReplicas: 1 }, expected: false },
    {
      why: 'one too many is left of scaling down',
      change: { replicas: 3, readyReplicas: 3 },
      expected: false,
    },
  ])('of a StatefulSet is over: $expected, where $why', ({ change, expected }) => {
    expect(done('statefulsets.apps', { replicas: 2 }, { ...set, ...change })).toBe(expected);
  });

  it('of a Deployment scaled to nothing is over when its pods are gone', () => {
    expect(done('deployments.apps', { replicas: 0 }, { observedGeneration: 2 })).toBe(true);
    expect(done('deployments.apps', { replicas: 0 }, { observedGeneration: 2, replicas: 1 })).toBe(false);
  });

  it('of a DaemonSet is over when every node has the new one', () => {
    const status = {
      observedGeneration: 2,
      desiredNumberScheduled: 5,
      updatedNumberScheduled: 5,
      numberAvailable: 5,
    };
    expect(done('daemonsets.apps', {}, status)).toBe(true);
    expect(done('daemonsets.apps', {}, { ...status, updatedNumberScheduled: 4 })).toBe(false);
  });
});
