/** Probes and the placement of the load against a real control plane. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PhaseProbes } from '../../loadgen/index.ts';
import type { LoadPhase } from '../../src/config/index.ts';
import { type LocalControlPlane, startLocalControlPlane } from '../../src/controlplane/index.ts';
import { delay, silentLogger, systemClock } from '../../src/core/index.ts';
import { type ClusterAccess, type Connection, JsonClient, openConnection } from '../../src/kube/index.ts';
import { RunCallRecorder } from '../../src/measure/index.ts';
import { removeWorkloads } from '../../src/run/clean-up.ts';
import { placeLoad } from '../../src/run/load-placement.ts';
import { ProbeSums } from '../../src/run/probe-sums.ts';
import { RESOURCES } from '../../src/run/resources.ts';

const NEVER = new AbortController().signal;
const clock = systemClock;
const RUN_ID = '20260101-000000-it';
const LABELS = { 'hollowmark.dev/run': RUN_ID };
const USER = 'hollowmark:load';

let directory: string;
let plane: LocalControlPlane;
let admin: Connection;
let client: JsonClient;
let loadAccess: ClusterAccess;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hollowmark-probes-'));
  plane = await startLocalControlPlane(
    { directory, profile: 'fast' },
    { signal: NEVER, clock, log: silentLogger(), env: process.env },
  );
  admin = await openConnection(plane.admin);
  client = new JsonClient(admin, clock);
  loadAccess = { ...plane.admin, impersonate: { user: USER, groups: [USER] } };
  await client.create(RESOURCES.namespaces, { metadata: { name: 'probes', labels: LABELS } });
  await client.create(RESOURCES.clusterrolebindings, {
    metadata: { name: 'load', labels: LABELS },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: USER }],
  });
}, 600_000);

afterAll(async () => {
  await admin?.close();
  await plane?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('probes on a real control plane', () => {
  it('find it available, every write at every watcher, and no stale read', async () => {
    const recorder = new RunCallRecorder();
    const probes = new PhaseProbes(
      {
        seed: 1,
        access: loadAccess,
        members: [{ name: 'kube-apiserver-0', server: plane.admin.server }],
        namespace: 'probes',
        labels: LABELS,
      },
      { clock, log: silentLogger(), recorder },
    );
    await probes.start(NEVER);
    const phase: LoadPhase = {
      name: 'probed',
      measured: true,
      durationMs: 3_000,
      settleTimeoutMs: 0,
      actions: [
        {
          action: 'probes',
          name: 'probes',
          timeoutMs: 5_000,
          availability: { ratePerSecond: 10, endpoint: '/readyz' },
          propagation: { ratePerSecond: 5, watcherCount: 25 },
          readYourWrite: { ratePerSecond: 5 },
        },
      ],
    };
    await probes.startPhase(phase, clock.nowUs() + 100_000);
    await delay(3_000, { signal: NEVER, clock });
    await probes.endPhase();
    const sums = new ProbeSums();
    sums.add(probes.drain());
    await probes.stop();
    const [found] = sums.summary() ?? [];
    expect(found?.availability.map(({ path, badCount }) => [path, badCount])).toEqual([
      ['balanced', 0],
      ['kube-apiserver-0', 0],
    ]);
    for (const { goodCount } of found?.availability ?? []) expect(goodCount).toBeGreaterThan(20);
    const { writeCount = 0, ...propagation } = found?.propagation ?? {};
    expect(writeCount).toBeGreaterThan(8);
    expect(propagation).toMatchObject({
      watcherCount: 25,
      completeCount: writeCount,
      incompleteCount: 0,
      failedCount: 0,
    });
    const { first, last, spread } = found?.propagation ?? {};
    expect(first?.summary.count).toBe(writeCount);
    expect(first?.summary.maxUs).toBeLessThanOrEqual(last?.summary.maxUs ?? 0);
    expect(spread?.summary.maxUs).toBeLessThanOrEqual(last?.summary.maxUs ?? 0);
    expect(found?.readYourWrite).toHaveLength(4);
    for (const { readCount, staleCount, failedCount } of found?.readYourWrite ?? []) {
      expect(readCount).toBeGreaterThan(8);
      expect([staleCount, failedCount]).toEqual([0, 0]);
    }
    // Every call of the probes is in a series of source probe, and accounted for.
    const windows = recorder.drain();
    expect(new Set(windows.map(({ key }) => key.source))).toEqual(new Set(['probe']));
    for (const { key, offeredCount, doneCount, failedCount, droppedCount } of windows)
      expect(offeredCount, JSON.stringify(key)).toBe(doneCount + failedCount + droppedCount);
  });
});

describe('the placement of the load', () => {
  const levelOf = async (access: ClusterAccess) => {
    await using connection = await openConnection(access);
    const { priorityLevelUid } = await connection.request({ method: 'GET', path: '/api/v1/namespaces' });
    const { items } = await client.list(RESOURCES.prioritylevelconfigurations);
    return items.find(({ metadata }) => metadata.uid === priorityLevelUid)?.metadata.name;
  };
  const wanted = { runId: RUN_ID, user: USER, labels: LABELS };

  it('is where its groups belong, then in the level that was asked for, and back when the run is cleaned up', async () => {
    expect(await levelOf(loadAccess)).toBe('global-default');
    await placeLoad(
      client,
      { ...wanted, loadAccess, priorityLevel: 'workload-high' },
      { clock, signal: NEVER },
    );
    expect(await levelOf(loadAccess)).toBe('workload-high');
    const outcome = await removeWorkloads(
      { admin: plane.admin, runId: RUN_ID, podsEndByThemselves: false, waitForNamespaces: false },
      { clock, log: silentLogger(), signal: NEVER, onDetail: () => {} },
    );
    expect(outcome.state, outcome.text).toBe('clean');
    const left = await client.list(RESOURCES.flowschemas, { labelSelector: `hollowmark.dev/run=${RUN_ID}` });
    expect(left.items).toEqual([]);
  });

  it('is exempt for system:masters, without a schema of its own', async () => {
    const access = { ...plane.admin, impersonate: { user: USER, groups: ['system:masters'] } };
    await placeLoad(
      client,
      { ...wanted, loadAccess: access, priorityLevel: 'exempt' },
      { clock, signal: NEVER },
    );
    expect(await levelOf(access)).toBe('exempt');
    const own = await client.list(RESOURCES.flowschemas, { labelSelector: `hollowmark.dev/run=${RUN_ID}` });
    expect(own.items).toEqual([]);
  });

  it('is refused where there is no such level, with those that there are', async () => {
    const placed = placeLoad(
      client,
      { ...wanted, loadAccess, priorityLevel: 'gold' },
      { clock, signal: NEVER },
    );
    await expect(placed).rejects.toMatchObject({
      code: 'HM_CLUSTER_STATE',
      message: expect.stringContaining('no priority level gold'),
      hint: expect.stringContaining('workload-low'),
    });
  });
});
