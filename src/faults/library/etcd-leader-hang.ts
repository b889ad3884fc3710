/** The leader of etcd hangs. */
import { ELECTION_MS, ETCD_REQUEST_TIMEOUT_MS, SLACK_MS, TAKEOVER_SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { etcdLeader } from './targets.ts';

export const etcdLeaderHang: Fault = {
  name: 'etcd-leader-hang',
  fails: 'The leader of etcd keeps its connections and answers nothing.',
  induced: 'SIGSTOP, and SIGCONT when healed.',
  expected:
    'The others elect a leader within 1-2 s; calls of API servers that are with the hung member wait for their time-outs, and /readyz flaps; woken, it steps down; and nothing acknowledged is lost.',
  observed:
    'Write and read probes; leader and term of every etcd member; watch canaries show cuts and delays.',
  durationMs: 12_000,
  settleMs: 25_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: ELECTION_MS + SLACK_MS,
      because: 'an election, and a share of the calls hangs at the paused member; slack 4 s',
    },
    { figure: 'readGapMs', atMost: ELECTION_MS + SLACK_MS, because: 'as for writes' },
    {
      figure: 'recoveredAfterHealMs',
      atMost: ETCD_REQUEST_TIMEOUT_MS + TAKEOVER_SLACK_MS,
      because: 'requests give up after 7 s; slack 8 s',
    },
    {
      figure: 'etcdLeaderChanges',
      atMost: 2,
      atLeast: 1,
      because: 'the one that replaces it; it may not come back as leader',
    },
  ],
  async induce(world, _settings, signal) {
    const { levers } = world;
    const name = await etcdLeader(world, signal);
    levers.pause(name);
    return {
      targets: [name],
      heal: async (healing) => {
        levers.resume(name);
        await levers.awaitReady(name, healing);
      },
    };
  },
};
