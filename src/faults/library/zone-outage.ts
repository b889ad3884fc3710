/** A zone is lost. */
import { ELECTION_MS, SLACK_MS, TAKEOVER_SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { podBoundExpectation } from './leader.ts';
import { killAndHold } from './targets.ts';

export const zoneOutage: Fault = {
  name: 'zone-outage',
  fails: 'All members of the control plane and all nodes of one zone fail at the same time.',
  induced: 'SIGKILL to its members, which stay away until healed; its hollow nodes fall silent.',
  expected:
    'What is left has a majority: an election at worst, leaders replaced within their leases, nodes of the zone Unknown after 50 s; and nothing acknowledged is lost.',
  observed: 'Write and read probes; Leases; leader of etcd; node conditions by zone; state of the backends.',
  durationMs: 75_000,
  settleMs: 30_000,
  expectations: (_settings, timings) => [
    {
      figure: 'writeGapMs',
      atMost: ELECTION_MS + SLACK_MS,
      because: 'an election if the leader of etcd was in it; slack 4 s',
    },
    { figure: 'readGapMs', atMost: ELECTION_MS + SLACK_MS, because: 'as for writes' },
    {
      figure: 'recoveredMs',
      atMost: ELECTION_MS + TAKEOVER_SLACK_MS,
      because: 'an election, and connections to what is gone; slack 8 s',
    },
    // Leaders of the zone are replaced after their leases.
    podBoundExpectation([timings.controllerManager, timings.scheduler]),
    { figure: 'podsEvicted', atMost: 0, because: 'pods tolerate it for 300 s' },
  ],
  async induce(world, { target }, signal) {
    const { levers, fleet, random } = world;
    const members = levers.instances().filter(({ state }) => state === 'running');
    const zones = [...new Set(members.flatMap(({ zone }) => (zone === undefined ? [] : [zone])))].sort();
    const zone = target ?? zones[random.integer(zones.length)] ?? '';
    const names = members.filter((member) => member.zone === zone).map(({ name }) => name);
    const silence =
      world.nodeCount === 0
        ? undefined
        : await fleet.begin({ kind: 'silence' }, { ratio: 1, zone, seed: 0 }, signal);
    const revive = await killAndHold(levers, names);
    return {
      targets: [zone, ...names],
      heal: async (healing) => {
        const reviving = revive(healing);
        if (silence !== undefined) await fleet.end(silence.id, healing);
        await reviving;
      },
    };
  },
};
