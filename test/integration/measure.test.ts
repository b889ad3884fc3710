/** The observer and the scrapes against a real control plane: what they say agrees with what was done to it. */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalControlPlane, startLocalControlPlane } from '../../src/controlplane/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { type Connection, openConnection, openHttp1Pool } from '../../src/kube/index.ts';
import {
  LOAD_ONLY_METRICS,
  PodInstantBuffer,
  PodTimelines,
  PodTracker,
  parsePrometheusText,
  ServerMetrics,
  WANTED_SAMPLES,
} from '../../src/measure/index.ts';
import {
  judgeSlo,
  judgeTrust,
  OFFICIAL_LIMITS,
  type PodRecord,
  type ServerComponent,
} from '../../src/result/index.ts';
import { runResult, trustInput } from '../helpers/results.ts';
import { startTcpRelay } from '../helpers/tcp-relay.ts';

const NEVER = new AbortController().signal;
const POD_COUNT = 5;
const parts = { clock: systemClock, log: silentLogger() };

let directory: string;
let plane: LocalControlPlane;
let admin: Connection;

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hollowmark-measure-'));
  plane = await startLocalControlPlane(
    { directory, profile: 'fast' },
    { signal: NEVER, clock: systemClock, log: silentLogger(), env: process.env },
  );
  admin = await openConnection(plane.admin);
  const account = '/api/v1/namespaces/default/serviceaccounts/default';
  await until(async () => (await call('GET', account)).status === 200, 'the default service account');
}, 600_000);

afterAll(async () => {
  await admin?.close();
  await plane?.stop();
  await rm(directory, { recursive: true, force: true });
});

describe('measurement on a real control plane', () => {
  it('follows pods from creation to removal and reads what the API server says of the same calls', async () => {
    const podInstants = new PodInstantBuffer();
    const tracker = new PodTracker(
      { access: plane.admin, labelSelector: 'hollowmark.dev/run=it', seed: 1 },
      { ...parts, podInstants },
    );
    await using metrics = new ServerMetrics(plane.components, parts);
    const epochUs = systemClock.nowUs();
    await tracker.start(NEVER);
    await metrics.scrape({ measured: false, signal: NEVER });

    await makeReadyNode('n1');
    const names = Array.from({ length: POD_COUNT }, (_, index) => `pod-${index}`);
    for (const name of names) {
      const sentUs = systemClock.nowUs();
      await call('POST', '/api/v1/namespaces/default/pods', podNamed(name));
      podInstants.note('sent', 'default', name, sentUs, { phase: 'it' });
      podInstants.note('created', 'default', name, systemClock.nowUs());
    }
    await call(
      'POST',
      '/api/v1/namespaces/default/pods',
      podNamed('other', { 'hollowmark.dev/run': 'another' }),
    );
    for (const name of names) {
      const path = `/api/v1/namespaces/default/pods/${name}`;
      await until(async () => (await call('GET', path)).object.spec?.nodeName === 'n1', `${name} bound`);
      const containerStatuses = [
        { name: 'c', image: 'i', imageID: '', ready: true, restartCount: 0, state: { running: {} } },
      ];
      await call('PATCH', `${path}/status`, { status: { phase: 'Running', containerStatuses } });
    }
    await until(async () => tracker.podCount === POD_COUNT, 'all pods seen');
    for (const name of names) {
      await call('DELETE', `/api/v1/namespaces/default/pods/${name}?gracePeriodSeconds=0`);
    }
    await until(async () => tracker.podCount === 0, 'all pods gone');
    await metrics.scrape({ measured: true, signal: NEVER });
    await tracker.stop();

    const records: PodRecord[] = [];
    const pods = new PodTimelines({
      epochUs,
      startupLimitMs: 60_000,
      onFinished: (record) => records.push(record),
    });
    const batch = podInstants.drain();
    if (batch === undefined) throw new Error('no instants');
    pods.add(batch);
    pods.finish(systemClock.nowUs());
    expect(records.map(({ name }) => name).sort()).toEqual(names);
    for (const record of records) {
      expect(record).toMatchObject({ outcome: 'started', kind: 'stateless', node: 'n1', phase: 'it' });
      const { sentMs = 0, scheduledMs = 0, runningSeenMs = 0, goneMs = 0 } = record;
      expect([sentMs, scheduledMs, runningSeenMs, goneMs]).toEqual(
        [sentMs, scheduledMs, runningSeenMs, goneMs].sort((a, b) => a - b),
      );
    }
    expect(pods.audit()).toEqual({
      createdCount: POD_COUNT,
      missingCount: 0,
      lostInstantCount: 0,
      observerGapCount: 0,
    });
    expect(pods.scheduling()?.boundCount).toBe(POD_COUNT);
    // Stamps are cut to whole seconds, so the server seems behind by up to one.
    const difference = pods.startups()[0]?.serverClockDifferenceMs;
    expect(difference?.count).toBe(POD_COUNT);
    expect(difference?.medianMs).toBeGreaterThan(-1_500);
    expect(difference?.medianMs).toBeLessThanOrEqual(0);

    const components = metrics.components();
    const named = (component: string): ServerComponent => {
      const found = components.find((one) => one.component === component);
      if (found === undefined) throw new Error(`no ${component}`);
      return found;
    };
    for (const component of components) {
      expect(component).toMatchObject({ scrapeCount: 2, scrapeGapCount: 0 });
      expect(component.cpuSeconds).toBeGreaterThan(0);
      expect(component.maxRssBytes).toBeGreaterThan(10e6);
      expect(component.maxGoroutineCount).toBeGreaterThan(5);
    }
    const creates = named('kube-apiserver').sli?.find(
      ({ verb, resource, subresource }) => verb === 'POST' && resource === 'pods' && subresource === '',
    );
    expect(creates).toMatchObject({ count: POD_COUNT + 1, scope: 'resource' });
    expect(creates?.buckets.at(-1)).toEqual({ leSeconds: null, count: POD_COUNT + 1 });
    expect(creates?.buckets[0]?.leSeconds).toBe(0.05);
    expect(named('kube-apiserver').flowSchemas?.length).toBeGreaterThan(0);
    expect(named('kube-scheduler').rateLimiterWaitCount).toBeGreaterThan(0);
    expect(named('kube-scheduler').metrics).toMatchObject({
      'scheduler_schedule_attempts_total{result="scheduled"}': POD_COUNT + 1,
    });
    expect(named('kube-controller-manager').rateLimiterWaitCount).toBeGreaterThan(0);
    expect(named('etcd').metrics['etcd_mvcc_db_total_size_in_bytes']).toBeGreaterThan(0);
    expect(named('etcd').metrics['etcd_server_proposals_committed_total']).toBeGreaterThan(POD_COUNT);

    for (const { component, measured } of components) {
      expect(measured?.durationMs, component).toBeGreaterThan(0);
      expect(measured?.cpuSeconds, component).toBeGreaterThan(0);
      expect(measured?.maxCpuCount, component).toBeGreaterThan(0);
    }
    const serial = (component: string) => named(component).measured?.serialSeconds ?? {};
    expect(serial('kube-scheduler')['scheduler_scheduling_algorithm_duration_seconds']).toBeGreaterThan(0);
    // The profile `fast` does not sync.
    expect(serial('etcd')['etcd_disk_wal_fsync_duration_seconds']).toBe(0);
    expect(serial('etcd')['etcd_disk_backend_commit_duration_seconds']).toBeGreaterThan(0);
    expect(named('kube-apiserver').measured?.priorityLevels?.length).toBeGreaterThan(0);

    const verdicts = judgeSlo(runResult({ server: components, series: [], podStartup: pods.startups() }), {
      ...OFFICIAL_LIMITS,
      judge: ['official-sli'],
    });
    const official = verdicts.find(({ kind }) => kind === 'official-sli');
    const subjects = official?.checks.map(({ subject }) => subject);
    expect(subjects).toContain('create pods (resource)');
    expect(subjects).toContain('create pods/binding (resource)');
  });

  it('degrades a run whose observer lost its watch, and loses no pod by it', async () => {
    await using relay = await startTcpRelay(Number(new URL(plane.admin.server).port));
    const podInstants = new PodInstantBuffer();
    const access = { ...plane.admin, server: `https://127.0.0.1:${relay.port}` };
    const tracker = new PodTracker(
      { access, labelSelector: 'hollowmark.dev/run=cut', seed: 1 },
      { ...parts, podInstants },
    );
    await tracker.start(NEVER);
    const create = async (name: string) => {
      const body = podNamed(name, { 'hollowmark.dev/run': 'cut' });
      await call('POST', '/api/v1/namespaces/default/pods', body);
      podInstants.note('created', 'default', name, systemClock.nowUs());
    };
    await create('before');
    await until(async () => tracker.podCount === 1, 'the first pod seen');
    relay.cut();
    await create('after');
    await until(async () => tracker.podCount === 2, 'the second pod seen');
    await tracker.stop();

    const pods = new PodTimelines({ epochUs: 0, startupLimitMs: 60_000, onFinished: () => {} });
    const batch = podInstants.drain();
    if (batch === undefined) throw new Error('no instants');
    pods.add(batch);
    pods.finish(systemClock.nowUs());
    const trust = judgeTrust(trustInput({ pods: pods.audit() }));
    expect(trust.state).toBe('DEGRADED');
    expect(trust.checks.filter(({ state }) => state !== 'VALID').map(({ name }) => name)).toEqual([
      'observer',
    ]);
  });

  it('reads no metric that the programs do not have', async () => {
    const exported = new Set<string>();
    for (const { metrics, metricsPath = '/metrics' } of plane.components) {
      if (metrics === undefined) throw new Error('a local component without metrics');
      await using connection = await openHttp1Pool(metrics, { connectionCount: 1 });
      const { body } = await connection.request({ method: 'GET', path: metricsPath });
      parsePrometheusText(
        body,
        (name) => WANTED_SAMPLES.has(name),
        (name) => exported.add(name),
      );
    }
    const loadOnly = Object.values(LOAD_ONLY_METRICS).flat();
    const absent = [...WANTED_SAMPLES].filter((name) => !exported.has(name) && !loadOnly.includes(name));
    expect(absent).toEqual([]);
    for (const [component, names] of Object.entries(LOAD_ONLY_METRICS)) {
      const pid = plane.components.find((one) => one.component === component)?.pid;
      const program = await readFile(`/proc/${pid}/exe`);
      for (const name of names) {
        // Subsystem and name are two strings of the program, joined when the metric is registered.
        const [, key = name] = /^(?:apiserver_flowcontrol|apiserver|node_collector)_(.+)$/.exec(name) ?? [];
        expect(program.includes(key), name).toBe(true);
      }
    }
  });
});

async function makeReadyNode(name: string): Promise<void> {
  await call('POST', '/api/v1/nodes', { metadata: { name } });
  const conditions = [
    { type: 'Ready', status: 'True', reason: 'it', message: '', lastHeartbeatTime: new Date().toISOString() },
  ];
  const amounts = { cpu: '4', memory: '8Gi', pods: '110' };
  await call('PATCH', `/api/v1/nodes/${name}/status`, {
    status: { conditions, capacity: amounts, allocatable: amounts },
  });
}

function podNamed(name: string, labels: Record<string, string> = { 'hollowmark.dev/run': 'it' }) {
  const tolerations = [{ operator: 'Exists' }];
  return { metadata: { name, labels }, spec: { tolerations, containers: [{ name: 'c', image: 'i' }] } };
}

async function call(method: 'GET' | 'POST' | 'PATCH' | 'DELETE', path: string, body?: object) {
  const reply = await admin.request({
    method,
    path,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    ...(method === 'PATCH' ? { contentType: 'application/strategic-merge-patch+json' } : {}),
  });
  if (reply.status >= 400 && method !== 'GET')
    throw new Error(`${method} ${path}: ${reply.status} ${reply.body}`);
  return { status: reply.status, object: JSON.parse(reply.body) as { spec?: { nodeName?: string } } };
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  for (const endMs = Date.now() + 60_000; Date.now() < endMs; ) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`timed out waiting for ${what}`);
}
