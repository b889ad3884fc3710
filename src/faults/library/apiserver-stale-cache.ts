/** One watch cache lags behind. */
import { REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { linksOf, pickMember } from './targets.ts';

export const apiserverStaleCache: Fault = {
  name: 'apiserver-stale-cache',
  fails: 'What one API server hears from etcd arrives late, so its watch cache is old.',
  induced: 'Links from etcd to it are delayed by 500 ms.',
  expected:
    'Consistent reads wait for the cache or go to etcd and stay right; watches through it are late; no write is lost.',
  observed: 'Reads and watch delay on the path of that API server beside the others.',
  durationMs: 15_000,
  settleMs: 10_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: REDISPATCH_GAP_MS + SLACK_MS,
      because: 'calls to it take one delay more; slack 4 s',
    },
    { figure: 'writeAvailability', atLeast: 0.6, because: 'calls to it are late, not wrong' },
  ],
  async induce(world, { target, delayMs }, signal) {
    const name = pickMember(world, 'kube-apiserver', target);
    const links = linksOf(world);
    const inbound = links.pairs().filter(({ to }) => to === name);
    for (const { from, to } of inbound) await links.set(from, to, { delayMs: delayMs ?? 500 }, signal);
    return { targets: [name], heal: (healing) => links.healAll(healing) };
  },
};
