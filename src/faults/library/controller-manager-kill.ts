/** The leading controller manager dies. */
import type { Fault } from './fault.ts';
import { CONTROLLER_MANAGER, killLeader, takeoverExpectations } from './leader.ts';

export const controllerManagerKill: Fault = {
  name: 'controller-manager-kill',
  fails: 'The kube-controller-manager that holds the lease is gone.',
  induced: 'SIGKILL to the holder; it is not started again until the fault is healed.',
  expected: 'Another one takes the lease when it has run out, 15 s, and goes on; the API does not notice.',
  observed:
    'Leases of leader election; Deployment canaries, which need both controllers; write and read probes, which must see nothing.',
  durationMs: 25_000,
  settleMs: 5_000,
  expectations: (_settings, timings) => takeoverExpectations(CONTROLLER_MANAGER, 1, timings),
  induce: killLeader(CONTROLLER_MANAGER),
};
