/**
 * When a request is sent again, and how long to wait: the rules of client-go as pure functions.
 *
 * with_retry.go: a reply of 429 or 5xx that carries Retry-After is repeated after that many seconds; a GET is repeated
 * at once when the connection was reset; ten repeats at most. Anything else goes to the caller.
 * Source: k8s.io/client-go v0.36 rest/with_retry.go, rest/request.go.
 */
import type { Random } from '../core/index.ts';
import { TransportError } from './api-error.ts';
import type { ApiReply, HttpMethod } from './connection.ts';

/** Repeats of one request. Source: client-go rest/request.go, maxRetries. */
export const MAX_RETRY_COUNT = 10;

/** Milliseconds of a Retry-After header; only whole seconds are understood, as in client-go. */
export function retryAfterMsOf(value: string | string[] | undefined): number | undefined {
  const text = Array.isArray(value) ? value[0] : value;
  return text !== undefined && /^\d{1,7}$/.test(text) ? Number(text) * 1_000 : undefined;
}

/** Wait before sending again in milliseconds, or undefined if the outcome stands. `attempt` is 0 for the first one. */
export function retryDelayMs(
  method: HttpMethod,
  outcome: ApiReply | Error,
  attempt: number,
): number | undefined {
  if (attempt >= MAX_RETRY_COUNT) return undefined;
  if (outcome instanceof TransportError) {
    // A refused stream was never begun with, so repeating it is safe whatever the verb; a refused connection is left
    // to the caller's own backoff.
    const again = outcome.class === 'connection' && method === 'GET' && !isConnectionRefused(outcome);
    return again ? 0 : undefined;
  }
  if (outcome instanceof Error) return undefined;
  if (outcome.status !== 429 && outcome.status < 500) return undefined;
  return outcome.retryAfterMs;
}

/** True if nothing listens at the address: the server is down, or not yet up. */
export function isConnectionRefused(error: unknown): boolean {
  for (
    let cause: unknown = error, depth = 0;
    cause instanceof Error && depth < 5;
    cause = cause.cause, depth++
  ) {
    if ('code' in cause && cause.code === 'ECONNREFUSED') return true;
  }
  return false;
}

/** Parameters of an exponential backoff. */
export interface BackoffSettings {
  firstMs: number;
  factor: number;
  capMs: number;
  /** A delay d becomes uniform in [d, d·(1 + jitterRatio)). */
  jitterRatio: number;
  /** Calm after which the next delay is the first one again. */
  resetAfterMs: number;
}

/** Source: client-go v0.36 tools/cache/reflector.go, NewReflectorWithOptions (wait.Backoff with reset timer). */
export const REFLECTOR_BACKOFF: BackoffSettings = {
  firstMs: 800,
  factor: 2,
  capMs: 30_000,
  jitterRatio: 1,
  resetAfterMs: 120_000,
};

/** What a backoff remembers; plain data, so that it can sit inside other state. */
export interface BackoffState {
  /** 0: the next delay is the first one. */
  nextMs: number;
  lastUs: number;
}

/** A backoff that has not begun. */
export function freshBackoff(): BackoffState {
  return { nextMs: 0, lastUs: Number.NEGATIVE_INFINITY };
}

/** The next delay in milliseconds, jittered; moves `state` on. */
export function nextBackoffMs(
  state: BackoffState,
  settings: BackoffSettings,
  nowUs: number,
  random: Random,
): number {
  if (nowUs - state.lastUs > settings.resetAfterMs * 1_000) state.nextMs = 0;
  const baseMs = state.nextMs === 0 ? settings.firstMs : state.nextMs;
  state.nextMs = Math.min(baseMs * settings.factor, settings.capMs);
  state.lastUs = nowUs;
  return baseMs * (1 + settings.jitterRatio * random.next());
}
