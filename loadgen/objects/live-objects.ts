/**
 * Objects that are known to exist, by resource: what GETs ask for. Adding, removing and picking at random cost the
 * same however many there are.
 *
 * An object that was acknowledged a moment ago may not be in the API server's watch cache yet, so that a cached GET of
 * it is a 404 of the load's own making: picks prefer what has been there for a second, where there is such.
 */
import type { Random } from '../../src/core/index.ts';

export interface LiveObject {
  /** Empty for objects of the cluster. */
  namespace: string;
  name: string;
}

/** How long an object is thought too fresh for a cached read. */
export const FRESH_US = 1_000_000;
/** Draws before a fresh object is taken: with a tenth of all fresh, one pick in 100,000 is. */
const DRAW_COUNT = 5;

interface Entry {
  object: LiveObject;
  sinceUs: number;
}

/**
 * Objects of one resource: the run's own, and somebody else's where they were looked for because there were none. What
 * is not the run's own is read and never changed.
 */
export class LiveObjectSet {
  readonly #entries: Entry[] = [];
  #foreign: readonly LiveObject[] = [];
  /** Map<"namespace/name", position in #entries> */
  readonly #positions = new Map<string, number>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  get isEmpty(): boolean {
    return this.#entries.length === 0 && this.#foreign.length === 0;
  }

  /** Objects that are not the run's own, in place of those known before. */
  setForeign(objects: readonly LiveObject[]): void {
    this.#foreign = objects;
  }

  /** The run's own object whose turn it is, where turns 0, 1, 2, … go through all of them; undefined without any. */
  ownAt(turn: number): LiveObject | undefined {
    return this.#entries[turn % this.#entries.length]?.object;
  }

  /** `sinceUs`: since when it is known to exist. */
  add(object: LiveObject, sinceUs: number): void {
    const key = keyOf(object);
    if (this.#positions.has(key)) return;
    this.#positions.set(key, this.#entries.length);
    this.#entries.push({ object, sinceUs });
  }

  /** False if it was not there. */
  remove(object: LiveObject): boolean {
    const key = keyOf(object);
    const position = this.#positions.get(key);
    if (position === undefined) {
      const foreignCount = this.#foreign.length;
      this.#foreign = this.#foreign.filter((other) => keyOf(other) !== key);
      return this.#foreign.length < foreignCount;
    }
    this.#positions.delete(key);
    // The last one takes the place of the one that goes.
    const last = this.#entries.pop();
    if (last !== undefined && position < this.#entries.length) {
      this.#entries[position] = last;
      this.#positions.set(keyOf(last.object), position);
    }
    return true;
  }

  /** Any one that is not fresh at `nowUs`, else any one; undefined when there is none. Seeded: same calls, same picks. */
  pick(nowUs: number): LiveObject | undefined {
    if (this.#entries.length === 0) return this.#foreign[this.#random.integer(this.#foreign.length)];
    for (let draw = 1; ; draw++) {
      const entry = this.#entries[this.#random.integer(this.#entries.length)];
      if (entry === undefined || nowUs - entry.sinceUs >= FRESH_US || draw === DRAW_COUNT)
        return entry?.object;
    }
  }
}

/** All resources that one load shard knows objects of. */
export class LiveObjects {
  readonly #sets = new Map<string, LiveObjectSet>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  /** The set of a resource by its label, such as `deployments.apps`; made on first use. */
  of(resource: string): LiveObjectSet {
    let set = this.#sets.get(resource);
    if (set === undefined) {
      set = new LiveObjectSet(this.#random.fork(resource));
      this.#sets.set(resource, set);
    }
    return set;
  }
}

function keyOf(object: LiveObject): string {
  return `${object.namespace}/${object.name}`;
}
