import { describe, expect, it } from 'vitest';
import { loadSuite } from '../../../src/config/index.ts';
import { ConfigError } from '../../../src/core/index.ts';
import { planRun } from '../../../src/run/plan.ts';
import { churnAction, type Plain, plainSuite, suiteText } from './suite-text.ts';

const load = (schedule: Plain[], faults: Plain = {}, topology: unknown = 'ha') =>
  loadSuite({
    path: 's.yaml',
    text: suiteText({
      ...plainSuite([churnAction()]),
      controlPlane: { topology },
      faults: { schedule, ...faults },
    }),
  });

const problemsOf = (...given: Parameters<typeof load>): string[] => {
  try {
    load(...given);
  } catch (error) {
    if (error instanceof ConfigError) return error.problems.map(({ path, message }) => `${path}: ${message}`);
    throw error;
  }
  return [];
};

describe('a schedule of faults', () => {
  it('must be healed before the load of its phase is over, and is told which fault is not', () => {
    const kill = { fault: 'apiserver-kill', duration: '20s', settle: '5s' };
    expect(problemsOf([kill, kill])).toEqual([]);
    expect(problemsOf([kill, kill, kill])).toEqual([
      'faults.schedule[2].duration: apiserver-kill is healed 85 s after the start of phase "only" at the earliest, and its load ends after 60 s',
    ]);
  });

  it('with instants must have each within its phase', () => {
    const faults = { order: 'times' };
    const kill = (at: string) => ({ fault: 'apiserver-kill', at, duration: '20s' });
    expect(problemsOf([kill('35s'), kill('5s')], faults)).toEqual([]);
    expect(problemsOf([kill('45s'), kill('5s')], faults)[0]).toMatch(
      /^faults\.schedule\[0\]\.at: apiserver-kill is healed 65 s after/,
    );
    expect(problemsOf([{ fault: 'control', at: '70s' }], faults)[0]).toMatch(/control is induced 70 s after/);
  });

  it('whose own times are longer than the load is planned with a warning: it is waited for', () => {
    const texts = (schedule: Plain[]) => planRun(load(schedule).suite).warnings.map(({ text }) => text);
    expect(texts([{ fault: 'apiserver-kill' }]).join()).not.toContain('without load');
    expect(texts([{ fault: 'zone-outage' }]).join()).toMatch(/faults take at least .* seen without load/);
  });

  it('needs members to hit, and no majority: whether the rest is one is what it shows', () => {
    const kill = [{ fault: 'etcd-follower-kill', duration: '5s' }];
    expect(problemsOf(kill, {}, { preset: 'ha', etcd: 1 })[0]).toContain('needs two etcd members or more');
    expect(problemsOf(kill, {}, 'unsafe')).toEqual([]);
  });
});
