/** One of several API servers dies. */
import { DEAD_SERVER_MS, REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { killAndHold, pickMember } from './targets.ts';

export const apiserverKill: Fault = {
  name: 'apiserver-kill',
  fails: 'One API server is gone, with every connection to it.',
  induced: 'SIGKILL; it is not started again until the fault is healed.',
  expected:
    'The load balancer redispatches, the others serve, watches resume elsewhere; and nothing acknowledged is lost.',
  observed:
    'Write and read probes through the load balancer and to each API server; state of the backends; watch canaries show cuts and delays.',
  durationMs: 15_000,
  settleMs: 5_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: REDISPATCH_GAP_MS + SLACK_MS,
      because: 'a refused connection is redispatched at once; 1 s, slack 4 s',
    },
    { figure: 'readGapMs', atMost: REDISPATCH_GAP_MS + SLACK_MS, because: 'as for writes' },
    {
      figure: 'recoveredMs',
      atMost: REDISPATCH_GAP_MS + SLACK_MS,
      because: 'connections in flight are reset once, 1 s, slack 4 s',
    },
    {
      figure: 'noticedMs',
      atMost: DEAD_SERVER_MS + SLACK_MS,
      because: 'the load balancer checks each 2 s, two failures make it DOWN; slack 4 s',
    },
    {
      figure: 'watchDelayMs',
      atMost: 2_000 + SLACK_MS,
      because: 'the watch is reset at once and resumed after a backoff of client-go, 0.8-1.6 s; slack 4 s',
    },
    {
      figure: 'controllerManagerChanges',
      atMost: 0,
      because: 'a leader that lost its connection has 10 s to renew',
    },
  ],
  async induce(world, { target }) {
    const name = pickMember(world, 'kube-apiserver', target);
    return { targets: [name], heal: await killAndHold(world.levers, [name]) };
  },
};
