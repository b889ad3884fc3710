/** An endless constant schedule for the pacer: arrival i is due at zero + i / rate, and none is ever shifted. */
import type { PacedStream } from './arrival-stream.ts';

export interface EndlessStreamOptions {
  /** Instant of the first arrival. */
  zeroUs: number;
  ratePerSecond: number;
  /** `index` counts from 0. */
  onArrival: (dueUs: number, index: number) => void;
}

export class EndlessStream implements PacedStream {
  readonly #zeroUs: number;
  readonly #periodUs: number;
  readonly #onArrival: EndlessStreamOptions['onArrival'];
  #index = 0;
  #ended = false;

  constructor(options: EndlessStreamOptions) {
    this.#zeroUs = options.zeroUs;
    this.#periodUs = 1e6 / options.ratePerSecond;
    this.#onArrival = options.onArrival;
  }

  nextDueUs(): number {
    return this.#ended ? Number.POSITIVE_INFINITY : this.#zeroUs + this.#index * this.#periodUs;
  }

  fire(): void {
    const dueUs = this.nextDueUs();
    this.#onArrival(dueUs, this.#index++);
  }

  abandon(): void {
    this.#ended = true;
  }
}
