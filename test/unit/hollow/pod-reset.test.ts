import { describe, expect, it } from 'vitest';
import { containerEvent } from '../../../hollow/kubelet/pods/pod-events.ts';
import { evictPod, seePod, tickPod } from '../../../hollow/kubelet/pods/pod-machine.ts';
import { shownPhase } from '../../../hollow/kubelet/pods/pod-phase.ts';
import { readPodSighting } from '../../../hollow/kubelet/pods/pod-spec.ts';
import type { PodMachine } from '../../../hollow/kubelet/pods/pod-state.ts';
import { buildStatus } from '../../../hollow/kubelet/pods/pod-status.ts';
import { wireForm } from '../../../hollow/wire-form.ts';
import { at, boundPod, deletedPod, machineOf, profile } from './pod-fixtures.ts';

const context = { form: wireForm('none', 'v1.36.3'), hostIp: '192.0.2.2', hostNetworkIp: '192.0.2.2' };

interface Status {
  conditions: { type: string; status: string; reason?: string; message?: string }[];
  containerStatuses: ContainerShown[];
  initContainerStatuses: ContainerShown[];
}

interface ContainerShown {
  state: Record<string, { reason?: string }>;
  lastState: object;
  restartCount: number;
}

describe('a rule that restarts all containers', () => {
  const object = boundPod((pod) => {
    pod.spec.restartPolicy = 'Never';
    pod.spec.initContainers = [
      { name: 'prepare', image: 'i' },
      { name: 'side', image: 'i', restartPolicy: 'Always' },
    ];
    pod.spec.containers = [
      {
        name: 'watcher',
        image: 'i',
        restartPolicy: 'Never',
        restartPolicyRules: [{ action: 'RestartAllContainers', exitCodes: { operator: 'In', values: [42] } }],
      },
      { name: 'worker', image: 'i' },
    ];
  });
  const statusOf = (pod: PodMachine) => buildStatus(pod, object, context) as unknown as Status;
  const exits = (index: number, count: number) => {
    if (index === 0) return { runMs: 100 };
    return index === 2 ? { runMs: 5_000, exitCode: count === 0 ? 42 : 0 } : {};
  };
  const states = (pod: PodMachine) => {
    const { containerStatuses, initContainerStatuses } = statusOf(pod);
    return [...initContainerStatuses, ...containerStatuses].map(({ restartCount, state }) => {
      const [kind, detail] = Object.entries(state)[0] ?? [];
      return [kind, detail?.reason, restartCount].filter((part) => part !== undefined).join(' ');
    });
  };
  const resetting = (pod: PodMachine) => {
    const { reason, status } =
      statusOf(pod).conditions.find(({ type }) => type === 'AllContainersRestarting') ?? {};
    return `${status} ${reason ?? ''}`.trim();
  };

  it('has the others killed, then all begin anew from the first init container, without a back-off', () => {
    const { pod } = machineOf(object, profile({ run: exits, stopMs: 60_000 }));
    const steps: string[] = [];
    const events: string[] = [];
    while (pod.dueUs <= 20_000_000) {
      const ms = pod.dueUs / 1_000;
      const effects = tickPod(pod, at(ms));
      for (const effect of effects) {
        if (effect.effect === 'event' && effect.reason === 'Killing')
          events.push(
            `${containerEvent(pod, 'Killing', effect.container, undefined, effect.message)?.message}`,
          );
      }
      if (!effects.some(({ effect }) => effect === 'status') || ms < 5_500) continue;
      steps.push([ms / 1_000, shownPhase(pod), resetting(pod), states(pod).join(', ')].join(' | '));
    }
    expect(events).toEqual(['killing', 'killing']);
    // Each of the two has the two seconds that a container always has, one after the other.
    expect(steps).toEqual([
      '5.9 | Running | True RestartAllContainersStarted | terminated Completed 0, running 0, terminated Error 0, running 0',
      '9.9 | Running | False | waiting RestartingAllContainers 1, waiting RestartingAllContainers 1, waiting RestartingAllContainers 1, waiting RestartingAllContainers 1',
      '10 | Pending | False | running 1, waiting RestartingAllContainers 1, waiting RestartingAllContainers 1, waiting RestartingAllContainers 1',
      '10.1 | Running | False | terminated Completed 1, waiting RestartingAllContainers 1, waiting RestartingAllContainers 1, waiting RestartingAllContainers 1',
      '10.2 | Running | False | terminated Completed 1, running 1, waiting RestartingAllContainers 1, waiting RestartingAllContainers 1',
      '10.3 | Running | False | terminated Completed 1, running 1, running 1, running 1',
      '15.3 | Running | False | terminated Completed 1, running 1, terminated Completed 1, running 1',
    ]);
  });

  const untilResetting = () => {
    const made = machineOf(object, profile({ run: exits, stopMs: 60_000 }));
    while (!made.pod.resetting) tickPod(made.pod, at(made.pod.dueUs / 1_000));
    return made.pod;
  };

  it('says of each container why it waits and how it ended', () => {
    const pod = untilResetting();
    while (pod.resetting) tickPod(pod, at(pod.dueUs / 1_000));
    const message = 'The container is removed because RestartAllContainers in place';
    const reason = 'RestartingAllContainers';
    for (const { lastState, state } of statusOf(pod).containerStatuses) {
      expect(state).toEqual({ waiting: { message, reason } });
      expect(lastState).toEqual({
        terminated: { exitCode: 137, finishedAt: null, message, reason, startedAt: null },
      });
    }
    expect(statusOf(pod).conditions.at(-1)).toMatchObject({
      type: 'AllContainersRestarting',
      status: 'False',
    });
  });

  it('is given up where the pod is deleted or evicted meanwhile', () => {
    const deleted = untilResetting();
    seePod(deleted, readPodSighting(deletedPod(object, 1)), at(6_000));
    const evicted = untilResetting();
    evictPod(evicted, { kind: 'evicted', reason: 'Evicted', message: 'm' }, 1, at(6_000));
    for (const pod of [deleted, evicted]) {
      for (let ms = 6_000; pod.dueUs !== Number.POSITIVE_INFINITY; ) {
        ms = pod.dueUs / 1_000;
        tickPod(pod, at(ms));
      }
      expect(shownPhase(pod)).toBe('Failed');
      expect(resetting(pod)).toBe('False PodFailed');
      expect(states(pod)).toEqual([
        'terminated Completed 0',
        'terminated Error 0',
        'terminated Error 0',
        'terminated Error 0',
      ]);
    }
  });

  it('leaves the others alone where another rule is the first for its exit code', () => {
    const first = structuredClone(object);
    first.spec?.containers?.[0]?.restartPolicyRules?.unshift({
      action: 'Restart',
      exitCodes: { operator: 'In', values: [42] },
    });
    const { pod } = machineOf(first, profile({ run: exits }));
    while (pod.dueUs <= 20_000_000) tickPod(pod, at(pod.dueUs / 1_000));
    expect(pod.runs.map(({ restartCount }) => restartCount)).toEqual([0, 0, 1, 0]);
  });
});
