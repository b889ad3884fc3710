/** Nothing fails: the run's own false positives. */
import type { Fault } from './fault.ts';

export const control: Fault = {
  name: 'control',
  fails: 'Nothing.',
  induced: 'Nothing is done.',
  expected: 'No probe call fails, no leader changes, no node is lost.',
  observed: 'By everything that looks for faults: what it finds here it would also find where there is none.',
  durationMs: 15_000,
  settleMs: 0,
  expectations: () => [
    { figure: 'wrongAnswers', atMost: 0, because: 'nothing was broken' },
    { figure: 'etcdLeaderChanges', atMost: 0, because: 'nothing was broken' },
    { figure: 'controllerManagerChanges', atMost: 0, because: 'nothing was broken' },
    { figure: 'schedulerChanges', atMost: 0, because: 'nothing was broken' },
    { figure: 'nodesNotReady', atMost: 0, because: 'nothing was broken' },
    { figure: 'deploymentsStuck', atMost: 0, because: 'nothing was broken' },
  ],
  async induce() {
    return { targets: ['nothing'], heal: async () => {} };
  },
};
