import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Timer, Timers, type TimerTarget } from '../../../hollow/timers.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

class Log implements TimerTarget {
  readonly fired: [number, number][] = [];
  onTimer(kind: number, dueUs: number): void {
    this.fired.push([kind, dueUs]);
  }
}

describe('timers of many nodes', () => {
  it('fire in the order of their due times, on one timer of the clock', async () => {
    const clock = virtualClock();
    const timers = new Timers(clock, () => {});
    const log = new Log();
    timers.arm(new Timer(log, 1), 30_000);
    timers.arm(new Timer(log, 2), 10_000);
    timers.arm(new Timer(log, 3), 20_000);
    expect(clock.pending()).toBe(1);
    await clock.advance(100);
    expect(log.fired).toEqual([
      [2, 10_000],
      [3, 20_000],
      [1, 30_000],
    ]);
    expect(clock.pending()).toBe(0);
  });

  it('move when armed again, and do not fire when cancelled', async () => {
    const clock = virtualClock();
    const timers = new Timers(clock, () => {});
    const log = new Log();
    const moved = new Timer(log, 1);
    const cancelled = new Timer(log, 2);
    timers.arm(moved, 10_000);
    timers.arm(cancelled, 20_000);
    timers.arm(moved, 50_000);
    timers.cancel(cancelled);
    await clock.advance(100);
    expect(log.fired).toEqual([[1, 50_000]]);
  });

  it('go on after one that threw', async () => {
    const clock = virtualClock();
    const errors: unknown[] = [];
    const timers = new Timers(clock, (error) => errors.push(error));
    const log = new Log();
    const bad: TimerTarget = {
      onTimer() {
        throw new Error('boom');
      },
    };
    timers.arm(new Timer(bad, 0), 1_000);
    timers.arm(new Timer(log, 1), 2_000);
    await clock.advance(10);
    expect(errors).toEqual([new Error('boom')]);
    expect(log.fired).toEqual([[1, 2_000]]);
  });

  it('fire nothing after stop', async () => {
    const clock = virtualClock();
    const timers = new Timers(clock, () => {});
    const log = new Log();
    timers.arm(new Timer(log, 1), 1_000);
    timers.stop();
    timers.arm(new Timer(log, 2), 1_000);
    await clock.advance(10);
    expect(log.fired).toEqual([]);
  });

  it('fire each once and sorted, whatever was armed, moved and cancelled', async () => {
    const operation = fc.record({
      timer: fc.integer({ min: 0, max: 19 }),
      dueMs: fc.option(fc.integer({ min: 0, max: 1_000 }), { nil: undefined }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(operation, { maxLength: 80 }), async (operations) => {
        const clock = virtualClock();
        const timers = new Timers(clock, () => {});
        const log = new Log();
        const all = Array.from({ length: 20 }, (_, kind) => new Timer(log, kind));
        const expected = new Map<number, number>();
        for (const { timer, dueMs } of operations) {
          const target = all[timer];
          if (target === undefined) continue;
          if (dueMs === undefined) {
            timers.cancel(target);
            expected.delete(timer);
          } else {
            timers.arm(target, dueMs * 1_000);
            expected.set(timer, dueMs * 1_000);
          }
        }
        await clock.advance(2_000);
        expect(log.fired.map(([, due]) => due)).toEqual([...expected.values()].sort((a, b) => a - b));
        expect(new Map(log.fired)).toEqual(expected);
      }),
      { numRuns: 60 },
    );
  });
});
