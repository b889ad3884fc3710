import { describe, expect, it } from 'vitest';
import { loadSuite } from '../../../src/config/index.ts';
import { isHarnessError } from '../../../src/core/index.ts';
import { planRun } from '../../../src/run/plan.ts';
import { createAction, plainSuite, readsAction, suiteText } from './suite-text.ts';

const reads = (changes = {}) => ({ ...readsAction('nodes'), ...changes });
const measured = { name: 'measured', duration: '60s', actions: [reads()] };
const suiteOf = (phase: Record<string, unknown>) =>
  loadSuite({
    text: suiteText(
      plainSuite([], { load: { phases: [{ name: 'warm', actions: [reads()], ...phase }, measured] } }),
    ),
    path: 'suite.yaml',
  }).suite;

function problemsOf(phase: Record<string, unknown>): string {
  try {
    suiteOf(phase);
    return '';
  } catch (error) {
    return isHarnessError(error) ? error.message : String(error);
  }
}

describe('warmUp', () => {
  it('by a rule has defaults, is not measured and ends with its actions', () => {
    const suite = suiteOf({ warmUp: {} });
    expect(suite.load.phases).toMatchObject([
      {
        measured: false,
        warmUp: { until: 'steady', windowCount: 3, toleranceRatio: 0.1, atMostMs: 180_000 },
        durationMs: 0,
        actions: [{ durationMs: 180_000 }],
      },
      { measured: true },
    ]);
    expect(suite.load.phases[1]).not.toHaveProperty('warmUp');
    expect(planRun(suite).phases[0]).toMatchObject({ durationMs: 180_000, endsByRule: true });
  });

  it('by a time is as long as it says', () => {
    expect(suiteOf({ warmUp: '30s' }).load.phases[0]).toMatchObject({
      measured: false,
      warmUp: { until: 'time', durationMs: 30_000 },
      durationMs: 30_000,
      actions: [{ durationMs: 30_000 }],
    });
  });

  it.each([
    { why: 'measured', phase: { warmUp: {}, measured: true }, problem: /a warm-up is not measured/ },
    { why: 'given two lengths', phase: { warmUp: '30s', duration: '40s' }, problem: /the length in warmUp/ },
    {
      why: 'too short for its windows',
      phase: { warmUp: { windows: 4, atMost: '40s' } },
      problem: /warmUp\.atMost: expected at least 50s/,
    },
    {
      why: 'to cut a create short',
      phase: { warmUp: {}, actions: [createAction(), reads()] },
      problem: /would end a create/,
    },
    {
      why: 'without calls to look at',
      phase: { warmUp: {}, actions: [{ action: 'probes', availability: {} }] },
      problem: /needs calls of the load/,
    },
    {
      why: 'neither duration nor rule',
      phase: { warmUp: 'soon' },
      problem: /expected a duration such as 60s, or a mapping/,
    },
  ])('is refused where it is $why', ({ phase, problem }) => {
    expect(problemsOf(phase)).toMatch(problem);
  });
});
