/** Tests of the cards of faults-nodes: leaders, nodes, whole sets of API servers, and a move to another version. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
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

const LED = [
  { short: 'controller-manager', lease: 'kube-controller-manager', changes: 'controllerManager' },
  { short: 'scheduler', lease: 'kube-scheduler', changes: 'scheduler' },
] as const;
const SERVERS = ['kube-apiserver-0', 'kube-apiserver-1'];
/** As the suite's flags have it. */
const LEASE_MS = 6_000;
const NODE_GRACE_MS = 16_000;
const HEARTBEAT_MS = 3_000;

/** Declares them, over the run that `of` hands out once it is over. */
export function testNodesFaults(of: () => FaultsRun): void {
  describe('faults of leaders', () => {
    for (const { short, lease, changes } of LED) {
      it(`${short}-kill: the standby takes the lease, and only the Deployments wait`, () => {
        const { card, seen } = metCard(of(), `${short}-kill`);
        expect(card.target).toMatch(new RegExp(`^${lease}-[01]$`));
        expect(happenings(seen, card.target)).toContain('exited signal SIGKILL');
        const passed = noticed(seen).filter((by) => by.startsWith(`the lease ${lease} passed to`));
        expect(passed).toHaveLength(1);
        expect(passed[0]).not.toContain(card.target);
        expect(seen.leaderChanges[changes]).toBe(1);
        // Nobody was at work until the lease had run out.
        expect(seen.podBoundMs).toBeGreaterThan(LEASE_MS / 2);
      });

      it(`${short}-hang: the standby takes the lease, and the old leader ends itself once it wakes`, () => {
        const { card, seen } = metCard(of(), `${short}-hang`);
        expect(happenings(seen, card.target).slice(0, 2)).toEqual(['paused', 'resumed']);
        const [passed] = noticed(seen).filter((by) => by.startsWith(`the lease ${lease} passed to`));
        expect(passed).toBeDefined();
        expect(passed).not.toContain(card.target);
        expect(noticed(seen).join()).toContain(`${card.target} ended by itself (exit code 1)`);
      });
    }

    it('leaders-kill: both leases pass on', () => {
      const { card, seen } = metCard(of(), 'leaders-kill');
      for (const { lease, changes } of LED) {
        expect(card.target).toContain(lease);
        expect(seen.leaderChanges[changes]).toBe(1);
      }
      expect(seen.podBoundMs).toBeGreaterThan(LEASE_MS / 2);
    });
  });

  describe('faults of nodes', () => {
    it.each(['nodes-silent', 'nodes-certificate-expired'])(
      '%s: Unknown after the grace period, back with a heartbeat, and nobody is evicted',
      (fault) => {
        const { card, seen } = metCard(of(), fault);
        expect(card.target).toBe('3 nodes');
        expect(seen.nodesNotReadyCount).toBe(3);
        expect(seen.firstNodeNotReadyMs).toBeGreaterThan(NODE_GRACE_MS - HEARTBEAT_MS - 1_000);
        expect(seen.allNodesReadyMs).toBeDefined();
        expect(noticed(seen)).toEqual([expect.stringMatching(/^node .* is not Ready$/)]);
        expect(seen.errors).toEqual([]);
      },
    );

    it('nodes-certificate-expired: it was the API server that refused their leases', () => {
      const leases = of().result.series.filter(
        ({ key }) => key.source !== 'load' && key.resource === 'leases' && key.verb === 'update',
      );
      const refusedCount = leases.reduce((sum, { errors }) => sum + (errors['http-4xx'] ?? 0), 0);
      // Each of three nodes asks a few times in the grace period.
      expect(refusedCount).toBeGreaterThanOrEqual(3);
    });

    it('nodes-flap: silences shorter than the grace period are forgiven', () => {
      const { card, seen } = metCard(of(), 'nodes-flap');
      expect(card.target).toBe('3 nodes');
      expect(seen.nodesNotReadyCount).toBe(0);
    });

    it('nodes-slow: late and not lost', () => {
      const { seen } = metCard(of(), 'nodes-slow');
      expect(seen.nodesNotReadyCount).toBe(0);
      // Each request of a slow node leaves 2 s late.
      expect(Number(of().result.fleet?.leaseLateness.summary.maxUs)).toBeGreaterThan(1_900_000);
    });

    it('nodes-reconnect: connections are made anew, watches go on where they were', () => {
      const { seen } = metCard(of(), 'nodes-reconnect');
      // A kubelet and a proxy of each of three nodes.
      expect(seen.fleetReconnectCount).toBeGreaterThanOrEqual(6);
      expect(seen.errors).toEqual([]);
    });

    it('nodes-restart: not Ready while they begin anew, and Ready long before they would be Unknown', () => {
      const { seen } = metCard(of(), 'nodes-restart');
      expect(seen.nodesNotReadyCount).toBe(3);
      expect(seen.allNodesReadyMs).toBeLessThan(NODE_GRACE_MS);
      expect(seen.errors).toEqual([]);
    });

    it('nodes-drain: evicted within the budget, and replaced elsewhere', () => {
      const { card, seen } = metCard(of(), 'nodes-drain');
      expect(card.target.split(', ')).toHaveLength(2);
      expect(finding(seen, 'evictions-granted')).toBeGreaterThan(0);
      expect(finding(seen, 'evictions-refused')).toBeGreaterThan(0);
      expect(seen.podsEvictedCount).toBeGreaterThan(0);
      expect(seen.podsRescheduledCount).toBeGreaterThan(0);
    });
  });

  describe('faults of all API servers', () => {
    it('apiserver-certificate-expired: the load balancer refuses the certificate', () => {
      const { card, seen } = metCard(of(), 'apiserver-certificate-expired');
      expect(finding(seen, 'certificates-expired')).toBe(1);
      expect(finding(seen, 'certificates-rotated')).toBe(1);
      expect(noticed(seen)).toEqual([`the load balancer took ${card.target} for DOWN (L6RSP)`]);
      // Without a restart.
      expect(happenings(seen, card.target)).toEqual([]);
    });

    it('apiserver-overload: the flood is rejected, leaders and nodes are not', () => {
      const { seen } = metCard(of(), 'apiserver-overload');
      expect(finding(seen, 'flood-rejected')).toBeGreaterThan(0);
      expect(seen.leaderChanges).toEqual({ etcd: 0, controllerManager: 0, scheduler: 0 });
      expect(seen.nodesNotReadyCount).toBe(0);
    });

    it('apiserver-all-killed: nothing is served until they are back', () => {
      const { seen } = metCard(of(), 'apiserver-all-killed');
      for (const name of SERVERS)
        expect(happenings(seen, name)).toEqual(
          expect.arrayContaining(['exited signal SIGKILL', 'started', 'ready']),
        );
      expect(errorKinds(seen)).toContain('write connection');
      expect(seen.writeGapMs).toBeGreaterThan(3_000);
    });

    it('apiserver-restart: one ends in order and comes back', () => {
      const { card, seen } = metCard(of(), 'apiserver-restart');
      expect(happenings(seen, card.target)).toEqual(
        expect.arrayContaining([expect.stringMatching(/^exited exit code 0/), 'started', 'ready']),
      );
      for (const other of otherPaths(seen, card.target)) {
        expect(happenings(seen, other.path)).toEqual([]);
        expect(failedDuring(other)).toBe(0);
      }
      expect(pathOf(seen, 'balanced').writeGapMs).toBeLessThan(pathOf(seen, card.target).writeGapMs);
    });

    it('apiserver-rolling-restart: each ends in order, never two at once', () => {
      const { card, seen } = metCard(of(), 'apiserver-rolling-restart');
      expect(card.target.split(', ').sort()).toEqual(SERVERS);
      const away = (seen.processes ?? [])
        .filter(({ name, what }) => SERVERS.includes(name) && (what === 'exited' || what === 'ready'))
        .map(({ what }) => what);
      expect(away).toEqual(['exited', 'ready', 'exited', 'ready']);
    });

    it('upgrade: every API server says the other version, then its own again', () => {
      const { seen } = metCard(of(), 'upgrade');
      expect(finding(seen, 'servers-moved')).toBe(2);
      expect(finding(seen, 'servers-returned')).toBe(2);
      for (const name of [...SERVERS, 'kube-scheduler-0', 'kube-controller-manager-1'])
        expect(happenings(seen, name).filter((what) => what === 'started')).toHaveLength(2);
    });
  });

  it('command: induced and healed by the commands of the suite, which know the cluster', () => {
    const { seen } = metCard(of(), 'command');
    const { path } = of().folder;
    expect(existsSync(join(path, 'induced.txt'))).toBe(false);
    expect(readFileSync(join(path, 'healed.txt'), 'utf8')).toMatch(/kubeconfig/);
    expect(seen.notices).toEqual([]);
  });
}
