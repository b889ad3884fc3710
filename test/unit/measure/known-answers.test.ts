/**
 * Experiments with known answers: what a scripted server did is held against what the harness says of it, over both
 * transports. Exact figures come from raw samples taken beside the histograms; no wall time is asserted but that a
 * call took at least as long as its server did.
 */
import { describe, expect, it } from 'vitest';
import { type Distribution, LatencyHistogram } from '../../../src/result/index.ts';
import {
  exactQuantile,
  type KnownRun,
  runKnownLoad,
  type Transport,
} from '../../helpers/known-answer-load.ts';

const QUANTILES = [0.01, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 1];
/** Three significant digits: the top of a bucket is at most this much above any sample in it. */
const RESOLUTION_RATIO = 0.001;
/** Node's timers count whole milliseconds of the loop's own time. */
const TIMER_GRAIN_US = 2_000;
const transports: Transport[] = ['http1', 'http2'];

describe.each(transports)('known answers over %s', (transport) => {
  it('a fixed delay: every quantile is at least the delay, and exact to the resolution', async () => {
    const run = await runKnownLoad({
      transport,
      ratePerSecond: 200,
      durationMs: 1_500,
      connectionCount: 40,
      reply: () => ({ delayMs: 30 }),
    });
    expectFaithful(run, 300);
    expect(run.series).toMatchObject({ doneCount: 300, failedCount: 0, droppedCount: 0 });
    expect(run.series.service.summary.minUs).toBeGreaterThan(30_000 - TIMER_GRAIN_US);
  });

  it('two delays: the quantiles below the step show the short one, those above it the long one', async () => {
    const run = await runKnownLoad({
      transport,
      ratePerSecond: 200,
      durationMs: 1_500,
      connectionCount: 60,
      reply: (number) => ({ delayMs: number % 10 === 9 ? 400 : 10 }),
    });
    expectFaithful(run, 300);
    const service = LatencyHistogram.fromDistribution(run.series.service);
    // 30 of 300 are slow: ranks 271 to 300. A mean of the two would show neither.
    expect(service.countAbove(400_000 - TIMER_GRAIN_US)).toBeGreaterThanOrEqual(30);
    expect(service.percentile(0.91)).toBeGreaterThan(400_000 - TIMER_GRAIN_US);
    expect(service.percentile(0.5)).toBeLessThan(service.percentile(0.91) / 2);
  });

  it('a stall of 1.4 s: response p99 shows it, and service p99 only where every call could go out', async () => {
    const stall = { fromMs: 500, toMs: 1_900 };
    const run = await runKnownLoad({
      transport,
      ratePerSecond: 200,
      durationMs: 4_000,
      connectionCount: 4,
      reply: (_number, atMs) => ({
        delayMs: atMs >= stall.fromMs && atMs < stall.toMs ? stall.toMs - atMs : 0,
      }),
    });
    expectFaithful(run, 800);
    expect(run.series.doneCount).toBe(800);
    // What each arrival due within the stall must have waited, whatever else happened: until its end.
    const waits = run.samples.map(({ intendedUs }) => {
      const dueMs = (intendedUs - run.startUs) / 1_000;
      return dueMs >= stall.fromMs && dueMs < stall.toMs ? (stall.toMs - dueMs) * 1_000 : 0;
    });
    const { response, service } = run.series;
    for (const quantile of [0.7, 0.8, 0.9, 0.95, 0.99]) {
      const least = exactQuantile(waits, quantile) - TIMER_GRAIN_US;
      expect(LatencyHistogram.fromDistribution(response).percentile(quantile)).toBeGreaterThan(least);
    }
    expect(service.summary.maxUs).toBeGreaterThan(1_000_000);
    if (transport === 'http1') {
      // Only the four calls that were out when it began were served slowly: 0.5 % of all.
      expect(service.summary.p99Us).toBeLessThan(response.summary.p99Us / 4);
    } else {
      // As Go's transport, an HTTP/2 pool opens sessions for calls that find no stream: all 280 met the stall themselves.
      expect(service.summary.p99Us).toBeGreaterThan(exactQuantile(waits, 0.99) / 2);
    }
  });

  it('connections that drop: what was cut is failed, with its duration, and nothing is lost', async () => {
    const run = await runKnownLoad({
      transport,
      ratePerSecond: 150,
      durationMs: 1_000,
      connectionCount: 30,
      reply: (number) => {
        if (number % 5 === 0) return { delayMs: 60, cut: 'before-reply' };
        return number % 5 === 1 ? { delayMs: 60, cut: 'mid-body' } : {};
      },
    });
    expectConserved(run, 150);
    expectExact(run);
    expect(run.series).toMatchObject({ doneCount: 90, failedCount: 60, errors: { connection: 60 } });
    const cut = run.samples.filter(({ outcome }) => outcome === 'connection');
    for (const { sentUs, doneUs } of cut) expect(doneUs - sentUs).toBeGreaterThan(60_000 - TIMER_GRAIN_US);
    expect(run.series.response.summary.count).toBe(150);
  });

  it('slow bodies: a call lasts until its last byte', async () => {
    const run = await runKnownLoad({
      transport,
      ratePerSecond: 100,
      durationMs: 1_000,
      connectionCount: 40,
      reply: () => ({ pieces: { count: 5, everyMs: 25 } }),
    });
    expectFaithful(run, 100);
    expect(run.series).toMatchObject({ doneCount: 100, receivedBytes: 400_000 });
    expect(run.series.service.summary.minUs).toBeGreaterThan(100_000 - 4 * TIMER_GRAIN_US);
  });

  it('429 with Retry-After: sent again once, the wait within response and service time', async () => {
    const run = await runKnownLoad({
      transport,
      ratePerSecond: 100,
      durationMs: 400,
      connectionCount: 40,
      // Each of 40 calls is turned away once; of those that come again, every fourth a second time.
      reply: (number) =>
        number < 40 || number % 4 === 0 ? { status: 429, headers: { 'retry-after': '1' } } : {},
    });
    expectConserved(run, 40);
    expectExact(run);
    expect(run.outcome.retriedCount).toBe(40);
    expect(run.series).toMatchObject({ doneCount: 30, failedCount: 10, errors: { 'http-429': 10 } });
    expect(run.series.service.summary.minUs).toBeGreaterThan(1_000_000 - TIMER_GRAIN_US);
  });

  it('a deadline: calls that the server never ends are timeouts of just that length', async () => {
    const run = await runKnownLoad({
      transport,
      ratePerSecond: 100,
      durationMs: 600,
      connectionCount: 70,
      requestTimeoutMs: 300,
      reply: (number) => (number % 3 === 0 ? { delayMs: 60_000 } : {}),
    });
    expectConserved(run, 60);
    expectExact(run);
    expect(run.series.errors).toEqual({ timeout: 20 });
    const timeouts = run.samples.filter(({ outcome }) => outcome === 'timeout');
    for (const { intendedUs, doneUs } of timeouts)
      expect(doneUs - intendedUs).toBeGreaterThan(300_000 - TIMER_GRAIN_US);
  });

  it('a server that stops: what the cap holds back is dropped, what is out is cancelled at the end', async () => {
    const run = await runKnownLoad({
      transport,
      ratePerSecond: 200,
      durationMs: 800,
      connectionCount: 10,
      maxInFlightCount: 25,
      settleTimeoutMs: 100,
      reply: (number) => (number < 40 ? {} : { delayMs: 60_000 }),
    });
    expectConserved(run, 160);
    expectExact(run);
    expect(run.series).toMatchObject({ doneCount: 40, errors: { cancelled: 25 }, droppedCount: 95 });
    expect(Math.max(...run.ledger.map(({ inFlightCount }) => inFlightCount))).toBe(25);
  });
});

/** All was answered: totals conserve, quantiles are exact, and no call was quicker than its server. */
function expectFaithful(run: KnownRun, offeredCount: number): void {
  expectConserved(run, offeredCount);
  expectExact(run);
  const service = run.samples.map(({ sentUs, doneUs }) => doneUs - sentUs).sort((a, b) => a - b);
  const server = [...run.serverUs].sort((a, b) => a - b);
  expect(service).toHaveLength(server.length);
  // Each call encloses what the server did with it, so that the k-th quickest call is no quicker than its k-th answer.
  for (const [rank, serviceUs] of service.entries()) {
    expect(serviceUs).toBeGreaterThanOrEqual(server[rank] ?? Number.POSITIVE_INFINITY);
  }
}

/** offered = done + failed + dropped + in flight, at every window's end and in the result. */
function expectConserved(run: KnownRun, offeredCount: number): void {
  const { series, outcome, samples, ledger } = run;
  expect(series.offeredCount).toBe(offeredCount);
  expect(outcome.offeredCount).toBe(offeredCount);
  expect(series.doneCount + series.failedCount + series.droppedCount + series.inFlightAtEndCount).toBe(
    offeredCount,
  );
  expect(samples).toHaveLength(series.doneCount + series.failedCount);
  expect(series.inFlightAtEndCount).toBe(0);
  for (const { openCount, inFlightCount } of ledger) expect(openCount).toBe(inFlightCount);
}

/** Every quantile of response and service lies within the histogram's resolution of the raw samples' own. */
function expectExact(run: KnownRun): void {
  const response = run.samples.map(({ intendedUs, doneUs }) => Math.round(doneUs - intendedUs));
  const service = run.samples.map(({ sentUs, doneUs }) => Math.round(doneUs - sentUs));
  expectQuantiles(run.series.response, response);
  expectQuantiles(run.series.service, service);
}

function expectQuantiles(distribution: Distribution, samples: readonly number[]): void {
  expect(distribution.summary.count).toBe(samples.length);
  const histogram = LatencyHistogram.fromDistribution(distribution);
  for (const quantile of QUANTILES) {
    const exact = exactQuantile(samples, quantile);
    const recorded = histogram.percentile(quantile);
    expect(recorded).toBeGreaterThanOrEqual(exact);
    expect(recorded).toBeLessThanOrEqual(Math.ceil(exact * (1 + RESOLUTION_RATIO)));
  }
  expect(distribution.summary.minUs).toBe(Math.min(...samples));
  expect(distribution.summary.maxUs).toBe(Math.max(...samples));
}
