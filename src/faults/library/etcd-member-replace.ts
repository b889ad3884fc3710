/** A member of etcd loses its disk. */
import { ELECTION_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { etcdLeader, isEvents, running } from './targets.ts';

export const etcdMemberReplace: Fault = {
  name: 'etcd-member-replace',
  fails: 'One follower of etcd loses its data for good.',
  induced:
    'Its process and data are removed, it is removed from the cluster, added again as a learner and promoted.',
  expected:
    'The majority serves throughout; the new member catches up and votes; and nothing acknowledged is lost.',
  observed: 'Write and read probes; members of etcd and their hash of the store at one revision.',
  durationMs: 0,
  settleMs: 10_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: ELECTION_MS + SLACK_MS,
      because: 'a majority remains; calls to the member go elsewhere; slack 4 s',
    },
    { figure: 'etcdLeaderChanges', atMost: 1, because: 'a follower is replaced; one election is forgiven' },
  ],
  async induce(world, { target }, signal) {
    const leader = await etcdLeader(world, signal);
    const followers = running(world.levers, 'etcd').filter((name) => name !== leader && !isEvents(name));
    const name = target ?? followers[world.random.integer(followers.length)] ?? leader;
    await world.levers.etcd.replaceMember(name, signal);
    return { targets: [name], heal: async () => {} };
  },
};
