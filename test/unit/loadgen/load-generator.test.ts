import { describe, expect, it } from 'vitest';
import { churn, create, NEVER, phaseOf, reads, startWorld } from '../../helpers/load-world.ts';

describe('the load generator', () => {
  it('creates exactly the asked number at the asked rate, with the names of their indexes', async () => {
    const world = await startWorld({ answer: () => ({ serviceMs: 20 }) });
    const outcome = await world.run([create({ objectCount: 20, ratePerSecond: 10 })], 5_000);
    expect(world.calls.map(({ sentUs }) => sentUs / 1_000)).toEqual(
      Array.from({ length: 20 }, (_, index) => 100 + index * 100),
    );
    expect(world.calls[3]?.request).toMatchObject({ method: 'POST', path: '/api/v1/namespaces/ns-1/pods' });
    expect(new Set(world.calls.map(({ request }) => JSON.parse(request.body ?? '').metadata.name)).size).toBe(
      20,
    );
    expect(outcome.actions[0]).toMatchObject({
      offeredCount: 20,
      doneCount: 20,
      failedCount: 0,
      droppedCount: 0,
      expectedPodCount: 20,
      acknowledgedPodCount: 20,
    });
    expect(outcome.state).toBe('completed');
  });

  it('reports a fixed service time as response and service time, with no slip', async () => {
    const world = await startWorld({ answer: () => ({ serviceMs: 35 }) });
    await world.run([create({ objectCount: 50, ratePerSecond: 100 })], 2_000);
    const { response, service, slipMaxUs } = world.latencies();
    expect([response.minUs, response.maxUs, service.minUs, service.maxUs]).toEqual([
      35_000, 35_000, 35_000, 35_000,
    ]);
    expect(slipMaxUs).toBe(0);
  });

  it('shows a stall in the response time and not in the service time', async () => {
    const world = await startWorld({ connectionCount: 2, answer: () => ({ serviceMs: 5 }) });
    world.server.stall(5_000, 1_400);
    await world.run([reads({ ratePerSecond: 100, durationMs: 20_000 })], 30_000, { known: 1 });
    const { response, service } = world.latencies();
    expect(response.count).toBe(2_000);
    // 140 arrivals fall into the stall and some 30 more wait behind them: 8 % of all see it, up to 1.4 s.
    expect(response.percentile(0.99)).toBeGreaterThan(1_000_000);
    expect(response.maxUs).toBe(1_405_000);
    // Only the two that were on the connections see it as service time: 0.1 %.
    expect(service.percentile(0.99)).toBeLessThan(6_000);
    expect(service.maxUs).toBe(1_405_000);
  });

  it('drops and counts what finds no place in flight, and shifts nothing', async () => {
    const world = await startWorld({
      maxInFlightCount: 3,
      answer: ({ method }) => ({ serviceMs: method === 'POST' ? 1 : 1_000 }),
    });
    const outcome = await world.run([reads({ ratePerSecond: 10, durationMs: 3_000 })], 6_000, { known: 1 });
    // Places are free at 0, 1 and 2 s; each time three arrivals take them and seven are dropped.
    expect(world.calls.map(({ sentUs }) => Math.round(sentUs / 1_000) - 100)).toEqual([
      0, 100, 200, 1_000, 1_100, 1_200, 2_000, 2_100, 2_200,
    ]);
    expect(outcome.actions[0]).toMatchObject({
      offeredCount: 30,
      doneCount: 9,
      droppedByReason: { 'in-flight-cap': 21, stopped: 0, 'no-object': 0 },
    });
    expect(world.totals()).toEqual({ offered: 30, done: 9, failed: 0, dropped: 21 });
    expect(world.generator.stats()).toMatchObject({ maxInFlightCount: 3, inFlightCount: 0 });
  });

  it('counts reads of what does not exist yet as dropped with that reason', async () => {
    const world = await startWorld({ answer: () => ({ serviceMs: 1, body: '{"items":[]}' }) });
    const outcome = await world.run([reads({ ratePerSecond: 10, durationMs: 1_000 })], 3_000);
    expect(outcome.actions[0]).toMatchObject({
      offeredCount: 10,
      doneCount: 0,
      droppedByReason: { 'no-object': 10 },
    });
  });

  it('finds objects that it did not create itself', async () => {
    const items = [
      { metadata: { namespace: 'other', name: 'p1' } },
      { metadata: { namespace: 'other', name: 'p2' } },
    ];
    const world = await startWorld({
      answer: (request) => ({
        serviceMs: 1,
        ...(request.path.includes('labelSelector')
          ? { body: '{"items":[]}' }
          : { body: JSON.stringify({ items }) }),
      }),
    });
    const phase = phaseOf([reads({ ratePerSecond: 10, durationMs: 2_000 })]);
    const prepared = world.generator.preparePhase(phase, NEVER);
    await world.clock.advance(100);
    await prepared;
    const outcome = await world.runPhase(phase, 4_000);
    expect(outcome.actions[0]).toMatchObject({ offeredCount: 20, doneCount: 20, droppedCount: 0 });
    const paths = new Set(world.calls.slice(2).map(({ request }) => request.path));
    expect(paths).toEqual(
      new Set([
        '/api/v1/namespaces/other/pods/p1?resourceVersion=0',
        '/api/v1/namespaces/other/pods/p2?resourceVersion=0',
      ]),
    );
  });

  it('deletes each object of a churn one lifetime after it was due, and notes the instants of its pod', async () => {
    const world = await startWorld({ answer: () => ({ serviceMs: 10 }) });
    const outcome = await world.run([churn({ ratePerSecond: 5, durationMs: 2_000, lifetimeMs: 500 })], 5_000);
    const at = (method: string) =>
      world.calls
        .filter((call) => call.request.method === method)
        .map(({ sentUs }) => Math.round(sentUs / 1_000) - 100);
    expect(at('POST')).toEqual([0, 200, 400, 600, 800, 1_000, 1_200, 1_400, 1_600, 1_800]);
    expect(at('DELETE')).toEqual(at('POST').map((ms) => ms + 500));
    expect(outcome.actions[0]).toMatchObject({ offeredCount: 20, doneCount: 20, expectedPodCount: 0 });
    const batch = world.podInstants.drain();
    expect(batch?.pods).toHaveLength(10);
    // intended, sent, created, delete-sent, deleted of each.
    expect(batch?.rows).toHaveLength(3 * 50);
  });

  it('keeps a delete back until its creation has ended, without moving its intended instant', async () => {
    const world = await startWorld({ answer: ({ method }) => ({ serviceMs: method === 'POST' ? 900 : 10 }) });
    const outcome = await world.run([churn({ ratePerSecond: 1, durationMs: 1_000, lifetimeMs: 300 })], 5_000);
    expect(
      world.calls.map(({ request, sentUs }) => [request.method, Math.round(sentUs / 1_000) - 100]),
    ).toEqual([
      ['POST', 0],
      ['DELETE', 900],
    ]);
    expect(outcome.actions[0]).toMatchObject({ deferredCount: 1, doneCount: 2, droppedCount: 0 });
    // Due at 300 ms, done at 910 ms.
    expect(world.latencies('delete').response.maxUs).toBe(610_000);
  });

  it.each([
    {
      what: 'is refused',
      status: 403,
      expected: { offeredCount: 1, failedCount: 1, voidedCount: 1 },
      deletes: 0,
    },
    {
      what: 'fails in the server',
      status: 500,
      expected: { offeredCount: 2, failedCount: 1, doneCount: 1 },
      deletes: 1,
    },
    {
      what: 'meets an object of its name',
      status: 409,
      expected: { offeredCount: 2, doneCount: 1 },
      deletes: 1,
    },
  ])('of a creation that $what makes $deletes deletes', async ({ status, expected, deletes }) => {
    const world = await startWorld({
      answer: ({ method }) => ({ serviceMs: 10, status: method === 'POST' ? status : 200 }),
    });
    const outcome = await world.run([churn({ ratePerSecond: 1, durationMs: 1_000, lifetimeMs: 300 })], 3_000);
    expect(outcome.actions[0]).toMatchObject(expected);
    expect(world.calls.filter((call) => call.request.method === 'DELETE')).toHaveLength(deletes);
  });

  it('drops a delete that waited for a creation which was then refused', async () => {
    const world = await startWorld({ answer: () => ({ serviceMs: 900, status: 422 }) });
    const outcome = await world.run([churn({ ratePerSecond: 1, durationMs: 1_000, lifetimeMs: 300 })], 3_000);
    expect(outcome.actions[0]).toMatchObject({
      offeredCount: 2,
      failedCount: 1,
      droppedByReason: { 'no-object': 1 },
      deferredCount: 1,
    });
    expect(world.totals()).toEqual({ offered: 2, done: 0, failed: 1, dropped: 1 });
  });

  it('sends a call again once after Retry-After, inside its response time', async () => {
    const world = await startWorld({
      answer: (_request, number) =>
        number === 0 ? { serviceMs: 10, status: 429, retryAfterMs: 1_000 } : { serviceMs: 10 },
    });
    const outcome = await world.run([create({ objectCount: 1, ratePerSecond: 1 })], 3_000);
    expect(outcome.actions[0]).toMatchObject({ offeredCount: 1, doneCount: 1, retriedCount: 1 });
    expect(world.latencies().response.maxUs).toBe(1_020_000);
    expect(world.latencies().slipMaxUs).toBe(0);
  });

  it('takes a second 429, or one without Retry-After, as the outcome', async () => {
    const world = await startWorld({
      answer: (_request, number) => ({
        serviceMs: 10,
        status: 429,
        ...(number < 2 ? { retryAfterMs: 500 } : {}),
      }),
    });
    const outcome = await world.run([create({ objectCount: 2, ratePerSecond: 1 })], 5_000);
    expect(outcome.actions[0]).toMatchObject({ offeredCount: 2, failedCount: 2, retriedCount: 1 });
    expect(world.calls).toHaveLength(3);
  });

  it('leaves a 429 alone when told to', async () => {
    const world = await startWorld({
      honourRetryAfter: false,
      answer: () => ({ serviceMs: 10, status: 429, retryAfterMs: 500 }),
    });
    const outcome = await world.run([create({ objectCount: 1, ratePerSecond: 1 })], 5_000);
    expect(outcome.actions[0]).toMatchObject({ failedCount: 1, retriedCount: 0 });
  });

  it('follows the pages of a list, a page a call, and begins anew after the last', async () => {
    const page = (token: string) =>
      JSON.stringify({ metadata: { resourceVersion: '7', continue: token }, items: [] });
    const world = await startWorld({
      answer: ({ path }) => ({
        serviceMs: 1,
        body: path.includes('continue=t%2B2')
          ? page('')
          : path.includes('continue=t1')
            ? page('t+2')
            : page('t1'),
      }),
    });
    await world.run(
      [reads({ ratePerSecond: 10, durationMs: 400, verb: 'list', consistency: 'paged' })],
      2_000,
    );
    // The action's arrivals take namespaces in turn; pages stay in the namespace that they began in.
    expect(world.calls.map(({ request }) => request.path)).toEqual([
      '/api/v1/namespaces/ns-0/pods?labelSelector=app%3Dweb&limit=500',
      '/api/v1/namespaces/ns-0/pods?continue=t1&labelSelector=app%3Dweb&limit=500',
      '/api/v1/namespaces/ns-0/pods?continue=t%2B2&labelSelector=app%3Dweb&limit=500',
      '/api/v1/namespaces/ns-1/pods?labelSelector=app%3Dweb&limit=500',
    ]);
    expect(world.seriesKeys()).toContainEqual(
      expect.objectContaining({ verb: 'list', scope: 'namespace', variant: 'paged', resource: 'pods' }),
    );
  });

  it('sends the same calls at the same instants for the same seed, and other reads for another', async () => {
    const trace = async (seed: number) => {
      const world = await startWorld({ seed, answer: () => ({ serviceMs: 7 }) });
      await world.run(
        [
          churn({ ratePerSecond: 20, durationMs: 3_000, lifetimeMs: 700, arrival: 'poisson' }),
          reads({ ratePerSecond: 50, durationMs: 3_000, arrival: 'poisson' }),
        ],
        10_000,
      );
      return world.calls.map(
        ({ request, sentUs }) => `${Math.round(sentUs)} ${request.method} ${request.path} ${request.body}`,
      );
    };
    const first = await trace(1);
    expect(first.length).toBeGreaterThan(150);
    expect(await trace(1)).toEqual(first);
    expect(await trace(2)).not.toEqual(first);
  });

  it('shards make together what one makes alone', async () => {
    const traceOf = async (index: number, count: number) => {
      const world = await startWorld({ shard: { index, count }, answer: () => ({ serviceMs: 3 }) });
      await world.run(
        [
          create({ objectCount: 31, ratePerSecond: 17, arrival: 'poisson' }),
          reads({ ratePerSecond: 23, durationMs: 2_000, verb: 'list', consistency: 'cached' }),
        ],
        10_000,
      );
      return world.calls.map(
        ({ request, sentUs }) => `${Math.round(sentUs)} ${request.method} ${request.path} ${request.body}`,
      );
    };
    const merged = (await Promise.all([0, 1, 2].map((index) => traceOf(index, 3)))).flat();
    expect(merged.sort()).toEqual((await traceOf(0, 1)).sort());
  });
});
