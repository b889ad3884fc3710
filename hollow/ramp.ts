/**
 * How fast nodes begin to register: at the suite's rate, and with no more of them under way than the API server
 * carries. The limit grows while registrations are quick and halves when one is slow (additive increase,
 * multiplicative decrease), so that a storm of nodes slows down instead of melting the server. Pure.
 */

export interface RampSettings {
  /** Nodes that may begin per second, of this shard. */
  perSecond: number;
  /** A registration longer than this says that the server is behind. */
  slowMs: number;
}

/** An unloaded registration takes 0.6 s, mostly waits. */
export const SLOW_REGISTRATION_MS = 3_000;
/** One of a light node is a single call, a few milliseconds on an unloaded server. */
export const SLOW_LIGHT_REGISTRATION_MS = 500;
const MIN_WINDOW = 4;
/** A window that the rate alone never fills while registrations take less than this. */
const INITIAL_WINDOW_SECONDS = 2;
/**
 * Where the window begins at most, whatever the rate: thousands at once are no faster, and what they take of memory
 * the process keeps (resident memory of a light node, over a stub of the server: 96 kB with 2,000 at once, 15 kB so).
 */
const MAX_INITIAL_WINDOW = 100;
/** Slow registrations that began under the same overload count once. */
const DECREASE_PERIOD_US = 2_000_000;

export class Ramp {
  readonly #settings: RampSettings;
  readonly #startUs: number;
  #startedCount = 0;
  #underWayCount = 0;
  #window: number;
  #decreasedUs = Number.NEGATIVE_INFINITY;
  /** Slots of the schedule that passed while the window was full; they are not made up for in a burst. */
  #skippedUs = 0;
  #blockedSinceUs = Number.NaN;

  constructor(settings: RampSettings, startUs: number) {
    this.#settings = settings;
    this.#startUs = startUs;
    const wanted = Math.ceil(settings.perSecond * INITIAL_WINDOW_SECONDS);
    this.#window = Math.max(MIN_WINDOW, Math.min(MAX_INITIAL_WINDOW, wanted));
  }

  /** Registrations under way that are allowed now. */
  get window(): number {
    return this.#window;
  }

  get underWayCount(): number {
    return this.#underWayCount;
  }

  /** When the next node is due by the rate; it must also find room. */
  get nextDueUs(): number {
    return this.#startUs + this.#skippedUs + (this.#startedCount / this.#settings.perSecond) * 1e6;
  }

  /** True if a node may begin at `nowUs`; it then counts as under way. */
  take(nowUs: number): boolean {
    if (nowUs < this.nextDueUs) return false;
    if (this.#underWayCount >= Math.floor(this.#window)) {
      if (Number.isNaN(this.#blockedSinceUs)) this.#blockedSinceUs = nowUs;
      return false;
    }
    if (!Number.isNaN(this.#blockedSinceUs)) {
      this.#skippedUs += nowUs - this.#blockedSinceUs;
      this.#blockedSinceUs = Number.NaN;
    }
    this.#startedCount++;
    this.#underWayCount++;
    return true;
  }

  /** A registration ended after `durationMs`. */
  done(durationMs: number, nowUs: number): void {
    this.#underWayCount--;
    if (durationMs <= this.#settings.slowMs) {
      this.#window += 1 / this.#window;
    } else if (nowUs - this.#decreasedUs >= DECREASE_PERIOD_US) {
      this.#decreasedUs = nowUs;
      this.#window = Math.max(MIN_WINDOW, Math.min(this.#window, this.#underWayCount + 1) / 2);
    }
  }
}
