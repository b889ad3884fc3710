/** The load balancer dies and is back at once. */
import { SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { balancerOf } from './targets.ts';

export const loadBalancerRestart: Fault = {
  name: 'load-balancer-restart',
  fails: 'Every connection through the load balancer is reset.',
  induced: 'SIGKILL; its supervisor starts it again.',
  expected: 'Calls in flight fail, clients connect anew, watches resume; and nothing acknowledged is lost.',
  observed:
    'Write and read probes through the load balancer, and beside it to each API server; watch canaries show cuts and delays; reconnects of the fleet.',
  durationMs: 0,
  settleMs: 15_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: 2_000 + SLACK_MS,
      because: 'the supervisor waits 1 s, the process starts; slack 4 s',
    },
    { figure: 'readGapMs', atMost: 2_000 + SLACK_MS, because: 'as for writes' },
    { figure: 'recoveredMs', atMost: 2_000 + SLACK_MS, because: 'as above' },
    {
      figure: 'watchDelayMs',
      atMost: 10_000 + SLACK_MS,
      because:
        'refused twice while it restarts, client-go backs off 0.8 s, 1.6 s, 3.2 s, each up to twice as long; slack 4 s',
    },
    { figure: 'controllerManagerChanges', atMost: 0, because: 'leaders have 10 s to renew' },
  ],
  async induce({ levers, ...world }, _settings, signal) {
    const { name } = balancerOf({ levers, ...world });
    await levers.kill(name);
    await levers.awaitReady(name, signal);
    return { targets: [name], heal: async () => {} };
  },
};
