import { describe, expect, it } from 'vitest';
import {
  type AdmittingNode,
  admissionOf,
  nodeRoom,
} from '../../../hollow/kubelet/pods/admission/pod-admission.ts';
import { newPod, seePod, tickPod } from '../../../hollow/kubelet/pods/pod-machine.ts';
import type { ApiPod } from '../../../hollow/kubelet/pods/pod-object.ts';
import { readPodSighting, readPodSpec } from '../../../hollow/kubelet/pods/pod-spec.ts';
import { buildStatus } from '../../../hollow/kubelet/pods/pod-status.ts';
import { statusPatch } from '../../../hollow/kubelet/pods/status-patch.ts';
import { wireForm } from '../../../hollow/wire-form.ts';
import { at, boundPod, deletedPod, machineOf, POD_UID, profile } from './pod-fixtures.ts';

const context = { form: wireForm('none', 'v1.36.3'), hostIp: '192.0.2.2', hostNetworkIp: '192.0.2.2' };

function node(changes: Partial<AdmittingNode> = {}): AdmittingNode {
  return {
    name: 'n1',
    labels: { disk: 'slow', rank: '5' },
    taints: [],
    capacity: nodeRoom({ cpu: '4', memory: '1Gi', podCount: 3, ephemeralStorage: '10Gi' }),
    pressures: new Set(),
    ...changes,
  };
}

const asking = (requests: Record<string, string>, change: (pod: ApiPod) => void = () => {}) =>
  boundPod((pod) => {
    pod.spec.containers = [{ name: 'main', image: 'i', resources: { requests } }];
    change(pod);
  });
const spec = (object: ApiPod) => readPodSpec(object, (text) => text);
const reject = (object: ApiPod, on = node(), others: readonly ApiPod[] = []) =>
  admissionOf(
    object,
    spec(object),
    on,
    others.map((other) => machineOf(other).pod),
  ).rejection;

describe('a node', () => {
  it.each([
    {
      what: 'cpu',
      requests: { cpu: '1500m' },
      message:
        "Pod was rejected: Node didn't have enough resource: cpu, requested: 1500, used: 3000, capacity: 4000",
    },
    {
      what: 'memory',
      requests: { memory: '512Mi' },
      message:
        "Pod was rejected: Node didn't have enough resource: memory, requested: 536870912, used: 805306368, capacity: 1073741824",
    },
    {
      what: 'ephemeral-storage',
      requests: { 'ephemeral-storage': '11Gi' },
      message:
        "Pod was rejected: Node didn't have enough resource: ephemeral-storage, requested: 11811160064, used: 0, capacity: 10737418240",
    },
  ])('refuses a pod for which it has too little $what', ({ what, requests, message }) => {
    const others = [asking({ cpu: '2', memory: '256Mi' }), asking({ cpu: '1', memory: '0.5Gi' })];
    expect(reject(asking(requests), node(), others)).toEqual({
      kind: 'rejected',
      reason: `OutOf${what}`,
      message,
    });
  });

  it('counts pods, whatever they ask for, and not those that are over', () => {
    const others = [boundPod(), boundPod(), boundPod()];
    expect(reject(boundPod(), node(), others)?.reason).toBe('OutOfpods');
    const over = boundPod((pod) => {
      pod.status.phase = 'Succeeded';
    });
    expect(reject(boundPod(), node(), [...others.slice(1), over])).toBeUndefined();
  });

  it('takes the larger of what init containers and main ones need, sidecars on top', () => {
    const object = asking({ cpu: '1' }, (pod) => {
      if (pod.spec === undefined) return;
      pod.spec.initContainers = [
        { name: 'side', image: 'i', restartPolicy: 'Always', resources: { requests: { cpu: '500m' } } },
        { name: 'init', image: 'i', resources: { requests: { cpu: '3' } } },
      ];
      pod.spec.overhead = { cpu: '250m' };
    });
    expect(spec(object).requests.cpuMillis).toBe(3_750);
  });

  it.each([
    ['a selector that it does not match', { nodeSelector: { disk: 'fast' } }, 'NodeAffinity'],
    ['a selector that it matches', { nodeSelector: { disk: 'slow' } }, undefined],
    ['an affinity to a higher rank', affinity('Gt', ['7']), 'NodeAffinity'],
    ['an affinity to a lower rank', affinity('Lt', ['7']), undefined],
    ['an affinity to one of several values', affinity('In', ['4', '5']), undefined],
    ['an affinity away from it', affinity('NotIn', ['5']), 'NodeAffinity'],
  ])('decides about a pod with %s', (_, change, reason) => {
    const object = boundPod((pod) => Object.assign(pod.spec, change));
    expect(reject(object)?.reason).toBe(reason);
  });

  it('refuses pods that do not endure its NoExecute taints, and no others', () => {
    const tainted = node({ taints: [{ key: 'gone', effect: 'NoExecute' }] });
    expect(reject(boundPod(), tainted)).toMatchObject({
      reason: 'TaintToleration',
      message:
        "Pod was rejected: Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate",
    });
    expect(reject(boundPod(), node({ taints: [{ key: 'gone', effect: 'NoSchedule' }] }))).toBeUndefined();
    const enduring = boundPod((pod) => {
      pod.spec.tolerations = [{ key: 'gone', operator: 'Exists', effect: 'NoExecute' }];
    });
    expect(reject(enduring, tainted)).toBeUndefined();
  });

  it('short of memory takes only pods that ask for some, or endure it, or are critical', () => {
    const short = node({ pressures: new Set(['memory']) });
    expect(reject(boundPod(), short)).toMatchObject({
      reason: 'Evicted',
      message: 'Pod was rejected: The node had condition: [MemoryPressure]. ',
    });
    expect(reject(asking({ memory: '1Mi' }), short)).toBeUndefined();
    const enduring = boundPod((pod) => {
      pod.spec.tolerations = [{ key: 'node.kubernetes.io/memory-pressure', operator: 'Exists' }];
    });
    expect(reject(enduring, short)).toBeUndefined();
    const critical = boundPod((pod) => {
      pod.spec.priority = 2_000_000_000;
    });
    expect(reject(critical, short)).toBeUndefined();
    expect(reject(asking({ memory: '1Mi' }), node({ pressures: new Set(['disk']) }))?.reason).toBe('Evicted');
  });
});

describe('a pod that was refused', () => {
  const object = boundPod();
  const rejection = { kind: 'rejected', reason: 'OutOfcpu', message: 'Pod was rejected: m' } as const;
  const refused = () =>
    newPod(spec(object), profile(), readPodSighting(object), object.status ?? {}, '', at(0), rejection);

  it('is Failed with one patch, which takes its conditions away', () => {
    const { effects, pod } = refused();
    expect(effects.map(({ effect }) => effect)).toEqual(['verdict', 'status']);
    expect(pod.dueUs).toBe(Number.POSITIVE_INFINITY);
    const patch = statusPatch(POD_UID, object.status ?? {}, buildStatus(pod, object, context));
    expect(JSON.parse(patch ?? '')).toEqual({
      metadata: { uid: POD_UID },
      status: {
        conditions: null,
        message: 'Pod was rejected: m',
        observedGeneration: 1,
        phase: 'Failed',
        reason: 'OutOfcpu',
        startTime: '2026-11-21T08:38:20Z',
      },
    });
  });

  it('is removed when somebody deletes it', () => {
    const { pod } = refused();
    seePod(pod, readPodSighting(deletedPod(object, 0)), at(1_000));
    tickPod(pod, at(pod.dueUs / 1_000));
    expect(pod.stage).toBe('removing');
  });

  it('stays as it is when the kubelet comes back', () => {
    const before: ApiPod = {
      ...object,
      status: {
        phase: 'Failed',
        reason: 'OutOfcpu',
        message: 'm',
        startTime: '2026-11-21T08:38:20Z',
        observedGeneration: 1,
      },
    };
    const { effects, pod } = machineOf(before);
    expect(effects).toEqual([]);
    expect(statusPatch(POD_UID, before.status ?? {}, buildStatus(pod, before, context))).toBeUndefined();
  });
});

function affinity(operator: string, values: string[]): object {
  const nodeSelectorTerms = [{ matchExpressions: [{ key: 'rank', operator, values }] }];
  return {
    affinity: { nodeAffinity: { requiredDuringSchedulingIgnoredDuringExecution: { nodeSelectorTerms } } },
  };
}
