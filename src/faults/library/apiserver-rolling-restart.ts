/** All API servers are restarted one after the other. */

import type { Fault } from './fault.ts';
import { restartExpectations, restartInTurn } from './restarts.ts';
import { running } from './targets.ts';

export const apiserverRollingRestart: Fault = {
  name: 'apiserver-rolling-restart',
  fails: 'Each API server ends and comes back, never two at once.',
  induced: 'SIGTERM and a start at once, the next one when the last is ready and has been for 3 s.',
  expected: 'No new request fails, watches move on; and nothing acknowledged is lost.',
  observed: 'Write and read probes through the load balancer; watch canaries show cuts and delays.',
  durationMs: 0,
  settleMs: 10_000,
  expectations: () => restartExpectations(0.98, '2 % for connections that were refused'),
  async induce(world, _settings, signal) {
    const names = running(world.levers, 'kube-apiserver');
    await restartInTurn(world, names, {}, signal);
    return { targets: names, heal: async () => {} };
  },
};
