/**
 * The Hodges-Lehmann estimate of a shift with its exact confidence interval: what the rank tests say, as a size.
 *
 * Two samples: the median of all differences a - b. Pairs: the median of all Walsh averages (d_i + d_j) / 2, i <= j.
 * The interval holds every shift that the test of the same level does not refuse: its ends are the k-th smallest and
 * k-th largest of those values, k the largest with P(statistic <= k - 1) <= alpha / 2. With so few values that there
 * is no such k, the interval is the whole line.
 */
import { mannWhitneyCdf } from './mann-whitney.ts';
import { medianOfSorted } from './robust.ts';
import { signedRankCdf } from './signed-rank.ts';

export interface ShiftEstimate {
  estimate: number;
  /** -Infinity where the samples are too few for the confidence asked for. */
  low: number;
  /** Infinity where the samples are too few for the confidence asked for. */
  high: number;
  /** Confidence that the interval really has, at least what was asked for. */
  confidence: number;
}

/** Shift from `b` to `a`. @throws RangeError for an empty sample */
export function shiftOfSamples(a: readonly number[], b: readonly number[], confidence = 0.95): ShiftEstimate {
  if (a.length === 0 || b.length === 0) throw new RangeError('shiftOfSamples needs a value on each side');
  const differences = a.flatMap((one) => b.map((other) => one - other));
  return interval(differences, confidence, (statistic) => mannWhitneyCdf(statistic, a.length, b.length));
}

/** Shift of paired differences from zero. @throws RangeError without any */
export function shiftOfPairs(differences: readonly number[], confidence = 0.95): ShiftEstimate {
  if (differences.length === 0) throw new RangeError('shiftOfPairs needs a pair');
  const averages = differences.flatMap((one, i) => differences.slice(i).map((other) => (one + other) / 2));
  return interval(averages, confidence, (statistic) => signedRankCdf(statistic, differences.length));
}

function interval(values: number[], confidence: number, cdf: (statistic: number) => number): ShiftEstimate {
  values.sort((a, b) => a - b);
  const tail = (1 - confidence) / 2;
  // Ends of a search by halves: cdf grows with k, so there is one border.
  let low = 0;
  let high = Math.ceil(values.length / 2);
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    // Rounding of the DP's ratios must not push an exact p over its border.
    if (cdf(middle - 1) <= tail * (1 + 1e-12)) low = middle;
    else high = middle - 1;
  }
  const estimate = medianOfSorted(values);
  if (low === 0) {
    return { estimate, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY, confidence: 1 };
  }
  return {
    estimate,
    low: values[low - 1] ?? Number.NEGATIVE_INFINITY,
    high: values[values.length - low] ?? Number.POSITIVE_INFINITY,
    confidence: 1 - 2 * cdf(low - 1),
  };
}
