import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodProfile } from '../../../hollow/kubelet/pods/pod-behaviour.ts';
import { seePod, tickPod, volumesReady } from '../../../hollow/kubelet/pods/pod-machine.ts';
import { isTerminalPhase, readPodSighting } from '../../../hollow/kubelet/pods/pod-spec.ts';
import { type PodEffect, type PodMachine, phaseOf } from '../../../hollow/kubelet/pods/pod-state.ts';
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
    expect(phaseOf(pod)).toBe('Pending');
    expect(play(pod, 10_000)).toEqual([
      '500 starting: status, Pulled 0',
      '600 running: Created 0, Started 0, status',
    ]);
    expect(phaseOf(pod)).toBe('Running');
  });

  it('stops, cleans up and is removed', () => {
    const { pod } = machineOf(boundPod());
    play(pod, 1_000);
    const effects = seePod(pod, readPodSighting(deletedPod(boundPod(), 30)), at(2_000));
    expect(names(effects)).toEqual(['Killing 0', 'status']);
    expect(phaseOf(pod)).toBe('Running');
    expect(play(pod, 10_000)).toEqual(['2200 stopped: status', '2900 removing: remove']);
    expect(phaseOf(pod)).toBe('Succeeded');
  });

  it('is killed with 137 and fails when its containers outlast the grace period', () => {
    const { pod } = machineOf(boundPod(), profile({ stopMs: 60_000 }));
    play(pod, 1_000);
    seePod(pod, readPodSighting(deletedPod(boundPod(), 5)), at(2_000));
    expect(play(pod, 7_000)).toEqual(['7000 stopped: status']);
    expect(pod.runs[0]?.termination).toMatchObject({ exitCode: 137, reason: 'Error' });
    expect(phaseOf(pod)).toBe('Failed');
  });

  it('fails without killing anything when it is deleted before its containers ran', () => {
    const { pod } = machineOf(boundPod());
    const effects = seePod(pod, readPodSighting(deletedPod(boundPod(), 30)), at(100));
    expect(names(effects)).toEqual(['status']);
    expect(play(pod, 10_000)).toEqual(['100 stopped: status', '800 removing: remove']);
    expect(pod.runs[0]?.termination).toMatchObject({ exitCode: 137, reason: 'ContainerStatusUnknown' });
    expect(phaseOf(pod)).toBe('Failed');
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
  const runs: PodProfile['run'] = (index) =>
    index === 0 || index === 2 ? { runMs: 50, exitCode: 0 } : FOR_EVER;

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
    expect(phaseOf(pod)).toBe('Failed');
  });
});

describe('containers that exit', () => {
  it('complete the pod under Never', () => {
    const never = boundPod((pod) => {
      pod.spec.restartPolicy = 'Never';
    });
    const { pod } = machineOf(never, profile({ run: () => ({ runMs: 1_000, exitCode: 0 }) }));
    expect(play(pod, 10_000).at(-1)).toBe('1600 finished: status');
    expect(phaseOf(pod)).toBe('Succeeded');
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
    expect(phaseOf(pod)).toBe('Running');
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
    expect(phaseOf(pod)).toBe('Failed');
  });
});

describe('any sequence of events', () => {
  type Input =
    | { input: 'wait'; ms: number }
    | { input: 'volumes' }
    | { input: 'delete'; graceSeconds: number }
    | { input: 'phase'; phase: 'Failed' | 'Succeeded' }
    | { input: 'modified' };
  const inputs = fc.array(
    fc.oneof<fc.Arbitrary<Input>[]>(
      fc.record({ input: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
      fc.record({ input: fc.constant('volumes' as const) }),
      fc.record({ input: fc.constant('delete' as const), graceSeconds: fc.integer({ min: 0, max: 60 }) }),
      fc.record({
        input: fc.constant('phase' as const),
        phase: fc.constantFrom('Failed' as const, 'Succeeded' as const),
      }),
      fc.record({ input: fc.constant('modified' as const) }),
    ),
    { maxLength: 25 },
  );
  const shapes = fc.record({
    initCount: fc.integer({ min: 0, max: 2 }),
    sidecar: fc.boolean(),
    mainCount: fc.integer({ min: 1, max: 3 }),
    restartPolicy: fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const),
    mounts: fc.boolean(),
    initExit: fc.integer({ min: 0, max: 1 }),
    mainRunMs: fc.constantFrom(Number.POSITIVE_INFINITY, 10, 5_000),
    mainExit: fc.integer({ min: 0, max: 1 }),
    stopMs: fc.integer({ min: 0, max: 90_000 }),
  });

  it('never takes a terminal phase back, and always ends with a removal once deleted', () => {
    fc.assert(
      fc.property(shapes, inputs, (shape, sequence) => {
        const object = boundPod((pod) => {
          pod.spec.restartPolicy = shape.restartPolicy;
          pod.spec.initContainers = [
            ...Array.from({ length: shape.initCount }, (_, i) => ({ name: `i${i}`, image: 'i' })),
            ...(shape.sidecar ? [{ name: 'side', image: 's', restartPolicy: 'Always' }] : []),
          ];
          pod.spec.containers = Array.from({ length: shape.mainCount }, (_, i) => ({
            name: `m${i}`,
            image: 'm',
          }));
          if (shape.mounts) pod.spec.volumes = [{ name: 'v', configMap: { name: 'cm' } }];
        });
        const behaviour = profile({
          stopMs: shape.stopMs,
          run: (index) =>
            index < shape.initCount
              ? { runMs: 30, exitCode: shape.initExit }
              : { runMs: shape.mainRunMs, exitCode: shape.mainExit },
        });
        const { pod } = machineOf(object, behaviour);
        let nowMs = 0;
        let terminal: string | undefined;
        let current = object;
        let removals = 0;
        const note = (effects: readonly PodEffect[], versionBefore: number) => {
          removals += effects.filter((effect) => effect.effect === 'remove').length;
          const shown = effects.some((effect) => effect.effect === 'status');
          // What status shows changes only together with the version, and the other way round.
          expect(pod.version > versionBefore).toBe(shown);
          const phase = phaseOf(pod);
          if (terminal !== undefined) expect(isTerminalPhase(phase)).toBe(true);
          if (isTerminalPhase(phase)) terminal = phase;
        };
        const apply = (input: Input) => {
          const version = pod.version;
          switch (input.input) {
            case 'wait':
              nowMs += input.ms;
              note(tickPod(pod, at(nowMs)), version);
              // What stays due would fire its timer without end.
              expect(pod.dueUs).toBeGreaterThan(nowMs * 1_000);
              return;
            case 'volumes':
              return note(volumesReady(pod, at(nowMs)), version);
            case 'delete':
              if (current.metadata.deletionTimestamp === undefined)
                current = deletedPod(current, input.graceSeconds);
              return note(seePod(pod, readPodSighting(current), at(nowMs)), version);
            case 'phase':
              current = { ...current, status: { ...current.status, phase: input.phase } };
              note(seePod(pod, readPodSighting(current), at(nowMs)), version);
              expect(phaseOf(pod)).toBe(input.phase);
              return;
            default:
              return note(seePod(pod, readPodSighting(current), at(nowMs)), version);
          }
        };
        for (const input of sequence) apply(input);
        apply({ input: 'delete', graceSeconds: 30 });
        for (let i = 0; i < 20 && pod.stage !== 'removing'; i++) {
          if (pod.dueUs === Number.POSITIVE_INFINITY) break;
          apply({ input: 'wait', ms: Math.max(0, pod.dueUs / 1_000 - nowMs) });
        }
        expect(pod.stage).toBe('removing');
        expect(removals).toBe(1);
        expect(isTerminalPhase(phaseOf(pod))).toBe(true);
        expect(pod.runs.some((run) => run.state === 'running')).toBe(false);
      }),
      { numRuns: 500 },
    );
  });
});
