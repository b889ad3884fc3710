import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeWindows } from '../../../reports/html/chart-data.ts';
import { measuredCallRows } from '../../../reports/model/call-rows.ts';
import {
  formatInterval,
  interpolatedQuantileSeconds,
  quantileInterval,
} from '../../../reports/model/server-side.ts';
import { shellCommand } from '../../../reports/model/words.ts';
import { textTable, wrap } from '../../../reports/text-table.ts';
import { LATENCY_ROWS_US, LatencyHistogram, type TimelineWindow } from '../../../src/result/index.ts';
import { sampleRun } from '../../helpers/sample-run.ts';

const BUCKETS = [
  { leSeconds: 0.05, count: 50 },
  { leSeconds: 0.1, count: 90 },
  { leSeconds: 1, count: 98 },
  { leSeconds: null, count: 100 },
];

describe('server-side quantiles', () => {
  it.each([
    { quantile: 0.5, text: '<50 ms', why: 'rank 50 is in the first bucket' },
    { quantile: 0.51, text: '50–100 ms', why: 'rank 51 is the first of the second bucket' },
    { quantile: 0.95, text: '100 ms–1 s', why: 'units differ' },
    { quantile: 0.99, text: '>1 s', why: 'rank 99 is above the last edge' },
  ])('lie between bucket edges: $text ($why)', ({ quantile, text }) => {
    expect(formatInterval(quantileInterval(BUCKETS, quantile))).toBe(text);
  });

  it('are interpolated as Prometheus does where a file format asks for it', () => {
    // Rank 70 of 100: 20 of the 40 samples of the second bucket, so its middle.
    expect(interpolatedQuantileSeconds(BUCKETS, 0.7)).toBeCloseTo(0.075);
    // Above the last finite edge Prometheus answers that edge.
    expect(interpolatedQuantileSeconds(BUCKETS, 0.999)).toBe(1);
    expect(interpolatedQuantileSeconds([{ leSeconds: null, count: 0 }], 0.5)).toBeUndefined();
  });
});

describe('rows of calls', () => {
  it('hold the samples of all measured phases and none of the warm-up', () => {
    const run = sampleRun('quickstart');
    const row = measuredCallRows(run).find((one) => one.source === 'load' && one.call === 'create pods');
    const series = run.series.filter(({ key }) => key.source === 'load' && key.verb === 'create');
    const measured = series.filter(({ key }) => key.phase !== 'warm-up');
    expect(series.length).toBe(3);
    const merged = LatencyHistogram.merged(
      measured.map((one) => LatencyHistogram.fromDistribution(one.response)),
    );
    expect(row?.response.summary).toEqual(merged.summary());
    expect(row?.doneCount).toBe(measured.reduce((sum, one) => sum + one.doneCount, 0));
    // 1,040 + 600 calls, three of them failed, in 52 s + 60 s.
    expect(row?.ratePerSecond).toBeCloseTo((1_640 - (row?.failedCount ?? 0)) / 112);
  });

  it('put the load first, and of it what is nearest to its limit', () => {
    const rows = measuredCallRows(sampleRun('slo-failure'));
    expect(rows[0]?.call).toBe('create pods');
    expect(rows[0]?.limitShareRatio).toBeGreaterThan(1);
    const shares = rows.filter((row) => row.source === 'load').map((row) => row.limitShareRatio ?? -1);
    expect(shares).toEqual([...shares].sort((a, b) => b - a));
  });
});

describe('merged windows', () => {
  const windows = fc.array(
    fc.record({
      count: fc.nat(1_000),
      dropped: fc.nat(10),
      phase: fc.constantFrom('a', 'b'),
      p99Us: fc.nat(1e6),
    }),
    { maxLength: 300 },
  );

  it('keep every count and the highest percentile, never mix phases, and stay in order', () => {
    fc.assert(
      fc.property(windows, fc.integer({ min: 1, max: 50 }), (specs, limit) => {
        const timeline = specs.map(
          (spec, i): TimelineWindow => ({
            startMs: i * 1_000,
            endMs: (i + 1) * 1_000,
            phase: spec.phase,
            offeredCount: spec.count,
            achievedCount: spec.count - Math.min(spec.count, spec.dropped),
            droppedCount: spec.dropped,
            failedCount: 0,
            p99Us: spec.p99Us,
            heat: LATENCY_ROWS_US.map((_, row) => (row === i % LATENCY_ROWS_US.length ? spec.count : 0)),
            gauges: {},
          }),
        );
        const merged = mergeWindows(timeline, limit);
        const sum = (all: readonly TimelineWindow[], pick: (one: TimelineWindow) => number) =>
          all.reduce((total, one) => total + pick(one), 0);
        expect(sum(merged, (one) => one.offeredCount)).toBe(sum(timeline, (one) => one.offeredCount));
        expect(sum(merged, (one) => one.heat.reduce((a, b) => a + b, 0))).toBe(
          sum(timeline, (one) => one.offeredCount),
        );
        expect(Math.max(0, ...merged.map((one) => one.p99Us ?? 0))).toBe(
          Math.max(0, ...timeline.map((one) => one.p99Us ?? 0)),
        );
        merged.forEach((one, i) => {
          const inside = timeline.filter((other) => other.startMs >= one.startMs && other.endMs <= one.endMs);
          expect(new Set(inside.map((other) => other.phase)).size).toBe(1);
          expect(one.startMs).toBe(merged[i - 1]?.endMs ?? 0);
        });
      }),
    );
  });
});

describe('plain text', () => {
  it('cuts only the first column of a table that is too wide', () => {
    const lines = textTable(
      [
        { title: 'name', align: 'left' },
        { title: 'n', align: 'right' },
      ],
      [
        ['a very long name indeed', '12'],
        ['b', '3'],
      ],
      20,
    );
    expect(lines).toEqual(['name               n', 'a very long nam…  12', 'b                  3']);
  });

  it('breaks lines at spaces and indents what follows', () => {
    expect(wrap('one two three four', 9, 2)).toEqual(['one two', '  three', '  four']);
    expect(wrap('unbreakablelongword x', 5, 2)).toEqual(['unbreakablelongword', '  x']);
  });

  it('quotes arguments as a shell takes them back', () => {
    expect(shellCommand(['hollowmark', 'run', 'my suite.yaml', '--set', "a='b'"])).toBe(
      `hollowmark run 'my suite.yaml' --set 'a='\\''b'\\'''`,
    );
  });
});
