/**
 * A highly available plane and every lever on it, on the real programs: one plane for all, each lever asserted by what
 * the plane itself then says.
 */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TOPOLOGIES } from '../../src/config/index.ts';
import {
  type LocalControlPlane,
  type PlaneLevers,
  startLocalControlPlane,
} from '../../src/controlplane/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { openConnection } from '../../src/kube/index.ts';
import { ServerMetrics } from '../../src/measure/index.ts';

/** Low enough to be filled in seconds, and set from the start so that no member has to be restarted for it. */
const QUOTA_BYTES = 24 * 1024 * 1024;
const STORES = ['etcd-0', 'etcd-1', 'etcd-2'] as const;
const SERVERS = ['kube-apiserver-0', 'kube-apiserver-1', 'kube-apiserver-2'] as const;

/** Debian packages that `.ci/run` installs. Without them a highly available plane cannot be had here. */
const missing = ['haproxy', 'strace'].filter(
  (name) =>
    !['/usr/sbin', '/usr/bin', '/usr/local/sbin', '/usr/local/bin'].some((path) =>
      existsSync(join(path, name)),
    ),
);
const skipped = missing.length > 0 && process.env['CI'] !== 'true';
if (skipped)
  process.stderr.write(`highly available planes are not tested: apt-get install ${missing.join(' ')}\n`);

const { signal } = new AbortController();
let directory: string;
let plane: LocalControlPlane;
let levers: PlaneLevers;

beforeAll(async () => {
  if (skipped) return;
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-topology-'));
  plane = await startLocalControlPlane(
    {
      directory: join(directory, 'plane'),
      topology: TOPOLOGIES['ha-partitionable'].settings,
      flags: { etcd: { 'quota-backend-bytes': String(QUOTA_BYTES) } },
    },
    { signal, clock: systemClock, log: silentLogger(), env: process.env },
  );
  levers = plane.levers;
}, 180_000);

afterAll(async () => {
  if (skipped) return;
  await plane?.stop();
  const left = readdirSync('/proc').filter((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(directory);
    } catch {
      return false;
    }
  });
  rmSync(directory, { recursive: true, force: true });
  expect(left).toEqual([]);
}, 120_000);

async function until<T>(
  what: string,
  ask: () => Promise<T | undefined | false>,
  timeoutMs = 30_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) return answer;
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function leader(): Promise<string> {
  return until('etcd has a leader', () => levers.etcd.leader(signal));
}

async function stateOf(server: string): Promise<string> {
  const servers = await levers.loadBalancer?.servers(signal);
  return servers?.find(({ name }) => name === server)?.state ?? '';
}

/** Milliseconds of a request through one member that etcd has to agree on. */
async function writeMs(member: string): Promise<number> {
  const beginMs = performance.now();
  // A compaction at the present revision is a proposal like any write.
  await levers.etcd.compact(signal).catch(() => {});
  await levers.etcd.status(member, signal);
  return performance.now() - beginMs;
}

describe.skipIf(skipped)('a highly available plane', () => {
  it('has its members in three zones, behind one address', async () => {
    const zones = levers.instances().map(({ name, zone }) => `${name} ${zone}`);
    expect(zones).toEqual(
      expect.arrayContaining([
        'etcd-2 zone-c',
        'kube-apiserver-1 zone-b',
        'kube-controller-manager-1 zone-b',
        'kube-scheduler-0 zone-a',
        'haproxy-0 undefined',
      ]),
    );
    expect(plane.admin.members).toHaveLength(3);
    expect(plane.admin.members).not.toContain(plane.admin.server);
    expect((await levers.loadBalancer?.servers(signal))?.map(({ name }) => name)).toEqual([...SERVERS]);
    expect((await levers.etcd.members(signal)).map(({ name }) => name).sort()).toEqual([...STORES]);
  });

  it('gives each API server an identity of its own, and says who leads', async () => {
    const leaders = await until('both leases are held', async () => {
      const found = await levers.leaders(signal);
      return found.controllerManager !== undefined && found.scheduler !== undefined && found;
    });
    expect(leaders.controllerManager).toMatch(/^kube-controller-manager-[01]$/);
    expect(leaders.scheduler).toMatch(/^kube-scheduler-[01]$/);
  });

  it('is scraped member by member, each under its own name, and says who cannot be reached', async () => {
    levers.hold('kube-scheduler-1');
    await levers.kill('kube-scheduler-1');
    await using metrics = new ServerMetrics(plane.components, { clock: systemClock, log: silentLogger() });
    await metrics.scrape({ measured: false, signal });
    const [member] = plane.admin.members;
    await using connection = await openConnection(plane.admin, { server: member ?? '' });
    const readCount = 25;
    for (let i = 0; i < readCount; i++)
      await connection.request({ method: 'GET', path: '/api/v1/namespaces/kube-public' });
    await metrics.scrape({ measured: true, signal });
    levers.release('kube-scheduler-1');

    const figures = metrics.components();
    const named = (name: string) => figures.find((one) => one.name === name);
    expect(figures.map(({ name }) => name).sort()).toEqual(plane.components.map(({ name }) => name).sort());
    for (const name of [...SERVERS, ...STORES])
      expect(named(name), name).toMatchObject({ scrapeCount: 2, scrapeGapCount: 0 });
    const reads = (name: string) =>
      (named(name)?.sli ?? [])
        .filter(
          ({ verb, resource, scope }) => verb === 'GET' && resource === 'namespaces' && scope === 'resource',
        )
        .reduce((sum, { count }) => sum + count, 0);
    expect(reads('kube-apiserver-0')).toBeGreaterThanOrEqual(readCount);
    expect(reads('kube-apiserver-1')).toBeLessThan(readCount);
    expect(reads('kube-apiserver-2')).toBeLessThan(readCount);
    expect(named('kube-scheduler-1')?.unreachable).toMatch(/ECONNREFUSED/);
    expect(named('haproxy-0')?.unreachable).toMatch(/has no metrics/);
    await levers.awaitReady('kube-scheduler-1', signal);
  });

  it('restarts a member that is killed, and tells apart what it did from what followed', async () => {
    const before = levers.events.length;
    await levers.kill('kube-scheduler-1');
    expect(levers.isRunning('kube-scheduler-1')).toBe(false);
    await levers.awaitReady('kube-scheduler-1', signal);
    const events = levers.events.slice(before).filter(({ name }) => name === 'kube-scheduler-1');
    expect(events.map(({ kind }) => kind).slice(0, 2)).toEqual(['exited', 'started']);
    expect(events[0]).toMatchObject({ induced: true, detail: 'signal SIGKILL' });
    const [exited, started] = events;
    const waitedMs = ((started?.atUs ?? 0) - (exited?.atUs ?? 0)) / 1_000;
    expect(waitedMs).toBeGreaterThanOrEqual(levers.restartPolicy.firstDelayMs - 1);
  });

  it('leaves a held member ended until it is released', async () => {
    levers.hold('kube-controller-manager-1');
    await levers.terminate('kube-controller-manager-1');
    await new Promise((resolve) => setTimeout(resolve, 2 * levers.restartPolicy.firstDelayMs));
    expect(levers.isRunning('kube-controller-manager-1')).toBe(false);
    levers.release('kube-controller-manager-1');
    await levers.awaitReady('kube-controller-manager-1', signal);
  });

  it('takes a paused API server out, and in again when it is woken', async () => {
    levers.pause('kube-apiserver-2');
    await until('HAProxy marks it down', async () => (await stateOf('kube-apiserver-2')).startsWith('DOWN'));
    levers.resume('kube-apiserver-2');
    await until('HAProxy marks it up', async () => (await stateOf('kube-apiserver-2')) === 'UP');
  });

  it('drains and forces servers at the load balancer until it is healed', async () => {
    await levers.loadBalancer?.setServerState('kube-apiserver-0', 'drain', signal);
    expect(await stateOf('kube-apiserver-0')).toMatch(/^DRAIN/);
    await levers.loadBalancer?.forceHealth('kube-apiserver-1', 'down', signal);
    expect(await stateOf('kube-apiserver-1')).toMatch(/^DOWN/);
    await levers.healAll(signal);
    for (const server of SERVERS) expect(await stateOf(server)).toBe('UP');
  });

  it('has the majority elect another leader when the leader is cut off', async () => {
    const old = await leader();
    const others = STORES.filter((name) => name !== old);
    await levers.links?.isolate([old], { cut: 'drop' }, signal);
    const next = await until('the others agree on one of them', async () => {
      const found = await levers.etcd.leader(signal);
      return found !== undefined && found !== old && found;
    });
    expect(others).toContain(next);
    // The old leader steps down by itself: it knows that it has no majority.
    await until(
      'the old leader knows none',
      async () => (await levers.etcd.status(old, signal)).leaderId === '0',
    );
    await levers.links?.healAll(signal);
    const known = (await levers.etcd.status(next, signal)).memberId;
    await until('it follows', async () => (await levers.etcd.status(old, signal)).leaderId === known);
  });

  it('delays what members say to each other, and what the disk takes', async () => {
    const first = await leader();
    const quickMs = Math.min(await writeMs(first), await writeMs(first), await writeMs(first));
    for (const other of STORES.filter((name) => name !== first))
      await levers.links?.set(first, other, { delayMs: 300 }, signal);
    expect(await writeMs(first)).toBeGreaterThan(quickMs + 250);
    await levers.links?.healAll(signal);
    for (const store of STORES) await levers.slowDisk(store, 400, signal);
    expect(await writeMs(first)).toBeGreaterThan(quickMs + 350);
    for (const store of STORES) await levers.slowDisk(store, 0, signal);
    await until('it is quick again', async () => (await writeMs(first)) < quickMs + 350);
  });

  it('cuts one API server off from etcd, which then is not ready', async () => {
    await levers.links?.isolate(['kube-apiserver-0'], { cut: 'reset' }, signal);
    await until('it is down', async () => (await stateOf('kube-apiserver-0')).startsWith('DOWN'));
    expect(await stateOf('kube-apiserver-1')).toBe('UP');
    await levers.links?.healAll(signal);
    await until('it is up', async () => (await stateOf('kube-apiserver-0')) === 'UP');
  });

  it('has certificates expire and rotate without a restart', async () => {
    const exits = levers.instances().map(({ exitCount }) => exitCount);
    for (const name of ['kube-apiserver-1', 'etcd-1']) {
      await levers.certificates.expire(name);
      await until(`${name} serves the expired one`, async () => {
        const { notAfter } = await levers.certificates.served(name, signal);
        return Date.parse(notAfter) < Date.now();
      });
      const serial = await levers.certificates.rotate(name);
      await until(
        `${name} serves the new one`,
        async () => (await levers.certificates.served(name, signal)).serial === serial,
      );
    }
    expect(levers.instances().map(({ exitCount }) => exitCount)).toEqual(exits);
  });

  it('fills the database until NOSPACE, and recovers', async () => {
    const filledBytes = await levers.etcd.fillTo(QUOTA_BYTES, signal);
    expect(filledBytes).toBeGreaterThan(QUOTA_BYTES * 0.9);
    expect((await levers.etcd.alarms(signal)).map(({ alarm }) => alarm)).toContain('NOSPACE');
    await levers.etcd.recoverSpace(signal);
    expect(await levers.etcd.alarms(signal)).toEqual([]);
    const [first] = STORES;
    expect((await levers.etcd.status(first, signal)).databaseBytes).toBeLessThan(filledBytes / 2);
  });

  it('replaces a member through a learner, and all agree on the content', async () => {
    const idOf = async () => (await levers.etcd.members(signal)).find(({ name }) => name === 'etcd-2');
    const before = await idOf();
    await levers.etcd.replaceMember('etcd-2', signal);
    const after = await idOf();
    expect(after?.learner).toBe(false);
    expect(after?.id).not.toBe(before?.id);
    const { revision } = await levers.etcd.status('etcd-2', signal);
    const stores = await until('all have that revision and are compacted alike', async () => {
      const all = await Promise.allSettled(STORES.map((name) => levers.etcd.hashKv(name, revision, signal)));
      const good = all.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      const compacted = new Set(good.map((one) => one.compactRevision));
      return good.length === STORES.length && compacted.size === 1 && good;
    });
    expect(stores.map((one) => one.revision)).toEqual(STORES.map(() => revision));
    expect(new Set(stores.map(({ hash }) => hash)).size).toBe(1);
  });

  it('restarts a member with other flags, and with another version', async () => {
    await levers.restart('kube-scheduler-0', { flags: { v: '3' } }, signal);
    const scheduler = plane.components.find(({ name }) => name === 'kube-scheduler-0');
    expect(scheduler?.args).toContain('--v=3');
    await levers.restart('kube-apiserver-2', { version: plane.kubernetesVersion }, signal);
    expect(levers.instances().find(({ name }) => name === 'kube-apiserver-2')).toMatchObject({
      changedVersion: plane.kubernetesVersion,
      state: 'running',
    });
  });

  it('begins anew from a snapshot with revisions that only rise', async () => {
    const path = join(directory, 'snapshot.db');
    const sizeBytes = await levers.etcd.snapshot(path, signal);
    expect(statSync(path).size).toBe(sizeBytes);
    const { revision } = await levers.etcd.status('etcd-0', signal);
    await levers.etcd.restore(path, { bumpRevision: true }, signal);
    expect((await levers.etcd.status('etcd-0', signal)).revision).toBeGreaterThan(revision + 1e9 - 1);
    await levers.healAll(signal);
    expect(levers.instances().every(({ state }) => state === 'running')).toBe(true);
  });
});
