/**
 * Ranks with ties, and the exact distribution of a sum of ranks: the common ground of the two rank tests.
 *
 * Ranks are doubled, so that midranks of ties are whole numbers. The distributions are conditional on the ties that
 * are there (every assignment of the pooled ranks equally likely), so the tests stay exact with ties, where the usual
 * tables and the normal approximation are not. Counts are doubles: C(60, 30) exceeds 2^53 by little, and only ratios
 * of counts are used.
 */

/** Twice the midrank of each value, in the order given: equal values share the mean of their ranks. */
export function doubledRanks(values: readonly number[]): number[] {
  const order = values.map((value, index) => ({ value, index })).sort((a, b) => a.value - b.value);
  const ranks = new Array<number>(values.length).fill(0);
  for (let start = 0; start < order.length; ) {
    let end = start;
    while (end + 1 < order.length && order[end + 1]?.value === order[start]?.value) end++;
    // Ranks start + 1 to end + 1; twice their mean is their sum's two ends.
    for (let i = start; i <= end; i++) ranks[order[i]?.index ?? 0] = start + end + 2;
    start = end + 1;
  }
  return ranks;
}

/** Number of subsets of `size` of the doubled ranks by their sum: `counts[sum]`. */
export function subsetSumCounts(ranks: readonly number[], size: number): Float64Array {
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const bySize = Array.from({ length: size + 1 }, () => new Float64Array(total + 1));
  const empty = bySize[0];
  if (empty !== undefined) empty[0] = 1;
  let reached = 0;
  for (const rank of ranks) {
    reached += rank;
    for (let taken = size; taken >= 1; taken--) {
      const into = bySize[taken];
      const from = bySize[taken - 1];
      if (into === undefined || from === undefined) continue;
      for (let sum = reached; sum >= rank; sum--) into[sum] = (into[sum] ?? 0) + (from[sum - rank] ?? 0);
    }
  }
  return bySize[size] ?? new Float64Array(total + 1);
}

/** Number of subsets of any size of the doubled ranks by their sum: `counts[sum]`. */
export function anySubsetSumCounts(ranks: readonly number[]): Float64Array {
  const total = ranks.reduce((sum, rank) => sum + rank, 0);
  const counts = new Float64Array(total + 1);
  counts[0] = 1;
  let reached = 0;
  for (const rank of ranks) {
    reached += rank;
    for (let sum = reached; sum >= rank; sum--) counts[sum] = (counts[sum] ?? 0) + (counts[sum - rank] ?? 0);
  }
  return counts;
}

/** Probabilities of sums at most and at least `sum`, of a distribution of counts. */
export function tails(counts: Float64Array, sum: number): { atMost: number; atLeast: number } {
  let below = 0;
  let above = 0;
  let all = 0;
  counts.forEach((count, at) => {
    all += count;
    if (at <= sum) below += count;
    if (at >= sum) above += count;
  });
  return { atMost: below / all, atLeast: above / all };
}
