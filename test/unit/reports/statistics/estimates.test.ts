import fc from 'fast-check';
import * as simple from 'simple-statistics';
import { describe, expect, it } from 'vitest';
import {
  holm,
  mannWhitney,
  median,
  medianAbsoluteDeviation,
  robustZ,
  shiftOfPairs,
  shiftOfSamples,
  signedRank,
} from '../../../../reports/statistics/index.ts';
import { seededRandom } from '../../../../src/core/index.ts';

const decimals = (length: { minLength: number; maxLength: number }) =>
  fc.array(fc.double({ min: -100, max: 100, noNaN: true }), length);

describe('Hodges-Lehmann estimate', () => {
  it('is the median of all differences of two samples', () => {
    // Differences of {1, 4, 9} and {2, 3}: -1, -2, 2, 1, 7, 6; their median is 1.5.
    expect(shiftOfSamples([1, 4, 9], [2, 3]).estimate).toBe(1.5);
  });

  it('is the median of all Walsh averages of pairs', () => {
    // Averages of {1, 2, 6}: 1, 1.5, 3.5, 2, 4, 6; their median is 2.75.
    expect(shiftOfPairs([1, 2, 6]).estimate).toBe(2.75);
  });

  it('has no bounded interval where the samples are too few for the level', () => {
    expect(shiftOfSamples([1, 2, 3], [4, 5, 6])).toMatchObject({
      low: -Infinity,
      high: Infinity,
      confidence: 1,
    });
    expect(shiftOfPairs([1, 2, 3, 4, 5])).toMatchObject({ low: -Infinity, high: Infinity, confidence: 1 });
  });

  it('has the interval that the table gives: for six pairs from the smallest to the largest average', () => {
    // At n = 6 the critical W is 0, so k = 1; P(W <= 0) = 1 / 64 on each side.
    const shift = shiftOfPairs([1, 2, 3, 4, 5, 7]);
    expect(shift).toMatchObject({ low: 1, high: 7 });
    expect(shift.confidence).toBeCloseTo(1 - 2 / 64);
  });

  it('holds exactly the shifts that the test does not refuse', () => {
    const sample = fc.uniqueArray(fc.integer({ min: -50, max: 50 }), { minLength: 4, maxLength: 8 });
    fc.assert(
      fc.property(sample, sample, fc.integer({ min: -100, max: 100 }), (a, rest, doubled) => {
        // Halves apart, so that no shifted value meets another and the test is without ties.
        const b = rest.map((value) => value + 0.25);
        const shift = doubled / 2;
        const { low, high } = shiftOfSamples(a, b);
        const { pTwoSided } = mannWhitney(
          a.map((value) => value - shift),
          b,
        );
        expect(pTwoSided > 0.05 + 1e-9).toBe(shift > low && shift < high);
      }),
    );
  });

  it('covers the true shift as often as it says', () => {
    const random = seededRandom('coverage');
    let covered = 0;
    const trials = 1_000;
    for (let trial = 0; trial < trials; trial++) {
      const { low, high } = shiftOfPairs(Array.from({ length: 10 }, () => 0.1 + random.normal()));
      if (low <= 0.1 && 0.1 <= high) covered++;
    }
    // At n = 10 the interval's own confidence is 95.1 %; three standard errors are 2 %.
    expect(covered / trials).toBeGreaterThan(0.93);
    expect(covered / trials).toBeLessThan(0.975);
  });

  it('agrees with the signed-rank test about zero', () => {
    fc.assert(
      fc.property(
        fc.uniqueArray(fc.integer({ min: 1, max: 500 }), { minLength: 6, maxLength: 12 }),
        fc.nat(),
        (sizes, signs) => {
          const differences = sizes.map((size, i) => (((signs >> i) & 1) === 1 ? size : -size));
          const { low, high } = shiftOfPairs(differences);
          expect(signedRank(differences).pTwoSided > 0.05).toBe(low < 0 && high > 0);
        },
      ),
    );
  });
});

describe('Holm correction', () => {
  it('gives the adjusted values worked out by hand', () => {
    // Sorted .005 .01 .03 .04, times 4 3 2 1: .02 .03 .06 .04, never falling: .02 .03 .06 .06.
    const adjusted = holm([0.01, 0.04, 0.03, 0.005]);
    [0.03, 0.06, 0.06, 0.02].forEach((expected, i) => {
      expect(adjusted[i]).toBeCloseTo(expected, 12);
    });
  });

  it('never lowers a p, never exceeds 1, and keeps the order', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 20 }), (pValues) => {
        const adjusted = holm(pValues);
        pValues.forEach((p, i) => {
          const one = adjusted[i] ?? Number.NaN;
          expect(one).toBeGreaterThanOrEqual(p);
          expect(one).toBeLessThanOrEqual(1);
          pValues.forEach((other, j) => {
            if (p < other) expect(one).toBeLessThanOrEqual(adjusted[j] ?? Number.NaN);
          });
        });
      }),
    );
  });
});

describe('robust figures', () => {
  it('agree with simple-statistics', () => {
    fc.assert(
      fc.property(decimals({ minLength: 1, maxLength: 40 }), (values) => {
        expect(median(values)).toBeCloseTo(simple.median(values), 9);
        expect(medianAbsoluteDeviation(values)).toBeCloseTo(simple.medianAbsoluteDeviation(values), 9);
      }),
    );
  });

  it('measures distance in robust standard deviations', () => {
    // Median 10, deviations 2 1 0 1 2: MAD 1. (13 - 10) / 1.4826.
    expect(robustZ(13, [8, 9, 10, 11, 12], 0)).toBeCloseTo(2.0235, 4);
  });

  it('is not moved by one wild run', () => {
    expect(robustZ(13, [8, 9, 10, 11, 1_000], 0)).toBeCloseTo(2.0235, 4);
  });

  it('keeps a floor under the spread of a history without any', () => {
    expect(robustZ(1.03, [1, 1, 1, 1], 0.02)).toBeCloseTo(1.0117, 4);
    expect(robustZ(1.03, [1, 1, 1, 1], 0)).toBe(Infinity);
    expect(robustZ(1, [1, 1, 1, 1], 0)).toBe(0);
  });
});
