/**
 * Objects that are known to exist, by resource: what GETs ask for. Adding, removing and picking at random cost the
 * same however many there are.
 */
import type { Random } from '../../src/core/index.ts';

export interface LiveObject {
  /** Empty for objects of the cluster. */
  namespace: string;
  name: string;
}

/** Objects of one resource. */
export class LiveObjectSet {
  readonly #objects: LiveObject[] = [];
  /** Map<"namespace/name", position in #objects> */
  readonly #positions = new Map<string, number>();
  readonly #random: Random;

  constructor(random: Random) {
    this.#random = random;
  }

  get size(): number {
    return this.#objects.length;
  }

  add(object: LiveObject): void {
    const key = keyOf(object);
    if (this.#positions.has(key)) return;
    this.#positions.set(key, this.#objects.length);
    this.#objects.push(object);
  }

  /** False if it was not there. */
  remove(object: LiveObject): boolean {
    const key = keyOf(object);
    const position = this.#positions.get(key);
    if (position === undefined) return false;
    this.#positions.delete(key);
    // The last one takes the place of the one that goes.
    const last = this.#objects.pop();
    if (last !== undefined && position < this.#objects.length) {
      this.#objects[position] = last;
      this.#positions.set(keyOf(last), position);
    }
    return true;
  }

  /** Any one, each as likely; undefined when there is none. Seeded: same calls, same picks. */
  pick(): LiveObject | undefined {
    return this.#objects[this.#random.integer(this.#objects.length)];
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
