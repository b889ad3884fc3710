import { describe, expect, it } from 'vitest';
import { loadSuite } from '../../../src/config/index.ts';
import { isHarnessError } from '../../../src/core/index.ts';
import { planRun } from '../../../src/run/plan.ts';
import { plainSuite, readsAction, suiteText } from './suite-text.ts';

const phases = [{ name: 'only', duration: '60s', actions: [readsAction()] }];
const suiteOf = (load: Record<string, unknown>) =>
  loadSuite({ text: suiteText(plainSuite([], { load: { ...load, phases } })), path: 'suite.yaml' }).suite;

describe('load.priorityLevel', () => {
  it('is not there unless it is asked for', () => {
    expect(suiteOf({}).load).not.toHaveProperty('priorityLevel');
  });

  it('of a level leaves user and groups alone', () => {
    const { load } = suiteOf({ priorityLevel: 'workload-low', identity: { groups: ['team'] } });
    expect(load).toMatchObject({ priorityLevel: 'workload-low', identity: { groups: ['team'] } });
  });

  it('exempt puts the load into system:masters, once, and the plan says what that means', () => {
    const suite = suiteOf({ priorityLevel: 'exempt', identity: { groups: ['team'] } });
    expect(suite.load.identity.groups).toEqual(['team', 'system:masters']);
    expect(
      suiteOf({ priorityLevel: 'exempt', identity: { groups: ['system:masters'] } }).load.identity.groups,
    ).toEqual(['system:masters']);
    expect(planRun(suite).warnings.map(({ text }) => text)).toContain(
      'the load is in system:masters: Priority & Fairness does not apply to it',
    );
  });

  it.each([
    {
      why: 'no name',
      load: { priorityLevel: 'Workload Low' },
      problem: /expected the name of a priority level/,
    },
    {
      why: 'out of reach of system:masters',
      load: { priorityLevel: 'workload-low', identity: { groups: ['system:masters'] } },
      problem: /expected exempt for a load in system:masters/,
    },
  ])('is refused where it is $why', ({ load, problem }) => {
    let message = '';
    try {
      suiteOf(load);
    } catch (error) {
      message = isHarnessError(error) ? error.message : String(error);
    }
    expect(message).toMatch(problem);
  });
});
