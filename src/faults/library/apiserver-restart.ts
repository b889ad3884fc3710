/** One API server is restarted in order. */
import { REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { pickMember } from './targets.ts';

export const apiserverRestart: Fault = {
  name: 'apiserver-restart',
  fails: 'One API server ends and comes back.',
  induced: 'SIGTERM, then a start at once.',
  expected:
    'Its /readyz fails first, requests in flight are served, clients move; and nothing acknowledged is lost.',
  observed: 'Write and read probes through the load balancer; watch canaries show cuts and delays.',
  durationMs: 0,
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
      atLeast: 0.98,
      because: 'requests in flight are served to their end; 2 % for connections that were refused',
    },
  ],
  async induce(world, { target }, signal) {
    const name = pickMember(world, 'kube-apiserver', target);
    await world.levers.restart(name, {}, signal);
    return { targets: [name], heal: async () => {} };
  },
};
