/** One API server is restarted in order. */
import type { Fault } from './fault.ts';
import { restartExpectations } from './restarts.ts';
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
  expectations: () => restartExpectations(0.98, '2 % for connections that were refused'),
  async induce(world, { target }, signal) {
    const name = pickMember(world, 'kube-apiserver', target);
    await world.levers.restart(name, {}, signal);
    return { targets: [name], heal: async () => {} };
  },
};
