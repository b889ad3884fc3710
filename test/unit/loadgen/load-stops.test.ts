import { describe, expect, it } from 'vitest';
import { create, NEVER, phaseOf, reads, startWorld } from '../../helpers/load-world.ts';

describe('stopping the load generator', () => {
  it('stopped, starts nothing new, lets calls end in the grace and cancels the rest', async () => {
    const world = await startWorld({
      answer: (_request, number) => ({ serviceMs: number === 0 ? 60_000 : 400 }),
    });
    const run = world.runPhase(phaseOf([create({ objectCount: 100, ratePerSecond: 10 })]), 0);
    await world.clock.advance(650);
    world.generator.stopNewWork(1_000);
    await world.clock.advance(1_100);
    const outcome = await run;
    expect(outcome.state).toBe('stopped');
    // Due at 100, 200, … 600 ms: six offered, five done, the first is cancelled.
    expect(outcome.actions[0]).toMatchObject({
      offeredCount: 6,
      doneCount: 5,
      failedCount: 1,
      notOfferedCount: 94,
    });
    expect(world.totals()).toEqual({ offered: 6, done: 5, failed: 1, dropped: 0 });
  });

  it('cancels calls that outlive the settle time after the last arrival', async () => {
    const world = await startWorld({ answer: () => ({ serviceMs: 600_000 }) });
    const outcome = await world.run([create({ objectCount: 3, ratePerSecond: 10 })], 20_000);
    expect(outcome).toMatchObject({ state: 'completed', actions: [{ offeredCount: 3, failedCount: 3 }] });
  });

  it('on abort cancels what is in flight, records it and rejects with the reason', async () => {
    const world = await startWorld({ answer: () => ({ serviceMs: 600_000 }) });
    const reason = new Error('called off');
    const controller = new AbortController();
    const run = world.generator.runPhase(
      phaseOf([create({ objectCount: 100, ratePerSecond: 10 })]),
      world.clock.nowUs(),
      controller.signal,
    );
    await world.clock.advance(250);
    controller.abort(reason);
    await expect(run).rejects.toBe(reason);
    expect(world.totals()).toEqual({ offered: 3, done: 0, failed: 3, dropped: 0 });
    expect(world.generator.stats().inFlightCount).toBe(0);
    await expect(world.generator.runPhase(phaseOf([]), 0, AbortSignal.abort(reason))).rejects.toBe(reason);
    await expect(world.generator.preparePhase(phaseOf([]), AbortSignal.abort(reason))).rejects.toBe(reason);
  });

  it('on abort while it waits for the last calls cancels them and rejects with the reason', async () => {
    const world = await startWorld({ answer: () => ({ serviceMs: 600_000 }) });
    const reason = new Error('called off');
    const controller = new AbortController();
    const phase = phaseOf([create({ objectCount: 2, ratePerSecond: 10 })]);
    const run = world.generator.runPhase(phase, world.clock.nowUs(), controller.signal);
    await world.clock.advance(500);
    controller.abort(reason);
    await expect(run).rejects.toBe(reason);
    expect(world.totals()).toEqual({ offered: 2, done: 0, failed: 2, dropped: 0 });
    expect(world.clock.pending()).toBe(0);
  });

  it('on abort gives up looking for objects', async () => {
    const world = await startWorld({ answer: () => ({ serviceMs: 600_000 }) });
    const reason = new Error('called off');
    const controller = new AbortController();
    const phase = phaseOf([reads({ ratePerSecond: 1, durationMs: 1_000 })]);
    const prepared = world.generator.preparePhase(phase, controller.signal);
    await world.clock.advance(10);
    controller.abort(reason);
    await expect(prepared).rejects.toBe(reason);
  });

  it('does not start with an aborted signal, and stops twice without harm', async () => {
    const world = await startWorld({ answer: () => ({ serviceMs: 1 }) });
    const reason = new Error('called off');
    const other = world.another();
    await expect(other.start(AbortSignal.abort(reason))).rejects.toBe(reason);
    await other.stop();
    await world.generator.stop();
    await world.generator.stop();
    await expect(world.generator.runPhase(phaseOf([]), 0, NEVER)).rejects.toThrow('not started');
  });
});
