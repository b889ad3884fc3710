/**
 * Fires paced streams at their due instants. The plan is absolute: the timer is only a wake-up for the next due
 * instant, and whatever is due on waking is fired then, late but never shifted. setTimeout has a grain of 1 ms, which
 * costs about 0.6 ms of slip in the median; `spinLastUs` buys that back with a whole core.
 */
import { type CancelTimer, type Clock, onAbort } from '../../src/core/index.ts';
import type { PacedStream } from './arrival-stream.ts';

export interface PacerOptions {
  clock: Clock;
  /**
   * Poll the clock through setImmediate for this long before each due instant instead of sleeping: slip of a few
   * microseconds for up to 100 % of a core. Needs the real clock. 2,000 is a useful value. @default 0
   */
  spinLastUs?: number;
}

/** Arrivals fired in one go while catching up; then replies are let in, which frees places in flight. */
const CATCH_UP_BATCH_COUNT = 64;

export class Pacer {
  readonly #streams: readonly PacedStream[];
  readonly #clock: Clock;
  readonly #spinLastUs: number;
  #cancelTimer: CancelTimer = () => {};
  #finish: ((error?: unknown) => void) | undefined;

  constructor(streams: readonly PacedStream[], options: PacerOptions) {
    this.#streams = streams;
    this.#clock = options.clock;
    this.#spinLastUs = options.spinLastUs ?? 0;
  }

  /**
   * Resolves when every stream is exhausted, or after stop(). Called once.
   * @throws the signal's reason when it aborts, or what a stream threw; the rest of the schedule is then abandoned
   */
  run(signal: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal.aborted) {
        this.#abandon();
        reject(signal.reason);
        return;
      }
      const stopListening = onAbort(signal, () => this.#end(signal.reason));
      this.#finish = (error) => {
        stopListening();
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#wake();
    });
  }

  /** Starts nothing new: what is due by now and not fired counts as dropped. Idempotent. */
  stop(): void {
    this.#end(undefined);
  }

  /** The schedule ends at `atUs`: what is due by then is still fired, and what belongs to it; then run() resolves. */
  curtail(atUs: number): void {
    if (this.#finish === undefined) return;
    for (const stream of this.#streams) stream.curtail?.(atUs);
    this.#cancelTimer();
    this.#wake();
  }

  #wake(): void {
    try {
      for (let fired = 0; ; fired++) {
        const stream = this.#earliest();
        const dueUs = stream?.nextDueUs() ?? Number.POSITIVE_INFINITY;
        if (stream === undefined || dueUs === Number.POSITIVE_INFINITY) {
          this.#end(undefined);
          return;
        }
        const waitUs = dueUs - this.#clock.nowUs();
        if (waitUs > 0) {
          this.#sleep(waitUs);
          return;
        }
        if (fired >= CATCH_UP_BATCH_COUNT) {
          this.#cancelTimer = this.#immediately();
          return;
        }
        stream.fire();
        // A stream may stop the pacer from within.
        if (this.#finish === undefined) return;
      }
    } catch (error) {
      this.#end(error);
    }
  }

  #sleep(waitUs: number): void {
    if (waitUs <= this.#spinLastUs) {
      this.#cancelTimer = this.#immediately();
      return;
    }
    this.#cancelTimer = this.#clock.setTimer(() => this.#wake(), (waitUs - this.#spinLastUs) / 1_000);
  }

  #immediately(): CancelTimer {
    if (this.#spinLastUs === 0) return this.#clock.setTimer(() => this.#wake(), 0);
    const immediate = setImmediate(() => this.#wake());
    return () => clearImmediate(immediate);
  }

  // A handful of streams: a scan is cheaper than a heap.
  #earliest(): PacedStream | undefined {
    let earliest: PacedStream | undefined;
    let earliestUs = Number.POSITIVE_INFINITY;
    for (const stream of this.#streams) {
      const dueUs = stream.nextDueUs();
      if (dueUs < earliestUs) {
        earliest = stream;
        earliestUs = dueUs;
      }
    }
    return earliest;
  }

  #end(error: unknown): void {
    const finish = this.#finish;
    if (finish === undefined) return;
    this.#finish = undefined;
    this.#cancelTimer();
    this.#abandon();
    finish(error);
  }

  #abandon(): void {
    const nowUs = this.#clock.nowUs();
    for (const stream of this.#streams) stream.abandon(nowUs);
  }
}
