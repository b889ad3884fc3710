/**
 * Waiting that can be called off. Everything that waits takes a signal, refuses if it is already aborted, listens
 * once, and takes its listener away on every exit: AbortSignal.any and AbortSignal.timeout are not used per call,
 * because they leaked on long-lived parents in several Node lines (nodejs/node 54614, 55351).
 */
import type { Clock } from './clock.ts';

/** Calls `listener` once when `signal` aborts (at once if it already has); the returned function stops listening. */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  if (signal.aborted) {
    listener();
    return () => {};
  }
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}

/**
 * Resolves after `delayMs` milliseconds.
 * @throws the signal's reason, as soon as it aborts.
 */
export function delay(delayMs: number, options: { signal: AbortSignal; clock: Clock }): Promise<void> {
  const { signal, clock } = options;
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    let stopListening = () => {};
    const cancelTimer = clock.setTimer(() => {
      stopListening();
      resolve();
    }, delayMs);
    stopListening = onAbort(signal, () => {
      cancelTimer();
      reject(signal.reason);
    });
  });
}

/** An abort controller that also aborts with its parent, and must be disposed of so that the parent forgets it. */
export interface ChildAbort extends Disposable {
  readonly signal: AbortSignal;
  /** Aborts this child only. */
  abort(reason?: unknown): void;
}

/** Makes a controller that aborts when `parent` does, with the parent's reason. */
export function childAbort(parent: AbortSignal): ChildAbort {
  const controller = new AbortController();
  const stopListening = onAbort(parent, () => controller.abort(parent.reason));
  return {
    signal: controller.signal,
    abort: (reason) => controller.abort(reason),
    [Symbol.dispose]: stopListening,
  };
}

/**
 * Settles as `work` does, or rejects with `makeReason()` after `timeoutMs`, or with the signal's reason. The work is
 * given a signal of its own that aborts in both cases.
 */
export async function withTimeout<T>(
  work: (signal: AbortSignal) => Promise<T>,
  options: { timeoutMs: number; signal: AbortSignal; clock: Clock; makeReason: () => Error },
): Promise<T> {
  using child = childAbort(options.signal);
  const cancelTimer = options.clock.setTimer(() => child.abort(options.makeReason()), options.timeoutMs);
  let stopListening = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stopListening = onAbort(child.signal, () => reject(child.signal.reason));
  });
  try {
    return await Promise.race([work(child.signal), aborted]);
  } finally {
    cancelTimer();
    stopListening();
  }
}
