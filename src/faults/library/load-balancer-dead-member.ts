/** The load balancer is wrong about a server. */
import { REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { balancerOf, killAndHold, pickMember } from './targets.ts';

export const loadBalancerDeadMember: Fault = {
  name: 'load-balancer-dead-member',
  fails: 'An API server is gone and the load balancer takes it for healthy.',
  induced:
    'SIGKILL to the server, and its health is forced to `up` at the load balancer; both are undone when healed.',
  expected:
    'Connections to the dead server are refused at once and redispatched to another: clients see next to nothing; and nothing acknowledged is lost.',
  observed:
    'Write and read probes through the load balancer, and beside it to each API server; watch canaries show cuts and delays; reconnects of the fleet.',
  durationMs: 12_000,
  settleMs: 10_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: REDISPATCH_GAP_MS + SLACK_MS,
      because: 'a refused connection is redispatched at once; 1 s, slack 4 s',
    },
    { figure: 'readGapMs', atMost: REDISPATCH_GAP_MS + SLACK_MS, because: 'as for writes' },
    {
      figure: 'writeAvailability',
      atLeast: 0.95,
      because: '`option redispatch 1` tries another server after each refusal',
    },
  ],
  async induce(world, { target }, signal) {
    const name = pickMember(world, 'kube-apiserver', target);
    const balancer = balancerOf(world);
    await balancer.forceHealth(name, 'up', signal);
    const revive = await killAndHold(world.levers, [name]);
    return {
      targets: [name],
      heal: async (healing) => {
        await balancer.forceHealth(name, 'auto', healing);
        await revive(healing);
      },
    };
  },
};
