/** Hollow proxies against a real control plane: every change of a Service's endpoints is programmed once on each node. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fleet, fleetLabels, HOLLOW_TAINT } from '../../hollow/index.ts';
import { type LocalControlPlane, startLocalControlPlane } from '../../src/controlplane/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { type Connection, openConnection } from '../../src/kube/index.ts';
import { PodInstantBuffer, RunCallRecorder } from '../../src/measure/index.ts';
import type { NetworkProgramming } from '../../src/result/index.ts';
import { NetworkProgrammingSums } from '../../src/run/network-programming-sums.ts';
import { fleetSettings } from '../helpers/fleet-settings.ts';

const NEVER = new AbortController().signal;
const NODE_COUNT = 6;
const TRIGGER_TIME = 'endpoints.kubernetes.io/last-change-trigger-time';
const LABELS = { app: 'web' };

let directory: string;
let plane: LocalControlPlane;
let admin: Connection;
let fleet: Fleet;
/** Trigger times of the slice versions that a watch of the test's own saw, by resourceVersion, and when it saw them. */
const versions = new Map<string, { triggerMs: number; seenWallMs: number }>();
const sums = new NetworkProgrammingSums();

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-proxy-'));
  plane = await startLocalControlPlane(
    { directory, profile: 'fast' },
    { signal: NEVER, clock: systemClock, log: silentLogger(), env: process.env },
  );
  admin = await openConnection(plane.admin);
  await send('POST', '/api/v1/namespaces/kube-system/serviceaccounts', { metadata: { name: 'kube-proxy' } });
  await send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'it:node-proxier' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-proxier' },
    subjects: [{ kind: 'ServiceAccount', name: 'kube-proxy', namespace: 'kube-system' }],
  });
  const settings = fleetSettings({ nodeCount: NODE_COUNT, proxySync: { baseUs: 20_000, perRuleUs: 100 } });
  fleet = new Fleet(
    {
      runId: 'it',
      seed: 1,
      nodeNamePrefix: 'it-',
      shard: { index: 0, count: 1 },
      settings,
      access: plane.admin,
      kubernetesVersion: plane.kubernetesVersion,
      labels: fleetLabels('it', settings.labels),
      taints: [HOLLOW_TAINT],
      phase: 'registration',
    },
    {
      clock: systemClock,
      log: silentLogger(),
      recorder: new RunCallRecorder(),
      podInstants: new PodInstantBuffer(),
    },
  );
  await fleet.start(NEVER);
  await fleet.ready(AbortSignal.timeout(120_000));
  // Trigger times are whole seconds, rounded down: the first must be after the start of the last proxy all the same.
  await pause(1_500);
}, 600_000);

afterAll(async () => {
  await fleet?.stop();
  await admin?.close();
  await plane?.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

describe('network programming on a real control plane', () => {
  it('is a sample for each version of a slice and each node, in the phase in which its sync ended', async () => {
    watchSlices();
    fleet.setPhase('churn');
    await send('POST', '/api/v1/namespaces/default/services', {
      metadata: { name: 'web' },
      spec: { selector: LABELS, ports: [{ port: 80, targetPort: 8080 }] },
    });
    await send('POST', '/apis/apps/v1/namespaces/default/deployments', {
      metadata: { name: 'web' },
      spec: {
        replicas: 4,
        selector: { matchLabels: LABELS },
        template: {
          metadata: { labels: LABELS },
          spec: {
            terminationGracePeriodSeconds: 0,
            tolerations: [{ key: HOLLOW_TAINT.key, operator: 'Exists' }],
            containers: [{ name: 'pause', image: 'registry.k8s.io/pause:3.10' }],
          },
        },
      },
    });
    await readyEndpoints(4);
    await scale(9);
    await readyEndpoints(9);
    await scale(2);
    await readyEndpoints(2);
    const churn = await settled();
    const expected = [...versions.values()].filter(({ triggerMs }) => !Number.isNaN(triggerMs)).length;
    // The Service alone, its pods as they get ready, and the growth are three versions at least.
    expect(expected).toBeGreaterThanOrEqual(3);
    expect(churn.programming.summary.count).toBe(expected * NODE_COUNT);
    expect(churn.proxyDelay.summary.count).toBe(expected * NODE_COUNT);
    // Port 80 and the two endpoints that are left at least; the Service `kubernetes` has one of each.
    expect(churn.maxRuleCount).toBeGreaterThanOrEqual(3 + 2);
  }, 120_000);

  it('is never shorter than the way to the watcher and the modelled sync', async () => {
    const churn = await settled();
    const ages = [...versions.values()]
      .filter(({ triggerMs }) => !Number.isNaN(triggerMs))
      .map(({ triggerMs, seenWallMs }) => seenWallMs - triggerMs);
    const syncUs = 20_000;
    expect(churn.proxyDelay.summary.minUs).toBeGreaterThanOrEqual(syncUs);
    // Two watchers hear of one event in either order; the modelled sync is longer than that.
    const ageUs = (ms: number) => ms * 1_000;
    expect(churn.programming.summary.maxUs).toBeGreaterThanOrEqual(ageUs(Math.max(...ages)));
    expect(churn.programming.summary.minUs).toBeLessThanOrEqual(
      ageUs(Math.max(...ages)) + churn.proxyDelay.summary.maxUs,
    );
  });
});

function watchSlices(): void {
  const path = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?watch=true';
  admin.watch(path, {
    onFrame(frame) {
      const seenWallMs = systemClock.wallMs();
      const { type, object } = JSON.parse(frame.toString('utf8')) as {
        type: string;
        object: { metadata: { resourceVersion: string; annotations?: Record<string, string> } };
      };
      if (type !== 'ADDED' && type !== 'MODIFIED') return;
      const { resourceVersion, annotations } = object.metadata;
      versions.set(resourceVersion, {
        triggerMs: Date.parse(annotations?.[TRIGGER_TIME] ?? ''),
        seenWallMs,
      });
    },
    onEnd() {},
  });
}

/** The phase's figures once two looks in a row, two sync intervals apart, find the same. */
async function settled(): Promise<NetworkProgramming> {
  let before = -1;
  for (let attempt = 0; attempt < 30; attempt++) {
    sums.add(fleet.drain().networkProgramming);
    const churn = sums.summary().find(({ phase }) => phase === 'churn');
    const count = churn?.programming.summary.count ?? 0;
    if (churn !== undefined && count > 0 && count === before) return churn;
    before = count;
    await pause(2_500);
  }
  throw new Error('the number of samples does not settle');
}

async function scale(replicas: number): Promise<void> {
  const path = '/apis/apps/v1/namespaces/default/deployments/web/scale';
  const body = { metadata: { name: 'web', namespace: 'default' }, spec: { replicas } };
  await send('PUT', path, { apiVersion: 'autoscaling/v1', kind: 'Scale', ...body });
}

async function readyEndpoints(count: number): Promise<void> {
  const path =
    '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io/service-name=web';
  for (let attempt = 0; attempt < 240; attempt++) {
    const reply = await admin.request({ method: 'GET', path });
    const { items } = JSON.parse(reply.body) as {
      items: { endpoints?: { conditions: { ready?: boolean } }[] | null }[];
    };
    const endpoints = items.flatMap((slice) => slice.endpoints ?? []);
    if (endpoints.length === count && endpoints.every(({ conditions }) => conditions.ready === true)) return;
    await pause(250);
  }
  throw new Error(`waited 60 s in vain for ${count} ready endpoints`);
}

async function send(method: 'POST' | 'PUT', path: string, body: unknown): Promise<void> {
  const reply = await admin.request({ method, path, body: JSON.stringify(body) });
  if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.body}`);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, ms);
  });
}
