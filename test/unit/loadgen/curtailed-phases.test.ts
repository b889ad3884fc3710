import { describe, expect, it } from 'vitest';
import { churn, NEVER, phaseOf, reads, startWorld } from '../../helpers/load-world.ts';

describe('a phase that is curtailed', () => {
  it('asks for nothing that is due later, deletes what a churn has created, and ends in order', async () => {
    const world = await startWorld({ answer: () => ({ serviceMs: 5 }) });
    const action = churn({ ratePerSecond: 10, durationMs: 60_000, lifetimeMs: 3_000 });
    const run = world.generator.runPhase(phaseOf([action]), 100_000, NEVER);
    await world.clock.advance(2_050);
    world.generator.curtailPhase();
    await world.clock.advance(10_000);
    const outcome = await run;
    const sent = (method: string) => world.calls.filter(({ request }) => request.method === method);
    // Due at 100 ms, 200 ms, … up to 2,000 ms: twenty pods, each deleted 3 s later at its own instant.
    expect(sent('POST')).toHaveLength(20);
    expect(sent('DELETE').map(({ sentUs }) => sentUs / 1_000)).toEqual(
      Array.from({ length: 20 }, (_, index) => 3_100 + index * 100),
    );
    expect(outcome.state).toBe('completed');
    expect(outcome.actions[0]).toMatchObject({ offeredCount: 40, doneCount: 40, droppedCount: 0 });
    expect(outcome.actions[0]?.notOfferedCount).toBe(2 * (600 - 20));
  });

  it('ends at once where the next arrival is far away', async () => {
    const world = await startWorld({ answer: () => ({ serviceMs: 5 }) });
    const slow = reads({ verb: 'list', ratePerSecond: 1 / 60, durationMs: 600_000 });
    const run = world.generator.runPhase(phaseOf([slow]), 100_000, NEVER);
    await world.clock.advance(1_000);
    world.generator.curtailPhase();
    await world.clock.advance(0);
    expect((await run).actions[0]).toMatchObject({ offeredCount: 1, doneCount: 1, notOfferedCount: 9 });
  });

  it('keeps the arrivals that were due, however late they go out', async () => {
    const world = await startWorld({ answer: () => ({ serviceMs: 5 }) });
    const run = world.generator.runPhase(phaseOf([reads({ verb: 'list', ratePerSecond: 10 })]), 0, NEVER);
    world.generator.curtailPhase();
    await world.clock.advance(100);
    expect((await run).actions[0]).toMatchObject({ offeredCount: 1, droppedCount: 0 });
  });
});
