import type { ServerHttp2Stream } from 'node:http2';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type LoadShard, WatchLoad } from '../../../loadgen/index.ts';
import { DeliverySpread } from '../../../loadgen/watches/delivery-spread.ts';
import type { LoadPhase } from '../../../src/config/index.ts';
import { silentLogger, systemClock } from '../../../src/core/index.ts';
import type { ClusterAccess } from '../../../src/kube/index.ts';
import { LatencyHistogram } from '../../../src/result/index.ts';
import { scriptedHttp2Server, statusBody } from '../../helpers/scripted-server.ts';

const NEVER = new AbortController().signal;

describe('delivery spread', () => {
  it('runs from the first receipt of a version to each other one', () => {
    const histogram = new LatencyHistogram();
    const spread = new DeliverySpread(3, histogram);
    spread.received('7', 1_000);
    spread.received('8', 1_100);
    spread.received('7', 1_500);
    spread.received('8', 1_300);
    spread.received('7', 3_000);
    // 500 and 2,000 µs of version 7, 200 µs of version 8.
    expect([histogram.count, histogram.minUs, histogram.maxUs]).toEqual([3, 200, 2_000]);
    expect(spread.pendingCount).toBe(1);
  });

  it('never holds more events than its limit, and says how many it forgot', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 50 })), (versions) => {
        const spread = new DeliverySpread(1_000, new LatencyHistogram(), 10);
        for (const version of versions) {
          spread.received(String(version), 0);
          expect(spread.pendingCount).toBeLessThanOrEqual(10);
        }
        expect(spread.forgottenCount).toBeGreaterThanOrEqual(new Set(versions).size - 10);
      }),
    );
  });

  it('of a single watcher is empty and keeps nothing', () => {
    const histogram = new LatencyHistogram();
    const spread = new DeliverySpread(1, histogram);
    spread.received('1', 0);
    expect([histogram.count, spread.pendingCount]).toEqual([0, 0]);
  });
});

describe('the watch load', () => {
  it('spreads its watchers over connections and namespaces, and counts what changes', async () => {
    const streams = new Map<ServerHttp2Stream, string>();
    await using server = await scriptedHttp2Server((stream, headers) => {
      streams.set(stream, String(headers[':path']));
      stream.respond({ ':status': 200 });
      stream.write(initialState('5'));
    });
    const watches = watchLoadTo(server.access, 3);
    await watches.start(NEVER);
    await watches.startPhase(phaseOf(8));
    expect(watches.stats()).toMatchObject({ watcherCount: 8, syncedCount: 8, eventCount: 0 });
    expect(server.connectionCount()).toBe(3);
    const paths = [...streams.values()];
    expect(paths.filter((path) => path.startsWith('/api/v1/namespaces/ns-0/pods?'))).toHaveLength(4);
    expect(paths[0]).toContain('labelSelector=app%3Dweb');
    const frame = event('MODIFIED', '6');
    const [first, ...others] = [...streams]
      .filter(([, path]) => path.includes('/ns-0/'))
      .map(([stream]) => stream);
    first?.write(frame);
    await until(() => watches.stats().eventCount === 1);
    await new Promise((resolve) => setTimeout(resolve, 60));
    for (const stream of others) stream.write(frame);
    await until(() => watches.stats().eventCount === 4);
    expect(watches.stats()).toMatchObject({ minEventCount: 0, maxEventCount: 1 });
    const [fanOut, ...rest] = await watches.endPhase();
    expect(rest).toEqual([]);
    expect(fanOut).toMatchObject({
      phase: 'phase',
      resource: 'pods',
      scope: 'namespace',
      watcherCount: 8,
      eventCount: 4,
      reconnectCount: 0,
      relistCount: 0,
    });
    // The event that the initial state brings, eight times, and the one that came later, four times.
    expect(fanOut?.receivedBytes).toBe(8 * event('ADDED', '4').length + 4 * frame.length);
    expect(fanOut?.deliverySpread.summary.count).toBe(3);
    expect(fanOut?.deliverySpread.summary.minUs).toBeGreaterThan(30_000);
    await until(() => server.openConnectionCount() === 0);
    await watches.stop();
  });

  it('counts a watch that was cut as a reconnect and a 410 as a relist', async () => {
    let number = 0;
    const resumedFrom: string[] = [];
    await using server = await scriptedHttp2Server((stream, headers) => {
      const path = String(headers[':path']);
      number++;
      stream.respond({ ':status': 200 });
      if (path.includes('sendInitialEvents')) {
        stream.write(initialState(String(number * 10)));
        // The first stream delivers one event and breaks off.
        if (number === 1) {
          stream.write(event('MODIFIED', '17'));
          setTimeout(() => stream.close(2), 20);
        }
        return;
      }
      resumedFrom.push(new URL(path, 'http://x').searchParams.get('resourceVersion') ?? '');
      stream.end(`${JSON.stringify({ type: 'ERROR', object: statusBody(410, 'Expired', 'too old') })}\n`);
    });
    const watches = watchLoadTo(server.access, 10);
    await watches.start(NEVER);
    await watches.startPhase(phaseOf(1));
    await until(() => number >= 3 && watches.stats().receivedBytes >= 3 * event('ADDED', '4').length, 10_000);
    const [fanOut] = await watches.endPhase();
    expect(resumedFrom).toEqual(['17']);
    expect(fanOut).toMatchObject({ eventCount: 1, reconnectCount: 1, relistCount: 1 });
  });

  it('goes on with the phase when the server refuses the watch', async () => {
    await using server = await scriptedHttp2Server((stream) => {
      stream.respond({ ':status': 403 });
      stream.end(JSON.stringify(statusBody(403, 'Forbidden', 'no')));
    });
    const watches = watchLoadTo(server.access, 10);
    await watches.start(NEVER);
    await watches.startPhase(phaseOf(3));
    expect(watches.stats()).toMatchObject({ watcherCount: 3, syncedCount: 0 });
    expect(await watches.endPhase()).toMatchObject([{ watcherCount: 3, eventCount: 0 }]);
  });

  it('ends the opening when the phase is ended, and when its signal aborts', async () => {
    await using server = await scriptedHttp2Server((stream) => stream.respond({ ':status': 200 }));
    const watches = watchLoadTo(server.access, 10);
    await watches.start(NEVER);
    const start = watches.startPhase(phaseOf(3));
    await expect(watches.startPhase(phaseOf(1))).rejects.toThrow('before the watches were ended');
    expect(await watches.endPhase()).toHaveLength(1);
    await start;
    const reason = new Error('called off');
    const controller = new AbortController();
    const again = watches.startPhase(phaseOf(3), controller.signal);
    controller.abort(reason);
    await expect(again).rejects.toBe(reason);
    expect(await watches.endPhase()).toEqual([]);
    await expect(watches.startPhase(phaseOf(3), AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(watchLoadTo(server.access, 1).start(AbortSignal.abort(reason))).rejects.toBe(reason);
    await watches.stop();
  });

  it('does nothing in a phase without watches', async () => {
    await using server = await scriptedHttp2Server(() => {});
    const watches = watchLoadTo(server.access, 10);
    await watches.start(NEVER);
    await watches.startPhase({ ...phaseOf(1), actions: [] });
    expect(await watches.endPhase()).toEqual([]);
    expect(server.connectionCount()).toBe(0);
  });
});

function event(type: string, resourceVersion: string): string {
  const object = { kind: 'Pod', apiVersion: 'v1', metadata: { name: 'p', uid: 'u', resourceVersion } };
  return `${JSON.stringify({ type, object })}\n`;
}

function initialState(resourceVersion: string): string {
  const annotations = { 'k8s.io/initial-events-end': 'true' };
  const bookmark = { type: 'BOOKMARK', object: { kind: 'Pod', metadata: { resourceVersion, annotations } } };
  return `${event('ADDED', '4')}${JSON.stringify(bookmark)}\n`;
}

function watchLoadTo(access: ClusterAccess, streamsPerConnection: number): WatchLoad {
  const shard: LoadShard = {
    runId: 'run-1',
    seed: 1,
    shard: { index: 0, count: 1 },
    settings: {
      agentCount: 1,
      namespaceCount: 2,
      identity: { user: 'load', groups: [] },
      connectionCount: 1,
      maxInFlightCount: 1,
      requestTimeoutMs: 10_000,
      honourRetryAfter: true,
      phases: [],
    },
    access,
    namespaces: ['ns-0', 'ns-1'],
    labels: {},
    podPlacement: { nodeSelector: {}, tolerations: [] },
  };
  return new WatchLoad(shard, { clock: systemClock, log: silentLogger(), streamsPerConnection });
}

function phaseOf(watcherCount: number): LoadPhase {
  return {
    name: 'phase',
    measured: true,
    durationMs: 0,
    settleTimeoutMs: 10_000,
    actions: [
      {
        action: 'watches',
        name: 'watches',
        watcherCount,
        resource: { group: '', version: 'v1', plural: 'pods', namespaced: true },
        scope: 'namespace',
        labelSelector: 'app=web',
        fieldSelector: '',
      },
    ],
  };
}

async function until(condition: () => boolean, timeoutMs = 5_000): Promise<void> {
  const endMs = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > endMs) throw new Error(`not so within ${timeoutMs} ms: ${condition}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
