import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  CallCollector,
  type CallWindow,
  type Outcome,
  RunCallRecorder,
  seriesId,
} from '../../../src/measure/index.ts';
import { LatencyHistogram, OFFICIAL_LIMITS, type SeriesKey } from '../../../src/result/index.ts';
import { seriesKey } from '../../helpers/results.ts';

const overTheWire = (windows: CallWindow[]): CallWindow[] => JSON.parse(JSON.stringify(windows));
const collector = () => new CallCollector({ windowMs: 10_000, limits: OFFICIAL_LIMITS });

interface Call {
  slipUs: number;
  serviceUs: number;
  outcome: Outcome;
}
const call = fc.record({
  slipUs: fc.integer({ min: 0, max: 2_000_000 }),
  serviceUs: fc.integer({ min: 0, max: 40_000_000 }),
  outcome: fc.constantFrom<Outcome>('ok', 'ok', 'http-429', 'http-5xx', 'timeout'),
});

function play(recorder: RunCallRecorder, key: SeriesKey, calls: readonly Call[]): void {
  const series = recorder.series(key);
  for (const { slipUs, serviceUs, outcome } of calls) {
    series.offer();
    series.record(1e9, 1e9 + slipUs, 1e9 + slipUs + serviceUs, outcome, 100, 10);
  }
}

describe('call recording', () => {
  it('conserves arrivals, bytes and outcomes over any split into agents and windows', () => {
    fc.assert(
      fc.property(
        fc.array(fc.array(call, { maxLength: 20 }), { maxLength: 6 }),
        fc.nat(5),
        (windows, dropped) => {
          const recorders = [new RunCallRecorder(), new RunCallRecorder()];
          const sums = collector();
          for (const [index, calls] of windows.entries()) {
            for (const [agent, recorder] of recorders.entries()) {
              play(
                recorder,
                seriesKey(),
                calls.filter((_call, i) => i % 2 === agent),
              );
              sums.add(`load-${agent}`, index, overTheWire(recorder.drain()));
            }
            sums.closeWindow(index);
          }
          recorders[0]?.series(seriesKey()).offer(dropped + 1);
          recorders[0]?.series(seriesKey()).drop(dropped);
          sums.add('load-0', windows.length, recorders[0]?.drain() ?? []);

          const all = windows.flat();
          const [series] = sums.series();
          expect(series).toMatchObject({
            offeredCount: all.length + dropped + 1,
            doneCount: all.filter(({ outcome }) => outcome === 'ok').length,
            failedCount: all.filter(({ outcome }) => outcome !== 'ok').length,
            droppedCount: dropped,
            inFlightAtEndCount: 1,
            receivedBytes: 100 * all.length,
            sentBytes: 10 * all.length,
          });
          const exact = new LatencyHistogram();
          for (const { slipUs, serviceUs } of all) exact.record(slipUs + serviceUs);
          expect(series?.response.summary).toEqual(expectSummary(exact));
          expect(series?.response.encoded).toBe(exact.encode());
          expect(recorders[0]?.inFlightCount()).toBe(1);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('lets a stall show in the response time and not in the service time', () => {
    // 100/s; the server stops for 1.4 s after the first call and answers each in 1 ms otherwise.
    const recorder = new RunCallRecorder();
    const series = recorder.series(seriesKey());
    for (let i = 0; i < 1_000; i++) {
      const intendedUs = i * 10_000;
      const sentUs = Math.max(intendedUs, i > 0 && intendedUs < 1_400_000 ? 1_400_000 : 0);
      series.record(intendedUs, sentUs, sentUs + 1_000, 'ok', 0, 0);
    }
    const [window] = recorder.drain();
    const p99 = (wire: CallWindow['response']) =>
      wire === undefined ? 0 : LatencyHistogram.fromWire(wire).percentile(0.99);
    expect(p99(window?.response)).toBeGreaterThan(1_200_000);
    expect(p99(window?.service)).toBe(1_000);
    expect(p99(window?.slip)).toBeGreaterThan(1_200_000);
    expect(window?.lateStartCount).toBe(39);
  });

  it('leaves out series in which nothing happened and begins each window empty', () => {
    const recorder = new RunCallRecorder();
    recorder.series(seriesKey({ verb: 'delete' }));
    play(recorder, seriesKey(), [{ slipUs: 0, serviceUs: 5, outcome: 'ok' }]);
    expect(recorder.drain()).toHaveLength(1);
    expect(recorder.drain()).toEqual([]);
    expect(recorder.drain()).toEqual([]);
    play(recorder, seriesKey(), [{ slipUs: 0, serviceUs: 7, outcome: 'ok' }]);
    expect(recorder.drain()[0]?.response?.maxUs).toBe(7);
  });

  it('gives one recorder per key, whatever the order of its fields', () => {
    const recorder = new RunCallRecorder();
    const { phase, ...rest } = seriesKey();
    expect(recorder.series({ phase, ...rest })).toBe(recorder.series({ ...rest, phase }));
    expect(recorder.series(seriesKey({ variant: 'cached' }))).not.toBe(recorder.series(seriesKey()));
  });

  it('makes tags that a histogram log can carry', () => {
    const id = seriesId(seriesKey({ phase: 'ramp, up/down', resource: 'deployments.apps' }));
    expect(id).toBe('ramp%2C%20up%2Fdown/load/create/deployments.apps//resource/');
    expect(id).not.toMatch(/[,\s]/);
  });

  it('counts what sources without a schedule did as what was asked for', () => {
    const recorder = new RunCallRecorder();
    recorder.series(seriesKey({ source: 'kubelet' })).record(0, 0, 5, 'ok', 1, 1);
    const windows = recorder.drain();
    expect(windows[0]).not.toHaveProperty('slip');
    const sums = collector();
    sums.add('fleet-0', 0, windows);
    expect(sums.series()[0]).toMatchObject({ offeredCount: 1, inFlightAtEndCount: 0 });
  });
});

describe('closed windows', () => {
  it('hold the figures of the load alone and the histograms of all', () => {
    const load = new RunCallRecorder();
    const fleet = new RunCallRecorder();
    play(load, seriesKey(), [
      { slipUs: 1_500_000, serviceUs: 10_000, outcome: 'ok' },
      { slipUs: 100, serviceUs: 900, outcome: 'http-5xx' },
    ]);
    load.series(seriesKey()).offer(2);
    load.series(seriesKey()).drop(1);
    play(fleet, seriesKey({ source: 'kubelet' }), [{ slipUs: 0, serviceUs: 9e6, outcome: 'ok' }]);
    const sums = collector();
    sums.add('load-0', 0, load.drain());
    sums.add('fleet-0', 0, fleet.drain());
    const { figures, intervals } = sums.closeWindow(0);
    expect(figures).toMatchObject({
      offeredCount: 4,
      achievedCount: 2,
      startedCount: 2,
      droppedCount: 1,
      failedCount: 1,
      maxUs: 1_510_000,
    });
    expect(figures.heat.reduce((sum, count) => sum + count, 0)).toBe(2);
    expect(intervals.map(({ tag }) => tag)).toEqual([
      'churn/load/create/configmaps//resource//response',
      'churn/load/create/configmaps//resource//service',
      'churn/kubelet/create/configmaps//resource//response',
      'churn/kubelet/create/configmaps//resource//service',
    ]);
    expect(sums.slipOf('load-0').summary.maxUs).toBe(1_500_000);
    expect(sums.slipOf('fleet-0').summary.count).toBe(0);
  });

  it('say nothing of latency when nothing ended', () => {
    const { figures, intervals } = collector().closeWindow(0);
    expect(figures).not.toHaveProperty('p99Us');
    expect(figures).not.toHaveProperty('slipP99Us');
    expect(figures.offeredCount).toBe(0);
    expect(intervals).toEqual([]);
  });

  it('lose nothing that comes late: it counts in the series and is logged with the next', () => {
    const recorder = new RunCallRecorder();
    const sums = collector();
    sums.closeWindow(0);
    play(recorder, seriesKey(), [{ slipUs: 0, serviceUs: 5, outcome: 'ok' }]);
    sums.add('load-0', 0, recorder.drain());
    const next = sums.closeWindow(1);
    expect(next.figures.achievedCount).toBe(0);
    expect(next.intervals).toHaveLength(2);
    expect(sums.series()[0]?.doneCount).toBe(1);
  });

  it('add up to 5-minute windows against the limit, whole ones only', () => {
    const recorder = new RunCallRecorder();
    const sums = collector();
    for (let index = 0; index < 35; index++) {
      play(recorder, seriesKey(), [
        { slipUs: 0, serviceUs: index < 30 ? 5_000 : 2_000_000, outcome: 'ok' },
        { slipUs: 0, serviceUs: 5_000, outcome: index === 0 ? 'http-429' : 'ok' },
      ]);
      sums.add('load-0', index, recorder.drain());
      sums.closeWindow(index);
    }
    expect(sums.series()[0]?.windows).toEqual([{ startMs: 0, count: 60, overLimitCount: 1 }]);
  });
});

function expectSummary(exact: LatencyHistogram) {
  const summary = exact.summary();
  return { ...summary, meanUs: expect.closeTo(summary.meanUs, 3) };
}
