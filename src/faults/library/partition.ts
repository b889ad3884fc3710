/** The leader of etcd is cut off. */
import { ELECTION_MS, ETCD_REQUEST_TIMEOUT_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { etcdLeader, linksOf } from './targets.ts';

export const partition: Fault = {
  name: 'partition',
  fails: 'The leader of etcd is alive and cannot speak to anybody.',
  induced: 'Every link from and to it drops what it carries.',
  expected:
    'It steps down for want of a majority and the others elect a leader within 1-2 s: never two that commit; and nothing acknowledged is lost.',
  observed:
    'Write and read probes; leader and term of every etcd member; watch canaries show cuts and delays.',
  durationMs: 15_000,
  settleMs: 20_000,
  expectations: () => [
    { figure: 'writeGapMs', atMost: ELECTION_MS + SLACK_MS, because: 'an election takes 1-2 s; slack 4 s' },
    {
      figure: 'readGapMs',
      atMost: ELECTION_MS + SLACK_MS,
      because: 'consistent reads need the leader as well',
    },
    {
      figure: 'recoveredAfterHealMs',
      atMost: ETCD_REQUEST_TIMEOUT_MS + SLACK_MS,
      because: 'connections that were stalled go on; requests give up after 7 s; slack 4 s',
    },
    { figure: 'etcdLeaderChanges', atMost: 2, atLeast: 1, because: 'one; a second election is bad luck' },
  ],
  async induce(world, _settings, signal) {
    const name = await etcdLeader(world, signal);
    const links = linksOf(world);
    await links.isolate([name], { cut: 'drop' }, signal);
    return { targets: [name], heal: (healing) => links.healAll(healing) };
  },
};
