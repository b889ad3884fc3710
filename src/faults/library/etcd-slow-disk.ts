/** The disk under the leader of etcd is slow. */
import { SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { etcdLeader } from './targets.ts';

export const etcdSlowDisk: Fault = {
  name: 'etcd-slow-disk',
  fails: 'Every fsync of the leader of etcd takes 100 ms longer.',
  induced: 'fsync and fdatasync of the process are delayed by strace; it is detached when healed.',
  expected:
    'Writes take as much longer as the disk; the leader stays, for its heartbeats do not wait for the disk; no write is lost.',
  observed: 'Latency of write probes before, during and after; leader and term of every etcd member.',
  durationMs: 15_000,
  settleMs: 10_000,
  expectations: () => [
    { figure: 'writeGapMs', atMost: 1_000 + SLACK_MS, because: 'fsyncs of 0.1 s, batched; slack 4 s' },
    { figure: 'etcdLeaderChanges', atMost: 1, because: 'heartbeats go on; one election is forgiven' },
    {
      figure: 'recoveredAfterHealMs',
      atMost: 1_000 + SLACK_MS,
      because: 'the backlog is one batch; slack 4 s',
    },
  ],
  async induce(world, { delayMs }, signal) {
    const name = await etcdLeader(world, signal);
    await world.levers.slowDisk(name, delayMs ?? 100, signal);
    return { targets: [name], heal: (healing) => world.levers.slowDisk(name, 0, healing) };
  },
};
