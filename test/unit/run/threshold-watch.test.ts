import { describe, expect, it } from 'vitest';
import type { HarnessError } from '../../../src/core/index.ts';
import { type ThresholdFigures, ThresholdWatch } from '../../../src/run/threshold-watch.ts';
import { sampleRun } from '../../helpers/sample-run.ts';

const figures: ThresholdFigures = sampleRun();
const MISSED = 'calls_response{verb:create}.p50 < 1ms';

function watch(...thresholds: { expression: string; abortOnFail?: boolean; graceMs?: number }[]) {
  const missed: HarnessError[] = [];
  let askedCount = 0;
  const watched = new ThresholdWatch(
    thresholds.map((threshold) => ({ abortOnFail: true, graceMs: 0, ...threshold })),
    (error) => missed.push(error),
  );
  const check = (nowMs: number) => {
    watched.check(nowMs, () => {
      askedCount++;
      return figures;
    });
    return missed.length;
  };
  return { watched, check, missed, asked: () => askedCount };
}

const warmUp = { name: 'warm-up', measured: false };
const saturate = { name: 'saturate', measured: true };
const churn = { name: 'churn', measured: true };

describe('thresholds with abort-on-fail', () => {
  it('end the run with the first that is missed, once, and name it with its figure', () => {
    const { watched, check, missed } = watch(
      { expression: 'errors.ratio < 100%' },
      { expression: MISSED },
      { expression: 'errors{phase:saturate}.count < 0' },
    );
    watched.beginPhase(saturate, 5_000);
    check(10_000);
    check(20_000);
    expect(missed).toHaveLength(1);
    expect(missed[0]).toMatchObject({ code: 'HM_THRESHOLD_FAILED', exitCode: 1 });
    expect(missed[0]?.message).toMatch(
      /^threshold missed in mid-run: calls_response\{verb:create\}\.p50 < 1ms: [\d.]+ ms/,
    );
  });

  it('wait for their grace, counted from the start of the first measured phase', () => {
    const { watched, check } = watch({ expression: MISSED, graceMs: 30_000 });
    watched.beginPhase(warmUp, 1_000);
    expect(check(40_000)).toBe(0);
    watched.endPhase(41_000);
    watched.beginPhase(saturate, 42_000);
    expect(check(70_000)).toBe(0);
    expect(check(72_000)).toBe(1);
  });

  it('wait for the phase that they name', () => {
    const { watched, check } = watch({ expression: 'calls_response{verb:get,phase:churn}.p50 < 1us' });
    watched.beginPhase(saturate, 1_000);
    expect(check(20_000)).toBe(0);
    watched.endPhase(21_000);
    watched.beginPhase(churn, 22_000);
    expect(check(30_000)).toBe(1);
  });

  it('end nothing once the last phase is over: clean-up goes on', () => {
    const { watched, check } = watch({ expression: MISSED });
    watched.beginPhase(saturate, 1_000);
    watched.endPhase(9_000);
    expect(check(10_000)).toBe(0);
  });

  it('end nothing without data or while samples are too few to tell', () => {
    const { watched, check } = watch({ expression: 'pod_startup{kind:stateful}.p99 < 1s' });
    watched.beginPhase(saturate, 1_000);
    expect(check(10_000)).toBe(0);
  });

  it('see rates over the part of a phase that has passed', () => {
    const { watched, check } = watch({ expression: 'throughput{phase:saturate}.rate > 100/s' });
    const created = figures.series
      .filter(({ key }) => key.source === 'load' && key.phase === 'saturate')
      .reduce((sum, one) => sum + one.doneCount, 0);
    watched.beginPhase(saturate, 0);
    expect(check((created / 101) * 1_000)).toBe(0);
    expect(check((created / 99) * 1_000)).toBe(1);
  });

  it('cost nothing where there are none, and where the end of the run judges them', () => {
    const { watched, check, asked } = watch({ expression: MISSED, abortOnFail: false });
    watched.beginPhase(saturate, 1_000);
    expect(check(20_000)).toBe(0);
    expect(asked()).toBe(0);
  });
});
