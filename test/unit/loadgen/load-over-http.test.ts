/** The generator over real sockets: what the virtual clock cannot show is how the transport and it fit together. */
import { describe, expect, it } from 'vitest';
import { LoadGenerator, type LoadShard } from '../../../loadgen/index.ts';
import type { LoadPhase } from '../../../src/config/index.ts';
import { silentLogger, systemClock } from '../../../src/core/index.ts';
import type { ClusterAccess } from '../../../src/kube/index.ts';
import { type CallWindow, PodInstantBuffer, RunCallRecorder } from '../../../src/measure/index.ts';
import { LatencyHistogram } from '../../../src/result/index.ts';
import { scriptedHttp1Server } from '../../helpers/scripted-server.ts';

const NEVER = new AbortController().signal;
const LIST_BODY = JSON.stringify({ kind: 'PodList', metadata: { resourceVersion: '1' }, items: [] });

describe('the load generator over HTTP', () => {
  it('opens all its connections before the first phase', async () => {
    await using server = await scriptedHttp1Server((_request, response) => response.end(LIST_BODY));
    const { generator } = generatorTo(server.access, 7);
    await generator.start(NEVER);
    expect(server.connectionCount()).toBe(7);
    await generator.start(NEVER);
    expect(server.connectionCount()).toBe(7);
    await generator.stop();
  });

  it('says so when there is no server', async () => {
    const server = await scriptedHttp1Server((_request, response) => response.end());
    await server.close();
    const { generator } = generatorTo(server.access, 2);
    await expect(generator.start(NEVER)).rejects.toMatchObject({ code: 'HM_CLUSTER_UNREACHABLE' });
    await generator.stop();
  });

  it('gives up connecting when its signal aborts', async () => {
    await using server = await scriptedHttp1Server(() => {});
    const { generator } = generatorTo(server.access, 2);
    const controller = new AbortController();
    const reason = new Error('called off');
    const start = generator.start(controller.signal);
    setTimeout(() => controller.abort(reason), 50);
    await expect(start).rejects.toBe(reason);
  });

  it('counts every call under what became of it, and loses none', async () => {
    let number = 0;
    await using server = await scriptedHttp1Server((request, response) => {
      if (request.url === '/version') {
        response.end('{}');
        return;
      }
      switch (number++ % 5) {
        case 0:
          response.end(LIST_BODY);
          break;
        case 1:
          response.statusCode = 503;
          response.end('{}');
          break;
        case 2:
          response.statusCode = 404;
          response.end('{}');
          break;
        case 3:
          request.socket.destroy();
          break;
        default:
          response.statusCode = 429;
          response.end('{}');
      }
    });
    const { generator, recorder } = generatorTo(server.access, 4);
    await generator.start(NEVER);
    const outcome = await generator.runPhase(listPhase(200, 500), systemClock.nowUs() + 20_000, NEVER);
    await generator.stop();
    const totals = sumOf(recorder.drain());
    expect(outcome.actions[0]).toMatchObject({ offeredCount: 100, droppedCount: 0 });
    expect(totals).toMatchObject({ offered: 100, dropped: 0 });
    expect(totals.done + totals.failed).toBe(100);
    expect(totals.errors).toEqual({ 'http-5xx': 20, 'http-4xx': 20, connection: 20, 'http-429': 20 });
    expect(totals.receivedBytes).toBe(20 * LIST_BODY.length + 60 * 2);
  });

  it('shows a 600 ms stall of the server in the response times of all that came in it', async () => {
    let stallUntilMs = 0;
    await using server = await scriptedHttp1Server((request, response) => {
      if (request.url === '/version') stallUntilMs = performance.now() + 1_020;
      const waitMs = performance.now() > stallUntilMs - 600 ? stallUntilMs - performance.now() : 0;
      if (waitMs > 0 && request.url !== '/version') setTimeout(() => response.end(LIST_BODY), waitMs);
      else response.end(LIST_BODY);
    });
    const { generator, recorder } = generatorTo(server.access, 2);
    await generator.start(NEVER);
    await generator.runPhase(listPhase(250, 3_000), systemClock.nowUs() + 20_000, NEVER);
    await generator.stop();
    const windows = recorder.drain();
    const response = merged(windows, 'response');
    const service = merged(windows, 'service');
    expect(response.count).toBe(750);
    // 150 of 750 arrivals fall into the stall: the slowest percent waited for nearly all of it.
    expect(response.percentile(0.99)).toBeGreaterThan(450_000);
    // Two connections: two calls are served slowly, 0.3 % of all.
    expect(service.percentile(0.99)).toBeLessThan(300_000);
    expect(service.maxUs).toBeGreaterThan(450_000);
  });
});

function generatorTo(access: ClusterAccess, connectionCount: number) {
  const shard: LoadShard = {
    runId: 'run-1',
    seed: 1,
    shard: { index: 0, count: 1 },
    settings: {
      agentCount: 1,
      namespaceCount: 1,
      identity: { user: 'load', groups: [] },
      connectionCount,
      maxInFlightCount: 1_000,
      requestTimeoutMs: 10_000,
      honourRetryAfter: true,
      phases: [],
    },
    access,
    namespaces: ['ns-0'],
    labels: {},
    podPlacement: { nodeSelector: {}, tolerations: [] },
  };
  const recorder = new RunCallRecorder();
  const generator = new LoadGenerator(shard, {
    clock: systemClock,
    log: silentLogger(),
    recorder,
    podInstants: new PodInstantBuffer(),
  });
  return { generator, recorder };
}

function listPhase(ratePerSecond: number, durationMs: number): LoadPhase {
  return {
    name: 'phase',
    measured: true,
    durationMs: 0,
    settleTimeoutMs: 5_000,
    actions: [
      {
        action: 'reads',
        name: 'reads',
        ratePerSecond,
        arrival: 'constant',
        durationMs,
        mix: [
          {
            verb: 'list',
            resource: { group: '', version: 'v1', plural: 'pods', namespaced: true },
            scope: 'namespace',
            consistency: 'consistent',
            limit: 500,
            labelSelector: '',
            fieldSelector: '',
            weight: 1,
          },
        ],
      },
    ],
  };
}

function sumOf(windows: CallWindow[]) {
  const sum = {
    offered: 0,
    done: 0,
    failed: 0,
    dropped: 0,
    receivedBytes: 0,
    errors: {} as Record<string, number>,
  };
  for (const window of windows) {
    sum.offered += window.offeredCount;
    sum.done += window.doneCount;
    sum.failed += window.failedCount;
    sum.dropped += window.droppedCount;
    sum.receivedBytes += window.receivedBytes;
    for (const [name, count] of Object.entries(window.errors))
      sum.errors[name] = (sum.errors[name] ?? 0) + count;
  }
  return sum;
}

function merged(windows: CallWindow[], pick: 'response' | 'service'): LatencyHistogram {
  return LatencyHistogram.merged(
    windows.flatMap((window) => {
      const wire = window[pick];
      return wire === undefined ? [] : [LatencyHistogram.fromWire(wire)];
    }),
  );
}
