import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { judgeMetric } from '../../../reports/gate/metric.ts';
import { GATE_RULES } from '../../../reports/index.ts';
import type { HeadlineMetric } from '../../../reports/model/headline-metrics.ts';
import { packageRoot } from '../../../src/core/index.ts';

const latency: HeadlineMetric = { id: 'x.p99', label: 'x', unit: 'us', better: 'lower' };
const throughput: HeadlineMetric = { id: 'y.rate', label: 'y', unit: 'per-second', better: 'higher' };
const judge = (metric: HeadlineMetric, value: number | undefined, history: readonly number[]) =>
  judgeMetric(
    { metric, sampleCount: 100, ...(value === undefined ? { missing: 'gone' } : { value }) },
    history,
  );
const quiet = Array.from({ length: 20 }, () => 100);
// Median 100, median absolute deviation of the logarithms about 0.05.
const noisy = [80, 90, 95, 95, 95, 100, 100, 105, 105, 105, 110, 125];

describe('one metric against its history', () => {
  it('is ok at the median', () => {
    const verdict = judge(latency, 100, quiet);
    expect(verdict).toMatchObject({ state: 'ok', z: 0 });
    expect(verdict.effectRatio).toBeCloseTo(0, 12);
  });

  it('is suspect only beyond a tenth, however quiet the history is', () => {
    expect(judge(latency, 109.9, quiet).state).toBe('ok');
    expect(judge(latency, 110.1, quiet).state).toBe('suspect');
  });

  it('takes a quiet history for luck: the deviation is at least 2 %', () => {
    expect(judge(latency, 110.1, quiet).z).toBeCloseTo(Math.log(1.101) / (1.4826 * Math.log(1.02)), 6);
  });

  it('is suspect only beyond three robust standard deviations in a noisy history', () => {
    const { baseline } = judge(latency, 100, noisy);
    const half = 1 + (baseline?.detectableHalfRatio ?? 0);
    expect(half).toBeGreaterThan(1.2);
    expect(judge(latency, (baseline?.median ?? 0) * half * 0.999, noisy).state).toBe('ok');
    expect(judge(latency, (baseline?.median ?? 0) * half * 1.001, noisy).state).toBe('suspect');
  });

  it('knows which direction is bad', () => {
    expect(judge(latency, 50, quiet).state).toBe('improved');
    expect(judge(throughput, 50, quiet).state).toBe('suspect');
    expect(judge(throughput, 150, quiet).state).toBe('improved');
    expect(judge(throughput, 50, quiet).effectRatio).toBeCloseTo(-0.5);
    expect(judge(throughput, 100, quiet).baseline?.detectableHalfRatio).toBeCloseTo(1 / 1.1 - 1);
  });

  it('says what such a history can see', () => {
    const { baseline } = judge(latency, 100, quiet);
    expect(baseline).toMatchObject({ runCount: 20, noiseRatio: 0 });
    expect(baseline?.median).toBeCloseTo(100, 9);
    expect(baseline?.detectableHalfRatio).toBeCloseTo(0.1, 9);
    expect(baseline?.detectableMostRatio).toBeCloseTo(1.1 * 1.02 ** (1.4826 * 1.2816) - 1, 4);
  });

  it('reports under ten runs and gates nothing', () => {
    expect(judge(latency, 900, quiet.slice(0, 9))).toMatchObject({
      state: 'not gated',
      baseline: { runCount: 9 },
    });
    expect(judge(latency, 900, quiet.slice(0, 10)).state).toBe('suspect');
    expect(judge(latency, 900, [])).toEqual({
      metric: latency,
      sampleCount: 100,
      value: 900,
      state: 'not gated',
    });
  });

  it('is suspect where it vanished', () => {
    expect(judge(latency, undefined, quiet)).toMatchObject({ state: 'suspect', missing: 'gone' });
    expect(judge(latency, undefined, quiet.slice(0, 5)).state).toBe('not gated');
  });

  it('does not depend on units or on the order of the history, and grows more suspect with the value', () => {
    const values = fc.array(fc.double({ min: 1, max: 1e6, noNaN: true }), { minLength: 10, maxLength: 30 });
    fc.assert(
      fc.property(
        values,
        fc.double({ min: 1, max: 1e6, noNaN: true }),
        fc.integer({ min: 2, max: 1_000 }),
        (history, value, scale) => {
          const verdict = judge(latency, value, history);
          const scaled = judge(latency, value * scale, history.map((one) => one * scale).reverse());
          expect(scaled.z).toBeCloseTo(verdict.z ?? Number.NaN, 6);
          const inverse = judge(
            throughput,
            1 / value,
            history.map((one) => 1 / one),
          );
          expect(inverse.z).toBeCloseTo(verdict.z ?? Number.NaN, 6);
          expect(judge(latency, value * 2, history).z).toBeGreaterThan(verdict.z ?? Number.NaN);
          if (verdict.state === 'suspect') expect(judge(latency, value * 2, history).state).toBe('suspect');
        },
      ),
    );
  });
});

describe('docs/gate.md', () => {
  it('states the rules of the code', () => {
    const page = readFileSync(join(packageRoot(), 'docs', 'gate.md'), 'utf8');
    expect(page).toContain(`z > ${GATE_RULES.z}`);
    expect(page).toContain(`more than ${GATE_RULES.effectRatio * 100} %`);
    expect(page).toContain(`at least ${GATE_RULES.madFloorRatio * 100} %`);
    expect(page).toContain(`newest ${GATE_RULES.maxRunCount} accepted runs`);
    expect(page).toContain(`Under ${GATE_RULES.minRunCount} runs`);
  });
});
