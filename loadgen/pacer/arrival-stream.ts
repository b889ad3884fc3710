/**
 * One shard's arrivals of one plan on the machine's clock: what the pacer asks for the next due instant and tells to
 * fire.
 */
import type { ArrivalPlan } from './arrival-plan.ts';
import { type Shard, stripeIndex, stripeLength } from './stripe.ts';

/** What the pacer drives. */
export interface PacedStream {
  /** Monotonic instant of the next arrival in microseconds; Infinity when there is none left. */
  nextDueUs(): number;
  /** Starts the next arrival, or counts why it cannot start, and moves on to the one after. */
  fire(): void;
  /** The schedule ends at `nowUs`: arrivals due by then count as dropped, later ones were never asked for. */
  abandon(nowUs: number): void;
  /** The phase ends at `atUs`: what is due later is not asked for; what is due by then is. Absent: ends with abandon(). */
  curtail?(atUs: number): void;
}

export interface ArrivalStreamOptions {
  plan: ArrivalPlan;
  shard: Shard;
  /** Instant of the plan's zero. */
  zeroUs: number;
  /** `index` is that of the whole plan, `dueUs` the instant. */
  onArrival: (index: number, dueUs: number) => void;
  onAbandoned: (index: number) => void;
  /** Its arrivals follow those of another stream by this, and so does its end: @default 0 */
  followsByUs?: number;
  /** Takes the number of arrivals that an early end left out. */
  tally: { notOfferedCount: number };
}

export class ArrivalStream implements PacedStream {
  readonly #options: ArrivalStreamOptions;
  readonly #length: number;
  #position = 0;
  #nextDueUs: number;
  #endUs = Number.POSITIVE_INFINITY;

  constructor(options: ArrivalStreamOptions) {
    this.#options = options;
    this.#length = stripeLength(options.plan.count, options.shard);
    this.#nextDueUs = this.#dueAt(0);
  }

  /** Arrivals of this shard, fired or not. */
  get length(): number {
    return this.#length;
  }

  /** Arrivals that have not been fired or abandoned. */
  get remaining(): number {
    return this.#length - this.#position;
  }

  nextDueUs(): number {
    return this.#nextDueUs;
  }

  fire(): void {
    const index = stripeIndex(this.#position, this.#options.shard);
    const dueUs = this.#nextDueUs;
    this.#position++;
    this.#nextDueUs = this.#dueAt(this.#position);
    this.#options.onArrival(index, dueUs);
  }

  abandon(nowUs: number): void {
    while (this.#nextDueUs <= nowUs) {
      const index = stripeIndex(this.#position, this.#options.shard);
      this.#position++;
      this.#nextDueUs = this.#dueAt(this.#position);
      this.#options.onAbandoned(index);
    }
    this.#options.tally.notOfferedCount += this.remaining;
    this.#position = this.#length;
    this.#nextDueUs = Number.POSITIVE_INFINITY;
  }

  curtail(atUs: number): void {
    this.#endUs = atUs + (this.#options.followsByUs ?? 0);
    this.#nextDueUs = this.#dueAt(this.#position);
  }

  #dueAt(position: number): number {
    if (position >= this.#length) return Number.POSITIVE_INFINITY;
    const dueUs = this.#options.zeroUs + this.#options.plan.dueUs(stripeIndex(position, this.#options.shard));
    if (dueUs <= this.#endUs) return dueUs;
    this.#options.tally.notOfferedCount += this.#length - position;
    this.#position = this.#length;
    return Number.POSITIVE_INFINITY;
  }
}
