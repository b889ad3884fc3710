/** One API server is taken out of service by its operator. */
import { REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { balancerOf, pickMember } from './targets.ts';

export const apiserverDrain: Fault = {
  name: 'apiserver-drain',
  fails: 'One API server gets no new sessions and loses its old ones.',
  induced: 'State `drain` at the load balancer, then its sessions are closed; `ready` when healed.',
  expected: 'Calls in flight at that moment fail, nothing else; and nothing acknowledged is lost.',
  observed:
    'Write and read probes through the load balancer; state of the backends; watch canaries show cuts and delays.',
  durationMs: 10_000,
  settleMs: 5_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: REDISPATCH_GAP_MS + SLACK_MS,
      because: 'a refused connection is redispatched at once; 1 s, slack 4 s',
    },
    { figure: 'readGapMs', atMost: REDISPATCH_GAP_MS + SLACK_MS, because: 'as for writes' },
    { figure: 'recoveredMs', atMost: SLACK_MS, because: 'only what was in flight is cut; slack 4 s' },
  ],
  async induce(world, { target }, signal) {
    const name = pickMember(world, 'kube-apiserver', target);
    const balancer = balancerOf(world);
    await balancer.setServerState(name, 'drain', signal);
    await balancer.shutdownSessions(name, signal);
    return { targets: [name], heal: (healing) => balancer.setServerState(name, 'ready', healing) };
  },
};
