/**
 * The exact Wilcoxon signed-rank test of paired differences: do they lean to one side of zero?
 *
 * W+ is the sum of the ranks of the positive differences among all absolute ones. Differences of zero are left out
 * (Wilcoxon's rule); ties share midranks and the p-value stays exact. It assumes that differences are symmetric about
 * their middle, which logarithms of paired quantiles nearly are.
 */
import type { RankTest } from './mann-whitney.ts';
import { anySubsetSumCounts, doubledRanks, tails } from './rank-sums.ts';

/** Tests `differences` against zero; without any difference there is nothing to see and every p is 1. */
export function signedRank(differences: readonly number[]): RankTest {
  const moved = differences.filter((difference) => difference !== 0);
  const ranks = doubledRanks(moved.map(Math.abs));
  const sum = ranks.reduce((total, rank, i) => ((moved[i] ?? 0) > 0 ? total + rank : total), 0);
  const { atMost, atLeast } = tails(anySubsetSumCounts(ranks), sum);
  return {
    statistic: sum / 2,
    pLess: atMost,
    pGreater: atLeast,
    pTwoSided: Math.min(1, 2 * Math.min(atMost, atLeast)),
  };
}

/** Probability that W+ of `count` differences without ties is at most `w`. */
export function signedRankCdf(w: number, count: number): number {
  if (w < 0) return 0;
  const ranks = Array.from({ length: count }, (_, i) => 2 * (i + 1));
  return tails(anySubsetSumCounts(ranks), 2 * Math.floor(w)).atMost;
}

/** The smallest two-sided p that so many pairs can come to: 2 / 2^count. */
export function smallestSignedRankP(count: number): number {
  return Math.min(1, 2 ** (1 - count));
}

/** Pairs below which the two-sided test can never come to `alpha` (0..1, exclusive). */
export function minimumPairs(alpha: number): number {
  return Math.ceil(1 - Math.log2(alpha));
}
