import { describe, expect, it } from 'vitest';
import type { ContainerRunPlan } from '../../../hollow/kubelet/pods/pod-behaviour.ts';
import { containerEvent } from '../../../hollow/kubelet/pods/pod-events.ts';
import { seePod, tickPod } from '../../../hollow/kubelet/pods/pod-machine.ts';
import type { ApiContainer, ApiContainerStatus, ApiPod } from '../../../hollow/kubelet/pods/pod-object.ts';
import { readPodSighting } from '../../../hollow/kubelet/pods/pod-spec.ts';
import type { PodEffect, PodMachine } from '../../../hollow/kubelet/pods/pod-state.ts';
import { buildStatus } from '../../../hollow/kubelet/pods/pod-status.ts';
import { wireForm } from '../../../hollow/wire-form.ts';
import { at, boundPod, deletedPod, machineOf, POD_UID, profile } from './pod-fixtures.ts';

const http = { httpGet: { port: 80 } };
const context = { form: wireForm('none', 'v1.36.3'), hostIp: '192.0.2.2', hostNetworkIp: '192.0.2.2' };

function probed(container: Partial<ApiContainer>, change: (pod: ApiPod) => void = () => {}): ApiPod {
  return boundPod((pod) => {
    pod.spec.containers = [{ name: 'main', image: 'i', ...container }];
    change(pod);
  });
}

/** What happened after the container ran (at 0.6 s), as `second what`, until `untilMs`. */
function watch(object: ApiPod, plan: Partial<ContainerRunPlan>, untilMs: number): string[] {
  const { pod } = machineOf(object, profile({ run: () => plan }));
  const seen: string[] = [];
  let ready = '';
  while (pod.dueUs <= untilMs * 1_000) {
    const ms = pod.dueUs / 1_000;
    for (const effect of tickPod(pod, at(ms))) {
      const text = textOf(effect);
      if (text !== '') seen.push(`${ms / 1_000} ${text}`);
    }
    const now = stateOf(pod);
    if (now !== ready) seen.push(`${ms / 1_000} ${now}`);
    ready = now;
  }
  return seen;
}

function textOf(effect: PodEffect): string {
  if (effect.effect !== 'event') return '';
  if (effect.reason === 'Unhealthy' || effect.reason === 'Killing') return `${effect.reason} ${effect.probe}`;
  return effect.reason === 'Started' || effect.reason === 'BackOff' ? effect.reason : '';
}

function stateOf(pod: PodMachine): string {
  const [run] = pod.runs;
  if (run === undefined || run.state !== 'running') return run?.state ?? '';
  return run.ready ? 'ready' : run.started ? 'not ready' : 'not started';
}

describe('a readiness probe', () => {
  it('is asked as soon as the container runs, and then each period', () => {
    const object = probed({ readinessProbe: { ...http, periodSeconds: 2 } });
    expect(watch(object, { readyMs: 3_500 }, 60_000)).toEqual([
      '0.5 waiting',
      '0.6 Started',
      '0.6 not ready',
      '0.61 Unhealthy readiness',
      '2.61 Unhealthy readiness',
      '4.61 ready',
    ]);
  });

  it('waits for its initial delay in whole seconds of the status', () => {
    const object = probed({ readinessProbe: { ...http, initialDelaySeconds: 5, periodSeconds: 2 } });
    // The status says the container started at 0 s: five seconds are over at 5 s, and the next period is at 6.61 s.
    expect(watch(object, {}, 60_000)).toEqual(['0.5 waiting', '0.6 Started', '0.6 not ready', '6.61 ready']);
  });

  it('changes the state only at its thresholds', () => {
    const object = probed({
      readinessProbe: { ...http, periodSeconds: 1, failureThreshold: 2, successThreshold: 3 },
    });
    const plan = { unready: { everyMs: 10_000, forMs: 3_000 } };
    expect(watch(object, plan, 20_000)).toEqual([
      '0.5 waiting',
      '0.6 Started',
      '0.6 not ready',
      '2.61 ready',
      '10.61 Unhealthy readiness',
      '11.61 Unhealthy readiness',
      '11.61 not ready',
      '12.61 Unhealthy readiness',
      '15.61 ready',
    ]);
  });

  it('costs nothing while it succeeds', () => {
    const { pod } = machineOf(probed({ readinessProbe: { ...http, periodSeconds: 1 } }), profile());
    for (let ms = 0; ms < 2_000; ms += 100) tickPod(pod, at(ms));
    expect(pod.runs[0]?.ready).toBe(true);
    expect(pod.dueUs).toBe(Number.POSITIVE_INFINITY);
  });
});

describe('a startup probe', () => {
  it('holds the others back until it succeeds', () => {
    const object = probed({
      startupProbe: { ...http, periodSeconds: 1, failureThreshold: 10 },
      readinessProbe: { ...http, periodSeconds: 5 },
      livenessProbe: { ...http, periodSeconds: 1, failureThreshold: 1 },
    });
    expect(watch(object, { startedMs: 2_000, readyMs: 3_000 }, 30_000)).toEqual([
      '0.5 waiting',
      '0.6 Started',
      '0.6 not started',
      '1.5 Unhealthy startup',
      '2.5 Unhealthy startup',
      '3.5 not ready',
      '3.51 Unhealthy readiness',
      '8.51 ready',
    ]);
  });

  it('has the container killed when it fails too often', () => {
    const object = probed({ startupProbe: { ...http, periodSeconds: 1, failureThreshold: 2 } });
    expect(watch(object, { startedMs: 60_000 }, 4_000)).toEqual([
      '0.5 waiting',
      '0.6 Started',
      '0.6 not started',
      '1.5 Unhealthy startup',
      '2.5 Unhealthy startup',
      '2.5 Killing startup',
      '2.8 Started',
      '3.5 Unhealthy startup',
    ]);
  });
});

describe('a liveness probe', () => {
  const object = probed({ livenessProbe: { ...http, periodSeconds: 1, failureThreshold: 3 } });

  it('has a container that hangs killed and started again, the first time at once', () => {
    expect(watch(object, { hangMs: 5_000 }, 10_000)).toEqual([
      '0.5 waiting',
      '0.6 Started',
      '0.6 ready',
      '6.5 Unhealthy liveness',
      '7.5 Unhealthy liveness',
      '8.5 Unhealthy liveness',
      '8.5 Killing liveness',
      '8.8 Started',
    ]);
  });

  it('shows the container running all along while it is killed and started again, or at once that it waits', () => {
    const { pod } = machineOf(object, profile({ run: () => ({ hangMs: 0 }) }));
    const shown: string[] = [];
    while (shown.length < 6) {
      for (const { effect } of tickPod(pod, at(pod.dueUs / 1_000))) {
        const [status] = buildStatus(pod, object, context)['containerStatuses'] as ApiContainerStatus[];
        const { state = {}, ready, restartCount } = status ?? {};
        const text = `${Object.keys(state)} ${state.waiting?.reason ?? ''} ready ${ready} restarts ${restartCount}`;
        if (effect === 'status' && shown.at(-1) !== text) shown.push(text);
      }
    }
    expect(shown).toEqual([
      'waiting ContainerCreating ready false restarts 0',
      'running  ready true restarts 0',
      'running  ready true restarts 1',
      'running  ready true restarts 2',
      'waiting CrashLoopBackOff ready false restarts 2',
      'running  ready true restarts 3',
    ]);
  });

  it('says of a container that it killed and that now waits how it ended and for how long it waits', () => {
    const { pod } = machineOf(object, profile({ run: () => ({ hangMs: 0 }) }));
    while (pod.runs[0]?.next !== 'retry') tickPod(pod, at(pod.dueUs / 1_000));
    expect(buildStatus(pod, object, context)['containerStatuses']).toMatchObject([
      {
        restartCount: 2,
        lastState: { terminated: { exitCode: 0, reason: 'Completed' } },
        state: {
          waiting: {
            reason: 'CrashLoopBackOff',
            message: `back-off 10s restarting failed container=main pod=web-847f49cc4d-7j768_default(${POD_UID})`,
          },
        },
      },
    ]);
  });

  it('does not start a container again whose pod was deleted while it was killed', () => {
    const { pod } = machineOf(object, profile({ run: () => ({ hangMs: 0 }) }));
    while (pod.runs[0]?.termination === undefined) tickPod(pod, at(pod.dueUs / 1_000));
    seePod(pod, readPodSighting(deletedPod(object, 30)), at(pod.dueUs / 1_000 - 1));
    while (pod.stage !== 'removing') tickPod(pod, at(pod.dueUs / 1_000));
    expect(pod.runs[0]).toMatchObject({ state: 'terminated', restartCount: 0 });
  });

  it('counts the back-off from the run before the one that it killed', () => {
    const { pod } = machineOf(object, profile({ run: () => ({ hangMs: 0 }) }));
    const starts: number[] = [];
    while (starts.length < 5) {
      const ms = pod.dueUs / 1_000;
      if (tickPod(pod, at(ms)).some((effect) => textOf(effect) === 'Started')) starts.push(ms);
    }
    const gaps = starts.slice(1).map((start, index) => Math.round((start - (starts[index] ?? 0)) / 1_000));
    // Each run lasts three seconds. The first kill finds no run before it; the second restart is the back-off's first.
    expect(gaps[0]).toBe(3);
    expect(gaps[1]).toBe(3);
    expect(gaps[3]).toBeGreaterThan(10);
  });

  it('kills within its own grace period', () => {
    const impatient = probed({
      livenessProbe: { ...http, periodSeconds: 1, failureThreshold: 1, terminationGracePeriodSeconds: 3 },
    });
    const { pod } = machineOf(impatient, profile({ run: () => ({ hangMs: 0, stopMs: 60_000 }) }));
    while (pod.runs[0]?.termination === undefined) tickPod(pod, at(pod.dueUs / 1_000));
    expect(pod.runs[0].termination.exitCode).toBe(137);
    expect(pod.runs[0].endedAtUs / 1_000).toBe(1_500 + 3_000);
  });

  it('ends a pod that does not restart its containers', () => {
    const once = probed({ livenessProbe: { ...http, periodSeconds: 1, failureThreshold: 1 } }, (pod) => {
      if (pod.spec !== undefined) pod.spec.restartPolicy = 'Never';
    });
    const { pod } = machineOf(once, profile({ run: () => ({ hangMs: 0, stopExitCode: 143 }) }));
    while (pod.dueUs !== Number.POSITIVE_INFINITY) tickPod(pod, at(pod.dueUs / 1_000));
    expect(pod.stage).toBe('finished');
    expect(pod.runs[0]?.termination).toMatchObject({ exitCode: 143, reason: 'Error' });
    expect(pod.runs[0]?.restartCount).toBe(0);
  });
});

describe('events of probes', () => {
  const { pod } = machineOf(
    probed({
      readinessProbe: { tcpSocket: { port: 5432 } },
      livenessProbe: { ...http },
      startupProbe: { exec: {} },
    }),
  );
  it.each([
    [
      'Unhealthy',
      'readiness',
      'Readiness probe failed: dial tcp 10.88.0.8:5432: connect: connection refused',
    ],
    ['Unhealthy', 'liveness', 'Liveness probe failed: HTTP probe failed with statuscode: 503'],
    ['Unhealthy', 'startup', 'Startup probe failed: '],
    ['Killing', 'liveness', 'Container main failed liveness probe, will be restarted'],
  ] as const)('%s of %s say what a kubelet says', (reason, probe, message) => {
    expect(containerEvent(pod, reason, 0, probe)).toMatchObject({
      reason,
      message,
      type: reason === 'Killing' ? 'Normal' : 'Warning',
      fieldPath: 'spec.containers{main}',
    });
  });
});
