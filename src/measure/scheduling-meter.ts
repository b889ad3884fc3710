/**
 * Scheduler throughput as a watcher sees it: pods bound per second while pods waited to be bound. Idle time between
 * bursts does not dilute the mean, which a plain "pods over duration" would.
 */
import type { RunResult } from '../result/index.ts';

/** The span over which the best rate is taken. */
const BEST_SPAN_SECONDS = 10;

export class SchedulingMeter {
  readonly #boundBySecond = new Map<number, number>();
  #boundCount = 0;
  #waitingCount = 0;
  #waitingSinceUs = 0;
  #busyUs = 0;

  /** A pod without a node appeared. */
  waits(atUs: number): void {
    if (this.#waitingCount++ === 0) this.#waitingSinceUs = atUs;
  }

  /** A waiting pod got its node. */
  bound(atUs: number): void {
    this.#boundCount++;
    const second = Math.floor(atUs / 1e6);
    this.#boundBySecond.set(second, (this.#boundBySecond.get(second) ?? 0) + 1);
    this.#leave(atUs);
  }

  /** A waiting pod went away without a node. */
  left(atUs: number): void {
    this.#leave(atUs);
  }

  /** Figures so far; undefined if nothing was bound. */
  figures(): RunResult['scheduling'] {
    const boundCount = this.#boundCount;
    if (boundCount === 0) return undefined;
    const seconds = [...this.#boundBySecond.keys()];
    const first = Math.min(...seconds);
    const spanSeconds = Math.max(...seconds) - first + 1;
    // Pods that appear with their node never wait: then only the span says how long it took.
    const busySeconds = this.#busyUs > 0 ? this.#busyUs / 1e6 : spanSeconds;
    const bestSpan = Math.min(BEST_SPAN_SECONDS, spanSeconds);
    let inSpan = 0;
    let best = 0;
    for (let second = first; second < first + spanSeconds; second++) {
      inSpan += this.#boundBySecond.get(second) ?? 0;
      inSpan -= this.#boundBySecond.get(second - bestSpan) ?? 0;
      best = Math.max(best, inSpan);
    }
    return { boundCount, meanPerSecond: boundCount / busySeconds, maxPerSecond: best / bestSpan };
  }

  #leave(atUs: number): void {
    if (this.#waitingCount === 0) return;
    if (--this.#waitingCount === 0) this.#busyUs += Math.max(0, atUs - this.#waitingSinceUs);
  }
}
