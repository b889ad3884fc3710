/**
 * Time, as the harness sees it.
 *
 * Durations come from the machine's monotonic clock (CLOCK_MONOTONIC, which every process of one host shares, so
 * instants taken in different agents can be subtracted). Wall time is only for timestamps that people or
 * Kubernetes objects read. The two never meet in one subtraction.
 */

/** Ends a timer early; calling it again, or after the timer fired, does nothing. */
export type CancelTimer = () => void;

export interface Clock {
  /** Monotonic instant in microseconds, with a fractional part; comparable between processes of one host. */
  nowUs(): number;
  /** Wall time in milliseconds since the Unix epoch; for timestamps only. */
  wallMs(): number;
  /** Calls `callback` once, no earlier than `delayMs` (>= 0) from now. The timer keeps the process alive. */
  setTimer(callback: () => void, delayMs: number): CancelTimer;
}

// performance.now() and process.hrtime() read the same clock from different origins. Taking the offset once
// avoids a bigint allocation per reading on the hot path.
const monotonicOffsetUs = Number(process.hrtime.bigint()) / 1_000 - performance.now() * 1_000;

/** The real clock of this machine. */
export const systemClock: Clock = {
  nowUs: () => performance.now() * 1_000 + monotonicOffsetUs,
  wallMs: () => Date.now(),
  setTimer(callback, delayMs) {
    const timer = setTimeout(callback, Math.max(0, delayMs));
    return () => clearTimeout(timer);
  },
};
