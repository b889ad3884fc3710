/**
 * Holm's correction for several tests at once: adjusted p-values that can each be held against the level, with the
 * chance of any false alarm among all of them still at most that level.
 *
 * The i-th smallest of m p-values is multiplied by m - i + 1, and never less than those before it.
 */

/** Adjusted p-values in the order given, each 0..1. */
export function holm(pValues: readonly number[]): number[] {
  const order = pValues.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const adjusted = new Array<number>(pValues.length).fill(1);
  let highest = 0;
  order.forEach(({ p, index }, i) => {
    highest = Math.max(highest, Math.min(1, p * (pValues.length - i)));
    adjusted[index] = highest;
  });
  return adjusted;
}
