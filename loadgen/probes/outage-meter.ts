/**
 * How long a path was out: probes end in any order (a hung one ends last), outages are runs of bad ones in the order of
 * their due instants. A probe is judged once all before it have ended.
 *
 *   outage = bad probes in a row * period
 *
 * The true outage is longer by up to a period at its beginning, and shorter by up to a period at its end.
 */

/** `unknown`: called off by the harness before its answer; neither ends nor begins an outage. */
export type ProbeVerdict = 'good' | 'bad' | 'unknown';

export class OutageMeter {
  readonly #periodUs: number;
  /** Map<index, verdict> of probes that ended before one due earlier. */
  readonly #early = new Map<number, ProbeVerdict>();
  #nextIndex = 0;
  #runLength = 0;
  #outageCount = 0;
  #longestUs = 0;

  constructor(periodUs: number) {
    this.#periodUs = periodUs;
  }

  /** Outages that began so far, one that goes on included. */
  get outageCount(): number {
    return this.#outageCount;
  }

  /** Longest outage so far in microseconds, one that goes on included. */
  get longestUs(): number {
    return this.#longestUs;
  }

  /** Probe `index` ended; indexes count from 0 and each ends once. */
  ended(index: number, verdict: ProbeVerdict): void {
    this.#early.set(index, verdict);
    for (
      let next = this.#early.get(this.#nextIndex);
      next !== undefined;
      next = this.#early.get(this.#nextIndex)
    ) {
      this.#early.delete(this.#nextIndex++);
      this.#take(next);
    }
  }

  #take(verdict: ProbeVerdict): void {
    if (verdict === 'unknown') return;
    if (verdict === 'good') {
      this.#runLength = 0;
      return;
    }
    if (this.#runLength++ === 0) this.#outageCount++;
    this.#longestUs = Math.max(this.#longestUs, this.#runLength * this.#periodUs);
  }
}
