/** The leading scheduler is paused. */
import type { Fault } from './fault.ts';
import { pauseLeader, SCHEDULER, takeoverExpectations, wokenExpectation } from './leader.ts';

export const schedulerHang: Fault = {
  name: 'scheduler-hang',
  fails:
    'The kube-scheduler that holds the lease stops for longer than the lease, then wakes as if nothing had been.',
  induced: 'SIGSTOP for longer than the lease, then SIGCONT.',
  expected:
    'Another one takes the lease after 15 s; the old one may act for up to 10 s after it wakes, then finds its lease gone and ends itself.',
  observed:
    'Leases of leader election; Deployment canaries, which need both controllers; write and read probes, which must see nothing. What both replicas say of themselves after the old one wakes.',
  durationMs: 28_000,
  settleMs: 15_000,
  expectations: (_settings, timings) => [
    ...takeoverExpectations(SCHEDULER, 2, timings),
    wokenExpectation(timings.scheduler),
  ],
  induce: pauseLeader(SCHEDULER),
};
