/** Asking again and again until told to stop: a sample that fails or takes too long is left out, the next one comes soon. */
import { type Clock, childAbort, delay } from '../../core/index.ts';

export interface Sampling {
  /** Between the end of one sample and the beginning of the next; asked each time. */
  periodMs: () => number;
  timeoutMs: number;
  /** Ends all of it. */
  signal: AbortSignal;
  clock: Clock;
}

/** Resolves when the signal has aborted; never rejects. */
export async function sampleAgainAndAgain(
  sample: (signal: AbortSignal) => Promise<void>,
  { periodMs, timeoutMs, signal, clock }: Sampling,
): Promise<void> {
  while (!signal.aborted) {
    using limit = childAbort(signal);
    const cancel = clock.setTimer(() => limit.abort(new Error('sample took too long')), timeoutMs);
    try {
      await sample(limit.signal);
    } catch {
      // A part of the system that does not answer is what faults are about; the probes tell the rest.
    } finally {
      cancel();
    }
    await delay(periodMs(), { signal, clock }).catch(() => {});
  }
}
