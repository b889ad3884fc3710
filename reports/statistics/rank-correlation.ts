/**
 * Spearman's rank correlation: do two lists put the same things in the same order, however different their sizes?
 *
 * The p-value is one-sided (is the agreement more than chance?), from seeded permutations, and counts the observed
 * order itself, so it is never 0.
 */
import { seededRandom } from '../../src/core/index.ts';
import { doubledRanks } from './rank-sums.ts';

export interface RankCorrelation {
  /** -1..1; 0 where one list has no order at all. */
  rho: number;
  pGreater: number;
  count: number;
}

const PERMUTATIONS = 5_000;

/** Correlation of the ranks of `a` and `b`, which belong together by index. @throws RangeError for unequal lengths */
export function rankCorrelation(
  a: readonly number[],
  b: readonly number[],
  seed: string | number = 'rank-correlation',
): RankCorrelation {
  if (a.length !== b.length) throw new RangeError('rankCorrelation needs lists of one length');
  const ranksA = doubledRanks(a);
  const ranksB = doubledRanks(b);
  const rho = correlation(ranksA, ranksB);
  const random = seededRandom(seed);
  let asLarge = 1;
  for (let i = 0; i < PERMUTATIONS; i++) {
    for (let j = ranksB.length - 1; j > 0; j--) {
      const k = random.integer(j + 1);
      [ranksB[j], ranksB[k]] = [ranksB[k] ?? 0, ranksB[j] ?? 0];
    }
    if (correlation(ranksA, ranksB) >= rho - 1e-12) asLarge++;
  }
  return { rho, pGreater: asLarge / (PERMUTATIONS + 1), count: a.length };
}

function correlation(a: readonly number[], b: readonly number[]): number {
  // Midranks keep the mean rank, so both means are n + 1 in doubled ranks.
  const mean = a.length + 1;
  let product = 0;
  let squareA = 0;
  let squareB = 0;
  a.forEach((rank, i) => {
    const other = (b[i] ?? 0) - mean;
    product += (rank - mean) * other;
    squareA += (rank - mean) ** 2;
    squareB += other ** 2;
  });
  return squareA === 0 || squareB === 0 ? 0 : product / Math.sqrt(squareA * squareB);
}
