/** The API is gone altogether. */
import { PROCESS_START_MS, TAKEOVER_SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { killAndHold, running } from './targets.ts';

export const apiserverAllKilled: Fault = {
  name: 'apiserver-all-killed',
  fails: 'Every API server is gone at once.',
  induced: 'SIGKILL to all; none is started again until the fault is healed.',
  expected:
    'Nothing is served until they are back; leaders give up after 10 s and are replaced or restarted; nodes keep their pods; and nothing acknowledged is lost.',
  observed: 'Write and read probes; Leases; Deployment canaries; node conditions.',
  durationMs: 15_000,
  settleMs: 45_000,
  expectations: () => [
    {
      figure: 'recoveredAfterHealMs',
      atMost: PROCESS_START_MS + 4_000 + TAKEOVER_SLACK_MS,
      because:
        'all start at once and are ready after 12 s; load balancer and clients find them again within 4 s; slack 8 s',
    },
    { figure: 'podsEvicted', atMost: 0, because: 'nodes were gone for less than their tolerations of 300 s' },
  ],
  async induce({ levers }) {
    const names = running(levers, 'kube-apiserver');
    return { targets: names, heal: await killAndHold(levers, names) };
  },
};
