/** One of several API servers hangs. */
import { HUNG_SERVER_MS, REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { pickMember } from './targets.ts';

export const apiserverHang: Fault = {
  name: 'apiserver-hang',
  fails: 'One API server keeps its connections and answers nothing.',
  induced: 'SIGSTOP, and SIGCONT when healed.',
  expected:
    'The load balancer finds out by its health check and cuts the sessions; calls that were with the hung server fail or wait until then; and nothing acknowledged is lost.',
  observed:
    'Write and read probes through the load balancer and to each API server; state of the backends; watch canaries show cuts and delays.',
  durationMs: 20_000,
  settleMs: 10_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: REDISPATCH_GAP_MS + SLACK_MS,
      because: 'every third call is with the hung server, the others go on; slack 4 s',
    },
    { figure: 'readGapMs', atMost: REDISPATCH_GAP_MS + SLACK_MS, because: 'as for writes' },
    {
      figure: 'recoveredMs',
      atMost: HUNG_SERVER_MS + SLACK_MS,
      because:
        'the load balancer cuts sessions after two checks of 2 s each, the first within 2 s; slack 4 s',
    },
    {
      figure: 'noticedMs',
      atMost: HUNG_SERVER_MS + SLACK_MS,
      because: 'health check each 2 s with a time-out of 2 s, two failures; slack 4 s',
    },
    {
      figure: 'watchDelayMs',
      atMost: HUNG_SERVER_MS + 2_000 + SLACK_MS,
      because: 'blind until the load balancer cuts the session, then a backoff; slack 4 s',
    },
  ],
  async induce({ levers, ...world }, { target }) {
    const name = pickMember({ levers, ...world }, 'kube-apiserver', target);
    levers.pause(name);
    return {
      targets: [name],
      heal: async (signal) => {
        levers.resume(name);
        await levers.awaitReady(name, signal);
      },
    };
  },
};
