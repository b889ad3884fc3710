/** Tests of the cards of faults-plane: API servers, etcd, load balancer, network and a zone of a three-member plane. */
import { describe, expect, it } from 'vitest';
import {
  errorKinds,
  type FaultsRun,
  failedDuring,
  finding,
  happenings,
  metCard,
  noticed,
  otherPaths,
  pathOf,
} from './cards.ts';

/** Declares them, over the run that `of` hands out once it is over. */
export function testPlaneFaults(of: () => FaultsRun): void {
  describe('faults of one API server', () => {
    it('apiserver-kill: refused at the load balancer, and only on its own path', () => {
      const { card, seen } = metCard(of(), 'apiserver-kill');
      expect(happenings(seen, card.target)).toEqual(
        expect.arrayContaining(['exited signal SIGKILL', 'started', 'ready']),
      );
      expect(noticed(seen).join()).toContain(`took ${card.target} for DOWN (L4CON)`);
      expect(failedDuring(pathOf(seen, card.target))).toBeGreaterThan(0);
      for (const other of otherPaths(seen, card.target)) expect(failedDuring(other)).toBe(0);
      expect(pathOf(seen, 'balanced').writeGapMs).toBeLessThan(pathOf(seen, card.target).writeGapMs);
    });

    it('apiserver-hang: a health check that is not answered, calls that wait', () => {
      const { card, seen } = metCard(of(), 'apiserver-hang');
      expect(happenings(seen, card.target)).toEqual(expect.arrayContaining(['paused', 'resumed']));
      expect(noticed(seen).join()).toMatch(new RegExp(`took ${card.target} for DOWN \\(L[67]TOUT\\)`));
      // It answers nothing for as long as it hangs.
      expect(pathOf(seen, card.target).writeGapMs).toBeGreaterThan(5_000);
      for (const other of otherPaths(seen, card.target)) expect(failedDuring(other)).toBe(0);
    });

    it('apiserver-slow: slower on its own path than on the others', () => {
      const { card, seen } = metCard(of(), 'apiserver-slow');
      const own = pathOf(seen, card.target);
      expect(own.reads.during.p50Us).toBeGreaterThan(2 * Number(own.reads.before.p50Us));
      for (const other of otherPaths(seen, card.target))
        expect(own.reads.during.p50Us).toBeGreaterThan(Number(other.reads.during.p50Us));
      expect(failedDuring(pathOf(seen, 'balanced'))).toBe(0);
    });

    it('apiserver-drain: taken out by its operator, and well itself', () => {
      const { card, seen } = metCard(of(), 'apiserver-drain');
      expect(noticed(seen)).toEqual([`the load balancer took ${card.target} for DRAIN`]);
      expect(failedDuring(pathOf(seen, card.target))).toBe(0);
      expect(happenings(seen, card.target)).toEqual([]);
    });

    it('apiserver-cut-from-etcd: alive, with a health check that says no', () => {
      const { card, seen } = metCard(of(), 'apiserver-cut-from-etcd');
      expect(noticed(seen).join()).toMatch(
        new RegExp(`took ${card.target} for DOWN \\((L7STS|L7TOUT|L6TOUT)\\)`),
      );
      expect(happenings(seen, card.target)).toEqual([]);
      expect(pathOf(seen, card.target).writeGapMs).toBeGreaterThan(6_000);
      for (const other of otherPaths(seen, card.target)) expect(failedDuring(other)).toBe(0);
    });

    it('apiserver-stale-cache: its watch is late by the delay, those of the others are not', () => {
      const { card, seen } = metCard(of(), 'apiserver-stale-cache');
      const delayMs = pathOf(seen, card.target).watch?.longestDelayMs ?? 0;
      expect(delayMs).toBeGreaterThan(400);
      for (const other of otherPaths(seen, card.target))
        expect(other.watch?.longestDelayMs).toBeLessThan(delayMs);
      expect(pathOf(seen, card.target).writes.during.p50Us).toBeGreaterThan(400_000);
    });
  });

  describe('faults of etcd', () => {
    it('etcd-no-space: writes fail with 500, reads do not', () => {
      const { seen } = metCard(of(), 'etcd-no-space');
      expect(finding(seen, 'alarms-raised')).toBeGreaterThan(0);
      expect(finding(seen, 'alarms-left')).toBe(0);
      expect(errorKinds(seen)).toContain('write http-500');
      expect(failedDuring({ ...pathOf(seen, 'balanced'), writes: pathOf(seen, 'balanced').reads })).toBe(0);
    });

    it('etcd-follower-kill: no election', () => {
      const { card, seen } = metCard(of(), 'etcd-follower-kill');
      expect(happenings(seen, card.target)).toEqual(
        expect.arrayContaining(['exited signal SIGKILL', 'started', 'ready']),
      );
      expect(seen.leaderChanges.etcd).toBe(0);
      expect(noticed(seen).join()).not.toContain('etcd elected');
    });

    it('etcd-leader-kill: the others elect one of them', () => {
      const { card, seen } = metCard(of(), 'etcd-leader-kill');
      expect(happenings(seen, card.target)).toEqual(
        expect.arrayContaining(['exited signal SIGKILL', 'started', 'ready']),
      );
      const [first] = noticed(seen).filter((by) => by.startsWith('etcd elected'));
      expect(first).toBeDefined();
      expect(first).not.toBe(`etcd elected ${card.target}`);
      // An election costs at least the shortest election timeout.
      expect(seen.writeGapMs).toBeGreaterThan(500);
    });

    it('etcd-leader-hang: the others elect one of them, and calls with the hung one wait', () => {
      const { card, seen } = metCard(of(), 'etcd-leader-hang');
      expect(happenings(seen, card.target)).toEqual(expect.arrayContaining(['paused', 'resumed']));
      const [first] = noticed(seen).filter((by) => by.startsWith('etcd elected'));
      expect(first).toBeDefined();
      expect(first).not.toBe(`etcd elected ${card.target}`);
      expect(seen.writeGapMs).toBeGreaterThan(500);
    });

    it('etcd-slow-disk: writes take as much longer, and the leader stays', () => {
      const { seen } = metCard(of(), 'etcd-slow-disk');
      const { writes } = pathOf(seen, 'balanced');
      expect(writes.during.p50Us).toBeGreaterThan(Number(writes.before.p50Us) + 80_000);
      expect(writes.after.p50Us).toBeLessThan(Number(writes.during.p50Us));
    });

    it('etcd-quorum-loss: no write passes until the majority is back', () => {
      const { card, seen } = metCard(of(), 'etcd-quorum-loss');
      const lost = card.target.split(', ');
      expect(lost).toHaveLength(2);
      for (const name of lost)
        expect(happenings(seen, name)).toEqual(
          expect.arrayContaining(['exited signal SIGKILL', 'started', 'ready']),
        );
      expect(seen.writeGapMs).toBeGreaterThan(6_000);
      expect(errorKinds(seen).length).toBeGreaterThan(0);
      // Health checks that ask etcd take every API server out.
      for (const index of [0, 1, 2])
        expect(noticed(seen).join()).toContain(`took kube-apiserver-${index} for DOWN`);
    });

    it('etcd-member-replace: another member under the same name, with the same content', () => {
      const { card, seen } = metCard(of(), 'etcd-member-replace');
      expect(finding(seen, 'members-replaced')).toBe(1);
      expect(finding(seen, 'store-hashes')).toBe(1);
      expect(happenings(seen, card.target)).toEqual(
        expect.arrayContaining([expect.stringMatching(/^exited/), 'started', 'ready']),
      );
    });

    it('etcd-restore: revisions jump, every watch lists again, every API server was restarted', () => {
      const { seen } = metCard(of(), 'etcd-restore');
      expect(finding(seen, 'revisions-raised')).toBeGreaterThan(900_000_000);
      expect(finding(seen, 'store-hashes')).toBe(1);
      for (const { path, watch } of seen.paths) expect(watch?.relistCount, path).toBeGreaterThan(0);
      for (const index of [0, 1, 2])
        expect(happenings(seen, `kube-apiserver-${index}`)).toEqual(
          expect.arrayContaining([expect.stringMatching(/^exited/), 'started', 'ready']),
        );
    });
  });

  describe('faults of the load balancer', () => {
    it('load-balancer-kill: nothing passes, and the API servers are well', () => {
      const { card, seen } = metCard(of(), 'load-balancer-kill');
      expect(happenings(seen, card.target)).toEqual(
        expect.arrayContaining(['exited signal SIGKILL', 'started', 'ready']),
      );
      expect(seen.writeGapMs).toBeGreaterThan(2_900);
      expect(errorKinds(seen)).toContain('write connection');
      for (const other of otherPaths(seen, 'balanced')) expect(failedDuring(other)).toBe(0);
    });

    it('load-balancer-restart: everybody connects anew', () => {
      const { card, seen } = metCard(of(), 'load-balancer-restart');
      expect(happenings(seen, card.target)).toEqual(
        expect.arrayContaining(['exited signal SIGKILL', 'started', 'ready']),
      );
      expect(errorKinds(seen).join()).toContain('connection');
      expect(seen.fleetReconnectCount).toBeGreaterThan(0);
      for (const other of otherPaths(seen, 'balanced')) expect(failedDuring(other)).toBe(0);
    });

    it('load-balancer-dead-member: never noticed, and redispatched', () => {
      const { card, seen } = metCard(of(), 'load-balancer-dead-member');
      expect(happenings(seen, card.target)).toContain('exited signal SIGKILL');
      expect(noticed(seen).join()).not.toContain(`took ${card.target} for DOWN`);
      expect(failedDuring(pathOf(seen, card.target))).toBeGreaterThan(0);
      for (const other of otherPaths(seen, card.target)) expect(failedDuring(other)).toBe(0);
    });
  });

  describe('faults of the network between members', () => {
    it('partition: the leader is alone, and the others elect one of them', () => {
      const { card, seen } = metCard(of(), 'partition');
      const [first] = noticed(seen).filter((by) => by.startsWith('etcd elected'));
      expect(first).toBeDefined();
      expect(first).not.toBe(`etcd elected ${card.target}`);
      expect(happenings(seen, card.target)).toEqual([]);
      expect(seen.writeGapMs).toBeGreaterThan(500);
    });

    it('network-delay: a write takes the round trips longer', () => {
      const { seen } = metCard(of(), 'network-delay');
      const { writes } = pathOf(seen, 'balanced');
      // There and back between API server and leader, there and back between leader and follower: 50 ms each.
      expect(writes.during.p50Us).toBeGreaterThan(Number(writes.before.p50Us) + 150_000);
      expect(writes.after.p50Us).toBeLessThan(Number(writes.during.p50Us));
      expect(seen.leaderChanges.etcd).toBe(0);
    });

    it('network-loss: calls that are hit take a retransmission longer', () => {
      const { seen } = metCard(of(), 'network-loss');
      const { writes } = pathOf(seen, 'balanced');
      // A retransmission is 200 ms.
      expect(writes.during.p99Us).toBeGreaterThan(200_000);
      expect(writes.during.p50Us).toBeGreaterThan(Number(writes.before.p50Us));
    });
  });

  it('zone-outage: its members are gone, its nodes are Unknown, the rest serves', () => {
    const { card, seen } = metCard(of(), 'zone-outage');
    const [zone, ...members] = card.target.split(', ');
    expect(zone).toMatch(/^zone-[abc]$/);
    expect(members.filter((name) => name.startsWith('etcd'))).toHaveLength(1);
    for (const name of members)
      expect(happenings(seen, name)).toEqual(
        expect.arrayContaining(['exited signal SIGKILL', 'started', 'ready']),
      );
    // A third of six nodes.
    expect(seen.nodesNotReadyCount).toBe(2);
    const [server = ''] = members.filter((name) => name.startsWith('kube-apiserver'));
    expect(noticed(seen).join()).toContain(`took ${server} for DOWN`);
    for (const other of otherPaths(seen, server)) expect(other.writeGapMs).toBeLessThan(10_000);
  });
}
