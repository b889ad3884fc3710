import { describe, expect, it } from 'vitest';
import { delay, silentLogger } from '../../../src/core/index.ts';
import { Checkpoint } from '../../../src/run/checkpoint.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

/** A checkpoint whose writing takes `writeMs`, and what became of it. */
function checkpoints(writeMs: number, fail = false) {
  const clock = virtualClock();
  const written: number[] = [];
  const checkpoint = new Checkpoint(
    async () => {
      await delay(writeMs, { signal: new AbortController().signal, clock });
      if (fail) throw new Error('no space');
      written.push(clock.nowUs() / 1_000);
    },
    { clock, log: silentLogger() },
  );
  return { clock, written, checkpoint };
}

describe('a checkpoint', () => {
  it('is written for every window while that is cheap', async () => {
    const { clock, written, checkpoint } = checkpoints(20);
    for (let window = 0; window < 5; window++) {
      checkpoint.due();
      await clock.advance(10_000);
    }
    expect(written).toEqual([20, 10_020, 20_020, 30_020, 40_020]);
  });

  it('is left out for so many windows that writing takes at most a hundredth of the time', async () => {
    const { clock, written, checkpoint } = checkpoints(250);
    for (let window = 0; window < 9; window++) {
      checkpoint.due();
      await clock.advance(10_000);
    }
    expect(written).toEqual([250, 30_250, 60_250]);
  });

  it('is never written twice at a time, and not after the end, which waits for it', async () => {
    const { clock, written, checkpoint } = checkpoints(500);
    checkpoint.due();
    checkpoint.due();
    let ended = false;
    const end = checkpoint.end().then(() => {
      ended = true;
    });
    await clock.advance(400);
    expect(ended).toBe(false);
    await clock.advance(100);
    await end;
    checkpoint.due();
    await clock.advance(100_000);
    expect(written).toEqual([500]);
  });

  it('that fails ends nothing, and the next one is tried', async () => {
    const { clock, checkpoint } = checkpoints(1, true);
    checkpoint.due();
    await clock.advance(10_000);
    checkpoint.due();
    await clock.advance(10_000);
    await checkpoint.end();
    expect(clock.pending()).toBe(0);
  });
});
