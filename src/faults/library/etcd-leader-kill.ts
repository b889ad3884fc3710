/** The leader of etcd dies. */
import { ELECTION_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { etcdLeader, killAndHold } from './targets.ts';

export const etcdLeaderKill: Fault = {
  name: 'etcd-leader-kill',
  fails: 'The leader of etcd is gone, with what it had not committed.',
  induced: 'SIGKILL; it is not started again until the fault is healed.',
  expected:
    'A new leader within 1-2 s; calls sent meanwhile wait, and some writes fail only after 7 s though service is back; and nothing acknowledged is lost.',
  observed:
    'Write and read probes; leader and term of every etcd member; watch canaries show cuts and delays.',
  durationMs: 15_000,
  settleMs: 10_000,
  expectations: () => [
    { figure: 'writeGapMs', atMost: ELECTION_MS + SLACK_MS, because: 'an election takes 1-2 s; slack 4 s' },
    {
      figure: 'readGapMs',
      atMost: ELECTION_MS + SLACK_MS,
      because: 'consistent reads need the leader as well',
    },
    {
      figure: 'recoveredMs',
      atMost: ELECTION_MS + SLACK_MS,
      because: 'an election; errors of calls sent before it count as of when they were sent; slack 4 s',
    },
    {
      figure: 'etcdLeaderChanges',
      atMost: 2,
      atLeast: 1,
      because: 'exactly the one; a second election is bad luck',
    },
  ],
  async induce(world, _settings, signal) {
    const name = await etcdLeader(world, signal);
    return { targets: [name], heal: await killAndHold(world.levers, [name]) };
  },
};
