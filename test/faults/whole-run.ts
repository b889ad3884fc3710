/** What holds for every run with faults, whichever they were. */
import { expect, it } from 'vitest';
import { FAULT_NAMES } from '../../src/config/index.ts';
import { completed, type FaultsRun } from './cards.ts';

/** Declares the tests of a run that `of` hands out once it is over. */
export function testWholeRun(of: () => FaultsRun): void {
  it('detects nothing where nothing was broken', () => {
    const { card, seen } = completed(of(), 'control');
    expect(seen.notices).toEqual([]);
    expect(seen.errors).toEqual([]);
    expect(seen.paths.map((path) => [path.path, path.writes.during.failedCount])).toEqual(
      seen.paths.map(({ path }) => [path, 0]),
    );
    expect(card.verdict.state, card.verdict.text).toBe('met');
  });

  it('induces and heals every fault of its suite, and marks it on the time series', () => {
    const { faults, marks } = of().result;
    expect(faults?.cards.map(({ id, state }) => `${id} ${state}`)).toEqual(
      faults?.cards.map(({ id }) => `${id} completed`),
    );
    expect(marks?.filter(({ kind }) => kind === 'fault').map(({ text }) => text)).toEqual(
      faults?.cards.map(({ fault }) => fault),
    );
  });

  it('loses no acknowledged write, and every invariant holds at the end', () => {
    const { faults } = of().result;
    expect(faults?.writes.acknowledgedCount).toBeGreaterThan(1_000);
    expect(faults?.writes.lostCount).toBe(0);
    expect(faults?.invariants.filter(({ state }) => state === 'violated')).toEqual([]);
    expect(faults?.invariants.find(({ name }) => name === 'acknowledged-writes')?.state).toBe('held');
  });

  it('says so on the command line', () => {
    expect(of().output).toContain('probe writes acknowledged');
  });
}

/** Faults of the library that none of the runs played. */
export function neverPlayed(runs: readonly FaultsRun[]): string[] {
  const played = new Set(runs.flatMap(({ result }) => result.faults?.cards ?? []).map(({ fault }) => fault));
  return FAULT_NAMES.filter((name) => !played.has(name));
}
