import { describe, expect, it } from 'vitest';
import { evictPod, seePod, tickPod } from '../../../hollow/kubelet/pods/pod-machine.ts';
import type { ApiPod } from '../../../hollow/kubelet/pods/pod-object.ts';
import { shownPhase } from '../../../hollow/kubelet/pods/pod-phase.ts';
import { readPodSighting } from '../../../hollow/kubelet/pods/pod-spec.ts';
import type { PodMachine } from '../../../hollow/kubelet/pods/pod-state.ts';
import { buildStatus } from '../../../hollow/kubelet/pods/pod-status.ts';
import { wireForm } from '../../../hollow/wire-form.ts';
import { at, boundPod, deletedPod, machineOf, POD_UID, profile } from './pod-fixtures.ts';

const context = { form: wireForm('none', 'v1.36.3'), hostIp: '192.0.2.2', hostNetworkIp: '192.0.2.2' };
const EVICTION = {
  kind: 'evicted',
  reason: 'Evicted',
  message: 'The node was low on resource: memory. ',
} as const;

interface Status {
  phase: string;
  reason?: string;
  message?: string;
  conditions: { type: string; status: string; reason?: string; message?: string }[];
  containerStatuses: { state: object; lastState: object; restartCount: number; ready: boolean }[];
}
const statusOf = (pod: PodMachine, object: ApiPod = boundPod()) =>
  buildStatus(pod, object, context) as unknown as Status;
const conditionOf = (status: Status, type: string) => status.conditions.find((c) => c.type === type);

/** Ticks at each due instant up to `untilMs`. */
function play(pod: PodMachine, untilMs: number): void {
  while (pod.dueUs <= untilMs * 1_000) tickPod(pod, at(pod.dueUs / 1_000));
}

describe('the status of a container that crashes', () => {
  const object = boundPod();

  it('says how it ended, then that the kubelet waits, then how it ended before', () => {
    const { pod } = machineOf(
      object,
      profile({ run: () => ({ runMs: 1_000, exitCode: 1 }), jitter: () => 0.5 }),
    );
    play(pod, 1_600);
    // The first end: started again at once, and until then it shows as ended.
    const ended = {
      exitCode: 1,
      reason: 'Error',
      startedAt: '2026-11-21T08:38:20Z',
      finishedAt: '2026-11-21T08:38:21Z',
    };
    expect(statusOf(pod).containerStatuses[0]).toMatchObject({
      state: { terminated: ended },
      restartCount: 0,
    });
    play(pod, 1_700);
    expect(statusOf(pod).containerStatuses[0]).toMatchObject({
      state: { running: {} },
      lastState: { terminated: ended },
      restartCount: 1,
    });
    // The second: ten seconds and a jitter of a quarter; only then does status say that the kubelet waited.
    play(pod, 2_700);
    expect(statusOf(pod).containerStatuses[0]?.state).toMatchObject({ terminated: { exitCode: 1 } });
    expect(pod.dueUs).toBe((2_700 + 12_500) * 1_000);
    tickPod(pod, at(15_200));
    expect(statusOf(pod).containerStatuses[0]).toMatchObject({
      state: {
        waiting: {
          reason: 'CrashLoopBackOff',
          message: `back-off 20s restarting failed container=pause pod=web-847f49cc4d-7j768_default(${POD_UID})`,
        },
      },
      lastState: { terminated: { exitCode: 1 } },
      restartCount: 1,
    });
    expect(shownPhase(pod)).toBe('Running');
  });

  it('begins the back-off anew after ten good minutes', () => {
    const lengths = [1_000, 1_000, 1_000, 601_000, 1_000, 1_000];
    const { pod } = machineOf(
      object,
      profile({ run: (_, count) => ({ runMs: lengths[count] ?? 1_000, exitCode: 1 }) }),
    );
    const gaps: number[] = [];
    let endedMs = 0;
    while (gaps.length < 5) {
      const ms = pod.dueUs / 1_000;
      const before = pod.runs[0]?.state;
      tickPod(pod, at(ms));
      const after = pod.runs[0]?.state;
      if (before === 'running' && after !== 'running') endedMs = ms;
      if (before !== 'running' && after === 'running' && endedMs > 0)
        gaps.push(Math.round((ms - endedMs) / 1_000));
    }
    expect(gaps).toEqual([0, 10, 20, 0, 10]);
  });

  it('ends as terminated, not as waiting, when the pod is deleted meanwhile', () => {
    const { pod } = machineOf(object, profile({ run: () => ({ runMs: 1_000, exitCode: 1 }) }));
    play(pod, 5_000);
    seePod(pod, readPodSighting(deletedPod(object, 30)), at(5_000));
    play(pod, 20_000);
    expect(pod.stage).toBe('removing');
    expect(statusOf(pod)).toMatchObject({ phase: 'Failed' });
    expect(statusOf(pod).containerStatuses[0]).toMatchObject({
      state: { terminated: { exitCode: 1, reason: 'Error' } },
      lastState: { terminated: { exitCode: 1 } },
      restartCount: 1,
    });
  });

  it('says OOMKilled where memory was the reason', () => {
    const { pod } = machineOf(
      object,
      profile({ run: () => ({ runMs: 10, exitCode: 137, oomKilled: true }) }),
    );
    play(pod, 610);
    expect(pod.runs[0]?.termination).toMatchObject({ exitCode: 137, reason: 'OOMKilled' });
  });
});

describe('restart policies and rules of single containers', () => {
  const two = (rule?: object) =>
    boundPod((pod) => {
      pod.spec.restartPolicy = 'Never';
      pod.spec.containers = [
        {
          name: 'again',
          image: 'i',
          restartPolicy: 'Never',
          restartPolicyRules: rule === undefined ? [] : [rule],
        },
        { name: 'once', image: 'i' },
      ];
    });

  it('start a container again that ends with a code of a rule', () => {
    const { pod } = machineOf(
      two({ action: 'Restart', exitCodes: { operator: 'In', values: [42] } }),
      profile({ run: (index, count) => (index === 0 ? { runMs: 10, exitCode: count < 2 ? 42 : 7 } : {}) }),
    );
    play(pod, 60_000);
    expect(pod.runs.map(({ restartCount, state }) => [restartCount, state])).toEqual([
      [2, 'terminated'],
      [0, 'running'],
    ]);
    expect(shownPhase(pod)).toBe('Running');
  });

  it('leave it alone otherwise', () => {
    const { pod } = machineOf(
      two(),
      profile({ run: (index) => (index === 0 ? { runMs: 10, exitCode: 42 } : {}) }),
    );
    play(pod, 60_000);
    expect(pod.runs[0]).toMatchObject({ restartCount: 0, state: 'terminated' });
  });
});

describe('a pod that is stopped', () => {
  const withSidecars = boundPod((pod) => {
    pod.spec.initContainers = [
      { name: 's0', image: 'i', restartPolicy: 'Always' },
      { name: 's1', image: 'i', restartPolicy: 'Always' },
    ];
    pod.spec.containers = [{ name: 'main', image: 'i', lifecycle: { preStop: { sleep: { seconds: 4 } } } }];
  });
  const endsMs = (pod: PodMachine) => pod.runs.map((run) => run.endedAtUs / 1_000 - 5_000);

  it('runs preStop hooks, then ends its main containers, then its sidecars in reverse', () => {
    const { pod } = machineOf(withSidecars, profile({ stopMs: 1_000 }));
    play(pod, 5_000);
    seePod(pod, readPodSighting(deletedPod(withSidecars, 30)), at(5_000));
    play(pod, 40_000);
    expect(endsMs(pod)).toEqual([7_000, 6_000, 5_000]);
    expect(statusOf(pod, withSidecars)).toMatchObject({ phase: 'Succeeded' });
  });

  it('kills what is left when the grace period is over, each with two seconds of its own', () => {
    const { pod } = machineOf(withSidecars, profile({ stopMs: 60_000 }));
    play(pod, 5_000);
    seePod(pod, readPodSighting(deletedPod(withSidecars, 10)), at(5_000));
    play(pod, 60_000);
    // The sidecars' waits end with the grace period too.
    expect(endsMs(pod)).toEqual([12_000, 12_000, 10_000]);
    expect(pod.runs.map(({ termination }) => termination?.exitCode)).toEqual([137, 137, 137]);
  });

  it.each([
    ['an exec hook as long as its behaviour says', { exec: { command: ['sync'] } }, 2_500, 30, 3_500],
    ['an HTTP hook as well', { httpGet: { port: 80 } }, 2_500, 30, 3_500],
    [
      'a hook no longer than the grace period, and the signal two seconds after it',
      { exec: {} },
      60_000,
      4,
      5_000,
    ],
    ['a sleep hook what the pod says', { sleep: { seconds: 1 } }, 60_000, 30, 2_000],
  ])('gives %s', (_, preStop, preStopMs, graceSeconds, endMs) => {
    const object = boundPod((pod) => {
      pod.spec.containers = [{ name: 'main', image: 'i', lifecycle: { preStop } }];
    });
    const { pod } = machineOf(object, profile({ run: () => ({ preStopMs, stopMs: 1_000 }) }));
    play(pod, 5_000);
    seePod(pod, readPodSighting(deletedPod(object, graceSeconds)), at(5_000));
    play(pod, 120_000);
    expect(endsMs(pod)).toEqual([endMs]);
  });

  it('does not wait for a sidecar when its main containers are done', () => {
    const job = boundPod((pod) => {
      pod.spec.restartPolicy = 'Never';
      pod.spec.initContainers = [{ name: 'side', image: 'i', restartPolicy: 'Always' }];
    });
    const { pod } = machineOf(job, profile({ run: (index) => (index === 1 ? { runMs: 1_000 } : {}) }));
    play(pod, 60_000);
    expect(pod.stage).toBe('finished');
    expect(statusOf(pod, job).phase).toBe('Succeeded');
    expect(pod.runs[0]?.endedAtUs).toBeGreaterThan(pod.runs[1]?.endedAtUs ?? 0);
  });
});

describe('a pod that the kubelet ends', () => {
  it('at its deadline fails whatever its containers do, and is not ready from then on', () => {
    const object = boundPod((pod) => {
      pod.spec.activeDeadlineSeconds = 5;
    });
    const { pod } = machineOf(object);
    play(pod, 4_999);
    expect(pod.conditionTrue[2]).toBe(true);
    const effects = tickPod(pod, at(5_000));
    expect(effects.map(({ effect }) => effect)).toEqual(['verdict', 'event', 'status']);
    const stopping = statusOf(pod, object);
    expect(stopping).toMatchObject({ phase: 'Running' });
    expect(conditionOf(stopping, 'Ready')).toMatchObject({ status: 'False', reason: 'PodFailed' });
    play(pod, 60_000);
    expect(statusOf(pod, object)).toMatchObject({
      phase: 'Failed',
      reason: 'DeadlineExceeded',
      message: 'Pod was active on the node longer than the specified deadline',
    });
    expect(pod.stage).toBe('finished');
  });

  it('for its node shows the disruption once its containers have ended', () => {
    const { pod } = machineOf(boundPod(), profile({ run: () => ({ stopMs: 60_000 }) }));
    play(pod, 2_000);
    evictPod(pod, EVICTION, 1, at(2_000));
    expect(conditionOf(statusOf(pod), 'Ready')?.status).toBe('True');
    expect(conditionOf(statusOf(pod), 'DisruptionTarget')).toBeUndefined();
    play(pod, 4_000);
    const status = statusOf(pod);
    expect(status).toMatchObject({ phase: 'Failed', reason: 'Evicted', message: EVICTION.message });
    expect(conditionOf(status, 'DisruptionTarget')).toMatchObject({
      status: 'True',
      reason: 'TerminationByKubelet',
      message: EVICTION.message,
    });
    expect(status.containerStatuses[0]?.state).toMatchObject({ terminated: { exitCode: 137 } });
  });

  it('for its node has succeeded where its containers end well, as in a real kubelet', () => {
    const { pod } = machineOf(boundPod());
    play(pod, 2_000);
    evictPod(pod, EVICTION, 1, at(2_000));
    play(pod, 10_000);
    const status = statusOf(pod);
    expect(status.phase).toBe('Succeeded');
    expect(status.reason).toBeUndefined();
    expect(conditionOf(status, 'DisruptionTarget')?.status).toBe('True');
  });

  it('is not ended twice', () => {
    const { pod } = machineOf(boundPod());
    play(pod, 2_000);
    seePod(pod, readPodSighting(deletedPod(boundPod(), 30)), at(2_000));
    expect(evictPod(pod, EVICTION, 1, at(2_010))).toEqual([]);
  });
});

describe('readiness gates', () => {
  const gated = boundPod((pod) => {
    pod.spec.readinessGates = [{ conditionType: 'example.com/lb' }, { conditionType: 'example.com/dns' }];
  });
  const withGate = (status: string): ApiPod => ({
    ...gated,
    status: {
      ...gated.status,
      conditions: [
        { type: 'example.com/lb', status },
        { type: 'example.com/dns', status: 'True' },
      ],
    },
  });

  it('hold Ready back, not ContainersReady, and say why', () => {
    const { pod } = machineOf(gated);
    play(pod, 1_000);
    expect(conditionOf(statusOf(pod, gated), 'ContainersReady')?.status).toBe('True');
    expect(conditionOf(statusOf(pod, gated), 'Ready')).toMatchObject({
      status: 'False',
      reason: 'ReadinessGatesNotReady',
      message:
        'corresponding condition of pod readiness gate "example.com/lb" does not exist., corresponding condition of pod readiness gate "example.com/dns" does not exist.',
    });
    seePod(pod, readPodSighting(withGate('False')), at(2_000));
    expect(conditionOf(statusOf(pod, gated), 'Ready')?.message).toBe(
      'the status of pod readiness gate "example.com/lb" is not "True", but False',
    );
  });

  it('let the pod become ready when they turn, with one status write', () => {
    const { pod } = machineOf(gated);
    play(pod, 1_000);
    expect(seePod(pod, readPodSighting(withGate('True')), at(2_000))).toEqual([{ effect: 'status' }]);
    expect(conditionOf(statusOf(pod, gated), 'Ready')?.status).toBe('True');
    expect(seePod(pod, readPodSighting(withGate('True')), at(2_100))).toEqual([]);
  });
});
