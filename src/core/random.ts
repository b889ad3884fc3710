/**
 * Seeded randomness: the same seed gives the same schedule, the same names and the same behaviour, on every
 * machine. Each consumer takes a stream of its own by name, so that adding one consumer never shifts another.
 */

/** A stream of pseudo-random numbers. */
export interface Random {
  /** Uniform in [0, 1). */
  next(): number;
  /** Uniform in [low, high). */
  uniform(low: number, high: number): number;
  /** Uniform integer in [0, bound). */
  integer(bound: number): number;
  /** Exponential with the given mean (> 0): the gap between arrivals of a Poisson process. */
  exponential(mean: number): number;
  /** Normal with mean 0 and standard deviation 1 (Box-Muller). */
  normal(): number;
  /** An independent stream, determined by this stream's seed and `name` alone. */
  fork(name: string): Random;
}

/** Makes the stream that belongs to `seed` (any string or number). */
export function seededRandom(seed: string | number): Random {
  const text = String(seed);
  const next = sfc32(hash32(text, 0x9e3779b9), hash32(text, 0x243f6a88), hash32(text, 0xb7e15162), 1);
  const random: Random = {
    next,
    uniform: (low, high) => low + (high - low) * next(),
    integer: (bound) => Math.floor(next() * bound),
    exponential: (mean) => -mean * Math.log(1 - next()),
    normal: () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next()),
    fork: (name) => seededRandom(`${text}/${name}`),
  };
  return random;
}

/** FNV-1a over UTF-16 code units with a finaliser, as an unsigned 32-bit integer; also used to spread by name. */
export function hash32(text: string, basis = 0x811c9dc5): number {
  let hash = basis;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}

// Chris Doty-Humphrey's small fast counter generator (PractRand), 128 bits of state; twelve rounds mix the seed.
function sfc32(a: number, b: number, c: number, counter: number): () => number {
  const step = () => {
    const sum = (((a + b) | 0) + counter) | 0;
    counter = (counter + 1) | 0;
    a = b ^ (b >>> 9);
    b = (c + (c << 3)) | 0;
    c = (((c << 21) | (c >>> 11)) + sum) | 0;
    return sum >>> 0;
  };
  for (let round = 0; round < 12; round++) step();
  // 53 bits, so that fractions are as fine as a double allows.
  return () => (step() * 2 ** 21 + (step() >>> 11)) / 2 ** 53;
}
