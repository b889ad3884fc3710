/** The leading scheduler dies. */
import type { Fault } from './fault.ts';
import { killLeader, SCHEDULER, takeoverExpectations } from './leader.ts';

export const schedulerKill: Fault = {
  name: 'scheduler-kill',
  fails: 'The kube-scheduler that holds the lease is gone.',
  induced: 'SIGKILL to the holder; it is not started again until the fault is healed.',
  expected: 'Another one takes the lease when it has run out, 15 s, and goes on; the API does not notice.',
  observed:
    'Leases of leader election; Deployment canaries, which need both controllers; write and read probes, which must see nothing.',
  durationMs: 25_000,
  settleMs: 5_000,
  expectations: (_settings, timings) => takeoverExpectations(SCHEDULER, 1, timings),
  induce: killLeader(SCHEDULER),
};
