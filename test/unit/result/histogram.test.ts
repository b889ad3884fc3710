import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HISTOGRAM_MAX_US, LATENCY_ROWS_US, LatencyHistogram, rankOf } from '../../../src/result/index.ts';

const latencyUs = fc.oneof(
  fc.integer({ min: 0, max: 3_000 }),
  fc.integer({ min: 0, max: 60_000_000 }),
  fc.integer({ min: 0, max: HISTOGRAM_MAX_US }),
);
const samplesUs = fc.array(latencyUs, { minLength: 1, maxLength: 400 });
const quantile = fc.double({ min: 0, max: 1, noNaN: true });

function histogramOf(values: readonly number[]): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

function sorted(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}

/** Three digits: the top of a bucket is at most 1/1024 above the sample. */
const withinResolution = (valueUs: number, exactUs: number) =>
  valueUs >= exactUs && valueUs <= exactUs + Math.ceil(exactUs / 1_000);

describe('LatencyHistogram', () => {
  it('gives every quantile within 0.1 % of the exact nearest-rank answer', () => {
    fc.assert(
      fc.property(samplesUs, quantile, (values, q) => {
        const exactUs = sorted(values)[rankOf(q, values.length) - 1] ?? Number.NaN;
        expect(withinResolution(histogramOf(values).percentile(q), exactUs)).toBe(true);
      }),
    );
  });

  it('keeps count, minimum, maximum and mean exact', () => {
    fc.assert(
      fc.property(samplesUs, (values) => {
        const { count, minUs, maxUs, meanUs } = histogramOf(values).summary();
        expect(count).toBe(values.length);
        expect(minUs).toBe(Math.min(...values));
        expect(maxUs).toBe(Math.max(...values));
        expect(meanUs).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / values.length, 3);
      }),
    );
  });

  it('has the same buckets whether samples are recorded together or merged from parts', () => {
    fc.assert(
      fc.property(samplesUs, samplesUs, (left, right) => {
        const merged = LatencyHistogram.merged([histogramOf(left), histogramOf(right)]);
        const together = histogramOf([...left, ...right]);
        expect([...merged.bucketCounts()]).toEqual([...together.bucketCounts()]);
        expect(merged.summary()).toEqual({
          ...together.summary(),
          meanUs: expect.closeTo(together.meanUs, 3),
        });
      }),
      { numRuns: 40 },
    );
  });

  it('survives encoding: buckets exactly, and over the wire minimum, maximum and sum too', () => {
    fc.assert(
      fc.property(samplesUs, (values) => {
        const histogram = histogramOf(values);
        expect([...LatencyHistogram.decode(histogram.encode()).bucketCounts()]).toEqual([
          ...histogram.bucketCounts(),
        ]);
        const wire = JSON.parse(JSON.stringify(histogram.toWire()));
        expect(LatencyHistogram.fromWire(wire).distribution()).toEqual(histogram.distribution());
        const again = LatencyHistogram.fromDistribution(histogram.distribution());
        expect(again.maxUs).toBe(histogram.maxUs);
        expect(again.minUs).toBe(histogram.minUs);
      }),
      { numRuns: 40 },
    );
  });

  it('merges and records on after decoding', () => {
    const decoded = LatencyHistogram.fromWire(histogramOf([5, 70_000_000]).toWire());
    decoded.record(HISTOGRAM_MAX_US);
    decoded.add(histogramOf([7]));
    expect(decoded.count).toBe(4);
    expect(decoded.minUs).toBe(5);
    expect(decoded.maxUs).toBe(HISTOGRAM_MAX_US);
  });

  it('is decoded by the library itself, so that other HdrHistogram tools read it', () => {
    const { decodeFromCompressedBase64 } = createRequire(import.meta.url)('hdr-histogram-js');
    const library = decodeFromCompressedBase64(histogramOf([1_000, 2_000, 1_000_000]).encode());
    expect(library.totalCount).toBe(3);
    expect(library.getValueAtPercentile(50)).toBe(2_000);
  });

  it('counts samples above a limit exactly when they are beyond its bucket', () => {
    fc.assert(
      fc.property(samplesUs, latencyUs, (values, limitUs) => {
        const counted = histogramOf(values).countAbove(limitUs);
        const exact = values.filter((value) => value > limitUs).length;
        const beyondBucket = values.filter((value) => value > limitUs + Math.ceil(limitUs / 1_000)).length;
        expect(counted).toBeLessThanOrEqual(exact);
        expect(counted).toBeGreaterThanOrEqual(beyondBucket);
        expect(counted > 0).toBe(exact > 0);
      }),
    );
  });

  it('rebins every sample into one heatmap row', () => {
    fc.assert(
      fc.property(samplesUs, (values) => {
        const rows = histogramOf(values).rebin();
        expect(rows).toHaveLength(LATENCY_ROWS_US.length);
        expect(rows.reduce((sum, count) => sum + count, 0)).toBe(values.length);
      }),
    );
  });

  it.each([
    { valueUs: 1, row: 0, why: 'below the first edge' },
    { valueUs: 100, row: 0, why: 'on an edge belongs below it' },
    { valueUs: 101, row: 1, why: 'just above an edge' },
    { valueUs: 1_000, row: 4, why: 'a decade is four rows' },
    { valueUs: 99_000_000, row: 24, why: 'last row with an edge' },
    { valueUs: 3_000_000_000, row: 24, why: 'the last row is open' },
  ])('puts $valueUs µs into heatmap row $row: $why', ({ valueUs, row }) => {
    expect(histogramOf([valueUs]).rebin().indexOf(1)).toBe(row);
  });

  it('draws a percentile plot that rises, reaches the maximum, and agrees with percentile()', () => {
    fc.assert(
      fc.property(samplesUs, (values) => {
        const histogram = histogramOf(values);
        const points = histogram.percentilePoints();
        expect(points.at(-1)).toEqual({ quantile: 1, valueUs: histogram.maxUs, countAbove: 0 });
        for (const [index, point] of points.entries()) {
          expect(point.valueUs).toBe(histogram.percentile(point.quantile));
          expect(point.valueUs).toBeGreaterThanOrEqual(points[index - 1]?.valueUs ?? 0);
          expect(point.countAbove).toBeLessThanOrEqual(points[index - 1]?.countAbove ?? values.length);
        }
      }),
      { numRuns: 40 },
    );
  });

  it('clamps what is over an hour and counts it as over range', () => {
    const histogram = histogramOf([HISTOGRAM_MAX_US, HISTOGRAM_MAX_US + 1, Number.POSITIVE_INFINITY]);
    expect(histogram.count).toBe(3);
    expect(histogram.overRangeCount).toBe(2);
    expect(histogram.maxUs).toBe(HISTOGRAM_MAX_US);
    expect(LatencyHistogram.fromWire(histogram.toWire()).overRangeCount).toBe(2);
  });

  it('rounds fractions once and takes negatives for zero', () => {
    const histogram = histogramOf([1.9, -0.4, -5]);
    expect(histogram.maxUs).toBe(2);
    expect(histogram.minUs).toBe(0);
  });

  it('refuses NaN instead of counting it as a fast call', () => {
    const histogram = new LatencyHistogram();
    expect(() => histogram.record(Number.NaN)).toThrow('not a number');
    expect(histogram.count).toBe(0);
  });

  it('says nothing but zeros when empty', () => {
    const empty = new LatencyHistogram();
    expect(empty.encode()).toBe('');
    expect(Object.values(empty.summary()).every((value) => value === 0)).toBe(true);
    expect(empty.percentilePoints()).toEqual([]);
    expect(empty.countAbove(0)).toBe(0);
    expect(LatencyHistogram.decode('').count).toBe(0);
    const sum = histogramOf([3]);
    sum.add(empty);
    empty.add(sum);
    expect(empty.summary()).toEqual(sum.summary());
  });

  it('counts more than 2^16 equal values, where small buckets would wrap', () => {
    const histogram = new LatencyHistogram();
    for (let i = 0; i < 70_000; i++) histogram.record(1_234);
    expect(histogram.percentile(0.5)).toBe(1_234);
    expect(histogram.count).toBe(70_000);
  });

  it('forgets everything on reset', () => {
    const histogram = histogramOf([1, 100_000_000, HISTOGRAM_MAX_US + 5]);
    histogram.reset();
    expect(histogram.distribution()).toEqual(new LatencyHistogram().distribution());
    histogram.record(9);
    expect(histogram.summary()).toEqual(histogramOf([9]).summary());
  });
});

describe('rankOf', () => {
  it.each([
    { quantile: 0.99, count: 100, rank: 99 },
    { quantile: 0.99, count: 101, rank: 100 },
    { quantile: 0.07, count: 100, rank: 7 },
    { quantile: 0, count: 10, rank: 1 },
    { quantile: 1, count: 10, rank: 10 },
  ])('takes sample $rank for quantile $quantile of $count', ({ quantile: q, count, rank }) => {
    expect(rankOf(q, count)).toBe(rank);
  });
});
