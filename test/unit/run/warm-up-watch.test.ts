import { describe, expect, it } from 'vitest';
import { WarmUpWatch } from '../../../src/run/warm-up-watch.ts';
import { timelineWindow } from '../../helpers/results.ts';

const RULE = { until: 'steady', windowCount: 3, toleranceRatio: 0.1, atMostMs: 180_000 } as const;
const windowAt = (startMs: number, p50Us: number, achievedCount = 100) =>
  timelineWindow({ startMs, endMs: startMs + 10_000, p50Us, achievedCount });

describe('the watch of a warm-up', () => {
  it('says once that p50 is steady, and looks at nothing afterwards', () => {
    const watch = new WarmUpWatch(RULE, 4_000);
    // The first window began before the phase: calls of whatever was before are in it.
    for (const [index, p50Us] of [50_000, 50_000, 20_000, 20_500, 20_100].entries()) {
      expect(watch.steady.aborted).toBe(false);
      watch.closed(windowAt(index * 10_000, p50Us));
    }
    expect(watch.steady.aborted).toBe(true);
    watch.closed(windowAt(50_000, 90_000));
    expect(watch.result()).toMatchObject({
      state: 'steady',
      text: 'p50 steady within 10 % over 3 windows: 20.0 ms, 20.5 ms, 20.1 ms',
    });
    expect(watch.result().windows.map(({ startMs }) => startMs)).toEqual([10_000, 20_000, 30_000, 40_000]);
  });

  it('says how far it came where it never was', () => {
    const watch = new WarmUpWatch(RULE, 0);
    for (const [index, p50Us] of [40_000, 20_000, 40_000].entries())
      watch.closed(windowAt(index * 10_000, p50Us));
    expect(watch.steady.aborted).toBe(false);
    expect(watch.result()).toMatchObject({
      state: 'not-steady',
      text: 'p50 not steady within 10 % over 3 windows: 40.0 ms, 20.0 ms, 40.0 ms',
    });
    expect(new WarmUpWatch(RULE, 0).result().text).toContain('no window with enough calls');
  });

  it('of a fixed time has no windows to look at', () => {
    const watch = new WarmUpWatch({ until: 'time', durationMs: 30_000 }, 0);
    for (let index = 0; index < 5; index++) watch.closed(windowAt(index * 10_000, 20_000));
    expect(watch.steady.aborted).toBe(false);
    expect(watch.result()).toEqual({ state: 'time', windows: [], text: 'for 30.0 s' });
  });
});
