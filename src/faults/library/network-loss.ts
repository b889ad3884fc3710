/** The network between members loses packets. */
import { ELECTION_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { linksOf } from './targets.ts';

export const networkLoss: Fault = {
  name: 'network-loss',
  fails: 'A share of what members send arrives a retransmission later.',
  induced: 'Links hold 2 % of the chunks back for 200 ms.',
  expected: 'Calls that are hit take 0.2 s longer; at most a rare election; no write is lost.',
  observed:
    'Write and read probes; leader and term of every etcd member; watch canaries show cuts and delays.',
  durationMs: 15_000,
  settleMs: 10_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: ELECTION_MS + SLACK_MS,
      because: 'a retransmission is 0.2 s; an election if two heartbeats in a row are hit; slack 4 s',
    },
    { figure: 'etcdLeaderChanges', atMost: 2, because: 'rare' },
  ],
  async induce(world, settings, signal) {
    const links = linksOf(world);
    for (const { from, to } of links.pairs())
      await links.set(from, to, { lossRatio: settings.ratio ?? 0.02 }, signal);
    return { targets: ['all links'], heal: (healing) => links.healAll(healing) };
  },
};
