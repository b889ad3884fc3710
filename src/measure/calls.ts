/**
 * Recording of calls, as those who make them see it. A caller gets a handle per series once and records into it:
 * nothing is looked up or allocated on the hot path.
 */
import type { ErrorClass, SeriesKey } from '../result/index.ts';

/** `ok`, or why not. */
export type Outcome = 'ok' | ErrorClass;

/** One series of calls; all instants are monotonic microseconds of the machine's clock. */
export interface CallSeriesRecorder {
  /** The schedule asked for `count` more arrivals. */
  offer(count?: number): void;
  /** An arrival that could not start. */
  drop(count?: number): void;
  /**
   * A call that ended. `intendedUs` is when the schedule wanted it (equal to `sentUs` where there is no schedule).
   * Every ended call goes into the histograms, failed ones too.
   */
  record(
    intendedUs: number,
    sentUs: number,
    doneUs: number,
    outcome: Outcome,
    receivedBytes: number,
    sentBytes: number,
  ): void;
}

/** Where the series of one agent come together. */
export interface CallRecorder {
  /** The series of `key`, made on first use. */
  series(key: SeriesKey): CallSeriesRecorder;
}
