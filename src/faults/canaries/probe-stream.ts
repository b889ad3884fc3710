/** An endless constant schedule for the pacer: arrival i is due at zero + i / rate, and none is ever shifted. */
export class ProbeStream {
  readonly #zeroUs: number;
  readonly #periodUs: number;
  readonly #onArrival: (dueUs: number) => void;
  #index = 0;
  #ended = false;

  constructor(options: { zeroUs: number; ratePerSecond: number; onArrival: (dueUs: number) => void }) {
    this.#zeroUs = options.zeroUs;
    this.#periodUs = 1e6 / options.ratePerSecond;
    this.#onArrival = options.onArrival;
  }

  /** Instant of the next arrival; Infinity once abandoned. */
  nextDueUs(): number {
    return this.#ended ? Number.POSITIVE_INFINITY : this.#zeroUs + this.#index * this.#periodUs;
  }

  fire(): void {
    const dueUs = this.nextDueUs();
    this.#index++;
    this.#onArrival(dueUs);
  }

  abandon(): void {
    this.#ended = true;
  }
}
