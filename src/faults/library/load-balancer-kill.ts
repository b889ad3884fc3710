/** The load balancer dies. */
import { SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { balancerOf, killAndHold } from './targets.ts';

export const loadBalancerKill: Fault = {
  name: 'load-balancer-kill',
  fails: 'The load balancer is gone, and with it the only address that clients know.',
  induced: 'SIGKILL; it is not started again until the fault is healed.',
  expected:
    'Nothing passes until it is back, the API servers themselves are well; leaders survive an outage of less than 10 s; and nothing acknowledged is lost.',
  observed:
    'Write and read probes through the load balancer, and beside it to each API server; watch canaries show cuts and delays; reconnects of the fleet.',
  durationMs: 5_000,
  settleMs: 15_000,
  expectations: () => [
    {
      figure: 'recoveredAfterHealMs',
      atMost: 1_000 + SLACK_MS,
      because: 'the process starts, all clients connect anew; slack 4 s',
    },
    { figure: 'controllerManagerChanges', atMost: 0, because: 'leaders have 10 s to renew' },
    { figure: 'podsEvicted', atMost: 0, because: 'shorter than any toleration' },
  ],
  async induce({ levers, ...world }) {
    const { name } = balancerOf({ levers, ...world });
    return { targets: [name], heal: await killAndHold(levers, [name]) };
  },
};
