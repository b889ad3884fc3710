/** All API servers are restarted one after the other. */

import { delay } from '../../core/index.ts';
import { REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { running } from './targets.ts';

/** The load balancer takes a server back after two good checks. */
const PAUSE_MS = 3_000;

export const apiserverRollingRestart: Fault = {
  name: 'apiserver-rolling-restart',
  fails: 'Each API server ends and comes back, never two at once.',
  induced: 'SIGTERM and a start at once, the next one when the last is ready and has been for 3 s.',
  expected: 'No new request fails, watches move on; and nothing acknowledged is lost.',
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
  async induce(world, _settings, signal) {
    const { levers, clock } = world;
    const names = running(levers, 'kube-apiserver');
    for (const name of names) {
      await levers.restart(name, {}, signal);
      await delay(PAUSE_MS, { signal, clock });
    }
    return { targets: names, heal: async () => {} };
  },
};
