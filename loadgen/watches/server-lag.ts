/**
 * How long changes took from the API server's own stamp to the first watcher that received them: a figure that needs
 * none of our writes, and so holds for any object that others change.
 *
 *     lag = wall time of the receipt - stamp
 *
 * Stamps are whole seconds, rounded down: a sample is 0 to 1 s too long, 0.5 s in the mean. They are of the server's
 * clock: the quickest event bounds how far the clocks are apart, and a sample that would be negative counts as 0.
 */
import { frameMember } from '../../src/kube/index.ts';
import { LatencyHistogram, type WatchFanOut } from '../../src/result/index.ts';

export class ServerLag {
  readonly #lag = new LatencyHistogram();
  #quickestMs = Number.NEGATIVE_INFINITY;

  /**
   * The first receipt of a change at wall time `wallMs`. Deletions have no stamp of the kind: neither their end, nor
   * the mark that begins a graceful one, which no manager of fields has written.
   */
  received(type: 'ADDED' | 'MODIFIED' | 'DELETED', frame: Buffer, wallMs: number): void {
    if (type === 'DELETED' || frameMember(frame, ['object', 'metadata', 'deletionTimestamp']) !== undefined)
      return;
    const stampMs = serverStampMs(frame);
    if (Number.isNaN(stampMs)) return;
    this.#quickestMs = Math.max(this.#quickestMs, stampMs - wallMs);
    this.#lag.record(Math.max(0, wallMs - stampMs) * 1_000);
  }

  /** Nothing where no event had a stamp. */
  figures(): Pick<WatchFanOut, 'serverLag' | 'serverClockDifferenceMs'> {
    if (this.#lag.count === 0) return {};
    return { serverLag: this.#lag.distribution(), serverClockDifferenceMs: Math.round(this.#quickestMs) };
  }
}

/**
 * When the API server says that an event's object was last written, in milliseconds since the epoch: the newest time of
 * its managed fields, or its creation; NaN where it has neither.
 * Source: kubernetes/apimachinery util/managedfields/internal/managedfieldsupdater.go, which stamps every write that
 * changes a field.
 */
export function serverStampMs(frame: Buffer): number {
  const created = frameMember(frame, ['object', 'metadata', 'creationTimestamp']) ?? '';
  const managed = frameMember(frame, ['object', 'metadata', 'managedFields']) ?? '';
  const times = managed.matchAll(/"time":"([^"]+)"/g);
  const stampsMs = [created.slice(1, -1), ...[...times].map(([, time = '']) => time)]
    .map((text) => Date.parse(text))
    .filter((ms) => !Number.isNaN(ms));
  return stampsMs.length === 0 ? Number.NaN : Math.max(...stampsMs);
}
