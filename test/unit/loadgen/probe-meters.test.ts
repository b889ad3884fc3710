import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OutageMeter, type ProbeVerdict } from '../../../loadgen/probes/outage-meter.ts';
import { GIVE_UP_US, PropagationMeter } from '../../../loadgen/probes/propagation-meter.ts';

const PERIOD_US = 200_000;
const LETTERS: Record<string, ProbeVerdict> = { g: 'good', b: 'bad', u: 'unknown' };

/** Probes that ended one after the other: `ggbbg`. */
function meterOf(verdicts: string): OutageMeter {
  const meter = new OutageMeter(PERIOD_US);
  for (const [index, letter] of [...verdicts].entries()) meter.ended(index, LETTERS[letter] ?? 'unknown');
  return meter;
}

describe('outages', () => {
  it.each([
    { verdicts: 'ggggg', count: 0, periods: 0, why: 'nothing was bad' },
    { verdicts: 'gbg', count: 1, periods: 1, why: 'one bad probe stands for its period' },
    { verdicts: 'gbbbgbbg', count: 2, periods: 3, why: 'two runs, the longer of three' },
    { verdicts: 'ggbb', count: 1, periods: 2, why: 'one that goes on at the end counts so far' },
    { verdicts: 'gbubg', count: 1, periods: 2, why: 'a probe that was called off does not end an outage' },
    { verdicts: 'guug', count: 0, periods: 0, why: 'and does not begin one' },
  ])('of $verdicts are $count, the longest of $periods periods: $why', ({ verdicts, count, periods }) => {
    const meter = meterOf(verdicts);
    expect([meter.outageCount, meter.longestUs]).toEqual([count, periods * PERIOD_US]);
  });

  it('are the same in whatever order probes end', () => {
    fc.assert(
      fc.property(
        fc
          .array(fc.constantFrom('g', 'b', 'u'), { maxLength: 40 })
          .chain((letters) =>
            fc.tuple(
              fc.constant(letters),
              fc.shuffledSubarray([...letters.keys()], { minLength: letters.length }),
            ),
          ),
        ([letters, order]) => {
          const meter = new OutageMeter(PERIOD_US);
          for (const index of order) meter.ended(index, LETTERS[letters[index] ?? ''] ?? 'unknown');
          const inOrder = meterOf(letters.join(''));
          expect([meter.outageCount, meter.longestUs]).toEqual([inOrder.outageCount, inOrder.longestUs]);
        },
      ),
    );
  });

  it('wait for a probe that hangs before they judge those after it', () => {
    const meter = new OutageMeter(PERIOD_US);
    meter.ended(1, 'bad');
    expect(meter.outageCount).toBe(0);
    meter.ended(0, 'bad');
    expect([meter.outageCount, meter.longestUs]).toEqual([1, 2 * PERIOD_US]);
  });
});

describe('propagation', () => {
  it('is from the write to the first, to the last, and between the two', () => {
    const meter = new PropagationMeter(3);
    meter.sent(7, 1_000);
    meter.received(1, 7, 3_000);
    meter.received(0, 7, 4_500);
    meter.received(1, 7, 9_000);
    expect(meter.completeCount).toBe(0);
    meter.received(2, 7, 6_000);
    expect([meter.first.maxUs, meter.last.maxUs, meter.spread.maxUs]).toEqual([2_000, 5_000, 3_000]);
    expect(meter).toMatchObject({ writeCount: 1, completeCount: 1, incompleteCount: 0, pendingCount: 0 });
  });

  it('counts an event that comes although the write got no answer', () => {
    const meter = new PropagationMeter(1);
    meter.sent(1, 0);
    meter.failed(1, 'maybe');
    meter.received(0, 1, 5_000);
    expect(meter).toMatchObject({ completeCount: 1, failedCount: 0 });
  });

  it('gives a write up that some watcher never sees, and one that nobody sees', () => {
    const meter = new PropagationMeter(2);
    meter.sent(1, 0);
    meter.sent(2, 1_000);
    meter.received(0, 1, 2_000);
    meter.sweep(GIVE_UP_US);
    expect(meter).toMatchObject({ incompleteCount: 1, unseenCount: 0, pendingCount: 1 });
    meter.finish();
    expect(meter).toMatchObject({ incompleteCount: 2, unseenCount: 1, pendingCount: 0 });
    expect([meter.first.count, meter.last.count]).toEqual([1, 0]);
  });

  it('loses no write: each is complete, incomplete or failed in the end, whatever happens in whatever order', () => {
    const step = fc.oneof(
      fc.record({ kind: fc.constant('sent' as const), sequence: fc.nat(9) }),
      fc.record({
        kind: fc.constant('failed' as const),
        sequence: fc.nat(9),
        applied: fc.constantFrom('no' as const, 'maybe' as const),
      }),
      fc.record({ kind: fc.constant('received' as const), sequence: fc.nat(9), watcher: fc.nat(2) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const meter = new PropagationMeter(3);
        const sent = new Set<number>();
        steps.forEach((one, nowUs) => {
          if (one.kind === 'received') meter.received(one.watcher, one.sequence, nowUs);
          else if (one.kind === 'failed') meter.failed(one.sequence, one.applied);
          else if (!sent.has(one.sequence)) {
            sent.add(one.sequence);
            meter.sent(one.sequence, nowUs);
          }
        });
        meter.finish();
        const { writeCount, completeCount, incompleteCount, failedCount, unseenCount } = meter;
        expect(writeCount).toBe(sent.size);
        expect(completeCount + incompleteCount + failedCount).toBe(writeCount);
        expect([meter.last.count, meter.spread.count]).toEqual([completeCount, completeCount]);
        expect(meter.first.count).toBe(completeCount + incompleteCount - unseenCount);
      }),
    );
  });
});
