/** A follower of etcd dies. */
import { REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { etcdLeader, isEvents, killAndHold, running } from './targets.ts';

export const etcdFollowerKill: Fault = {
  name: 'etcd-follower-kill',
  fails: 'One follower of etcd is gone.',
  induced: 'SIGKILL; it is not started again until the fault is healed.',
  expected:
    'No election; API servers that spoke to it go on with another member; and nothing acknowledged is lost.',
  observed:
    'Write and read probes; leader and term of every etcd member; watch canaries show cuts and delays.',
  durationMs: 15_000,
  settleMs: 10_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: REDISPATCH_GAP_MS + SLACK_MS,
      because: 'calls to the dead member are retried elsewhere; slack 4 s',
    },
    { figure: 'readGapMs', atMost: REDISPATCH_GAP_MS + SLACK_MS, because: 'as for writes' },
    { figure: 'recoveredMs', atMost: REDISPATCH_GAP_MS + SLACK_MS, because: 'as above' },
    { figure: 'etcdLeaderChanges', atMost: 0, because: 'a majority and its leader remain' },
  ],
  async induce(world, { target }, signal) {
    const leader = await etcdLeader(world, signal);
    const followers = running(world.levers, 'etcd').filter((name) => name !== leader && !isEvents(name));
    const name = target ?? followers[world.random.integer(followers.length)] ?? leader;
    return { targets: [name], heal: await killAndHold(world.levers, [name]) };
  },
};
