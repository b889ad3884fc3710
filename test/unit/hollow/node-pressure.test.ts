import { describe, expect, it } from 'vitest';
import { nodeStatusPatch } from '../../../hollow/kubelet/node-object.ts';
import { nodeRoom } from '../../../hollow/kubelet/pods/admission/pod-admission.ts';
import { NodePressure } from '../../../hollow/kubelet/pods/node-pressure.ts';
import { evictPod, tickPod } from '../../../hollow/kubelet/pods/pod-machine.ts';
import type { Instant, PodMachine, PodVerdict } from '../../../hollow/kubelet/pods/pod-state.ts';
import { seededRandom } from '../../../src/core/index.ts';
import { boundPod, machineOf, profile } from './pod-fixtures.ts';
import { scriptedFleet } from './scripted-connection.ts';

const PRESSURE = { resource: 'memory', afterMs: 1_000 } as const;

/** A node with a pod for each of `pods`; time is the fleet's virtual clock. */
function nodeWith(pods: readonly { presses: boolean; priority?: number; stopMs?: number }[]) {
  const { clock, context } = scriptedFleet(() => ({ status: 200 }));
  const now = (): Instant => ({ nowUs: clock.nowUs(), wallMs: clock.wallMs() });
  const machines = pods.map(({ presses, priority = 0, stopMs = 100 }) => {
    const object = boundPod((pod) => {
      pod.spec.priority = priority;
      pod.spec.containers = [{ name: 'main', image: 'i', resources: { requests: { memory: '16Mi' } } }];
    });
    const plan = presses ? { pressure: PRESSURE, stopMs } : { stopMs };
    return machineOf(object, profile({ run: () => plan })).pod;
  });
  const evicted: { index: number; message: string; graceSeconds: number }[] = [];
  const warnings: string[] = [];
  const changes: string[][] = [];
  const pressure: NodePressure = new NodePressure(context, {
    room: nodeRoom({ cpu: '4', memory: '1Gi', podCount: 110, ephemeralStorage: '10Gi' }),
    random: seededRandom('pressure'),
    machines: () => machines,
    evict(pod: PodMachine, verdict: PodVerdict, graceSeconds: number) {
      evicted.push({ index: machines.indexOf(pod), message: verdict.message, graceSeconds });
      evictPod(pod, verdict, graceSeconds, now());
    },
    pressuresChanged: () => changes.push([...pressure.pressures]),
    postWarning: (reason, message) => warnings.push(`${reason}: ${message}`),
  });
  const advance = async (seconds: number) => {
    for (let second = 0; second < seconds; second++) {
      await clock.advance(1_000);
      for (const pod of machines) {
        if (pod.dueUs > clock.nowUs()) continue;
        if (tickPod(pod, now()).some(({ effect }) => effect === 'pressure')) pressure.note();
      }
    }
  };
  return { advance, changes, evicted, machines, pressure, warnings };
}

describe('a node that is short of memory', () => {
  it('evicts the pod that caused it, says why, and leaves the others alone', async () => {
    const { advance, evicted, machines, warnings } = nodeWith([{ presses: false }, { presses: true }]);
    await advance(60);
    expect(evicted).toEqual([
      {
        index: 1,
        graceSeconds: 1,
        message: expect.stringMatching(
          /^The node was low on resource: memory\. Threshold quantity: 100Mi, available: \d+Ki\. Container main was using \d+Ki, request is 16Mi, has larger consumption of memory\. $/,
        ),
      },
    ]);
    expect(warnings).toEqual(['EvictionThresholdMet: Attempting to reclaim memory']);
    expect(machines.map(({ stage }) => stage)).toEqual(['running', 'finished']);
  });

  it('evicts one pod in ten seconds, by priority, and never a critical one', async () => {
    const { advance, evicted, machines } = nodeWith([
      { presses: true, priority: 100 },
      { presses: true, priority: 2_000_000_000 },
      { presses: true, priority: -1 },
    ]);
    const counts: number[] = [];
    for (let round = 0; round < 3; round++) {
      await advance(10);
      counts.push(evicted.length);
    }
    expect(evicted.map(({ index }) => index)).toEqual([2, 0]);
    expect(counts.every((count, index) => count <= index + 1)).toBe(true);
    expect(machines[1]?.stage).toBe('running');
  });

  it('stays so for five minutes after it was seen last', async () => {
    const { advance, changes, pressure } = nodeWith([{ presses: true }]);
    await advance(20);
    expect([...pressure.pressures]).toEqual(['memory']);
    await advance(260);
    expect([...pressure.pressures]).toEqual(['memory']);
    await advance(60);
    expect(changes).toEqual([['memory'], []]);
  });

  it('shows it in its conditions', () => {
    const { body, turnedCount } = nodeStatusPatch(new Map(), true, 0, new Set(['memory', 'disk']));
    const { status } = JSON.parse(body) as {
      status: { conditions: { type: string; status: string; reason: string }[] };
    };
    expect(turnedCount).toBe(4);
    expect(status.conditions.map(({ type, status: holds, reason }) => [type, holds, reason])).toEqual([
      ['MemoryPressure', 'True', 'KubeletHasInsufficientMemory'],
      ['DiskPressure', 'True', 'KubeletHasDiskPressure'],
      ['PIDPressure', 'False', 'KubeletHasSufficientPID'],
      ['Ready', 'True', 'KubeletReady'],
    ]);
  });
});
