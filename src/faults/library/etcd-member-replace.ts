/** A member of etcd loses its disk. */
import { ELECTION_MS, SLACK_MS } from './bounds.ts';
import { storeHashes } from './etcd-stores.ts';
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
    { figure: 'membersReplaced', atLeast: 1, because: 'a member without data is another member' },
    { figure: 'storeHashes', atMost: 1, atLeast: 1, because: 'all members hold the same' },
    { figure: 'etcdLeaderChanges', atMost: 1, because: 'a follower is replaced; one election is forgiven' },
  ],
  async induce(world, { target }, signal) {
    const leader = await etcdLeader(world, signal);
    const followers = running(world.levers, 'etcd').filter((name) => name !== leader && !isEvents(name));
    const name = target ?? followers[world.random.integer(followers.length)] ?? leader;
    const { etcd } = world.levers;
    const idOf = async () => (await etcd.members(signal)).find((member) => member.name === name)?.id;
    const before = await idOf();
    await etcd.replaceMember(name, signal);
    const after = await idOf();
    const hashes = await storeHashes(world, signal);
    return {
      targets: [name],
      heal: async () => {},
      findings: () => [
        {
          name: 'members-replaced',
          value: after !== undefined && after !== before ? 1 : 0,
          text: `members with a new id (${before} became ${after})`,
        },
        {
          name: 'store-hashes',
          value: new Set(hashes.values()).size,
          text: `different hashes of ${hashes.size} stores at one revision`,
        },
      ],
    };
  },
};
