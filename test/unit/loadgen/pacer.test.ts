import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArrivalSpec, arrivalPlan } from '../../../loadgen/pacer/arrival-plan.ts';
import { ArrivalStream, type PacedStream } from '../../../loadgen/pacer/arrival-stream.ts';
import { Pacer } from '../../../loadgen/pacer/pacer.ts';
import { type Shard, stripeIndex, stripeLength } from '../../../loadgen/pacer/stripe.ts';
import type { Clock } from '../../../src/core/index.ts';
import { type VirtualClock, virtualClock } from '../../helpers/virtual-clock.ts';

const NEVER = new AbortController().signal;

const anySpec: fc.Arbitrary<ArrivalSpec> = fc.record({
  arrival: fc.constantFrom('constant', 'poisson'),
  ratePerSecond: fc.double({ min: 0.1, max: 5_000, noNaN: true }),
  limit: fc.oneof(
    fc.record({ objectCount: fc.integer({ min: 0, max: 500 }) }),
    fc.record({ durationMs: fc.integer({ min: 1, max: 100 }) }),
  ),
  seed: fc.string(),
});

describe('stripes', () => {
  it('shares sum to the whole and every index belongs to exactly one shard', () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2_000 }), fc.integer({ min: 1, max: 40 }), (total, count) => {
        const indexes = Array.from({ length: count }, (_, index) => ({ index, count })).flatMap((shard) =>
          Array.from({ length: stripeLength(total, shard) }, (_, position) => stripeIndex(position, shard)),
        );
        expect(indexes.sort((a, b) => a - b)).toEqual(Array.from({ length: total }, (_, index) => index));
      }),
    );
  });
});

describe('arrival plans', () => {
  it('merged schedules of all shards equal the unsharded one', () => {
    fc.assert(
      fc.property(anySpec, fc.integer({ min: 1, max: 7 }), (spec, count) => {
        const merged = Array.from({ length: count }, (_, index) => drained(spec, { index, count })).flat();
        merged.sort((a, b) => a.index - b.index);
        expect(merged).toEqual(drained(spec, { index: 0, count: 1 }));
      }),
    );
  });

  it('arrivals never go back in time and lie within the duration', () => {
    fc.assert(
      fc.property(anySpec, (spec) => {
        const dues = drained(spec, { index: 0, count: 1 }).map(({ dueUs }) => dueUs);
        for (const [position, dueUs] of dues.entries()) {
          expect(dueUs).toBeGreaterThanOrEqual(dues[position - 1] ?? 0);
          if ('durationMs' in spec.limit) expect(dueUs).toBeLessThan(spec.limit.durationMs * 1_000);
        }
      }),
    );
  });

  it('a constant rate gives exactly rate times duration arrivals, the first at once', () => {
    const plan = arrivalPlan({
      arrival: 'constant',
      ratePerSecond: 10,
      limit: { durationMs: 60_000 },
      seed: '',
    });
    expect(plan.count).toBe(600);
    expect([plan.dueUs(0), plan.dueUs(1), plan.dueUs(599)]).toEqual([0, 100_000, 59_900_000]);
  });

  it.each([
    { ratePerSecond: 0.1, durationMs: 30_000, count: 3, why: '0.1 * 30 is a whole number of arrivals' },
    {
      ratePerSecond: 1.1,
      durationMs: 10_000,
      count: 11,
      why: '1.1 * 10 is 11.000000000000002 in floating point',
    },
    { ratePerSecond: 3, durationMs: 500, count: 2, why: 'due at 0 and 333 ms' },
  ])(
    'counts $count arrivals of $ratePerSecond/s in $durationMs ms: $why',
    ({ ratePerSecond, durationMs, count }) => {
      expect(arrivalPlan({ arrival: 'constant', ratePerSecond, limit: { durationMs }, seed: '' }).count).toBe(
        count,
      );
    },
  );

  it('the same seed gives the same Poisson plan, another seed another one', () => {
    const spec = { arrival: 'poisson', ratePerSecond: 50, limit: { objectCount: 100 }, seed: 'a' } as const;
    const whole = { index: 0, count: 1 };
    expect(drained(spec, whole)).toEqual(drained(spec, whole));
    expect(drained({ ...spec, seed: 'b' }, whole)).not.toEqual(drained(spec, whole));
  });

  it('Poisson gaps have the mean and the spread of an exponential, across block borders', () => {
    const plan = arrivalPlan({
      arrival: 'poisson',
      ratePerSecond: 100,
      limit: { objectCount: 20_000 },
      seed: 's',
    });
    const duesUs = Array.from({ length: 20_000 }, (_, index) => plan.dueUs(index));
    const gapsUs = duesUs.map((dueUs, index) => dueUs - (duesUs[index - 1] ?? 0));
    const meanUs = gapsUs.reduce((sum, gap) => sum + gap, 0) / gapsUs.length;
    const deviationUs = Math.sqrt(gapsUs.reduce((sum, gap) => sum + (gap - meanUs) ** 2, 0) / gapsUs.length);
    // The standard error of the mean is 10 ms / sqrt(20,000) = 71 µs.
    expect(Math.abs(meanUs - 10_000)).toBeLessThan(300);
    expect(Math.abs(deviationUs - 10_000)).toBeLessThan(500);
  });

  it('answers the same for an index asked for out of order', () => {
    const spec = { arrival: 'poisson', ratePerSecond: 50, limit: { objectCount: 100 }, seed: 'a' } as const;
    const plan = arrivalPlan(spec);
    const late = plan.dueUs(90);
    expect(plan.dueUs(3)).toBe(arrivalPlan(spec).dueUs(3));
    expect(plan.dueUs(90)).toBe(late);
  });
});

describe('the pacer', () => {
  it('fires every arrival at its due instant, merged over streams', async () => {
    const clock = virtualClock();
    const fired: string[] = [];
    const streams = [stream(clock, 'a', 10, 5, fired), stream(clock, 'b', 4, 2, fired)];
    const run = new Pacer(streams, { clock }).run(NEVER);
    await clock.advance(1_000);
    await run;
    expect(fired).toEqual(['a0@0', 'b0@0', 'a1@100', 'a2@200', 'b1@250', 'a3@300', 'a4@400']);
    expect(clock.pending()).toBe(0);
  });

  it('catches up after a stall without shifting what comes after it', async () => {
    const clock = virtualClock();
    const fired: string[] = [];
    const late: PacedStream = stream(clock, 'a', 1_000, 400, fired);
    let skippedMs = 0;
    // The event loop stands still: the clock has gone on by 200 ms before the pacer gets its timer.
    const stalling = { ...clock, nowUs: () => clock.nowUs() + skippedMs * 1_000 };
    const run = new Pacer([late], { clock: stalling }).run(NEVER);
    await clock.advance(50.5);
    expect(fired).toHaveLength(51);
    skippedMs = 200;
    // 200 arrivals are due at once: they go in batches, one timer turn apart.
    await clock.advance(1);
    expect(fired.length).toBeGreaterThanOrEqual(251);
    await clock.advance(150);
    await run;
    expect(fired).toHaveLength(400);
  });

  it('stop counts what is due as abandoned and the rest as never offered', async () => {
    const clock = virtualClock();
    const tally = { notOfferedCount: 0 };
    const abandoned: number[] = [];
    const fired: number[] = [];
    const arrivals = new ArrivalStream({
      plan: arrivalPlan({ arrival: 'constant', ratePerSecond: 10, limit: { objectCount: 10 }, seed: '' }),
      shard: { index: 0, count: 1 },
      zeroUs: 0,
      onArrival: (index) => fired.push(index),
      onAbandoned: (index) => abandoned.push(index),
      tally,
    });
    let skippedUs = 0;
    const pacer = new Pacer([arrivals], { clock: { ...clock, nowUs: () => clock.nowUs() + skippedUs } });
    const run = pacer.run(NEVER);
    await clock.advance(250);
    skippedUs = 200_000;
    pacer.stop();
    await run;
    expect(fired).toEqual([0, 1, 2]);
    expect(abandoned).toEqual([3, 4]);
    expect(tally.notOfferedCount).toBe(5);
    expect(clock.pending()).toBe(0);
  });

  it('rejects with the reason of its signal, before and during a run', async () => {
    const clock = virtualClock();
    const reason = new Error('called off');
    await expect(
      new Pacer([stream(clock, 'a', 1, 5, [])], { clock }).run(AbortSignal.abort(reason)),
    ).rejects.toBe(reason);
    const controller = new AbortController();
    const run = new Pacer([stream(clock, 'a', 1, 5, [])], { clock }).run(controller.signal);
    controller.abort(reason);
    await expect(run).rejects.toBe(reason);
    expect(clock.pending()).toBe(0);
  });

  it('rejects with what a stream throws', async () => {
    const clock = virtualClock();
    const broken: PacedStream = {
      nextDueUs: () => 0,
      fire: () => {
        throw new Error('broken stream');
      },
      abandon: () => {},
    };
    await expect(new Pacer([broken], { clock }).run(NEVER)).rejects.toThrow('broken stream');
  });

  it('with spinning sleeps until 2 ms before the due instant and polls the clock from there', async () => {
    // Each look at the clock takes 10 µs, and a timer wakes exactly.
    let nowUs = 0;
    const sleepsMs: number[] = [];
    const clock: Clock = {
      nowUs: () => {
        nowUs += 10;
        return nowUs;
      },
      wallMs: () => 0,
      setTimer: (callback, delayMs) => {
        sleepsMs.push(Math.round(delayMs));
        nowUs += delayMs * 1_000;
        const immediate = setImmediate(callback);
        return () => clearImmediate(immediate);
      },
    };
    const slipsUs: number[] = [];
    const arrivals = new ArrivalStream({
      plan: arrivalPlan({ arrival: 'constant', ratePerSecond: 50, limit: { objectCount: 4 }, seed: '' }),
      shard: { index: 0, count: 1 },
      zeroUs: 10_000,
      onArrival: (_index, dueUs) => slipsUs.push(nowUs - dueUs),
      onAbandoned: () => {},
      tally: { notOfferedCount: 0 },
    });
    await new Pacer([arrivals], { clock, spinLastUs: 2_000 }).run(NEVER);
    expect(sleepsMs).toEqual([8, 18, 18, 18]);
    expect(Math.min(...slipsUs)).toBeGreaterThanOrEqual(0);
    expect(Math.max(...slipsUs)).toBeLessThanOrEqual(10);
  });
});

function drained(spec: ArrivalSpec, shard: Shard): { index: number; dueUs: number }[] {
  const arrivals: { index: number; dueUs: number }[] = [];
  const arrivalStream = new ArrivalStream({
    plan: arrivalPlan(spec),
    shard,
    zeroUs: 0,
    onArrival: (index, dueUs) => arrivals.push({ index, dueUs }),
    onAbandoned: () => {},
    tally: { notOfferedCount: 0 },
  });
  while (arrivalStream.nextDueUs() !== Number.POSITIVE_INFINITY) arrivalStream.fire();
  return arrivals;
}

function stream(
  clock: VirtualClock,
  name: string,
  ratePerSecond: number,
  objectCount: number,
  fired: string[],
): PacedStream {
  return new ArrivalStream({
    plan: arrivalPlan({ arrival: 'constant', ratePerSecond, limit: { objectCount }, seed: '' }),
    shard: { index: 0, count: 1 },
    zeroUs: clock.nowUs(),
    onArrival: (index) => fired.push(`${name}${index}@${Math.round(clock.nowUs() / 1_000)}`),
    onAbandoned: () => {},
    tally: { notOfferedCount: 0 },
  });
}
