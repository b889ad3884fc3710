/**
 * One writer's writes at N watchers of the object: when the first of them had a write's event, when the last, and which
 * writes some watcher never had. Pure bookkeeping on instants that others take.
 *
 * The event of a write may be there before its reply, and is there although the reply was lost: writes are told by a
 * number in the object, from the instant they were sent.
 */
import { LatencyHistogram } from '../../src/result/index.ts';

/** A write that some watcher has not seen is given up this long after it was sent: its watch has listed again since. */
export const GIVE_UP_US = 60e6;

interface PendingWrite {
  sentUs: number;
  /** Of the first watcher; NaN before. */
  firstUs: number;
  /** 1 for each watcher that has seen it. */
  seen: Uint8Array;
  seenCount: number;
  failed: boolean;
}

export class PropagationMeter {
  readonly watcherCount: number;
  /** Since they were last reset, as all counts here. */
  readonly first = new LatencyHistogram();
  readonly last = new LatencyHistogram();
  readonly spread = new LatencyHistogram();
  writeCount = 0;
  failedCount = 0;
  completeCount = 0;
  incompleteCount = 0;
  /** Of the incomplete ones: seen by no watcher. */
  unseenCount = 0;
  /** Map<sequence, write>, oldest first. */
  readonly #pending = new Map<number, PendingWrite>();

  constructor(watcherCount: number) {
    this.watcherCount = watcherCount;
  }

  /** Writes that some watcher may still see. */
  get pendingCount(): number {
    return this.#pending.size;
  }

  /** Write `sequence` went out. */
  sent(sequence: number, sentUs: number): void {
    this.writeCount++;
    this.#pending.set(sequence, {
      sentUs,
      firstUs: Number.NaN,
      seen: new Uint8Array(this.watcherCount),
      seenCount: 0,
      failed: false,
    });
  }

  /** Write `sequence` ended otherwise than acknowledged; `applied` is whether it may have been applied all the same. */
  failed(sequence: number, applied: 'no' | 'maybe'): void {
    const write = this.#pending.get(sequence);
    if (write === undefined) return;
    write.failed = true;
    if (applied === 'no' && write.seenCount === 0) this.#giveUp(sequence, write);
  }

  /** Watcher `watcher` was shown the object with the number `sequence`; a second time changes nothing. */
  received(watcher: number, sequence: number, nowUs: number): void {
    const write = this.#pending.get(sequence);
    if (write === undefined || write.seen[watcher] !== 0) return;
    write.seen[watcher] = 1;
    write.seenCount++;
    if (write.seenCount === 1) {
      write.firstUs = nowUs;
      this.first.record(nowUs - write.sentUs);
    }
    if (write.seenCount < this.watcherCount) return;
    this.#pending.delete(sequence);
    this.completeCount++;
    this.last.record(nowUs - write.sentUs);
    this.spread.record(nowUs - write.firstUs);
  }

  /** Gives up writes that were sent GIVE_UP_US before `nowUs`. */
  sweep(nowUs: number): void {
    for (const [sequence, write] of this.#pending) {
      if (nowUs - write.sentUs < GIVE_UP_US) return;
      this.#giveUp(sequence, write);
    }
  }

  /** The watchers are about to go: what they have not seen by now they never will. */
  finish(): void {
    for (const [sequence, write] of this.#pending) this.#giveUp(sequence, write);
  }

  /** Counts and histograms begin anew; what is pending stays so. */
  reset(): void {
    this.first.reset();
    this.last.reset();
    this.spread.reset();
    this.writeCount = 0;
    this.failedCount = 0;
    this.completeCount = 0;
    this.incompleteCount = 0;
    this.unseenCount = 0;
  }

  #giveUp(sequence: number, write: PendingWrite): void {
    this.#pending.delete(sequence);
    if (write.failed && write.seenCount === 0) {
      this.failedCount++;
      return;
    }
    this.incompleteCount++;
    if (write.seenCount === 0) this.unseenCount++;
  }
}
