/**
 * Exact sharding by integer stripes: shard i of k takes the indexes i, i + k, i + 2k, … of every plan. Shares sum to
 * the whole, nothing is rounded away, and the merged schedule of all shards is the schedule of one.
 */

/** One share of the load; `index` in 0..count-1. */
export interface Shard {
  index: number;
  count: number;
}

/** How many of the indexes 0..total-1 belong to `shard`. */
export function stripeLength(total: number, shard: Shard): number {
  return total <= shard.index ? 0 : Math.ceil((total - shard.index) / shard.count);
}

/** The index, in the whole plan, of the `position`-th arrival of `shard`. */
export function stripeIndex(position: number, shard: Shard): number {
  return shard.index + position * shard.count;
}
