import { describe, expect, it } from 'vitest';
import { Ramp, SLOW_REGISTRATION_MS } from '../../../hollow/ramp.ts';

/** Plays `seconds` with registrations that take `durationMs` of the load; returns how many had started by then. */
function play(
  ramp: Ramp,
  seconds: number,
  durationMs: (underWay: number) => number,
): { started: number; peak: number } {
  const ends: { atMs: number; durationMs: number }[] = [];
  let started = 0;
  let peak = 0;
  for (let ms = 0; ms < seconds * 1_000; ms += 5) {
    for (const end of ends.filter(({ atMs }) => atMs <= ms)) {
      ends.splice(ends.indexOf(end), 1);
      ramp.done(end.durationMs, ms * 1_000);
    }
    while (ramp.take(ms * 1_000)) {
      started++;
      const took = durationMs(ramp.underWayCount);
      ends.push({ atMs: ms + took, durationMs: took });
    }
    peak = Math.max(peak, ramp.underWayCount);
  }
  return { started, peak };
}

describe('the ramp of registrations', () => {
  it('keeps the rate while registrations are quick', () => {
    const { started } = play(new Ramp({ perSecond: 20, slowMs: SLOW_REGISTRATION_MS }, 0), 10, () => 800);
    expect(started).toBe(200);
  });

  it('holds fewer under way when the server falls behind with more', () => {
    // A server that carries ten registrations at once: each beyond takes half a second more for all.
    const server = (underWay: number) => 700 + Math.max(0, underWay - 10) * 500;
    const ramp = new Ramp({ perSecond: 100, slowMs: SLOW_REGISTRATION_MS }, 0);
    play(ramp, 30, server);
    expect(ramp.window).toBeGreaterThanOrEqual(4);
    expect(ramp.window).toBeLessThan(40);
  });

  it('begins with a window that the rate fills, and with a hundred at most', () => {
    const window = (perSecond: number) => new Ramp({ perSecond, slowMs: SLOW_REGISTRATION_MS }, 0).window;
    expect([1, 20, 25, 1_000, 10_000].map(window)).toEqual([4, 40, 50, 100, 100]);
  });

  it('never goes below a few, so that a slow server still gets nodes', () => {
    const ramp = new Ramp({ perSecond: 10, slowMs: SLOW_REGISTRATION_MS }, 0);
    const { started } = play(ramp, 60, () => 10_000);
    expect(ramp.window).toBeGreaterThanOrEqual(4);
    expect(started).toBeGreaterThanOrEqual(20);
  });

  it('does not make up in a burst for the time it was held up', () => {
    const ramp = new Ramp({ perSecond: 10, slowMs: 100_000 }, 0);
    for (let i = 0; i < 20; i++) expect(ramp.take(2_000_000)).toBe(true);
    expect(ramp.take(2_000_000)).toBe(false);
    expect(ramp.take(12_000_000)).toBe(false);
    ramp.done(12_000, 22_000_000);
    ramp.done(12_000, 22_000_000);
    expect(ramp.take(22_000_000)).toBe(true);
    expect(ramp.take(22_000_000)).toBe(false);
    expect(ramp.take(22_100_000)).toBe(true);
  });
});
