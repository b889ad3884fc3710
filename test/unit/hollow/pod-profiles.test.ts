import { describe, expect, it } from 'vitest';
import { defaultProfiles, kubemarkProfiles } from '../../../hollow/kubelet/pods/pod-behaviour.ts';
import { readPodSpec } from '../../../hollow/kubelet/pods/pod-spec.ts';
import type { NamedBehaviour } from '../../../src/config/index.ts';
import { boundPod } from './pod-fixtures.ts';

const pods = {
  sandboxMs: { low: 300, high: 600 },
  startMs: { low: 100, high: 200 },
  stopMs: { low: 100, high: 300 },
};
const behaviours: Record<string, NamedBehaviour> = {
  worker: {
    startMs: { low: 5_000, high: 6_000 },
    main: { runMs: { low: 1_000, high: 9_000 }, exitCodes: [0, 1], exitCount: 2 },
    containers: { first: { runMs: { low: 20, high: 20 }, exitCodes: [7] } },
  },
};

function spec(labels: Record<string, string>, annotations: Record<string, string> = {}, name = 'web-0') {
  const object = boundPod((pod) => {
    pod.metadata = { ...pod.metadata, name, labels, annotations };
    pod.spec.initContainers = [
      { name: 'first', image: 'i' },
      { name: 'second', image: 'i' },
    ];
  });
  return readPodSpec(object, (text) => text);
}
const BEHAVIOUR = 'hollowmark.dev/behaviour';

describe('the profile of a pod', () => {
  const profiles = (seed: number) => defaultProfiles(seed, { pods, behaviours });

  it('is the same for the same seed and name, and another for another', () => {
    const asked = spec({ [BEHAVIOUR]: 'worker' });
    const drawn = (seed: number, of = asked) => {
      const profile = profiles(seed)(of);
      return [profile.sandboxMs, profile.startMs(), profile.run(2, 0), profile.run(2, 1), profile.cleanUpMs];
    };
    expect(drawn(1)).toEqual(drawn(1));
    expect(drawn(1)).not.toEqual(drawn(2));
    expect(drawn(1)).not.toEqual(drawn(1, spec({ [BEHAVIOUR]: 'worker' }, {}, 'web-1')));
  });

  it('plans main containers by the behaviour, named ones by their own, others as ever', () => {
    const profile = profiles(1)(spec({ [BEHAVIOUR]: 'worker' }));
    expect(profile.startMs()).toBeGreaterThanOrEqual(5_000);
    expect(profile.run(0, 0)).toMatchObject({ runMs: 20, exitCode: 7 });
    expect(profile.run(1, 0)).toMatchObject({ exitCode: 0 });
    expect(profile.run(1, 0).runMs).toBeLessThan(250);
    const { exitCode, runMs } = profile.run(2, 0);
    expect(runMs).toBeGreaterThanOrEqual(1_000);
    expect([0, 1]).toContain(exitCode);
    expect(profile.run(2, 2).runMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('takes the annotation before the label, and single settings over both', () => {
    const profile = profiles(1)(
      spec(
        { [BEHAVIOUR]: 'nobody' },
        { [BEHAVIOUR]: 'worker', 'hollowmark.dev/run': '3s', 'hollowmark.dev/exit-code': '9' },
      ),
    );
    expect(profile.run(2, 0)).toMatchObject({ runMs: 3_000, exitCode: 9 });
    // What the annotations do not say is still the behaviour's.
    expect(profile.run(2, 2).runMs).toBe(Number.POSITIVE_INFINITY);
  });

  it('is the usual one, with a report, where the pod asks for what there is not', () => {
    const reported: string[] = [];
    const report = (_: unknown, key: string, message: string) => reported.push(`${key}: ${message}`);
    const profile = defaultProfiles(
      1,
      { pods, behaviours },
      report,
    )(spec({ [BEHAVIOUR]: 'wroker' }, { 'hollowmark.dev/stop': 'never' }));
    expect(profile.run(2, 0).runMs).toBe(Number.POSITIVE_INFINITY);
    expect(reported).toEqual([
      `${BEHAVIOUR}: "wroker" is no behaviour of fleet.behaviours (did you mean "worker"?)`,
      'hollowmark.dev/stop: expected a duration such as 20s, or a range of them such as 10s..20s, got "never"',
    ]);
  });

  it('gives all runs of a pod that asks for nothing one plan', () => {
    const profile = profiles(1)(spec({}));
    expect(profile.run(2, 0)).toBe(profile.run(2, 5));
  });

  it('of compat kubemark hears nothing and never ends', () => {
    const profile = kubemarkProfiles(1, { pods, behaviours })(spec({ [BEHAVIOUR]: 'worker' }));
    expect(profile).toMatchObject({ probed: false, sandboxStopMs: 0 });
    const run = profile.run(0, 0);
    expect(run.runMs).toBe(Number.POSITIVE_INFINITY);
    // A stop takes what the settings say, not what the behaviour asks for.
    expect(run.stopMs).toBeGreaterThanOrEqual(pods.stopMs.low);
    expect(run.stopMs).toBeLessThanOrEqual(pods.stopMs.high);
  });
});
