/** Follows the windows of a warm-up phase and says, once, when it is steady. */
import type { LoadPhase } from '../config/index.ts';
import { formatMs } from '../core/index.ts';
import {
  isSteady,
  type TimelineWindow,
  type WarmUpResult,
  type WarmUpWindow,
  warmUpResult,
} from '../result/index.ts';

export class WarmUpWatch {
  readonly #warmUp: NonNullable<LoadPhase['warmUp']>;
  readonly #startMs: number;
  readonly #steady = new AbortController();
  readonly #windows: WarmUpWindow[] = [];

  /** A phase that began at `startMs`, milliseconds since the start of the run. */
  constructor(warmUp: NonNullable<LoadPhase['warmUp']>, startMs: number) {
    this.#warmUp = warmUp;
    this.#startMs = startMs;
  }

  /** Aborts when the phase is steady. */
  get steady(): AbortSignal {
    return this.#steady.signal;
  }

  /** A window of the time series closed; those that began before the phase are left out, and those after its end. */
  closed({ startMs, endMs, achievedCount, p50Us }: TimelineWindow): void {
    if (this.#warmUp.until !== 'steady' || this.#steady.signal.aborted || startMs < this.#startMs) return;
    this.#windows.push({
      startMs,
      endMs,
      callCount: achievedCount,
      ...(p50Us === undefined ? {} : { p50Us }),
    });
    if (isSteady(this.#windows, this.#warmUp)) this.#steady.abort();
  }

  result(): WarmUpResult {
    if (this.#warmUp.until === 'steady') return warmUpResult(this.#windows, this.#warmUp);
    return { state: 'time', windows: [], text: `for ${formatMs(this.#warmUp.durationMs)}` };
  }
}
