import { describe, expect, it } from 'vitest';
import {
  type Design,
  isEnough,
  judgeMetric,
  minimumCount,
  moreNeeded,
  testMetric,
} from '../../../../reports/compare/judge.ts';
import { holm } from '../../../../reports/statistics/index.ts';
import { type Random, seededRandom } from '../../../../src/core/index.ts';

const shift = (estimate: number, low: number, high: number) => ({
  shift: { estimate, low, high, confidence: 0.95 },
});
const options = { better: 'lower', marginRatio: 0.1, enough: true } as const;

describe('verdict on one figure', () => {
  // log(1.1) = 0.0953.
  it.each([
    { why: 'worse beyond the margin', estimate: 0.2, low: 0.12, high: 0.3, p: 0.01, verdict: 'REGRESSION' },
    { why: 'better beyond it', estimate: -0.2, low: -0.3, high: -0.12, p: 0.01, verdict: 'IMPROVEMENT' },
    { why: 'wholly inside', estimate: 0.03, low: 0.01, high: 0.06, p: 0.01, verdict: 'EQUIVALENT' },
    {
      why: 'worse for sure, perhaps by little',
      estimate: 0.09,
      low: 0.02,
      high: 0.2,
      p: 0.01,
      verdict: 'INCONCLUSIVE',
    },
    {
      why: 'large, but p is not small once corrected',
      estimate: 0.2,
      low: 0.01,
      high: 0.4,
      p: 0.06,
      verdict: 'INCONCLUSIVE',
    },
    {
      why: 'no effect seen, but room for one',
      estimate: 0,
      low: -0.2,
      high: 0.2,
      p: 1,
      verdict: 'INCONCLUSIVE',
    },
    { why: 'no bounds', estimate: 0.5, low: -Infinity, high: Infinity, p: 0.01, verdict: 'INCONCLUSIVE' },
  ])('$why: $verdict', ({ estimate, low, high, p, verdict }) => {
    expect(judgeMetric(shift(estimate, low, high), p, options)).toBe(verdict);
  });

  it('takes a fall of a rate as the worse', () => {
    const fall = shift(-0.2, -0.3, -0.12);
    expect(judgeMetric(fall, 0.01, { ...options, better: 'higher' })).toBe('REGRESSION');
  });

  it('is INCONCLUSIVE with too few runs, whatever they say', () => {
    expect(judgeMetric(shift(0.2, 0.12, 0.3), 0.01, { ...options, enough: false })).toBe('INCONCLUSIVE');
    expect(judgeMetric(shift(0, -0.01, 0.01), 1, { ...options, enough: false })).toBe('INCONCLUSIVE');
  });
});

describe('how many runs it takes', () => {
  it('is the number at which the corrected test can find anything at all', () => {
    // Pairs: 2 / 2^n <= 0.05 / m. One figure 6, three 7, six 8, ten 9.
    expect([1, 3, 6, 10].map((m) => minimumCount('paired', m))).toEqual([6, 7, 8, 9]);
    // Two samples: 2 / C(2n, n) <= 0.05 / m. One figure 4 (2 / 70), ten 6 (2 / 924; with 5, 2 / 252 is 0.0079).
    expect([1, 10].map((m) => minimumCount('independent', m))).toEqual([4, 6]);
  });

  it('lets many runs of one side make up for few of the other', () => {
    // 2 / C(33, 3) = 2 / 5456 is below 0.005.
    expect(isEnough('independent', 3, 30, 10)).toBe(true);
    expect(isEnough('independent', 5, 5, 10)).toBe(false);
    expect(isEnough('independent', 0, 30, 1)).toBe(false);
  });

  it('asks for no more than the least number before the spread is known', () => {
    const test = testMetric({ metric: { better: 'lower' }, a: [1], b: [1.5] }, 'paired');
    if (test === undefined) throw new Error('both sides have a value');
    expect(moreNeeded(test, { design: 'paired', count: 1, metricCount: 10, marginRatio: 0.1 })).toBe(8);
  });

  it('says that no sensible number would do where the effect sits on the margin', () => {
    const factor = [1.05, 1.1, 1.15, 1.1, 1.05, 1.15, 1.1, 1.1, 1.1];
    const test = testMetric({ metric: { better: 'lower' }, a: factor.map(() => 1), b: factor }, 'paired');
    if (test === undefined) throw new Error('both sides have a value');
    const more = moreNeeded(test, { design: 'paired', count: 9, metricCount: 10, marginRatio: 0.1 });
    expect(more).toBeUndefined();
  });
});

/** One synthetic experiment: `metricCount` figures with their true factors; verdict of each. */
function experiment(
  random: Random,
  setting: { design: Design; count: number; noise: number; truths: readonly number[] },
): string[] {
  const { design, count, noise, truths } = setting;
  const values = (truth: number) =>
    Array.from({ length: count }, () => truth * Math.exp(noise * random.normal()));
  const tests = truths.map((truth) =>
    testMetric({ metric: { better: 'lower' }, a: values(1), b: values(truth) }, design),
  );
  const adjusted = holm(tests.map((test) => test?.pValue ?? 1));
  const enough = isEnough(design, count, count, truths.length);
  return tests.map((test, i) =>
    test === undefined ? 'absent' : judgeMetric(test, adjusted[i] ?? 1, { ...options, enough }),
  );
}

/** Three standard errors of a share of so many trials that is truly 5 %. */
const slack = (trials: number) => 3 * Math.sqrt((0.05 * 0.95) / trials);
const TEN = Array.from({ length: 10 }, () => 1);

describe('false alarms, by simulation', () => {
  it.each([
    { design: 'paired', count: 10, noise: 0.05, trials: 2_000 },
    { design: 'paired', count: 10, noise: 0.15, trials: 2_000 },
    { design: 'independent', count: 7, noise: 0.1, trials: 600 },
  ] as const)(
    'any of ten unchanged figures is called changed in at most 5 % of experiments: $design, $count, noise $noise',
    ({ design, count, noise, trials }) => {
      const random = seededRandom(`false-alarm/${design}/${noise}`);
      let alarms = 0;
      for (let trial = 0; trial < trials; trial++) {
        const verdicts = experiment(random, { design, count, noise, truths: TEN });
        if (verdicts.some((verdict) => verdict === 'REGRESSION' || verdict === 'IMPROVEMENT')) alarms++;
      }
      expect(alarms / trials).toBeLessThan(0.05 + slack(trials));
    },
  );

  it('a figure that is truly 10 % worse is called EQUIVALENT in at most 2.5 % of experiments', () => {
    const random = seededRandom('false-equivalence');
    let wrong = 0;
    for (let trial = 0; trial < 1_000; trial++) {
      const [verdict] = experiment(random, {
        design: 'paired',
        count: 10,
        noise: 0.05,
        truths: [1.1, ...TEN.slice(1)],
      });
      if (verdict === 'EQUIVALENT') wrong++;
    }
    expect(wrong / 1_000).toBeLessThan(0.025 + slack(1_000));
  });

  it('never decides anything with fewer pairs than the correction needs', () => {
    const random = seededRandom('too-few');
    for (let trial = 0; trial < 200; trial++) {
      const verdicts = experiment(random, {
        design: 'paired',
        count: 8,
        noise: 0.01,
        truths: [...TEN.slice(1), 3],
      });
      expect(new Set(verdicts)).toEqual(new Set(['INCONCLUSIVE']));
    }
  });
});

describe('detection, by simulation', () => {
  it.each([
    { noise: 0.05, count: 10, truth: 1.25, least: 0.95 },
    { noise: 0.1, count: 10, truth: 1.5, least: 0.95 },
    { noise: 0.1, count: 20, truth: 1.25, least: 0.95 },
  ])('a slow-down of $truth is found with $count pairs at noise $noise', ({ noise, count, truth, least }) => {
    const random = seededRandom(`detection/${noise}/${count}/${truth}`);
    let found = 0;
    for (let trial = 0; trial < 500; trial++) {
      const [verdict] = experiment(random, {
        design: 'paired',
        count,
        noise,
        truths: [truth, ...TEN.slice(1)],
      });
      if (verdict === 'REGRESSION') found++;
    }
    expect(found / 500).toBeGreaterThan(least);
  });
});
