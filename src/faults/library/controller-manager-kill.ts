/** The leading controller manager dies. */
import { TAKEOVER_MS, TAKEOVER_SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { killAndHold, leaseHolder } from './targets.ts';

export const controllerManagerKill: Fault = {
  name: 'controller-manager-kill',
  fails: 'The kube-controller-manager that holds the lease is gone.',
  induced: 'SIGKILL to the holder; it is not started again until the fault is healed.',
  expected: 'Another one takes the lease when it has run out, 15 s, and goes on; the API does not notice.',
  observed:
    'Leases of leader election; Deployment canaries, which need both controllers; write and read probes, which must see nothing.',
  durationMs: 25_000,
  settleMs: 5_000,
  expectations: () => [
    {
      figure: 'controllerManagerChanges',
      atMost: 1,
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
    { figure: 'deploymentsStuck', atMost: 0, because: 'the standby works' },
  ],
  async induce(world, _settings, signal) {
    const name = await leaseHolder(world, 'controllerManager', signal);
    return { targets: [name], heal: await killAndHold(world.levers, [name]) };
  },
};
