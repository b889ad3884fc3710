import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type ArrivalSpec, arrivalPlan } from '../../../loadgen/pacer/arrival-plan.ts';
import { ArrivalStream, type PacedStream } from '../../../loadgen/pacer/arrival-stream.ts';
import { intensityOf } from '../../../loadgen/pacer/intensity.ts';
import { Pacer } from '../../../loadgen/pacer/pacer.ts';
import { type Shard, stripeIndex, stripeLength } from '../../../loadgen/pacer/stripe.ts';
import type { RateShape } from '../../../src/config/index.ts';
import type { Clock } from '../../../src/core/index.ts';
import { type VirtualClock, virtualClock } from '../../helpers/virtual-clock.ts';

const NEVER = new AbortController().signal;

const anyRate = fc.double({ min: 0.1, max: 5_000, noNaN: true });
const anyMs = fc.integer({ min: 1, max: 60 });
const anyShape: fc.Arbitrary<RateShape> = fc.oneof(
  fc.record({
    kind: fc.constant('ramp' as const),
    fromPerSecond: fc.oneof(fc.constant(0), anyRate),
    toPerSecond: anyRate,
    overMs: anyMs,
  }),
  fc.record({
    kind: fc.constant('steps' as const),
    steps: fc.array(fc.record({ ratePerSecond: anyRate, forMs: anyMs }), { minLength: 1, maxLength: 5 }),
  }),
  fc.record({ kind: fc.constant('burst' as const), size: fc.integer({ min: 1, max: 50 }), everyMs: anyMs }),
);

const anySpec: fc.Arbitrary<ArrivalSpec> = fc.record(
  {
    arrival: fc.constantFrom('constant' as const, 'poisson' as const),
    ratePerSecond: anyRate,
    shape: anyShape,
    limit: fc.oneof(
      fc.record({ objectCount: fc.integer({ min: 0, max: 500 }) }),
      fc.record({ durationMs: fc.integer({ min: 1, max: 100 }) }),
    ),
    seed: fc.string(),
  },
  { requiredKeys: ['arrival', 'ratePerSecond', 'limit', 'seed'] },
);

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

  it('counts what comes before any instant as the integral of the rate says, to within one arrival', () => {
    fc.assert(
      fc.property(anyShape, fc.integer({ min: 1, max: 200 }), (shape, durationMs) => {
        const spec = {
          arrival: 'constant',
          ratePerSecond: 1,
          shape,
          limit: { durationMs },
          seed: '',
        } as const;
        expect(Math.abs(arrivalPlan(spec).count - integralByHand(shape, durationMs))).toBeLessThanOrEqual(
          1 + 1e-6,
        );
      }),
    );
  });

  it('the intensity and its inverse are inverse to each other', () => {
    fc.assert(
      fc.property(anyShape, fc.double({ min: 0, max: 500, noNaN: true }), (shape, count) => {
        if (shape.kind === 'burst') return;
        const intensity = intensityOf({ ratePerSecond: 1, shape });
        const back = intensity.countAt(intensity.usAt(count));
        expect(Math.abs(back - count)).toBeLessThan(1e-6 * Math.max(1, count));
      }),
    );
  });

  it.each<{ why: string; shape: RateShape; durationMs: number; duesMs: number[] }>([
    {
      why: 'a ramp from nothing has N(t) = t² / 2 at 1/s²: arrivals at the roots of 2i',
      shape: { kind: 'ramp', fromPerSecond: 0, toPerSecond: 4, overMs: 4_000 },
      durationMs: 4_000,
      duesMs: [0, 1_414, 2_000, 2_449, 2_828, 3_162, 3_464, 3_742],
    },
    {
      why: 'a ramp stays where it ended',
      shape: { kind: 'ramp', fromPerSecond: 2, toPerSecond: 2, overMs: 500 },
      durationMs: 2_000,
      duesMs: [0, 500, 1_000, 1_500],
    },
    {
      why: 'steps change rate on the spot and carry a fraction of an arrival over',
      shape: {
        kind: 'steps',
        steps: [
          { ratePerSecond: 1, forMs: 1_500 },
          { ratePerSecond: 4, forMs: 500 },
        ],
      },
      durationMs: 2_500,
      duesMs: [0, 1_000, 1_625, 1_875, 2_125, 2_375],
    },
    {
      why: 'bursts are due whole, the first at once',
      shape: { kind: 'burst', size: 3, everyMs: 1_000 },
      durationMs: 2_000,
      duesMs: [0, 0, 0, 1_000, 1_000, 1_000],
    },
  ])('$why', ({ shape, durationMs, duesMs }) => {
    const plan = arrivalPlan({
      arrival: 'constant',
      ratePerSecond: 1,
      shape,
      limit: { durationMs },
      seed: '',
    });
    const dues = Array.from({ length: plan.count }, (_, index) => Math.round(plan.dueUs(index) / 1_000));
    expect(dues).toEqual(duesMs);
  });

  it('a Poisson process follows the shape: as many arrivals in each half of a ramp as its integral says', () => {
    const shape: RateShape = { kind: 'ramp', fromPerSecond: 0, toPerSecond: 2_000, overMs: 10_000 };
    const plan = arrivalPlan({
      arrival: 'poisson',
      ratePerSecond: 2_000,
      shape,
      limit: { durationMs: 10_000 },
      seed: 'ramp',
    });
    let firstHalf = 0;
    while (plan.dueUs(firstHalf) < 5_000_000) firstHalf++;
    // 2,500 and 7,500 are expected, with standard deviations of 50 and 87.
    expect(Math.abs(firstHalf - 2_500)).toBeLessThan(250);
    expect(Math.abs(plan.count - firstHalf - 7_500)).toBeLessThan(430);
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

/** Arrivals before `durationMs` from the rate itself, summed in slices of a microsecond's grain. */
function integralByHand(shape: RateShape, durationMs: number): number {
  switch (shape.kind) {
    case 'burst':
      return Math.ceil(durationMs / shape.everyMs) * shape.size;
    case 'ramp': {
      const withinMs = Math.min(durationMs, shape.overMs);
      const { fromPerSecond, toPerSecond, overMs } = shape;
      const endRate = fromPerSecond + ((toPerSecond - fromPerSecond) * withinMs) / overMs;
      const after = (toPerSecond * (durationMs - withinMs)) / 1_000;
      return (((fromPerSecond + endRate) / 2) * withinMs) / 1_000 + after;
    }
    case 'steps': {
      let count = 0;
      let leftMs = durationMs;
      for (const [index, { ratePerSecond, forMs }] of shape.steps.entries()) {
        const spanMs = index === shape.steps.length - 1 ? leftMs : Math.min(leftMs, forMs);
        count += (ratePerSecond * spanMs) / 1_000;
        leftMs -= spanMs;
      }
      return count;
    }
  }
}

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
