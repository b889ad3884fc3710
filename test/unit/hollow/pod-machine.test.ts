import { describe, expect, it } from 'vitest';
import { seePod, tickPod, volumesReady } from '../../../hollow/kubelet/pods/pod-machine.ts';
import { shownPhase } from '../../../hollow/kubelet/pods/pod-phase.ts';
import { readPodSighting } from '../../../hollow/kubelet/pods/pod-spec.ts';
import type { PodEffect, PodMachine } from '../../../hollow/kubelet/pods/pod-state.ts';
import { at, boundPod, deletedPod, machineOf, profile } from './pod-fixtures.ts';

const FOR_EVER = { runMs: Number.POSITIVE_INFINITY, exitCode: 0 };
const names = (effects: readonly PodEffect[]) =>
  effects.map((effect) =>
    effect.effect === 'event' ? `${effect.reason} ${effect.container}` : effect.effect,
  );

/** Ticks at each due instant until nothing is due by `untilMs`. Returns what happened, with its time. */
function play(pod: PodMachine, untilMs: number): string[] {
  const seen: string[] = [];
  while (pod.dueUs <= untilMs * 1_000) {
    const ms = pod.dueUs / 1_000;
    const effects = tickPod(pod, at(ms));
    seen.push(`${ms} ${pod.stage}: ${names(effects).join(', ')}`);
    if (pod.dueUs === ms * 1_000 && effects.length === 0) break;
  }
  return seen;
}

describe('a pod that is started and deleted', () => {
  it('shows itself, waits for the sandbox, starts and runs', () => {
    const { pod, effects } = machineOf(boundPod());
    expect(names(effects)).toEqual(['status']);
    expect(shownPhase(pod)).toBe('Pending');
    expect(play(pod, 10_000)).toEqual([
      '500 starting: status, Pulled 0',
      '600 running: Created 0, Started 0, status',
    ]);
    expect(shownPhase(pod)).toBe('Running');
  });

  it('stops, cleans up and is removed', () => {
    const { pod } = machineOf(boundPod());
    play(pod, 1_000);
    const effects = seePod(pod, readPodSighting(deletedPod(boundPod(), 30)), at(2_000));
    expect(names(effects)).toEqual(['Killing 0', 'status']);
    expect(shownPhase(pod)).toBe('Running');
    expect(play(pod, 10_000)).toEqual(['2200 stopped: status', '2900 removing: remove']);
    expect(shownPhase(pod)).toBe('Succeeded');
  });

  it('is killed with 137 and fails when its containers outlast the grace period', () => {
    const { pod } = machineOf(boundPod(), profile({ stopMs: 60_000 }));
    play(pod, 1_000);
    seePod(pod, readPodSighting(deletedPod(boundPod(), 5)), at(2_000));
    expect(play(pod, 7_000)).toEqual(['7000 stopped: status']);
    expect(pod.runs[0]?.termination).toMatchObject({ exitCode: 137, reason: 'Error' });
    expect(shownPhase(pod)).toBe('Failed');
  });

  it('fails without killing anything when it is deleted before its containers ran', () => {
    const { pod } = machineOf(boundPod());
    const effects = seePod(pod, readPodSighting(deletedPod(boundPod(), 30)), at(100));
    expect(names(effects)).toEqual(['status']);
    expect(play(pod, 10_000)).toEqual(['100 stopped: status', '800 removing: remove']);
    expect(pod.runs[0]?.termination).toMatchObject({ exitCode: 137, reason: 'ContainerStatusUnknown' });
    expect(shownPhase(pod)).toBe('Failed');
  });

  it('lets a second delete shorten the grace period', () => {
    const { pod } = machineOf(boundPod(), profile({ stopMs: 60_000 }));
    play(pod, 1_000);
    seePod(pod, readPodSighting(deletedPod(boundPod(), 30)), at(2_000));
    seePod(pod, readPodSighting(deletedPod(boundPod(), 3)), at(4_000));
    expect(pod.dueUs).toBe(7_000_000);
  });
});

describe('a pod that mounts something', () => {
  const mounting = boundPod((pod) => {
    pod.spec.volumes = [{ name: 'v', configMap: { name: 'cm' } }];
  });

  it('does not start before it is there', () => {
    const { pod } = machineOf(mounting);
    expect(tickPod(pod, at(5_000))).toEqual([]);
    expect(pod.stage).toBe('mounting');
    expect(pod.dueUs).toBe(Number.POSITIVE_INFINITY);
    expect(names(volumesReady(pod, at(6_000)))).toEqual(['status', 'Pulled 0']);
    expect(pod.stage).toBe('starting');
  });

  it('still waits for its sandbox when the volumes were quick', () => {
    const { pod } = machineOf(mounting);
    expect(volumesReady(pod, at(100))).toEqual([]);
    expect(play(pod, 500)).toEqual(['500 starting: status, Pulled 0']);
  });
});

describe('init containers and sidecars', () => {
  const withInit = boundPod((pod) => {
    pod.spec.initContainers = [
      { name: 'first', image: 'a' },
      { name: 'side', image: 'b', restartPolicy: 'Always' },
      { name: 'second', image: 'c' },
    ];
  });
  const runs = (index: number) => (index === 0 || index === 2 ? { runMs: 50, exitCode: 0 } : FOR_EVER);

  it('run one after the other, sidecars stay, then the main ones start', () => {
    const { pod } = machineOf(withInit, profile({ run: runs }));
    expect(play(pod, 10_000)).toEqual([
      '500 init: status, Pulled 0',
      '600 init: Created 0, Started 0, status',
      '650 init: status, Pulled 1',
      '750 init: Created 1, Started 1, status, Pulled 2',
      '850 init: Created 2, Started 2, status',
      '900 starting: status, Pulled 3',
      '1000 running: Created 3, Started 3, status',
    ]);
  });

  it('fail the pod when one fails and the policy is Never', () => {
    const never = boundPod((pod) => {
      pod.spec.restartPolicy = 'Never';
      pod.spec.initContainers = [{ name: 'first', image: 'a' }];
    });
    const { pod } = machineOf(never, profile({ run: () => ({ runMs: 50, exitCode: 3 }) }));
    play(pod, 10_000);
    expect(pod.stage).toBe('finished');
    expect(shownPhase(pod)).toBe('Failed');
  });
});

describe('containers that exit', () => {
  it('complete the pod under Never', () => {
    const never = boundPod((pod) => {
      pod.spec.restartPolicy = 'Never';
    });
    const { pod } = machineOf(never, profile({ run: () => ({ runMs: 1_000, exitCode: 0 }) }));
    expect(play(pod, 10_000).slice(2)).toEqual([
      '1600 stopping: status',
      '1650 stopped: status',
      '2350 finished: ',
    ]);
    expect(shownPhase(pod)).toBe('Succeeded');
  });

  it('restart at once the first time, then after 10 s, 20 s and so on up to 300 s', () => {
    const { pod } = machineOf(boundPod(), profile({ run: () => ({ runMs: 1_000, exitCode: 1 }) }));
    const starts: number[] = [];
    while (starts.length < 9) {
      const ms = pod.dueUs / 1_000;
      if (names(tickPod(pod, at(ms))).includes('Started 0')) starts.push(ms / 1_000);
    }
    const gaps = starts.slice(1).map((start, index) => Math.round(start - (starts[index] ?? 0) - 1));
    expect(gaps).toEqual([0, 10, 20, 40, 80, 160, 300, 300]);
    expect(pod.runs[0]?.restartCount).toBe(8);
  });
});

describe('a pod that was on the node before', () => {
  const running = boundPod((pod) => {
    pod.status = {
      phase: 'Running',
      startTime: '2026-11-21T08:00:00Z',
      podIP: '10.88.0.3',
      conditions: [
        { type: 'Ready', status: 'False', lastTransitionTime: '2026-11-21T08:01:00Z' },
        { type: 'PodReadyToStartContainers', status: 'True', lastTransitionTime: '2026-11-21T08:00:02Z' },
      ],
      containerStatuses: [
        { name: 'pause', restartCount: 2, state: { running: { startedAt: '2026-11-21T08:00:03Z' } } },
      ],
    };
  });

  it('goes on running, ready again whatever the node controller wrote', () => {
    const { pod, effects } = machineOf(running);
    expect(effects).toEqual([]);
    expect(shownPhase(pod)).toBe('Running');
    expect(pod.conditionTrue[2]).toBe(true);
    expect(pod.runs[0]).toMatchObject({ state: 'running', restartCount: 2 });
  });

  it('stays finished where it had finished', () => {
    const done = boundPod((pod) => {
      pod.status = { phase: 'Failed', conditions: [] };
    });
    const { pod, effects } = machineOf(done);
    expect(effects).toEqual([]);
    expect(pod.stage).toBe('finished');
    expect(shownPhase(pod)).toBe('Failed');
  });
});
