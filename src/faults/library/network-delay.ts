/** The network between members is slow. */
import { SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { linksOf } from './targets.ts';

export const networkDelay: Fault = {
  name: 'network-delay',
  fails: 'Every message between members takes longer.',
  induced: 'Links hold what they carry back for 50 ms each way.',
  expected:
    'Writes take a few round trips longer; no election, for 50 ms are half a heartbeat; no write is lost.',
  observed:
    'Write and read probes; leader and term of every etcd member; watch canaries show cuts and delays.',
  durationMs: 15_000,
  settleMs: 10_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: 1_000 + SLACK_MS,
      because: 'a write takes a few round trips of 0.1 s; slack 4 s',
    },
    {
      figure: 'etcdLeaderChanges',
      atMost: 1,
      because: 'delays are far below the election timeout; one is forgiven',
    },
    { figure: 'writeAvailability', atLeast: 0.95, because: 'late by less than the SLO; 5 % for the edges' },
  ],
  async induce(world, settings, signal) {
    const links = linksOf(world);
    for (const { from, to } of links.pairs())
      await links.set(from, to, { delayMs: settings.delayMs ?? 50 }, signal);
    return { targets: ['all links'], heal: (healing) => links.healAll(healing) };
  },
};
