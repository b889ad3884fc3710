/** etcd is restored from a snapshot. */

import { join } from 'node:path';
import { TAKEOVER_SLACK_MS } from './bounds.ts';
import { storeHashes } from './etcd-stores.ts';
import type { Fault } from './fault.ts';
import { isEvents, running } from './targets.ts';

/** A follower that lags further behind has been without its leader, and steps in for an election. */
const MEMBER_LAG_US = 1e6;

export const etcdRestore: Fault = {
  name: 'etcd-restore',
  fails: 'The whole of etcd is thrown away and begins anew from a snapshot.',
  induced:
    'A snapshot is taken, then every member restarts from it as a new cluster, with revisions raised by 10^9 and the old ones marked compacted; API servers are restarted.',
  expected:
    'What was acknowledged before the snapshot is there; writes between snapshot and restore are gone, and nothing else; watches end with 410 and list again.',
  observed:
    'The ledger, with the writes acknowledged after the snapshot left out; relists of the watch canaries.',
  durationMs: 0,
  settleMs: 40_000,
  expectations: () => [
    {
      figure: 'recoveredAfterHealMs',
      atMost: 2_000 + TAKEOVER_SLACK_MS,
      because: 'when the levers return all API servers are ready; two good health checks, 2 s; slack 8 s',
    },
    {
      figure: 'revisionsRaised',
      atLeast: 1_000_000_000 - 1_000_000,
      because: 'raised by 10^9 above the snapshot, which lacks what was written after it',
    },
    { figure: 'storeHashes', atMost: 1, atLeast: 1, because: 'all members begin from the same snapshot' },
    { figure: 'podsEvicted', atMost: 0, because: 'shorter than any toleration' },
  ],
  async induce(world, _settings, signal) {
    const path = join(world.directory, 'etcd-snapshot.db');
    // What it holds is decided when it begins, by a member that may be a moment behind the others.
    const takenUs = world.clock.nowUs() - MEMBER_LAG_US;
    await world.levers.etcd.snapshot(path, signal);
    const [first = ''] = running(world.levers, 'etcd').filter((name) => !isEvents(name));
    const before = await world.levers.etcd.status(first, signal);
    await world.levers.etcd.restore(path, { bumpRevision: true }, signal);
    const after = await world.levers.etcd.status(first, signal);
    const hashes = await storeHashes(world, signal);
    return {
      targets: ['etcd'],
      rewoundToUs: takenUs,
      heal: async () => {},
      findings: () => [
        {
          name: 'revisions-raised',
          value: after.revision - before.revision,
          text: `revisions from ${before.revision} to ${after.revision}`,
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
