import { describe, expect, it } from 'vitest';
import { HollowKubelet } from '../../../hollow/kubelet/kubelet.ts';
import { LeaseKeeper } from '../../../hollow/kubelet/lease.ts';
import { tickPod } from '../../../hollow/kubelet/pods/pod-machine.ts';
import { StatusWriter, type WritablePod } from '../../../hollow/kubelet/pods/status-writer.ts';
import { seededRandom } from '../../../src/core/index.ts';
import { TokenBucket } from '../../../src/kube/index.ts';
import { at, boundPod, machineOf, POD_UID } from './pod-fixtures.ts';
import { pass, type Script, scriptedFleet } from './scripted-connection.ts';

const LEASE = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';
const lease = (version: number) => ({
  metadata: { name: 'n1', uid: 'l', resourceVersion: String(version) },
  spec: { holderIdentity: 'n1', renewTime: '2026-01-01T00:00:00.000000Z' },
});

function leaseKeeper(script: Script) {
  const fleet = scriptedFleet(script);
  const keeper = new LeaseKeeper(fleet.context, fleet.client, 'n1', seededRandom(1), fleet.abort.signal);
  return { ...fleet, keeper };
}

describe('the lease of a node', () => {
  it('waits for the next tick when the node is not there yet, then is created and renewed each 10.0-10.4 s', async () => {
    let node = false;
    let version = 0;
    const { clock, connection, context, keeper } = leaseKeeper(({ method, path }) => {
      if (method === 'PUT' || method === 'POST') return { status: 200, body: lease(++version) };
      if (path.includes('/leases/')) return { status: 404 };
      return node ? { status: 200, body: { metadata: { uid: 'u1' } } } : { status: 404 };
    });
    keeper.start();
    await pass(clock, 5_000);
    expect(connection.calls).toEqual([`GET ${LEASE}/n1`, 'GET /api/v1/nodes/n1']);
    node = true;
    await pass(clock, 6_000);
    expect(connection.calls.slice(2)).toEqual([`GET ${LEASE}/n1`, 'GET /api/v1/nodes/n1', `POST ${LEASE}`]);
    await pass(clock, 60_000);
    const puts = connection.sentAtMs.filter((_, i) => connection.calls[i]?.startsWith('PUT'));
    expect(puts.length).toBeGreaterThanOrEqual(5);
    for (const [i, sent] of puts.slice(1).entries()) {
      expect(sent - (puts[i] ?? 0)).toBeGreaterThanOrEqual(10_000);
      expect(sent - (puts[i] ?? 0)).toBeLessThanOrEqual(10_401);
    }
    expect(context.counters.leaseLateness.count).toBe(puts.length);
    expect(context.counters.leaseMissedCount).toBe(0);
  });

  it('is read again after a conflict and renewed with the newer version', async () => {
    const { clock, connection, keeper } = leaseKeeper(({ method, path, body }) => {
      if (method === 'PUT') return body?.includes('"9"') ? { status: 200, body: lease(10) } : { status: 409 };
      if (path.includes('/leases/')) return { status: 200, body: lease(connection.calls.length > 2 ? 9 : 5) };
      return { status: 404 };
    });
    keeper.start();
    await pass(clock, 100);
    expect(connection.calls).toEqual([
      `GET ${LEASE}/n1`,
      `PUT ${LEASE}/n1`,
      `GET ${LEASE}/n1`,
      `PUT ${LEASE}/n1`,
    ]);
  });

  it('is created anew when somebody deleted it', async () => {
    let deleted = false;
    const { clock, connection, keeper } = leaseKeeper(({ method, path }) => {
      if (method === 'POST') {
        deleted = false;
        return { status: 201, body: lease(20) };
      }
      if (path.includes('/nodes/')) return { status: 200, body: { metadata: { uid: 'u1' } } };
      return deleted ? { status: 404 } : { status: 200, body: lease(3) };
    });
    keeper.start();
    await pass(clock, 100);
    deleted = true;
    await pass(clock, 11_000);
    expect(connection.calls.at(-1)).toBe(`POST ${LEASE}`);
  });

  it('counts as missed while the server is away, and goes on when it is back', async () => {
    let away = false;
    const { clock, connection, context, keeper } = leaseKeeper(() =>
      away ? undefined : { status: 200, body: lease(1) },
    );
    keeper.start();
    await pass(clock, 100);
    away = true;
    await pass(clock, 35_000);
    away = false;
    await pass(clock, 8_000);
    expect(connection.calls.at(-1)).toBe(`PUT ${LEASE}/n1`);
    expect(context.counters.leaseMissedCount).toBeGreaterThanOrEqual(2);
    expect(context.counters.leaseLateness.maxUs).toBeGreaterThan(10_000_000);
  });
});

describe('the status writer', () => {
  const POD = '/api/v1/namespaces/default/pods/web-847f49cc4d-7j768';
  const writable = (): WritablePod => ({
    machine: machineOf(boundPod()).pod,
    writtenVersion: -1,
    mismatched: false,
    queued: false,
    dropped: false,
    removed: false,
    shown: undefined,
  });
  function statusWriter(script: Script) {
    const fleet = scriptedFleet(script);
    const { context, client, abort } = fleet;
    const status = { form: context.form, hostIp: '198.18.0.1', hostNetworkIp: '198.18.0.1' };
    return {
      ...fleet,
      writer: new StatusWriter(context, client, new TokenBucket(50, 100), status, abort.signal),
    };
  }
  const serving: Script = ({ method }) => ({ status: 200, body: method === 'GET' ? boundPod() : {} });

  it('reads, then patches with the uid', async () => {
    const { clock, connection, writer } = statusWriter(serving);
    const pod = writable();
    writer.enqueue(pod);
    await pass(clock, 1);
    expect(connection.calls).toEqual([`GET ${POD}`, `PATCH ${POD}/status`]);
    expect(JSON.parse(connection.requests[1]?.body ?? '')).toMatchObject({ metadata: { uid: POD_UID } });
    expect(pod.writtenVersion).toBe(pod.machine.version);
  });

  it('writes once what changed several times meanwhile', async () => {
    const { clock, connection, writer } = statusWriter((request) => ({
      ...serving(request, 0),
      status: 200,
      afterMs: 50,
    }));
    const pod = writable();
    writer.enqueue(pod);
    await pass(clock, 60);
    tickPod(pod.machine, at(500));
    writer.enqueue(pod);
    tickPod(pod.machine, at(600));
    writer.enqueue(pod);
    await pass(clock, 1_000);
    expect(connection.calls).toEqual([
      `GET ${POD}`,
      `PATCH ${POD}/status`,
      `GET ${POD}`,
      `PATCH ${POD}/status`,
    ]);
    expect(JSON.parse(connection.requests[3]?.body ?? '').status.phase).toBe('Running');
  });

  it('tries again after ten seconds what failed', async () => {
    let failing = true;
    const { clock, connection, writer } = statusWriter((request, count) =>
      failing ? { status: 500 } : serving(request, count),
    );
    const pod = writable();
    writer.enqueue(pod);
    await pass(clock, 9_000);
    expect(connection.calls).toEqual([`GET ${POD}`]);
    failing = false;
    await pass(clock, 2_000);
    expect(pod.writtenVersion).toBe(pod.machine.version);
  });

  it('waits as long as a 429 says', async () => {
    const { clock, connection, writer } = statusWriter((request, count) =>
      count === 1 ? { status: 429, retryAfterMs: 3_000 } : serving(request, count),
    );
    writer.enqueue(writable());
    await pass(clock, 2_900);
    expect(connection.calls).toHaveLength(1);
    await pass(clock, 200);
    expect(connection.calls).toHaveLength(3);
  });

  it('leaves another pod of the same name alone', async () => {
    const { clock, connection, writer } = statusWriter(({ method }) => ({
      status: 200,
      body: method === 'GET' ? { ...boundPod(), metadata: { ...boundPod().metadata, uid: 'other' } } : {},
    }));
    writer.enqueue(writable());
    await pass(clock, 30_000);
    expect(connection.calls).toEqual([`GET ${POD}`]);
  });
});

describe('the registration of a node', () => {
  const PATHS = { node: '/api/v1/nodes/n1', csi: '/apis/storage.k8s.io/v1/csinodes' };
  function kubelet(script: Script) {
    const fleet = scriptedFleet(script);
    const node = new HollowKubelet({
      context: fleet.context,
      index: 0,
      identity: {
        name: 'n1',
        address: '198.18.0.1',
        kubeletPort: 10_250,
        hostNetworkAddress: '198.18.0.1',
        zone: undefined,
      },
      connection: fleet.connection,
      random: seededRandom(1),
      signal: fleet.abort.signal,
      disturbance: fleet.disturbance,
    });
    fleet.context.counters.nodes.waiting = 1;
    // The pod watch waits for the node's watch, which says nothing here: readiness is read from the counters.
    node.start().catch(() => {});
    return { ...fleet, node };
  }
  const apiNode = { metadata: { uid: 'u1', labels: {} }, status: { conditions: [] } };
  const server =
    (created: { node: boolean }): Script =>
    ({ method, path }) => {
      if (method === 'POST' && path === '/api/v1/nodes') {
        if (created.node) return { status: 409 };
        created.node = true;
        return { status: 201, body: apiNode };
      }
      if (method === 'GET' && path.startsWith(PATHS.node)) {
        return created.node ? { status: 200, body: apiNode } : { status: 404 };
      }
      if (method === 'GET') return { status: 404 };
      return { status: method === 'POST' ? 201 : 200 };
    };
  const own = (calls: readonly string[]) => calls.filter((call) => !/events|leases|WATCH/.test(call));

  it('goes call by call as captured of a real kubelet', async () => {
    const { clock, connection, context } = kubelet(server({ node: false }));
    await pass(clock, 2_000);
    const calls = own(connection.calls);
    expect(calls[0]).toBe(`GET ${PATHS.csi}/n1`);
    const order = [
      'DELETE /apis/resource.k8s.io/v1/resourceslices',
      'POST /api/v1/nodes',
      `PATCH ${PATHS.node}/status`,
      `POST ${PATHS.csi}`,
    ].map((call) => calls.indexOf(call));
    expect(order).toEqual([...order].sort((a, b) => a - b));
    expect(order).not.toContain(-1);
    expect(calls.at(-1)).toBe(`PATCH ${PATHS.node}/status`);
    expect(context.counters.nodes).toEqual({ waiting: 0, registering: 0, ready: 1, lost: 0 });
    expect(context.counters.registration.count).toBe(1);
  });

  it('takes over a node that is there, with its labels put right', async () => {
    const { clock, connection, context } = kubelet(server({ node: true }));
    await pass(clock, 2_000);
    const labels = connection.requests.find(
      ({ body }) => body?.includes('"labels"') && body.startsWith('{"metadata"'),
    );
    expect(JSON.parse(labels?.body ?? '').metadata.labels).toMatchObject({
      'kubernetes.io/hostname': 'n1',
      type: 'hollow',
    });
    expect(context.counters.nodes.ready).toBe(1);
  });

  it('keeps trying while the server is away, with growing pauses', async () => {
    const created = { node: false };
    let away = true;
    const { clock, connection, context } = kubelet((request, count) =>
      away && request.method === 'POST' ? undefined : server(created)(request, count),
    );
    await pass(clock, 20_000);
    const posts = connection.sentAtMs.filter((_, i) => connection.calls[i] === 'POST /api/v1/nodes');
    const gaps = posts.slice(1).map((sent, i) => sent - (posts[i] ?? 0));
    expect(gaps).toEqual([200, 400, 800, 1_600, 3_200, 6_400, 7_000]);
    away = false;
    await pass(clock, 60_000);
    expect(context.counters.nodes.ready).toBe(1);
  });

  it('registers again when its node object is deleted', async () => {
    const created = { node: false };
    const { clock, connection, context, node } = kubelet(server(created));
    await pass(clock, 2_000);
    created.node = false;
    node.nodeDeleted();
    expect(context.counters.nodes.lost).toBe(1);
    await pass(clock, 10_000);
    expect(connection.calls.filter((call) => call === 'POST /api/v1/nodes')).toHaveLength(2);
    expect(context.counters.nodes).toMatchObject({ ready: 1, lost: 0 });
    expect(context.counters.lostCount).toBe(1);
  });

  it('says within one look at its status that the node was cordoned, once, and the same of the way back', async () => {
    const { clock, connection, node } = kubelet(server({ node: false }));
    await pass(clock, 2_000);
    const said = () =>
      connection.requests.flatMap(({ body, method, path }) => {
        if (method !== 'POST' || !path.includes('/events')) return [];
        const { message, reason } = JSON.parse(body ?? '') as { message: string; reason: string };
        return reason.endsWith('Schedulable') ? [[reason, message]] : [];
      });
    const ready = [{ type: 'Ready', status: 'True' }];
    const show = (unschedulable: boolean) =>
      node.seeNode({ metadata: { uid: 'u1' }, spec: { unschedulable }, status: { conditions: ready } });
    show(false);
    show(true);
    await pass(clock, 10_500);
    show(true);
    await pass(clock, 10_500);
    expect(said()).toEqual([['NodeNotSchedulable', 'Node n1 status is now: NodeNotSchedulable']]);
    show(false);
    await pass(clock, 10_500);
    expect(said().slice(1)).toEqual([['NodeSchedulable', 'Node n1 status is now: NodeSchedulable']]);
    // Both between two looks: nobody noticed.
    show(true);
    show(false);
    await pass(clock, 10_500);
    expect(said()).toHaveLength(2);
  });

  it('ends quietly when it is stopped half-way', async () => {
    const { abort, clock, connection, node } = kubelet(() => ({ status: 500 }));
    await pass(clock, 3_000);
    abort.abort(new Error('stopped'));
    node.stop();
    const sent = connection.calls.length;
    await pass(clock, 60_000);
    expect(connection.calls.length).toBe(sent);
  });
});
