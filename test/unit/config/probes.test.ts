import { describe, expect, it } from 'vitest';
import { loadSuite } from '../../../src/config/index.ts';
import { isHarnessError } from '../../../src/core/index.ts';
import { planRun } from '../../../src/run/plan.ts';
import { plainSuite, readsAction, suiteText } from './suite-text.ts';

const suiteOf = (actions: unknown[], changes = {}) =>
  loadSuite({ text: suiteText(plainSuite(actions, changes)), path: 'suite.yaml' }).suite;

function problemsOf(actions: unknown[], changes = {}): string {
  try {
    suiteOf(actions, changes);
    return '';
  } catch (error) {
    return isHarnessError(error) ? error.message : String(error);
  }
}

describe('the probes action', () => {
  it('has defaults for each probe that is asked for, and no other', () => {
    const suite = suiteOf([{ action: 'probes', availability: {}, propagation: { watchers: '2/node' } }]);
    expect(suite.load.phases[0]?.actions[0]).toEqual({
      action: 'probes',
      name: 'probes',
      timeoutMs: 5_000,
      availability: { ratePerSecond: 5, endpoint: '/readyz' },
      propagation: { ratePerSecond: 1, watcherCount: 20 },
    });
  });

  it.each([
    { why: 'nothing is probed', actions: [{ action: 'probes' }], problem: /at least one of availability/ },
    {
      why: 'the endpoint is no path',
      actions: [{ action: 'probes', availability: { endpoint: 'readyz' } }],
      problem: /expected a path such as \/readyz, got "readyz"/,
    },
    {
      why: 'there are two in a phase',
      actions: [
        { action: 'probes', availability: {} },
        { action: 'probes', readYourWrite: {} },
      ],
      problem: /at most one action of kind probes/,
    },
  ])('is refused where $why', ({ actions, problem }) => {
    expect(problemsOf(actions)).toMatch(problem);
  });

  it('lasts as long as its phase, which must have a length', () => {
    const load = { phases: [{ name: 'only', actions: [{ action: 'probes', availability: {} }] }] };
    expect(problemsOf([], { load })).toMatch(/duration: is missing/);
  });

  it('is planned on every path of the control plane, and judged by no SLO', () => {
    const actions = [readsAction(), { action: 'probes', availability: {}, readYourWrite: { rate: '2/s' } }];
    const plan = planRun(suiteOf(actions, { controlPlane: { topology: 'ha' } }));
    const planned = plan.phases[0]?.actions.find(({ action }) => action === 'probes');
    // Through the load balancer and to each of three API servers, for 60 s.
    expect(planned?.calls).toMatchObject([
      { verb: 'get', resource: 'readyz', perSecond: 20, count: 1_200 },
      { verb: 'patch', resource: 'configmaps', perSecond: 2, count: 120 },
      { verb: 'get', resource: 'configmaps', perSecond: 8, count: 480 },
      { verb: 'list', resource: 'configmaps', perSecond: 8, count: 480 },
    ]);
    expect(plan.warnings.filter(({ text }) => text.includes('configmaps'))).toEqual([]);
  });

  it('has thresholds that name its figures', () => {
    const action = { action: 'probes', availability: {} };
    const thresholds = [
      'availability.ratio >= 99.5%',
      'outage{path:kube-apiserver-0}.max < 5s',
      'watch_propagation{reach:first}.p99 < 100ms',
      'stale_reads.count == 0',
    ];
    expect(suiteOf([action], { thresholds }).thresholds).toHaveLength(4);
    expect(problemsOf([action], { thresholds: ['watch_propagation{reach:second}.p99 < 1s'] })).toMatch(
      /unknown reach "second"; known: first, last, spread/,
    );
  });
});
