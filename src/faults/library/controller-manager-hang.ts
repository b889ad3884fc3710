/** The leading controller manager is paused. */
import type { Fault } from './fault.ts';
import { CONTROLLER_MANAGER, pauseLeader, takeoverExpectations, wokenExpectation } from './leader.ts';

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
  expectations: (_settings, timings) => [
    ...takeoverExpectations(CONTROLLER_MANAGER, 2, timings),
    wokenExpectation(timings.controllerManager),
  ],
  induce: pauseLeader(CONTROLLER_MANAGER),
};
