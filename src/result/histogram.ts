/**
 * The one histogram of latencies: HDR over integer microseconds with three significant digits, so that any quantile
 * is within 0.1 % of the sample it stands for, whatever the shape of the distribution.
 *
 * It wraps the 32-bit JavaScript build of hdr-histogram-js and closes its traps: NaN is refused (the library counts
 * it as 0), fractions and negatives are settled once, values beyond an hour are clamped and counted instead of lost,
 * minimum, maximum and sum are kept exactly beside the buckets, and an empty histogram prints no 2^53-1. The 8- and
 * 16-bit builds wrap silently and the WebAssembly build leaks without destroy(); neither is used.
 */
import { decodeFromCompressedBase64, Int32Histogram, type JsHistogram } from 'hdr-histogram-js';
import { HarnessError } from '../core/index.ts';
import { type Distribution, type DistributionSummary, LATENCY_ROWS_US } from './run-result.ts';

/** Latencies above this are clamped to it and counted as over range: one hour. */
export const HISTOGRAM_MAX_US = 3_600_000_000;
/** Range a histogram is made with: 60 s, 70 KB. It grows when a value needs it. */
export const HISTOGRAM_INITIAL_US = 60_000_000;
/** Significant decimal digits. */
export const HISTOGRAM_DIGITS = 3;
/** Points per decade of 1 / (1 - quantile) in a percentile plot. */
const POINTS_PER_NINE = 20;

/** One non-empty bucket; both edges inclusive. */
export interface HistogramBucket {
  lowUs: number;
  highUs: number;
  count: number;
}

/** One point of the percentile plot; its x on the log-nines axis is log10(1 / (1 - quantile)). */
export interface PercentilePoint {
  /** 0..1; 1 for the maximum. */
  quantile: number;
  valueUs: number;
  /** Samples above `valueUs`'s bucket. */
  countAbove: number;
}

/** A histogram on its way between processes: exact figures that the V2 encoding alone would round. */
export interface EncodedHistogram {
  /** V2, compressed, base64. */
  encoded: string;
  minUs: number;
  maxUs: number;
  sumUs: number;
  overRangeCount: number;
}

/** A distribution of latencies in microseconds that can be recorded into, merged, encoded and asked for quantiles. */
export class LatencyHistogram {
  #buckets: JsHistogram;
  #sumUs = 0;
  #minUs = Number.POSITIVE_INFINITY;
  #maxUs = 0;
  #overRangeCount = 0;

  constructor() {
    this.#buckets = emptyBuckets();
  }

  /** The histogram that encode() wrote; minimum, maximum and mean are as exact as its buckets (0.1 %). */
  static decode(encoded: string): LatencyHistogram {
    const histogram = new LatencyHistogram();
    if (encoded === '') return histogram;
    const buckets = decodeBuckets(encoded);
    histogram.#buckets = buckets;
    if (buckets.totalCount > 0) {
      for (const { lowUs, highUs, count } of histogram.bucketCounts()) {
        histogram.#sumUs += ((lowUs + highUs) / 2) * count;
        histogram.#minUs = Math.min(histogram.#minUs, lowUs);
      }
      histogram.#maxUs = Math.min(buckets.maxValue, HISTOGRAM_MAX_US);
    }
    return histogram;
  }

  /** The histogram that toWire() wrote, exact in minimum, maximum and mean. */
  static fromWire(wire: EncodedHistogram): LatencyHistogram {
    const histogram = new LatencyHistogram();
    if (wire.encoded === '') return histogram;
    histogram.#buckets = decodeBuckets(wire.encoded);
    histogram.#sumUs = wire.sumUs;
    histogram.#minUs = wire.minUs;
    histogram.#maxUs = wire.maxUs;
    histogram.#overRangeCount = wire.overRangeCount;
    return histogram;
  }

  /** The histogram that distribution() wrote, exact in minimum and maximum. */
  static fromDistribution({ encoded, summary, overRangeCount }: Distribution): LatencyHistogram {
    const sumUs = summary.meanUs * summary.count;
    return LatencyHistogram.fromWire({
      encoded,
      minUs: summary.minUs,
      maxUs: summary.maxUs,
      sumUs,
      overRangeCount,
    });
  }

  /** One histogram with the samples of all of `histograms`. */
  static merged(histograms: Iterable<LatencyHistogram>): LatencyHistogram {
    const sum = new LatencyHistogram();
    for (const histogram of histograms) sum.add(histogram);
    return sum;
  }

  get count(): number {
    return this.#buckets.totalCount;
  }

  /** Samples that were clamped to HISTOGRAM_MAX_US. */
  get overRangeCount(): number {
    return this.#overRangeCount;
  }

  /** Exact; 0 when empty. */
  get minUs(): number {
    return this.count === 0 ? 0 : this.#minUs;
  }

  /** Exact; 0 when empty. */
  get maxUs(): number {
    return this.#maxUs;
  }

  /** Exact; 0 when empty. */
  get meanUs(): number {
    return this.count === 0 ? 0 : this.#sumUs / this.count;
  }

  /** Bytes of the buckets. */
  get footprintBytes(): number {
    return this.#buckets.estimatedFootprintInBytes;
  }

  /**
   * Counts one latency, rounded to whole microseconds. Negative ones count as 0: two readings of a monotonic clock
   * can only differ that way by rounding.
   * @throws HM_INTERNAL for NaN: a bug of the caller that must not look like a fast call
   */
  record(us: number): void {
    // NaN fails every comparison, so one branch tells the ordinary case from all the others.
    const value = us >= 0 && us <= HISTOGRAM_MAX_US ? Math.round(us) : this.#settle(us);
    this.#buckets.recordValue(value);
    this.#sumUs += value;
    if (value < this.#minUs) this.#minUs = value;
    if (value > this.#maxUs) this.#maxUs = value;
  }

  /** Adds the samples of `other`, which stays as it is. */
  add(other: LatencyHistogram): void {
    if (other.count === 0) return;
    this.#buckets.add(other.#buckets);
    this.#sumUs += other.#sumUs;
    this.#minUs = Math.min(this.#minUs, other.#minUs);
    this.#maxUs = Math.max(this.#maxUs, other.#maxUs);
    this.#overRangeCount += other.#overRangeCount;
  }

  /** Forgets every sample and keeps the memory. */
  reset(): void {
    this.#buckets.reset();
    this.#sumUs = 0;
    this.#minUs = Number.POSITIVE_INFINITY;
    this.#maxUs = 0;
    this.#overRangeCount = 0;
  }

  /** V2, compressed, base64: readable by HdrHistogram's tools in any language. Empty string when empty. */
  encode(): string {
    return this.count === 0 ? '' : encodeBuckets(this.#buckets);
  }

  toWire(): EncodedHistogram {
    const encoded = this.encode();
    const overRangeCount = this.#overRangeCount;
    return { encoded, minUs: this.minUs, maxUs: this.maxUs, sumUs: this.#sumUs, overRangeCount };
  }

  /**
   * The smallest recorded value that at least `quantile` (0..1) of the samples do not exceed (nearest rank), as the
   * top of its bucket but never above the maximum; 0 when empty.
   */
  percentile(quantile: number): number {
    return this.percentiles([quantile])[0] ?? 0;
  }

  /** percentile() of each of `quantiles` (ascending), in one pass over the buckets. */
  percentiles(quantiles: readonly number[]): number[] {
    const ranks = quantiles.map((quantile) => rankOf(quantile, this.count));
    const values: number[] = [];
    let seen = 0;
    for (const { highUs, count } of this.bucketCounts()) {
      seen += count;
      while (values.length < ranks.length && seen >= (ranks[values.length] ?? 0)) {
        values.push(Math.min(highUs, this.#maxUs));
      }
      if (values.length === ranks.length) break;
    }
    while (values.length < ranks.length) values.push(this.#maxUs);
    return values;
  }

  /** Count and headline quantiles; all zero when empty: look at `count` before printing. */
  summary(): DistributionSummary {
    const [p50Us = 0, p90Us = 0, p95Us = 0, p99Us = 0, p999Us = 0] = this.percentiles([
      0.5, 0.9, 0.95, 0.99, 0.999,
    ]);
    const { count, minUs, meanUs, maxUs } = this;
    return { count, minUs, meanUs, p50Us, p90Us, p95Us, p99Us, p999Us, maxUs };
  }

  distribution(): Distribution {
    return { encoded: this.encode(), summary: this.summary(), overRangeCount: this.#overRangeCount };
  }

  /**
   * Samples above `us`. Those in the bucket of `us` itself count as not above it, except that the exact maximum
   * decides whether there is any at all.
   */
  countAbove(us: number): number {
    if (this.#maxUs <= us) return 0;
    let notAbove = 0;
    for (const { lowUs, count } of this.bucketCounts()) {
      if (lowUs > us) break;
      notAbove += count;
    }
    return Math.max(1, this.count - notAbove);
  }

  /** The non-empty buckets, ascending. */
  *bucketCounts(): Generator<HistogramBucket> {
    const buckets = this.#buckets;
    let left = buckets.totalCount;
    for (let index = 0; index < buckets.countsArrayLength && left > 0; index++) {
      const count = buckets.getCountAtIndex(index);
      if (count === 0) continue;
      left -= count;
      const lowUs = buckets.valueFromIndex(index);
      yield { lowUs, highUs: buckets.highestEquivalentValue(lowUs), count };
    }
  }

  /**
   * Counts by row, for a heatmap: row i holds what is above edge i-1 and not above edge i of `upperEdgesUs`
   * (ascending), the last row also everything above. A bucket belongs to the row of its lower edge.
   */
  rebin(upperEdgesUs: readonly number[] = LATENCY_ROWS_US): number[] {
    const rows = new Array<number>(upperEdgesUs.length).fill(0);
    let row = 0;
    for (const { lowUs, count } of this.bucketCounts()) {
      while (row < rows.length - 1 && lowUs > (upperEdgesUs[row] ?? 0)) row++;
      rows[row] = (rows[row] ?? 0) + count;
    }
    return rows;
  }

  /** Points of the percentile plot, evenly spaced in nines as far as the samples reach, ending with the maximum. */
  percentilePoints(): PercentilePoint[] {
    const total = this.count;
    if (total === 0) return [];
    const points: PercentilePoint[] = [];
    const buckets = this.bucketCounts();
    let bucket = buckets.next();
    let seen = bucket.done === true ? 0 : bucket.value.count;
    for (let step = 0; 10 ** (step / POINTS_PER_NINE) <= total; step++) {
      const quantile = 1 - 10 ** (-step / POINTS_PER_NINE);
      const rank = rankOf(quantile, total);
      while (seen < rank && bucket.done !== true) {
        bucket = buckets.next();
        seen += bucket.done === true ? 0 : bucket.value.count;
      }
      if (bucket.done === true) break;
      const valueUs = Math.min(bucket.value.highUs, this.#maxUs);
      points.push({ quantile, valueUs, countAbove: total - seen });
    }
    points.push({ quantile: 1, valueUs: this.#maxUs, countAbove: 0 });
    return points;
  }

  #settle(us: number): number {
    if (Number.isNaN(us)) throw new HarnessError('HM_INTERNAL', 'latency is not a number');
    if (us < 0) return 0;
    this.#overRangeCount++;
    return HISTOGRAM_MAX_US;
  }
}

/** Distribution without samples, for results that have nothing to say. */
export function emptyDistribution(): Distribution {
  return new LatencyHistogram().distribution();
}

/**
 * Rank (from 1) of the sample that is the quantile of `count` samples, by nearest rank: ceil(quantile * count), with
 * products such as 0.07 * 100 = 7.000000000000001 taken for the integers they mean.
 */
export function rankOf(quantile: number, count: number): number {
  const product = quantile * count;
  const nearest = Math.round(product);
  const rank = Math.abs(product - nearest) < 1e-9 * Math.max(1, count) ? nearest : Math.ceil(product);
  return Math.min(Math.max(rank, 1), Math.max(count, 1));
}

function emptyBuckets(): JsHistogram {
  const buckets = new Int32Histogram(1, HISTOGRAM_INITIAL_US, HISTOGRAM_DIGITS);
  buckets.autoResize = true;
  return buckets;
}

// The library attaches this method in another module than the class, so that its types do not know of it.
function encodeBuckets(buckets: JsHistogram): string {
  const encodable = buckets as JsHistogram & { encodeIntoCompressedBase64(level?: number): string };
  return encodable.encodeIntoCompressedBase64();
}

function decodeBuckets(encoded: string): JsHistogram {
  const buckets = decodeFromCompressedBase64(encoded, 32, false, HISTOGRAM_INITIAL_US) as JsHistogram;
  buckets.autoResize = true;
  return buckets;
}
