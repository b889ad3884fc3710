import fc from 'fast-check';
import { wilcoxonRankSum } from 'simple-statistics';
import { describe, expect, it } from 'vitest';
import {
  mannWhitney,
  mannWhitneyCdf,
  minimumPairs,
  signedRank,
  signedRankCdf,
  smallestMannWhitneyP,
  smallestSignedRankP,
} from '../../../../reports/statistics/index.ts';

/** U by its definition: pairs with a > b, ties as one half. */
function countPairs(a: readonly number[], b: readonly number[]): number {
  return a.reduce(
    (sum, one) => sum + b.reduce((part, other) => part + (one > other ? 1 : one === other ? 0.5 : 0), 0),
    0,
  );
}

/** Every way to choose `size` indexes out of `count`. */
function choices(count: number, size: number, from = 0): number[][] {
  if (size === 0) return [[]];
  const all: number[][] = [];
  for (let i = from; i <= count - size; i++) {
    for (const rest of choices(count, size - 1, i + 1)) all.push([i, ...rest]);
  }
  return all;
}

describe('Mann-Whitney test', () => {
  // Largest U that is significant, two-sided: the classic table (Mann and Whitney 1947; Milton 1964).
  it.each([
    { a: 4, b: 4, u: 0, alpha: 0.05 },
    { a: 5, b: 5, u: 2, alpha: 0.05 },
    { a: 6, b: 6, u: 5, alpha: 0.05 },
    { a: 6, b: 7, u: 6, alpha: 0.05 },
    { a: 5, b: 10, u: 8, alpha: 0.05 },
    { a: 8, b: 8, u: 13, alpha: 0.05 },
    { a: 9, b: 9, u: 17, alpha: 0.05 },
    { a: 10, b: 10, u: 23, alpha: 0.05 },
    { a: 15, b: 15, u: 64, alpha: 0.05 },
    { a: 20, b: 20, u: 127, alpha: 0.05 },
    { a: 5, b: 5, u: 0, alpha: 0.01 },
    { a: 8, b: 8, u: 7, alpha: 0.01 },
    { a: 10, b: 10, u: 16, alpha: 0.01 },
    { a: 20, b: 20, u: 105, alpha: 0.01 },
  ])('agrees with the table at $a and $b values: U $u at $alpha', ({ a, b, u, alpha }) => {
    expect(2 * mannWhitneyCdf(u, a, b)).toBeLessThanOrEqual(alpha);
    expect(2 * mannWhitneyCdf(u + 1, a, b)).toBeGreaterThan(alpha);
  });

  it('finds nothing at the two-sided 5 % level in three values a side', () => {
    expect(smallestMannWhitneyP(3, 3)).toBeCloseTo(0.1);
    expect(mannWhitney([1, 2, 3], [4, 5, 6]).pTwoSided).toBeCloseTo(0.1);
  });

  it('knows the smallest p of each size', () => {
    // 2 / C(2n, n), as benchstat's documentation lists them.
    expect([4, 5, 6, 7].map((n) => smallestMannWhitneyP(n, n).toPrecision(2))).toEqual([
      '0.029',
      '0.0079',
      '0.0022',
      '0.00058',
    ]);
  });

  it('is exact with ties: equal to counting every assignment', () => {
    const values = fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const pooled = [...a, ...b];
        const statistic = countPairs(a, b);
        const all = choices(pooled.length, a.length).map((chosen) => {
          const inside = new Set(chosen);
          return countPairs(
            chosen.map((i) => pooled[i] ?? 0),
            pooled.filter((_, i) => !inside.has(i)),
          );
        });
        const result = mannWhitney(a, b);
        expect(result.statistic).toBe(statistic);
        expect(result.pLess).toBeCloseTo(all.filter((u) => u <= statistic).length / all.length, 12);
        expect(result.pGreater).toBeCloseTo(all.filter((u) => u >= statistic).length / all.length, 12);
      }),
    );
  });

  it('has the rank sum of simple-statistics', () => {
    const values = fc.uniqueArray(fc.integer({ min: -1_000, max: 1_000 }), { minLength: 2, maxLength: 30 });
    fc.assert(
      fc.property(values, fc.nat(), (pooled, cut) => {
        const at = 1 + (cut % (pooled.length - 1));
        const a = pooled.slice(0, at);
        const b = pooled.slice(at);
        const { statistic } = mannWhitney(a, b);
        expect(statistic + (a.length * (a.length + 1)) / 2).toBe(wilcoxonRankSum(a, b));
      }),
    );
  });

  it('is symmetric: exchanging the samples exchanges the tails', () => {
    const values = fc.array(fc.integer({ min: 0, max: 9 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(values, values, (a, b) => {
        const forward = mannWhitney(a, b);
        const backward = mannWhitney(b, a);
        expect(forward.pLess).toBeCloseTo(backward.pGreater, 10);
        expect(forward.statistic + backward.statistic).toBe(a.length * b.length);
      }),
    );
  });

  it('refuses an empty sample', () => {
    expect(() => mannWhitney([], [1])).toThrow(RangeError);
  });
});

describe('Wilcoxon signed-rank test', () => {
  // Largest W that is significant, two-sided: the classic table (Wilcoxon and Wilcox 1964; McCornack 1965).
  it.each([
    { count: 6, w: 0, alpha: 0.05 },
    { count: 7, w: 2, alpha: 0.05 },
    { count: 8, w: 3, alpha: 0.05 },
    { count: 9, w: 5, alpha: 0.05 },
    { count: 10, w: 8, alpha: 0.05 },
    { count: 11, w: 10, alpha: 0.05 },
    { count: 12, w: 13, alpha: 0.05 },
    { count: 15, w: 25, alpha: 0.05 },
    { count: 20, w: 52, alpha: 0.05 },
    { count: 25, w: 89, alpha: 0.05 },
    { count: 30, w: 137, alpha: 0.05 },
    { count: 10, w: 3, alpha: 0.01 },
    { count: 20, w: 37, alpha: 0.01 },
  ])('agrees with the table at $count pairs: W $w at $alpha', ({ count, w, alpha }) => {
    expect(2 * signedRankCdf(w, count)).toBeLessThanOrEqual(alpha);
    expect(2 * signedRankCdf(w + 1, count)).toBeGreaterThan(alpha);
  });

  it('is exact with ties and zeros: equal to counting every choice of signs', () => {
    const differences = fc.array(fc.integer({ min: -4, max: 4 }), { maxLength: 9 });
    fc.assert(
      fc.property(differences, (all) => {
        const moved = all.filter((difference) => difference !== 0);
        const sizes = moved.map(Math.abs);
        const rank = (size: number) =>
          sizes.filter((other) => other < size).length +
          (sizes.filter((other) => other === size).length + 1) / 2;
        const ranks = sizes.map(rank);
        const sum = (signs: number) => ranks.reduce((total, one, i) => total + ((signs >> i) & 1) * one, 0);
        const observed = moved.reduce(
          (total, difference, i) => total + (difference > 0 ? (ranks[i] ?? 0) : 0),
          0,
        );
        const sums = Array.from({ length: 2 ** moved.length }, (_, signs) => sum(signs));
        const result = signedRank(all);
        expect(result.statistic).toBe(observed);
        expect(result.pLess).toBeCloseTo(sums.filter((one) => one <= observed).length / sums.length, 12);
        expect(result.pGreater).toBeCloseTo(sums.filter((one) => one >= observed).length / sums.length, 12);
      }),
    );
  });

  it('says how many pairs a level needs', () => {
    // 2 / 2^n <= 0.05 from n = 6 on; corrected for six metrics, 2 / 2^n <= 0.05 / 6 from n = 8 on.
    expect(minimumPairs(0.05)).toBe(6);
    expect(minimumPairs(0.05 / 6)).toBe(8);
    for (const alpha of [0.2, 0.05, 0.01, 0.001]) {
      expect(smallestSignedRankP(minimumPairs(alpha))).toBeLessThanOrEqual(alpha);
      expect(smallestSignedRankP(minimumPairs(alpha) - 1)).toBeGreaterThan(alpha);
    }
  });

  it('sees nothing where nothing differs', () => {
    expect(signedRank([0, 0, 0])).toEqual({ statistic: 0, pLess: 1, pGreater: 1, pTwoSided: 1 });
  });
});
