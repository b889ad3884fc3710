import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  isSteady,
  MIN_WARM_UP_CALLS,
  WARM_UP_GRAIN_US,
  type WarmUpWindow,
  warmUpResult,
} from '../../../src/result/index.ts';

const RULE = { windowCount: 3, toleranceRatio: 0.1 };

/** Whole windows of 10 s with these medians in ms; undefined for one in which too few calls ended. */
function windowsOf(mediansMs: readonly (number | undefined)[]): WarmUpWindow[] {
  return mediansMs.map((medianMs, index) => ({
    startMs: index * 10_000,
    endMs: (index + 1) * 10_000,
    callCount: medianMs === undefined ? MIN_WARM_UP_CALLS - 1 : MIN_WARM_UP_CALLS,
    p50Us: (medianMs ?? 10) * 1_000,
  }));
}

describe('a warm-up', () => {
  it.each([
    { medians: [], steady: false, why: 'nothing was seen' },
    { medians: [20, 20], steady: false, why: 'two windows are not three' },
    { medians: [20, 20, 20], steady: true, why: 'three alike are' },
    { medians: [20, 21, 22], steady: true, why: 'the largest is exactly 10 % above the smallest' },
    { medians: [20, 21, 22.1], steady: false, why: 'it is more than that' },
    { medians: [90, 40, 20, 20, 21], steady: true, why: 'only the last three count' },
    { medians: [20, 20, 20, 90], steady: false, why: 'it was steady and is no longer' },
    { medians: [20, undefined, 20, 20], steady: false, why: 'a window with too few calls starts anew' },
    { medians: [20, undefined, 20, 20, 20], steady: true, why: 'and three after it are enough' },
    { medians: [1, 1.2, 1.45], steady: true, why: 'differences below the grain are none' },
  ])('with medians of $medians ms is steady: $steady, because $why', ({ medians, steady }) => {
    expect(isSteady(windowsOf(medians), RULE)).toBe(steady);
    expect(warmUpResult(windowsOf(medians), RULE).state).toBe(steady ? 'steady' : 'not-steady');
  });

  const medians = fc.array(fc.integer({ min: 1, max: 2_000 }), { maxLength: 8 });
  const rule = fc.record({
    windowCount: fc.integer({ min: 2, max: 5 }),
    toleranceRatio: fc.double({ min: 0.01, max: 1, noNaN: true }),
  });

  it('that is steady is so under every looser rule', () => {
    fc.assert(
      fc.property(medians, rule, fc.double({ min: 0, max: 1, noNaN: true }), (values, strict, more) => {
        const windows = windowsOf(values);
        if (!isSteady(windows, strict)) return;
        expect(isSteady(windows, { ...strict, toleranceRatio: strict.toleranceRatio + more })).toBe(true);
        expect(isSteady(windows, { ...strict, windowCount: Math.max(2, strict.windowCount - 1) })).toBe(true);
      }),
    );
  });

  it('does not depend on the order of its last windows, nor on what came before them', () => {
    fc.assert(
      fc.property(medians, medians, rule, (before, values, given) => {
        const last = values.slice(-given.windowCount);
        if (last.length < given.windowCount) return;
        const steady = isSteady(windowsOf(last), given);
        expect(isSteady(windowsOf([...last].reverse()), given)).toBe(steady);
        expect(isSteady(windowsOf([...before, ...last]), given)).toBe(steady);
      }),
    );
  });

  it('slower by any factor is steady where the quick one was, beyond the grain', () => {
    fc.assert(
      fc.property(medians, rule, fc.integer({ min: 2, max: 50 }), (values, given, factor) => {
        const spread = Math.max(...values, 0) - Math.min(...values, 2_000);
        if (spread * 1_000 <= WARM_UP_GRAIN_US) return;
        const windows = windowsOf(values);
        const slower = windowsOf(values.map((value) => value * factor));
        // One ms is the least difference of these medians, twice the grain: the ratio alone decides.
        expect(isSteady(slower, given)).toBe(isSteady(windows, given));
      }),
    );
  });
});
