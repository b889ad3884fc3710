/**
 * Many cycles of churn on a small fleet against a real control plane: what nodes, pods, watches and connections hold
 * goes when they go. Heap and handles are compared after warm-up cycles, which fill caches and pools, with the end.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Fleet, fleetLabels } from '../../hollow/index.ts';
import type { FleetSettings } from '../../src/config/index.ts';
import { type LocalControlPlane, startLocalControlPlane } from '../../src/controlplane/index.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import { type Connection, openConnection } from '../../src/kube/index.ts';
import { PodInstantBuffer, RunCallRecorder } from '../../src/measure/index.ts';
import { fleetSettings } from '../helpers/fleet-settings.ts';

const NEVER = new AbortController().signal;
const NODE_COUNT = 10;
const PODS = 20;
const WARM_UP_CYCLES = 2;
const CYCLES = 3;
/** Per cycle of 20 pods and 10 restarted nodes; a leak of one pod's state or one connection is well above. */
const HEAP_BYTES_PER_CYCLE = 200_000;
const MAX_HEAP_RATIO = 1.15;

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

let directory: string;
let plane: LocalControlPlane;
let admin: Connection;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-leak-'));
  plane = await startLocalControlPlane(
    { directory: join(directory, 'run'), profile: 'fast' },
    { signal: NEVER, clock: systemClock, log: silentLogger(), env: process.env },
  );
  admin = await openConnection(plane.admin);
}, 120_000);

afterAll(async () => {
  await admin?.close();
  await plane?.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

describe('a fleet under churn', () => {
  it.each([
    { name: 'full', changes: { proxy: false } },
    { name: 'light', changes: { fidelity: 'light', connections: 'shared', events: false, proxy: false } },
  ] as const)(
    'of $name nodes keeps nothing of pods, restarts and cut connections',
    async ({ name, changes }) => {
      const handlesBefore = handles();
      const recorder = new RunCallRecorder();
      const instants = new PodInstantBuffer();
      const settings: FleetSettings = fleetSettings({
        nodeCount: NODE_COUNT,
        rampPerSecond: 100,
        labels: { pool: name },
        pods: { sandboxMs: { low: 0, high: 0 }, startMs: { low: 0, high: 0 }, stopMs: { low: 0, high: 0 } },
        ...changes,
      });
      const fleet = new Fleet(
        {
          runId: name,
          seed: 1,
          nodeNamePrefix: `${name}-`,
          shard: { index: 0, count: 1 },
          settings,
          access: plane.admin,
          kubernetesVersion: plane.kubernetesVersion,
          labels: fleetLabels(name, settings.labels),
          taints: [],
          phase: 'leak',
        },
        { clock: systemClock, log: silentLogger(), recorder, podInstants: instants },
      );
      await fleet.start(NEVER);
      await fleet.ready(AbortSignal.timeout(60_000));
      const steady = { watchCount: 0, connectionCount: 0, handleCount: 0, heapBytes: 0 };
      for (let cycle = 0; cycle < WARM_UP_CYCLES + CYCLES; cycle++) {
        await churn(fleet, name, cycle);
        // What a run hands on once a second.
        fleet.drain();
        recorder.drain();
        instants.drain();
        if (cycle === WARM_UP_CYCLES - 1) {
          const { watchCount, connectionCount } = fleet.stats();
          Object.assign(steady, { watchCount, connectionCount, handleCount: handles(), heapBytes: heap() });
        }
      }
      const grownBytes = (heap() - steady.heapBytes) / CYCLES;
      expect(fleet.stats()).toMatchObject({
        watchCount: steady.watchCount,
        connectionCount: steady.connectionCount,
      });
      expect(handles()).toBeLessThanOrEqual(steady.handleCount + 2);
      expect(grownBytes).toBeLessThan(HEAP_BYTES_PER_CYCLE);
      expect(heap() / steady.heapBytes).toBeLessThan(MAX_HEAP_RATIO);
      await fleet.stop();
      // Sockets end a turn or two after their sessions.
      await until(async () => handles() <= handlesBefore, 'handles to be given back');
      expect(fleet.stats()).toMatchObject({ watchCount: 0, connectionCount: 0 });
    },
  );
});

/** Pods come and go, every node is restarted, and every connection is cut. */
async function churn(fleet: Fleet, name: string, cycle: number): Promise<void> {
  const pods = '/api/v1/namespaces/default/pods';
  for (let index = 0; index < PODS; index++) {
    const body = {
      metadata: { name: `${name}-${cycle}-${index}` },
      spec: { nodeSelector: { pool: name }, containers: [{ name: 'c', image: 'pause' }] },
    };
    const reply = await admin.request({ method: 'POST', path: pods, body: JSON.stringify(body) });
    if (reply.status >= 300) throw new Error(`${reply.status} ${reply.body}`);
  }
  await until(async () => fleet.stats().pods.Running === PODS, 'pods Running');
  const selection = { ratio: 1, seed: 1 };
  await fleet.apply({
    type: 'storm',
    id: `restart-${cycle}`,
    disturbance: { kind: 'restart', overMs: 0 },
    selection,
  });
  await until(async () => {
    const stats = fleet.stats();
    return stats.nodes.ready === NODE_COUNT && stats.pods.Running === PODS;
  }, 'nodes to come back with their pods');
  await admin.request({ method: 'DELETE', path: pods });
  await until(async () => {
    const reply = await admin.request({ method: 'GET', path: pods });
    return (JSON.parse(reply.body) as { items: unknown[] }).items.length === 0;
  }, 'pods gone');
  await until(
    async () => Object.values(fleet.stats().pods).every((count) => count === 0),
    'the fleet to forget them',
  );
}

function heap(): number {
  for (let pass = 0; pass < 3; pass++) collect();
  return process.memoryUsage().heapUsed;
}

/** Sockets that are open; timers and the test runner's own pipes come and go by themselves. */
function handles(): number {
  return process.getActiveResourcesInfo().filter((kind) => /^T(CP|LS)SocketWrap|^TCPWRAP|TLSWRAP/i.test(kind))
    .length;
}

async function until(holds: () => Promise<boolean>, what: string): Promise<void> {
  for (let attempt = 0; attempt < 240; attempt++) {
    if (await holds()) return;
    await new Promise((resolve) => {
      setTimeout(resolve, 100);
    });
  }
  throw new Error(`waited 24 s in vain for ${what}`);
}
