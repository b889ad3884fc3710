/**
 * The token bucket that client-go puts before every request: `qps` tokens a second, at most `burst` at once. A
 * reservation may take tokens that are not there yet and is told how long to wait for them, so callers are served in
 * the order they asked.
 * Source: k8s.io/client-go v0.36 util/flowcontrol/throttle.go over golang.org/x/time/rate.
 */
import { type Clock, delay } from '../core/index.ts';

export class TokenBucket {
  readonly #perSecond: number;
  readonly #burstCount: number;
  #tokens: number;
  #updatedUs = Number.NEGATIVE_INFINITY;

  /** Starts full. `perSecond` > 0, `burstCount` >= 1. */
  constructor(perSecond: number, burstCount: number) {
    this.#perSecond = perSecond;
    this.#burstCount = burstCount;
    this.#tokens = burstCount;
  }

  /** Takes a token; milliseconds until it may be used, 0 if at once. */
  reserveMs(nowUs: number): number {
    this.#refill(nowUs);
    this.#tokens -= 1;
    return this.#tokens >= 0 ? 0 : (-this.#tokens / this.#perSecond) * 1_000;
  }

  /** Takes a token if there is one now. */
  tryTake(nowUs: number): boolean {
    this.#refill(nowUs);
    if (this.#tokens < 1) return false;
    this.#tokens -= 1;
    return true;
  }

  /** Gives back a token whose wait was called off. */
  giveBack(): void {
    this.#tokens = Math.min(this.#burstCount, this.#tokens + 1);
  }

  #refill(nowUs: number): void {
    if (nowUs > this.#updatedUs) {
      const gained = ((nowUs - this.#updatedUs) / 1_000_000) * this.#perSecond;
      this.#tokens = Math.min(this.#burstCount, this.#tokens + gained);
      this.#updatedUs = nowUs;
    }
  }
}

/**
 * Resolves when the bucket lets a request through.
 * @throws the signal's reason; the token is then given back
 */
export async function takeToken(
  bucket: TokenBucket,
  options: { signal: AbortSignal; clock: Clock },
): Promise<void> {
  options.signal.throwIfAborted();
  const waitMs = bucket.reserveMs(options.clock.nowUs());
  if (waitMs === 0) return;
  try {
    await delay(waitMs, options);
  } catch (error) {
    bucket.giveBack();
    throw error;
  }
}
