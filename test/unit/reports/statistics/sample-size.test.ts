import fc from 'fast-check';
import * as simple from 'simple-statistics';
import { describe, expect, it } from 'vitest';
import {
  countForAnswer,
  normalQuantile,
  rankCorrelation,
  signedRank,
  standardDeviation,
} from '../../../../reports/statistics/index.ts';
import { seededRandom } from '../../../../src/core/index.ts';

describe('sample size', () => {
  it('has the quantiles of the normal table', () => {
    expect(normalQuantile(0.975)).toBeCloseTo(1.959964, 6);
    expect(normalQuantile(0.8)).toBeCloseTo(0.841621, 6);
    expect(normalQuantile(0.9975)).toBeCloseTo(2.807034, 6);
    expect(normalQuantile(0.5)).toBeCloseTo(0, 9);
  });

  it('agrees with simple-statistics on quantiles and deviations', () => {
    for (const p of [0.01, 0.2, 0.5, 0.7, 0.95, 0.99]) {
      // probit() is an approximation with an error below 5e-4.
      expect(Math.abs(normalQuantile(p) - simple.probit(p))).toBeLessThan(0.01);
    }
    fc.assert(
      fc.property(fc.array(fc.double({ min: -9, max: 9, noNaN: true }), { minLength: 2 }), (values) => {
        expect(standardDeviation(values)).toBeCloseTo(simple.sampleStandardDeviation(values), 8);
      }),
    );
  });

  it('is the sum worked out by hand', () => {
    // ((1.959964 + 0.841621) * 0.1 / 0.1)^2 = 7.8489, over 3 / pi = 0.95493: 8.2194; + 1.9207: 10.14.
    expect(countForAnswer({ standardDeviation: 0.1, distance: 0.1, alpha: 0.05 })).toBe(11);
    expect(countForAnswer({ standardDeviation: 0.1, distance: 0, alpha: 0.05 })).toBe(Infinity);
  });

  it('is about the size at which the test does see the effect four times out of five', () => {
    const random = seededRandom('power');
    const input = { standardDeviation: 0.12, distance: 0.1, alpha: 0.05 };
    const count = countForAnswer(input);
    let seen = 0;
    for (let trial = 0; trial < 2_000; trial++) {
      const differences = Array.from({ length: count }, () => 0.1 + 0.12 * random.normal());
      if (signedRank(differences).pTwoSided <= 0.05) seen++;
    }
    expect(seen / 2_000).toBeGreaterThan(0.7);
    expect(seen / 2_000).toBeLessThan(0.9);
  });
});

describe('rank correlation', () => {
  it('is what the textbook gives', () => {
    // d = 0 1 -1 1 -1: 1 - 6 * 4 / (5 * 24) = 0.8.
    expect(rankCorrelation([1, 2, 3, 4, 5], [10, 30, 20, 50, 40]).rho).toBeCloseTo(0.8, 12);
    expect(rankCorrelation([1, 2, 3], [9, 6, 1]).rho).toBe(-1);
    expect(rankCorrelation([1, 2, 3], [4, 4, 4])).toMatchObject({ rho: 0, pGreater: 1 });
  });

  it('agrees with simple-statistics', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 0, max: 999 }), { minLength: 4, maxLength: 12 }),
        fc.nat(),
        (values, seed) => {
          const random = seededRandom(seed);
          const other = values.map((_, i) => i + 20 * random.next());
          expect(rankCorrelation(values, other).rho).toBeCloseTo(
            simple.sampleRankCorrelation(values, other),
            9,
          );
        },
      ),
      { numRuns: 20 },
    );
  });

  it('has the exact p of an order that only chance would make: 1 of 5! for five in order', () => {
    const { pGreater } = rankCorrelation([1, 2, 3, 4, 5], [2, 3, 5, 7, 11]);
    expect(pGreater).toBeGreaterThan(0.004);
    expect(pGreater).toBeLessThan(0.014);
  });
});
