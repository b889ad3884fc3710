/**
 * The order of an experiment, as pure functions: which run is next, which pairs are whole.
 *
 * Runs go in blocks of ABBA or BAAB, the start of each block drawn from the seed, and neighbours are a pair. So a
 * drift (a machine that warms up, a disk that fills) falls on both sides alike: within a block each side has the same
 * mean place in time, and no side is always first.
 */
import { seededRandom } from '../core/index.ts';

export type SideName = 'a' | 'b';

/** One run that the experiment wants. */
export interface ExperimentSlot {
  /** From 0, in the order of time. */
  index: number;
  /** From 1. */
  pair: number;
  side: SideName;
}

/** One run that was made and ended by itself. */
export interface ExperimentAttempt {
  pair: number;
  side: SideName;
  /** Name of its folder under `runs/`. */
  folder: string;
  /** Why its figures do not count; absent where they do. */
  invalid?: string;
}

/** An INVALID run is repeated this often before its pair is dropped. */
export const REPEATS = 1;

/** All slots of `pairCount` pairs; equal for equal seeds. */
export function experimentOrder(pairCount: number, seed: string | number): ExperimentSlot[] {
  const random = seededRandom(seed).fork('experiment-order');
  const slots: ExperimentSlot[] = [];
  let first: SideName = 'a';
  for (let pair = 1; pair <= pairCount; pair++) {
    // The second pair of a block mirrors the first; an odd last pair is half a block.
    if (pair % 2 === 1) first = random.next() < 0.5 ? 'a' : 'b';
    else first = other(first);
    for (const side of [first, other(first)]) slots.push({ index: slots.length, pair, side });
  }
  return slots;
}

/** The slots still to run, in their order; those of dropped pairs are passed over. */
export function openSlots(
  slots: readonly ExperimentSlot[],
  attempts: readonly ExperimentAttempt[],
): ExperimentSlot[] {
  const dropped = new Set(droppedPairs(attempts));
  return slots.filter(
    ({ pair, side }) =>
      !dropped.has(pair) &&
      !attempts.some((one) => one.pair === pair && one.side === side && one.invalid === undefined),
  );
}

/** Pairs of which a run was INVALID as often as it is tried, ascending. */
export function droppedPairs(attempts: readonly ExperimentAttempt[]): number[] {
  const failures = new Map<string, { pair: number; count: number }>();
  for (const { pair, side, invalid } of attempts) {
    if (invalid === undefined) continue;
    const key = `${pair}${side}`;
    failures.set(key, { pair, count: (failures.get(key)?.count ?? 0) + 1 });
  }
  const pairs = [...failures.values()].filter(({ count }) => count > REPEATS).map(({ pair }) => pair);
  return [...new Set(pairs)].sort((x, y) => x - y);
}

/** Folders of the pairs that are whole, in the order of the pairs. */
export function wholePairs(attempts: readonly ExperimentAttempt[]): { pair: number; a: string; b: string }[] {
  const folder = (pair: number, side: SideName) =>
    attempts.find((one) => one.pair === pair && one.side === side && one.invalid === undefined)?.folder;
  const pairs = [...new Set(attempts.map(({ pair }) => pair))].sort((x, y) => x - y);
  return pairs.flatMap((pair) => {
    const a = folder(pair, 'a');
    const b = folder(pair, 'b');
    return a === undefined || b === undefined ? [] : [{ pair, a, b }];
  });
}

function other(side: SideName): SideName {
  return side === 'a' ? 'b' : 'a';
}
