/**
 * One timer for the health of all HTTP/2 sessions of a process: a session that has been silent is sent a PING, and
 * one that does not answer is cut. Sessions are visited in turn, a part of them each tick, so that thousands of idle
 * ones do not all ping in one turn of the event loop.
 */
import type { CancelTimer, Clock } from '../core/index.ts';

/** What the sweeper watches over. */
export interface Sweepable {
  /** Looks at its own silence and deadlines. */
  sweep(nowUs: number): void;
}

/** Every session is visited once in this time: pings and connect deadlines are late by at most as much. */
export const SWEEP_PERIOD_MS = 1_000;
const TICKS_PER_PERIOD = 8;

class PingSweeper {
  readonly #clock: Clock;
  readonly #sessions: Sweepable[] = [];
  readonly #places = new Map<Sweepable, number>();
  #next = 0;
  #cancelTimer: CancelTimer | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(session: Sweepable): void {
    if (this.#places.has(session)) return;
    this.#places.set(session, this.#sessions.length);
    this.#sessions.push(session);
    if (this.#cancelTimer === undefined) this.#arm();
  }

  remove(session: Sweepable): void {
    const place = this.#places.get(session);
    if (place === undefined) return;
    this.#places.delete(session);
    const last = this.#sessions.pop();
    if (last !== undefined && last !== session) {
      this.#sessions[place] = last;
      this.#places.set(last, place);
    }
    if (this.#sessions.length === 0) {
      this.#cancelTimer?.();
      this.#cancelTimer = undefined;
    }
  }

  #arm(): void {
    this.#cancelTimer = this.#clock.setTimer(() => this.#tick(), SWEEP_PERIOD_MS / TICKS_PER_PERIOD);
  }

  #tick(): void {
    this.#arm();
    const nowUs = this.#clock.nowUs();
    let left = Math.min(this.#sessions.length, Math.ceil(this.#sessions.length / TICKS_PER_PERIOD));
    for (; left > 0 && this.#sessions.length > 0; left--) {
      if (this.#next >= this.#sessions.length) this.#next = 0;
      this.#sessions[this.#next++]?.sweep(nowUs);
    }
  }
}

const sweepers = new WeakMap<Clock, PingSweeper>();

/** The sweeper of `clock`: one per process in practice, one per test with a virtual clock. */
export function pingSweeper(clock: Clock): {
  add(session: Sweepable): void;
  remove(session: Sweepable): void;
} {
  let sweeper = sweepers.get(clock);
  if (sweeper === undefined) {
    sweeper = new PingSweeper(clock);
    sweepers.set(clock, sweeper);
  }
  return sweeper;
}
