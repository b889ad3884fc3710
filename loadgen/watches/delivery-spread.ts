/**
 * How far apart the watchers of one thing receive one event: from the first receipt of a resourceVersion to each other
 * one. A resourceVersion stands for one write to one object, so it is the key; memory is bounded by forgetting the
 * oldest. All watchers live in one process and are called one after the other, which puts the reading of their sockets
 * (about 10 µs a watcher) into the figure: it is what that client sees, and the larger the fan-out, the more of it.
 */
import type { LatencyHistogram } from '../../src/result/index.ts';

/** Events that may be on their way to some watchers at once: some 5 MB. */
export const DEFAULT_EVENT_LIMIT = 50_000;

interface Receipt {
  firstUs: number;
  count: number;
}

export class DeliverySpread {
  /** Map<resourceVersion, Receipt>, oldest first. */
  readonly #receipts = new Map<string, Receipt>();
  readonly #watcherCount: number;
  readonly #histogram: LatencyHistogram;
  readonly #limit: number;
  #forgottenCount = 0;

  /** Of `watcherCount` watchers that all receive the same events; spreads go into `histogram`. */
  constructor(watcherCount: number, histogram: LatencyHistogram, limit: number = DEFAULT_EVENT_LIMIT) {
    this.#watcherCount = watcherCount;
    this.#histogram = histogram;
    this.#limit = limit;
  }

  /** Events that some watcher has not received yet. */
  get pendingCount(): number {
    return this.#receipts.size;
  }

  /** Events forgotten before every watcher had received them. */
  get forgottenCount(): number {
    return this.#forgottenCount;
  }

  /** One watcher received the event of `resourceVersion` at `nowUs`; true for the first one that did. */
  received(resourceVersion: string, nowUs: number): boolean {
    const receipt = this.#receipts.get(resourceVersion);
    if (receipt !== undefined) {
      this.#histogram.record(nowUs - receipt.firstUs);
      receipt.count++;
      if (receipt.count >= this.#watcherCount) this.#receipts.delete(resourceVersion);
      return false;
    }
    if (this.#watcherCount < 2) return true;
    this.#receipts.set(resourceVersion, { firstUs: nowUs, count: 1 });
    if (this.#receipts.size > this.#limit) this.#forgetOldest();
    return true;
  }

  #forgetOldest(): void {
    for (const oldest of this.#receipts.keys()) {
      this.#receipts.delete(oldest);
      this.#forgottenCount++;
      return;
    }
  }
}
