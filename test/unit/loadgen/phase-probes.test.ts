import { describe, expect, it } from 'vitest';
import { PhaseProbes, type ProbeWindow } from '../../../loadgen/index.ts';
import type { LoadPhase, ProbesAction } from '../../../src/config/index.ts';
import { silentLogger } from '../../../src/core/index.ts';
import type { ApiRequest, WatchHandlers } from '../../../src/kube/index.ts';
import { RunCallRecorder } from '../../../src/measure/index.ts';
import { LatencyHistogram } from '../../../src/result/index.ts';
import { ProbeSums } from '../../../src/run/probe-sums.ts';
import { connectionTo } from '../../helpers/load-world.ts';
import { type ScriptedAnswer, ScriptedDispatcher } from '../../helpers/scripted-dispatcher.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

const START_MS = 1_000;

/** A phase of probes over scripted servers on the virtual clock, one for each path. */
async function probed(
  action: Partial<ProbesAction>,
  options: {
    members?: string[];
    forMs: number;
    answer?: (path: string, request: ApiRequest, nowMs: number) => ScriptedAnswer;
    /** From a write's sending to its event at watcher i; undefined: never. */
    eventAfterMs?: (watcher: number, sequence: number) => number | undefined;
  },
) {
  const clock = virtualClock();
  const recorder = new RunCallRecorder();
  const watchers: WatchHandlers[] = [];
  const servers = new Map<string, ScriptedDispatcher>();
  const serverOf = (path: string) => {
    const server = new ScriptedDispatcher(clock, 1_000, (request) => {
      if (request.method === 'POST') return { serviceMs: 1, body: '{"metadata":{"name":"it"}}' };
      const sequence = (JSON.parse(request.body ?? '{}') as { data?: { sequence?: string } }).data?.sequence;
      if (request.method === 'PATCH' && sequence !== undefined)
        watchers.forEach((watcher, index) => {
          const afterMs = options.eventAfterMs?.(index, Number(sequence));
          if (afterMs !== undefined)
            clock.setTimer(() => watcher.onFrame(frame('MODIFIED', Number(sequence))), afterMs);
        });
      return options.answer?.(path, request, clock.nowUs() / 1_000) ?? { serviceMs: 2 };
    });
    servers.set(path, server);
    return server;
  };
  const probes = new PhaseProbes(
    {
      seed: 1,
      access: { server: 'http://balanced', members: [], credential: { type: 'bearer-token', token: '' } },
      members: (options.members ?? []).map((name) => ({ name, server: `http://${name}` })),
      namespace: 'probes',
      labels: {},
    },
    {
      clock,
      log: silentLogger(),
      recorder,
      connect: {
        calls: async ({ name }) => connectionTo(serverOf(name)),
        watches: async () =>
          connectionTo(new ScriptedDispatcher(clock, 1, () => ({ serviceMs: 0 })), (_path, handlers) => {
            handlers.onFrame(frame('ADDED', 0));
            handlers.onFrame(Buffer.from(INITIAL_END));
            watchers.push(handlers);
            return { close: () => {} };
          }),
      },
    },
  );
  const starting = probes.start(new AbortController().signal);
  await clock.advance(START_MS);
  await starting;
  for (const server of servers.values()) server.seen.length = 0;
  const phase: LoadPhase = {
    name: 'phase',
    measured: true,
    durationMs: options.forMs,
    settleTimeoutMs: 0,
    actions: [{ action: 'probes', name: 'probes', timeoutMs: 5_000, ...action }],
  };
  const begun = probes.startPhase(phase, START_MS * 1_000);
  await clock.advance(options.forMs - 1);
  await begun;
  const sums = new ProbeSums();
  sums.add(overTheWire(probes.drain()));
  const ending = probes.endPhase();
  await clock.advance(3_000);
  await ending;
  sums.add(overTheWire(probes.drain()));
  await probes.stop();
  const [found] = sums.summary() ?? [];
  if (found === undefined) throw new Error('no probes were found');
  return { found, servers, windows: recorder.drain() };
}

const INITIAL_END =
  '{"type":"BOOKMARK","object":{"metadata":{"resourceVersion":"1","annotations":{"k8s.io/initial-events-end":"true"}}}}';

function frame(type: string, sequence: number): Buffer {
  return Buffer.from(
    JSON.stringify({
      type,
      object: {
        metadata: {
          name: 'propagation',
          resourceVersion: String(sequence + 10),
          managedFields: [{ fieldsV1: { 'f:data': { 'f:sequence': {} } } }],
        },
        data: { sequence: String(sequence) },
      },
    }),
  );
}

function overTheWire(windows: ProbeWindow[]): ProbeWindow[] {
  return JSON.parse(JSON.stringify(windows)) as ProbeWindow[];
}

const isProbe = ({ request }: { request: ApiRequest }) => request.path === '/readyz';

describe('availability probes', () => {
  const availability = { ratePerSecond: 5, endpoint: '/readyz' };

  it('ask at their rate on every path, each in its turn', async () => {
    const { servers, found } = await probed({ availability }, { members: ['api-0'], forMs: 2_000 });
    const sent = (path: string) =>
      servers
        .get(path)
        ?.seen.filter(isProbe)
        .map(({ sentUs }) => sentUs / 1_000 - START_MS);
    expect(sent('balanced')).toEqual([0, 200, 400, 600, 800, 1_000, 1_200, 1_400, 1_600, 1_800]);
    expect(sent('api-0')).toEqual([100, 300, 500, 700, 900, 1_100, 1_300, 1_500, 1_700, 1_900]);
    expect(found.availability).toMatchObject([
      { path: 'balanced', goodCount: 10, badCount: 0, outageCount: 0, longestOutageUs: 0 },
      { path: 'api-0', goodCount: 10, badCount: 0 },
    ]);
  });

  it('tell the path that is out from the one that is not, and for how long it was', async () => {
    const { found, windows } = await probed(
      { availability },
      {
        members: ['api-0'],
        forMs: 10_000,
        answer: (path, _request, nowMs) => ({
          serviceMs: 3,
          ...(path === 'api-0' && nowMs >= START_MS + 2_000 && nowMs < START_MS + 3_400
            ? { status: 500 }
            : {}),
        }),
      },
    );
    expect(found.availability).toMatchObject([
      { path: 'balanced', goodCount: 50, badCount: 0, outageCount: 0 },
      { path: 'api-0', goodCount: 43, badCount: 7, outageCount: 1, longestOutageUs: 1_400_000 },
    ]);
    const series = windows.find(({ key }) => key.variant === 'api-0' && key.resource === 'readyz');
    expect(series).toMatchObject({
      offeredCount: 50,
      doneCount: 43,
      failedCount: 7,
      errors: { 'http-5xx': 7 },
    });
  });

  it('go on at their instants while earlier ones hang', async () => {
    const { servers, found } = await probed(
      { availability },
      {
        forMs: 12_000,
        answer: (_path, _request, nowMs) =>
          nowMs >= START_MS + 1_000 && nowMs < START_MS + 2_000
            ? { serviceMs: 5_000, failure: 'timeout' }
            : { serviceMs: 1 },
      },
    );
    const sent = servers.get('balanced')?.seen.filter(isProbe) ?? [];
    expect(sent.map(({ sentUs }) => sentUs / 1_000 - START_MS)).toEqual(
      Array.from({ length: 60 }, (_, index) => index * 200),
    );
    expect(found.availability[0]).toMatchObject({ goodCount: 55, badCount: 5, longestOutageUs: 1_000_000 });
    expect(LatencyHistogram.fromDistribution(found.slip).maxUs).toBe(0);
  });
});

describe('the propagation probe', () => {
  const propagation = { ratePerSecond: 2, watcherCount: 4 };

  it('finds known delays: first, last and spread', async () => {
    const { found } = await probed(
      { propagation },
      { forMs: 5_000, eventAfterMs: (watcher) => 5 + 20 * watcher },
    );
    const { first, last, spread, ...counts } = found.propagation ?? failed();
    expect([first, last, spread].map(({ summary }) => [summary.minUs, summary.maxUs])).toEqual([
      [5_000, 5_000],
      [65_000, 65_000],
      [60_000, 60_000],
    ]);
    expect(counts).toMatchObject({ watcherCount: 4, writeCount: 10, completeCount: 10, incompleteCount: 0 });
  });

  it('counts writes that a watcher misses, and keeps them out of no figure but its own', async () => {
    const { found } = await probed(
      { propagation },
      {
        forMs: 5_000,
        eventAfterMs: (watcher, sequence) => (watcher === 3 && sequence % 2 === 0 ? undefined : 10),
      },
    );
    expect(found.propagation).toMatchObject({ writeCount: 10, completeCount: 5, incompleteCount: 5 });
    expect(found.propagation?.first.summary.count).toBe(10);
    expect(found.propagation?.last.summary.count).toBe(5);
  });

  it('counts refused writes as failed', async () => {
    const { found } = await probed(
      { propagation },
      {
        forMs: 2_000,
        answer: (_path, { method }) => ({ serviceMs: 1, status: method === 'PATCH' ? 403 : 200 }),
      },
    );
    expect(found.propagation).toMatchObject({
      writeCount: 4,
      failedCount: 4,
      completeCount: 0,
      incompleteCount: 0,
    });
  });
});

describe('the read-your-write probe', () => {
  const object = (version: number) => JSON.stringify({ metadata: { resourceVersion: String(version) } });

  it('reads every write back on every path, and finds the stale ones', async () => {
    let version = 100;
    const { found } = await probed(
      { readYourWrite: { ratePerSecond: 1 } },
      {
        members: ['api-0'],
        forMs: 10_000,
        answer: (path, { method, path: asked }) => {
          if (method === 'PATCH') return { serviceMs: 4, body: object(++version) };
          // The member is one write behind in lists, always.
          const shown = object(path === 'api-0' && asked.includes('fieldSelector') ? version - 1 : version);
          return { serviceMs: 1, body: asked.includes('fieldSelector') ? `{"items":[${shown}]}` : shown };
        },
      },
    );
    expect(found.readYourWrite).toEqual([
      { path: 'balanced', verb: 'get', readCount: 10, staleCount: 0, failedCount: 0 },
      { path: 'balanced', verb: 'list', readCount: 10, staleCount: 0, failedCount: 0 },
      { path: 'api-0', verb: 'get', readCount: 10, staleCount: 0, failedCount: 0 },
      { path: 'api-0', verb: 'list', readCount: 10, staleCount: 10, failedCount: 0 },
    ]);
  });

  it('counts an object that is gone as stale, and a read without an answer as failed', async () => {
    const { found } = await probed(
      { readYourWrite: { ratePerSecond: 1 } },
      {
        forMs: 5_000,
        answer: (_path, { method, path }) => {
          if (method !== 'GET') return { serviceMs: 1, body: object(7) };
          return path.includes('fieldSelector')
            ? { serviceMs: 1, status: 503 }
            : { serviceMs: 1, status: 404 };
        },
      },
    );
    expect(found.readYourWrite).toMatchObject([
      { verb: 'get', readCount: 5, staleCount: 5, failedCount: 0 },
      { verb: 'list', readCount: 0, staleCount: 0, failedCount: 5 },
    ]);
  });
});

function failed(): never {
  throw new Error('nothing was found');
}
