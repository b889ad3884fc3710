/**
 * The agents' side of call recording: one open window per series, drained whole each time a window closes, so that
 * an agent holds two histograms per busy series however long the run is. What the coordinator does with the drained
 * windows is in call-collector.ts.
 */
import { type EncodedHistogram, type ErrorClass, LatencyHistogram, type SeriesKey } from '../result/index.ts';
import type { CallRecorder, CallSeriesRecorder, Outcome } from './calls.ts';

/** An arrival sent later than this after its instant was not achieved at the rate the schedule asked for. */
export const LATE_START_US = 1_000_000;
/** Windows without a call after which a series gives its histograms' memory back (a phase that is over). */
const IDLE_WINDOW_LIMIT = 2;

/** What one series saw in one window; JSON as it stands. */
export interface CallWindow {
  key: SeriesKey;
  offeredCount: number;
  doneCount: number;
  failedCount: number;
  droppedCount: number;
  /** Ended calls that had been sent more than LATE_START_US after their instant. */
  lateStartCount: number;
  errors: Partial<Record<ErrorClass, number>>;
  receivedBytes: number;
  sentBytes: number;
  /** Of the largest reply. */
  maxReplyBytes: number;
  /** Absent where no call ended in the window. */
  response?: EncodedHistogram;
  service?: EncodedHistogram;
  /** Sent minus intended; load only, whose calls have a schedule. */
  slip?: EncodedHistogram;
}

/** One string per series: what two keys have in common if and only if they are the same series. */
export function seriesId(key: SeriesKey): string {
  return [key.phase, key.source, key.verb, key.resource, key.subresource, key.scope, key.variant]
    .map(encodeURIComponent)
    .join('/');
}

/** Records the calls of one agent. Recording costs under a microsecond a call and allocates nothing. */
export class RunCallRecorder implements CallRecorder {
  readonly #series = new Map<string, SeriesWindow>();

  series(key: SeriesKey): CallSeriesRecorder {
    const id = seriesId(key);
    let series = this.#series.get(id);
    if (series === undefined) {
      series = new SeriesWindow({ ...key });
      this.#series.set(id, series);
    }
    return series;
  }

  /** Closes the window: what every series saw since the last drain; series that saw nothing are left out. */
  drain(): CallWindow[] {
    const windows: CallWindow[] = [];
    for (const series of this.#series.values()) {
      const window = series.drain();
      if (window !== undefined) windows.push(window);
    }
    return windows;
  }

  /** Calls that a schedule asked for and that are neither dropped nor ended, now. */
  inFlightCount(): number {
    let inFlightCount = 0;
    for (const series of this.#series.values()) inFlightCount += series.inFlightCount;
    return inFlightCount;
  }
}

class SeriesWindow implements CallSeriesRecorder {
  readonly #key: SeriesKey;
  // Calls without a schedule are sent when they are intended: only the load's can slip.
  readonly #slips: boolean;
  #slip: LatencyHistogram | undefined;
  #response: LatencyHistogram | undefined;
  #service: LatencyHistogram | undefined;
  #idleWindowCount = 0;
  #offeredCount = 0;
  #doneCount = 0;
  #failedCount = 0;
  #droppedCount = 0;
  #lateStartCount = 0;
  #errors: Partial<Record<ErrorClass, number>> = {};
  #receivedBytes = 0;
  #maxReplyBytes = 0;
  #sentBytes = 0;
  #openCount = 0;

  constructor(key: SeriesKey) {
    this.#key = key;
    this.#slips = key.source === 'load';
  }

  get inFlightCount(): number {
    return Math.max(0, this.#openCount);
  }

  offer(count = 1): void {
    this.#offeredCount += count;
    this.#openCount += count;
  }

  drop(count = 1): void {
    this.#droppedCount += count;
    this.#openCount -= count;
  }

  record(
    intendedUs: number,
    sentUs: number,
    doneUs: number,
    outcome: Outcome,
    receivedBytes: number,
    sentBytes: number,
  ): void {
    this.#response ??= new LatencyHistogram();
    this.#service ??= new LatencyHistogram();
    this.#response.record(doneUs - intendedUs);
    this.#service.record(doneUs - sentUs);
    if (this.#slips) {
      this.#slip ??= new LatencyHistogram();
      this.#slip.record(sentUs - intendedUs);
      if (sentUs - intendedUs > LATE_START_US) this.#lateStartCount++;
    }
    if (outcome === 'ok') this.#doneCount++;
    else {
      this.#failedCount++;
      this.#errors[outcome] = (this.#errors[outcome] ?? 0) + 1;
    }
    this.#receivedBytes += receivedBytes;
    if (receivedBytes > this.#maxReplyBytes) this.#maxReplyBytes = receivedBytes;
    this.#sentBytes += sentBytes;
    this.#openCount--;
  }

  drain(): CallWindow | undefined {
    const endedCount = this.#doneCount + this.#failedCount;
    if (endedCount + this.#offeredCount + this.#droppedCount === 0) {
      if (++this.#idleWindowCount >= IDLE_WINDOW_LIMIT) {
        this.#response = undefined;
        this.#service = undefined;
        this.#slip = undefined;
      }
      return undefined;
    }
    this.#idleWindowCount = 0;
    const window: CallWindow = {
      key: this.#key,
      offeredCount: this.#offeredCount,
      doneCount: this.#doneCount,
      failedCount: this.#failedCount,
      droppedCount: this.#droppedCount,
      lateStartCount: this.#lateStartCount,
      errors: this.#errors,
      receivedBytes: this.#receivedBytes,
      sentBytes: this.#sentBytes,
      maxReplyBytes: this.#maxReplyBytes,
    };
    if (endedCount > 0 && this.#response !== undefined && this.#service !== undefined) {
      window.response = this.#response.toWire();
      window.service = this.#service.toWire();
      this.#response.reset();
      this.#service.reset();
      if (this.#slip !== undefined) {
        window.slip = this.#slip.toWire();
        this.#slip.reset();
      }
    }
    this.#offeredCount = 0;
    this.#doneCount = 0;
    this.#failedCount = 0;
    this.#droppedCount = 0;
    this.#lateStartCount = 0;
    this.#errors = {};
    this.#receivedBytes = 0;
    this.#maxReplyBytes = 0;
    this.#sentBytes = 0;
    return window;
  }
}
