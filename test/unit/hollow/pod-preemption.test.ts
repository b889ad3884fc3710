import { describe, expect, it } from 'vitest';
import { HollowKubelet } from '../../../hollow/kubelet/kubelet.ts';
import { readHostPorts } from '../../../hollow/kubelet/pods/admission/host-ports.ts';
import {
  type AdmittingNode,
  admissionOf,
  nodeRoom,
} from '../../../hollow/kubelet/pods/admission/pod-admission.ts';
import {
  PREEMPTED,
  podsToPreempt,
  type Shortage,
} from '../../../hollow/kubelet/pods/admission/pod-preemption.ts';
import { evictPod, tickPod } from '../../../hollow/kubelet/pods/pod-machine.ts';
import type { ApiContainer, ApiPod } from '../../../hollow/kubelet/pods/pod-object.ts';
import { readPodSpec } from '../../../hollow/kubelet/pods/pod-spec.ts';
import { buildStatus } from '../../../hollow/kubelet/pods/pod-status.ts';
import { wireForm } from '../../../hollow/wire-form.ts';
import { seededRandom } from '../../../src/core/index.ts';
import { at, boundPod, machineOf, profile } from './pod-fixtures.ts';
import { pass, scriptedFleet } from './scripted-connection.ts';

type Qos = 'BestEffort' | 'Burstable' | 'Guaranteed';

const CRITICAL = 2_000_000_000;
const NODE: AdmittingNode = {
  name: 'n1',
  labels: {},
  taints: [],
  capacity: nodeRoom({ cpu: '4', memory: '1Gi', podCount: 10, ephemeralStorage: '10Gi' }),
  pressures: new Set(),
};

interface Asked {
  name?: string;
  cpu?: string;
  memory?: string;
  qos?: Qos;
  priority?: number;
  ports?: NonNullable<ApiContainer['ports']>;
  extended?: string;
}

function pod({ name = 'p', cpu, extended, memory, ports, priority = 0, qos = 'BestEffort' }: Asked): ApiPod {
  return boundPod((object) => {
    object.metadata.name = name;
    object.metadata.uid = `uid-${name}`;
    object.status.qosClass = qos;
    object.spec.priority = priority;
    const requests = {
      ...(cpu === undefined ? {} : { cpu }),
      ...(memory === undefined ? {} : { memory }),
      ...(extended === undefined ? {} : { [extended]: '1' }),
    };
    object.spec.containers = [
      { name: 'main', image: 'i', resources: { requests }, ...(ports === undefined ? {} : { ports }) },
    ];
  });
}

const spec = (object: ApiPod) => readPodSpec(object, (text) => text);
const admit = (asked: Asked, others: readonly Asked[], node = NODE) =>
  admissionOf(
    pod(asked),
    spec(pod(asked)),
    node,
    others.map((other) => machineOf(pod(other)).pod),
  );

describe('a port of the node', () => {
  const web = [{ hostPort: 80, containerPort: 8080 }];

  it.each([
    ['the same port', [{ hostPort: 80 }], 'NodePorts'],
    ['another port', [{ hostPort: 81 }], undefined],
    ['the same port of another protocol', [{ hostPort: 80, protocol: 'UDP' }], undefined],
    ['the same port of one address', [{ hostPort: 80, hostIP: '192.0.2.2' }], 'NodePorts'],
    ['no port of the node', [{ containerPort: 80 }], undefined],
  ])('is held by one pod: another that asks for %s', (_, ports, reason) => {
    const { rejection } = admit({ ports }, [{ ports: web }]);
    expect(rejection?.reason).toBe(reason);
    if (reason === undefined) return;
    expect(rejection?.message).toBe(
      "Pod was rejected: Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
    );
  });

  it('of one address leaves those of others free', () => {
    const on = (hostIP: string) => ({ ports: [{ hostPort: 80, hostIP }] });
    expect(admit(on('192.0.2.2'), [on('192.0.2.3')]).rejection).toBeUndefined();
    expect(admit(on('192.0.2.2'), [on('192.0.2.2')]).rejection?.reason).toBe('NodePorts');
  });

  it('is held by sidecars, not by init containers that end', () => {
    const object = pod({});
    const ports = web;
    if (object.spec !== undefined) {
      object.spec.initContainers = [
        { name: 'once', ports },
        { name: 'side', restartPolicy: 'Always', ports: [{ hostPort: 90 }] },
      ];
    }
    expect(readHostPorts(object)).toEqual([{ ip: '0.0.0.0', protocol: 'TCP', port: 90 }]);
  });
});

describe('an extended resource', () => {
  it('that no node has is not held against it, as in a kubelet', () => {
    expect(admit({ extended: 'example.com/gpu' }, []).rejection).toBeUndefined();
  });
});

describe('a critical pod', () => {
  const critical = { name: 'critical', priority: CRITICAL };

  it('for which there is no room has others ended, one that is not critical is refused', () => {
    const others = [{ name: 'a', cpu: '3', qos: 'Burstable' as const }];
    const { rejection, victims } = admit({ ...critical, cpu: '2' }, others);
    expect(rejection).toBeUndefined();
    expect(victims.map((victim) => victim.spec.name)).toEqual(['a']);
    expect(admit({ cpu: '2', priority: CRITICAL - 1 }, others).rejection?.reason).toBe('OutOfcpu');
  });

  it('is refused by a node that does not suit it, whatever room could be made', () => {
    const others = [{ name: 'a', cpu: '3', ports: [{ hostPort: 80 }] }];
    const { rejection, victims } = admit({ ...critical, cpu: '2', ports: [{ hostPort: 80 }] }, others);
    expect(rejection?.reason).toBe('NodePorts');
    expect(victims).toEqual([]);
  });

  it('is refused where not even all others make room', () => {
    const { rejection } = admit({ ...critical, cpu: '5' }, [
      { name: 'a', cpu: '1', qos: 'Burstable' },
      { name: 'b', cpu: '2', priority: CRITICAL, qos: 'Burstable' },
    ]);
    expect(rejection).toEqual({
      kind: 'rejected',
      reason: 'UnexpectedAdmissionError',
      message:
        'Pod was rejected: Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: no set of running pods found to reclaim resources: [(res: cpu, q: 3000), ]',
    });
  });
});

/** Upstream's order: best-effort pods first, then burstable, then guaranteed; the fewest that do. Source: pkg/kubelet/preemption/preemption.go v1.36.3 */
describe('the pods that make room', () => {
  const preemptor = spec(pod({ name: 'critical', priority: CRITICAL }));
  const chosen = (others: readonly Asked[], shortages: readonly Shortage[]) => {
    const result = podsToPreempt(
      preemptor,
      others.map((other) => machineOf(pod(other)).pod),
      shortages,
    );
    return 'victims' in result ? result.victims.map((victim) => victim.spec.name) : result.missing;
  };
  const bestEffort = { name: 'best-effort' };
  const burstable = { name: 'burstable', cpu: '100m', memory: '100Mi', qos: 'Burstable' as const };
  const bigBurstable = { name: 'big-burstable', cpu: '200m', memory: '300Mi', qos: 'Burstable' as const };
  const guaranteed = { name: 'guaranteed', cpu: '100m', memory: '100Mi', qos: 'Guaranteed' as const };
  const all = [bestEffort, burstable, bigBurstable, guaranteed];
  const memory = (mebibytes: number): Shortage => ({ resource: 'memory', amount: mebibytes * 2 ** 20 });

  it.each<[string, Shortage[], string[]]>([
    ['a place: the best-effort pod', [{ resource: 'pods', amount: 1 }], ['best-effort']],
    ['little: the smaller of those that suffice', [memory(100)], ['burstable']],
    ['more: one big one rather than several', [memory(300)], ['big-burstable']],
    ['all burstable ones: no guaranteed one', [memory(400)], ['big-burstable', 'burstable']],
    ['everything: guaranteed ones too', [memory(500)], ['big-burstable', 'burstable', 'guaranteed']],
    ['several resources', [memory(100), { resource: 'cpu', amount: 200 }], ['big-burstable']],
  ])('for %s', (_, shortages, names) => {
    expect(chosen(all, shortages)).toEqual(names);
  });

  it('are never critical themselves', () => {
    expect(chosen([{ ...burstable, priority: CRITICAL }], [memory(1)])).toContain('no set of running pods');
  });
});

describe('a pod that makes room', () => {
  it('is Failed in the end and says for what', () => {
    const object = pod({ name: 'victim', memory: '1Mi', qos: 'Burstable' });
    const { pod: machine } = machineOf(object, profile({ run: () => ({ stopExitCode: 143 }) }));
    while (machine.stage !== 'running') tickPod(machine, at(machine.dueUs / 1_000));
    const { victims } = admit({ name: 'critical', priority: CRITICAL, memory: '1Gi' }, []);
    expect(victims).toEqual([]);
    const admission = admissionOf(
      pod({ priority: CRITICAL, memory: '1Gi' }),
      spec(pod({ priority: CRITICAL, memory: '1Gi' })),
      NODE,
      [machine],
    );
    expect(admission.victims).toEqual([machine]);
    evictPod(machine, PREEMPTED, machine.spec.graceSeconds, at(5_000));
    while (machine.dueUs !== Number.POSITIVE_INFINITY) tickPod(machine, at(machine.dueUs / 1_000));
    const context = { form: wireForm('none', 'v1.36.3'), hostIp: '192.0.2.2', hostNetworkIp: '192.0.2.2' };
    const status = buildStatus(machine, object, context);
    expect(status).toMatchObject({
      phase: 'Failed',
      reason: 'Preempting',
      message: 'Preempted in order to admit critical pod',
    });
    expect(status['conditions']).toContainEqual(
      expect.objectContaining({
        type: 'DisruptionTarget',
        status: 'True',
        reason: 'TerminationByKubelet',
        message: 'Pod was preempted by Kubelet to accommodate a critical pod.',
      }),
    );
  });

  it('ends before the critical pod is let in', async () => {
    const server = new Map<string, ApiPod>();
    const fleet = scriptedFleet(({ method, path }) => {
      const name = /\/pods\/([^/?]+)/.exec(path)?.[1] ?? '';
      if (method === 'GET' && server.has(name)) return { status: 200, body: server.get(name) };
      return { status: method === 'GET' ? 404 : 200 };
    });
    const kubelet = new HollowKubelet({
      context: fleet.context,
      index: 0,
      identity: {
        name: 'n1',
        address: '198.18.0.1',
        kubeletPort: 10_250,
        hostNetworkAddress: '198.18.0.1',
        zone: undefined,
      },
      connection: fleet.connection,
      random: seededRandom(1),
      signal: fleet.abort.signal,
      disturbance: fleet.disturbance,
    });
    const bind = (object: ApiPod) => {
      server.set(object.metadata.name, object);
      kubelet.seePod('ADDED', object);
    };
    const said = () =>
      fleet.connection.requests.flatMap(({ body, method, path }) => {
        if (method === 'PATCH' && path.includes('/status')) {
          const { phase } = (JSON.parse(body ?? '') as { status: { phase?: string } }).status;
          const name = /\/pods\/([^/?]+)/.exec(path)?.[1];
          return phase === undefined ? [`${name}`] : [`${name} ${phase}`];
        }
        return [];
      });
    bind(pod({ name: 'victim', memory: '16Gi', qos: 'Burstable' }));
    await pass(fleet.clock, 5_000);
    const before = said().length;
    bind(pod({ name: 'critical', priority: CRITICAL, memory: '1Gi', qos: 'Burstable' }));
    await pass(fleet.clock, 5_000);
    const after = said().slice(before);
    const ended = after.findIndex((line) => /^victim (Succeeded|Failed)$/.test(line));
    const letIn = after.findIndex((line) => line.startsWith('critical'));
    expect(ended).toBeGreaterThanOrEqual(0);
    expect(letIn).toBeGreaterThan(ended);
    expect(after.at(-1)).toMatch(/^critical/);
    kubelet.stop();
  });
});
