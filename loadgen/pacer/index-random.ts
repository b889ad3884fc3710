/**
 * Random choices that belong to an arrival and not to the order in which arrivals happen: a function of (seed,
 * index) alone, so that any shard makes the same choice for the same arrival.
 */

/** An unsigned 32-bit integer from `seed` (32 bits) and `index` (a non-negative integer). */
export function indexHash(seed: number, index: number): number {
  // Indexes beyond 32 bits keep their high part; the finaliser is murmur3's, twice.
  let hash =
    (seed ^ Math.imul(index >>> 0, 0x9e3779b1) ^ Math.imul(Math.floor(index / 2 ** 32), 0x85ebca77)) | 0;
  for (let round = 0; round < 2; round++) {
    hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
    hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
    hash ^= hash >>> 16;
  }
  return hash >>> 0;
}

/** Uniform in [0, 1). */
export function indexUniform(seed: number, index: number): number {
  return indexHash(seed, index) / 2 ** 32;
}
