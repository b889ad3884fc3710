/**
 * What can be said of a quantile from few samples, and whether samples keep a limit. Everything counts samples over
 * the limit; nothing interpolates.
 *
 * The smallest n with an upper end for the 95 % confidence interval of a quantile q is the smallest with
 * q^n <= 0.025 (the chance that all n samples lie below the true quantile): 6 for p50, 36 for p90, 72 for p95,
 * 368 for p99, 3,688 for p99.9. Samples are taken as independent, which flatters.
 */
import { rankOf } from './histogram.ts';
import type { VerdictState } from './run-result.ts';

/** Half of what a 95 % confidence interval leaves out. */
const TAIL_RATIO = 0.025;

/** Samples below which a quantile (0..1, exclusive) has no upper confidence limit at all. */
export function minSampleCount(quantile: number): number {
  return Math.ceil(Math.log(TAIL_RATIO) / Math.log(quantile));
}

/**
 * Whether the quantile of `count` samples, of which `overCount` exceed the limit, keeps it. With too few samples for
 * the quantile: pass only if none exceeds, fail if more than their allowed share does, otherwise inconclusive.
 */
export function judgeQuantile(count: number, overCount: number, quantile: number): VerdictState {
  if (count === 0) return 'no-data';
  const allowedCount = count - rankOf(quantile, count);
  if (count >= minSampleCount(quantile)) return overCount <= allowedCount ? 'pass' : 'fail';
  if (overCount === 0) return 'pass';
  return overCount > allowedCount ? 'fail' : 'inconclusive';
}

/** `p99`, `p99.9`. */
export function formatQuantile(quantile: number): string {
  return `p${Number((quantile * 100).toFixed(4))}`;
}

/** `1,234`. */
export function formatCount(count: number): string {
  return Math.round(count)
    .toString()
    .replace(/\B(?=(\d{3})+$)/g, ',');
}

/** `50 ms`, `1.25 s`, `5 s`: limits and bucket edges as they are written, without padding zeros. */
export function formatEdge(us: number): string {
  if (us < 1_000) return `${us} µs`;
  return us < 1_000_000 ? `${us / 1_000} ms` : `${us / 1_000_000} s`;
}
