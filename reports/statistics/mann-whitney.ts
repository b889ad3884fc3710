/**
 * The exact Mann-Whitney test of two independent samples: are values of one larger than values of the other?
 *
 * U counts the pairs (a, b) with a > b, ties as one half. The p-value is exact for any ties, by dynamic programming
 * over rank sums; meant for run counts (up to some 50 a side), not for requests.
 */
import { doubledRanks, subsetSumCounts, tails } from './rank-sums.ts';

export interface RankTest {
  /** U of the first sample, or W+ of the differences. */
  statistic: number;
  /** Probability of a statistic at most as large, if there is no difference. */
  pLess: number;
  /** Probability of a statistic at least as large, if there is no difference. */
  pGreater: number;
  /** Twice the smaller of the two, at most 1. */
  pTwoSided: number;
}

/** Tests `a` against `b`; both need at least one value. @throws RangeError for an empty sample */
export function mannWhitney(a: readonly number[], b: readonly number[]): RankTest {
  if (a.length === 0 || b.length === 0) throw new RangeError('mannWhitney needs a value on each side');
  const ranks = doubledRanks([...a, ...b]);
  const sum = ranks.slice(0, a.length).reduce((total, rank) => total + rank, 0);
  const { atMost, atLeast } = tails(subsetSumCounts(ranks, a.length), sum);
  return {
    statistic: sum / 2 - (a.length * (a.length + 1)) / 2,
    pLess: atMost,
    pGreater: atLeast,
    pTwoSided: Math.min(1, 2 * Math.min(atMost, atLeast)),
  };
}

/** The smallest two-sided p that samples of these sizes can come to: below it no difference can be shown. */
export function smallestMannWhitneyP(countA: number, countB: number): number {
  let choices = 1;
  for (let i = 1; i <= countA; i++) choices = (choices * (countB + i)) / i;
  return Math.min(1, 2 / choices);
}

/** Probability that U is at most `u` for samples of these sizes without ties. */
export function mannWhitneyCdf(u: number, countA: number, countB: number): number {
  if (u < 0) return 0;
  const ranks = Array.from({ length: countA + countB }, (_, i) => 2 * (i + 1));
  const sum = 2 * (Math.floor(u) + (countA * (countA + 1)) / 2);
  return tails(subsetSumCounts(ranks, countA), sum).atMost;
}
