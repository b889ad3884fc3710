/** One of several API servers is slow. */
import { REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { pickMember } from './targets.ts';

export const apiserverSlow: Fault = {
  name: 'apiserver-slow',
  fails: 'One API server gets a fifth of its processor time and answers late.',
  induced: 'SIGSTOP for 80 ms of each 100 ms.',
  expected: 'The cluster stays inside its SLO or the load balancer takes the member out; no call fails.',
  observed:
    'Write and read probes through the load balancer and to each API server: latency before, during and after.',
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
      figure: 'writeAvailability',
      atLeast: 0.95,
      because: 'a slow member answers; 5 % may be late on a small machine',
    },
    { figure: 'readAvailability', atLeast: 0.95, because: 'as for writes' },
  ],
  async induce({ levers, ...world }, { target, ratio }) {
    const name = pickMember({ levers, ...world }, 'kube-apiserver', target);
    levers.throttle(name, ratio ?? 0.2);
    return {
      targets: [name],
      heal: async (signal) => {
        levers.throttle(name, 1);
        await levers.awaitReady(name, signal);
      },
    };
  },
};
