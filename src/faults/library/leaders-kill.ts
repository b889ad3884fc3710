/** Both leaders die at once. */
import type { Fault } from './fault.ts';
import { podBoundExpectation } from './leader.ts';
import { killAndHold, leaseHolder } from './targets.ts';

export const leadersKill: Fault = {
  name: 'leaders-kill',
  fails: 'The kube-controller-manager and the kube-scheduler that hold their leases are gone.',
  induced: 'SIGKILL to both holders; they are not started again until the fault is healed.',
  expected: 'Others take both leases when they have run out, 15 s; the API does not notice.',
  observed:
    'Leases of leader election; Deployment canaries, which need both controllers; write and read probes, which must see nothing.',
  durationMs: 28_000,
  settleMs: 5_000,
  expectations: (_settings, timings) => [
    {
      figure: 'controllerManagerChanges',
      atMost: 1,
      atLeast: 1,
      because: 'the standby takes the lease once',
    },
    { figure: 'schedulerChanges', atMost: 1, atLeast: 1, because: 'the standby takes the lease once' },
    // Both leases run out at about the same time.
    podBoundExpectation([timings.controllerManager, timings.scheduler]),
    {
      figure: 'wrongAnswers',
      atMost: 1,
      because: 'the API does not need controllers; one call in a minute is noise',
    },
    { figure: 'deploymentsStuck', atMost: 0, because: 'the standbys work' },
  ],
  async induce(world, _settings, signal) {
    const names = [
      await leaseHolder(world, 'controllerManager', signal),
      await leaseHolder(world, 'scheduler', signal),
    ];
    return { targets: names, heal: await killAndHold(world.levers, names) };
  },
};
