/** The leading controller manager is paused. */
import { RENEW_DEADLINE_MS, SLACK_MS, TAKEOVER_MS, TAKEOVER_SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { leaseHolder } from './targets.ts';

export const controllerManagerHang: Fault = {
  name: 'controller-manager-hang',
  fails:
    'The kube-controller-manager that holds the lease stops for longer than the lease, then wakes as if nothing had been.',
  induced: 'SIGSTOP for longer than the lease, then SIGCONT.',
  expected:
    'Another one takes the lease after 15 s; the old one may act for up to 10 s after it wakes, then finds its lease gone and ends itself.',
  observed:
    'Leases of leader election; Deployment canaries, which need both controllers; write and read probes, which must see nothing. What both replicas say of themselves after the old one wakes.',
  durationMs: 28_000,
  settleMs: 15_000,
  expectations: () => [
    {
      figure: 'controllerManagerChanges',
      atMost: 2,
      atLeast: 1,
      because: 'the standby takes the lease once it has run out',
    },
    {
      figure: 'podBoundMs',
      atMost: TAKEOVER_MS + 2_000 + TAKEOVER_SLACK_MS,
      because: 'lease 15 s, candidates look each 2-4.4 s; pods are made and bound within 2 s; slack 8 s',
    },
    {
      figure: 'wrongAnswers',
      atMost: 1,
      because: 'the API does not need controllers; one call in a minute is noise',
    },
    {
      figure: 'wokenLeaderMs',
      atMost: RENEW_DEADLINE_MS + SLACK_MS,
      because: 'a leader that cannot renew gives up after 10 s; slack 4 s',
    },
    { figure: 'deploymentsStuck', atMost: 0, because: 'the standby works' },
  ],
  async induce(world, _settings, signal) {
    const { levers } = world;
    const name = await leaseHolder(world, 'controllerManager', signal);
    levers.pause(name);
    return {
      targets: [name],
      heal: async (healing) => {
        levers.resume(name);
        await levers.awaitReady(name, healing);
      },
    };
  },
};
