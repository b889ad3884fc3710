/**
 * One metric's verdict from its values. Everything is done on logarithms, so that a change is a factor and "twice as
 * slow" and "twice as fast" are as far from no change.
 *
 * | the answer   | when                                                                                      |
 * |--------------|-------------------------------------------------------------------------------------------|
 * | REGRESSION   | Holm-corrected p at most alpha, the interval excludes 1, and the estimate is worse than the margin |
 * | IMPROVEMENT  | the same, better                                                                          |
 * | EQUIVALENT   | the whole interval lies within the margin                                                 |
 * | INCONCLUSIVE | everything else, and always with fewer runs than the corrected test needs to find anything |
 *
 * "Not significant" is never read as "equal": EQUIVALENT must be shown by the interval. The interval (95 % or more,
 * exact) is each metric's own; a wrong EQUIVALENT, for a metric that is in truth at the margin, has a chance of at most
 * 2.5 %. The chance of any REGRESSION or IMPROVEMENT among metrics that have not changed is at most alpha, over all of
 * them together.
 */
import type { HeadlineMetric } from '../model/headline-metrics.ts';
import {
  countForAnswer,
  mannWhitney,
  minimumPairs,
  type ShiftEstimate,
  shiftOfPairs,
  shiftOfSamples,
  signedRank,
  smallestMannWhitneyP,
  standardDeviation,
} from '../statistics/index.ts';
import { ALPHA, type ComparisonVerdict } from './model.ts';

/** Runs beyond which more of them are no sensible advice. */
const MOST_RUNS = 200;
/** Differences from fewer runs do not tell how much they vary. */
const LEAST_FOR_SPREAD = 3;

export type Design = 'paired' | 'independent';

/** Values of one metric: of the same pair at the same index where the design is paired. All above 0. */
export interface MetricValues {
  metric: Pick<HeadlineMetric, 'better'>;
  a: readonly number[];
  b: readonly number[];
}

export interface MetricTest {
  /** Of log(B / A). */
  shift: ShiftEstimate;
  pValue: number;
  /** Of one paired difference, or the root of the sum of both sides' variances. */
  spread: number;
  spreadKnown: boolean;
}

/** The test of one metric, before any correction; undefined where a side has no value. */
export function testMetric(values: MetricValues, design: Design): MetricTest | undefined {
  const a = values.a.map(Math.log);
  const b = values.b.map(Math.log);
  if (a.length === 0 || b.length === 0) return undefined;
  if (design === 'paired') {
    const differences = b.map((one, i) => one - (a[i] ?? Number.NaN));
    return {
      shift: shiftOfPairs(differences),
      pValue: signedRank(differences).pTwoSided,
      spread: standardDeviation(differences),
      spreadKnown: differences.length >= LEAST_FOR_SPREAD,
    };
  }
  return {
    shift: shiftOfSamples(b, a),
    pValue: mannWhitney(b, a).pTwoSided,
    spread: Math.hypot(standardDeviation(a), standardDeviation(b)),
    spreadKnown: Math.min(a.length, b.length) >= LEAST_FOR_SPREAD,
  };
}

/** Pairs, or runs on each side, below which no difference in any of `metricCount` metrics can be shown. */
export function minimumCount(design: Design, metricCount: number): number {
  const alpha = ALPHA / Math.max(1, metricCount);
  if (design === 'paired') return minimumPairs(alpha);
  let count = 2;
  while (smallestMannWhitneyP(count, count) > alpha) count++;
  return count;
}

/** Whether samples of these sizes can come to a corrected p that is small enough. */
export function isEnough(design: Design, countA: number, countB: number, metricCount: number): boolean {
  if (countA === 0 || countB === 0) return false;
  if (design === 'paired') return countA >= minimumCount(design, metricCount);
  return smallestMannWhitneyP(countA, countB) <= ALPHA / Math.max(1, metricCount);
}

/** The verdict on one metric. `marginRatio`: 0.1 means up to a factor of 1.1, to either side. */
export function judgeMetric(
  test: Pick<MetricTest, 'shift'>,
  adjustedPValue: number,
  options: { better: HeadlineMetric['better']; marginRatio: number; enough: boolean },
): ComparisonVerdict {
  if (!options.enough) return 'INCONCLUSIVE';
  const margin = Math.log(1 + options.marginRatio);
  const { estimate, low, high } = test.shift;
  if (low > -margin && high < margin) return 'EQUIVALENT';
  const shown = adjustedPValue <= ALPHA && (low > 0 || high < 0);
  if (!shown || Math.abs(estimate) <= margin) return 'INCONCLUSIVE';
  const worse = options.better === 'lower' ? estimate > 0 : estimate < 0;
  return worse ? 'REGRESSION' : 'IMPROVEMENT';
}

/**
 * Further pairs, or runs on each side, after which an undecided metric would probably be decided; undefined where no
 * sensible number would do.
 */
export function moreNeeded(
  test: MetricTest,
  options: { design: Design; count: number; metricCount: number; marginRatio: number },
): number | undefined {
  const { design, count, metricCount, marginRatio } = options;
  const least = minimumCount(design, metricCount);
  const margin = Math.log(1 + marginRatio);
  const size = Math.abs(test.shift.estimate);
  const forSpread = !test.spreadKnown
    ? least
    : size > margin
      ? countForAnswer({ standardDeviation: test.spread, distance: size, alpha: ALPHA / metricCount })
      : countForAnswer({ standardDeviation: test.spread, distance: margin - size, alpha: ALPHA });
  const total = Math.max(least, forSpread);
  if (total > MOST_RUNS) return undefined;
  // A count that was reckoned enough and was not: luck; one more step is the least that can be asked for.
  return Math.max(1, total - count);
}
