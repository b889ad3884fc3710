/** etcd loses its majority and gets it back. */
import { ELECTION_MS, HUNG_SERVER_MS, SLACK_MS, TAKEOVER_SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { etcdLeader, isEvents, killAndHold, running } from './targets.ts';

export const etcdQuorumLoss: Fault = {
  name: 'etcd-quorum-loss',
  fails:
    'More than half of the etcd members are gone; nothing can be written and no consistent read be made.',
  induced: 'SIGKILL to a majority, the leader among them; they are started again when the fault is healed.',
  expected:
    'Everything fails, fast where the health check asks etcd; back within seconds of the majority; and nothing acknowledged is lost.',
  observed:
    'Write and read probes; leader and term of every etcd member; watch canaries show cuts and delays.',
  durationMs: 15_000,
  settleMs: 30_000,
  expectations: () => [
    {
      figure: 'recoveredAfterHealMs',
      atMost: 2_000 + ELECTION_MS + 2_000 + TAKEOVER_SLACK_MS,
      because: 'members start, 2 s; an election, 2.5 s; two good health checks, 2 s; slack 8 s',
    },
    {
      figure: 'noticedMs',
      atMost: 2_000 + HUNG_SERVER_MS + SLACK_MS,
      because: '/readyz gives etcd 2 s; two checks of the load balancer; slack 4 s',
    },
    { figure: 'podsEvicted', atMost: 0, because: 'shorter than any toleration' },
  ],
  async induce(world, _settings, signal) {
    const members = running(world.levers, 'etcd').filter((name) => !isEvents(name));
    const leader = await etcdLeader(world, signal);
    const others = members.filter((name) => name !== leader);
    const names = [leader, ...others].slice(0, Math.ceil(members.length / 2));
    return { targets: names, heal: await killAndHold(world.levers, names) };
  },
};
