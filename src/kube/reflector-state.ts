/**
 * What a reflector does next, as pure functions of what happened: no timers, no sockets. It follows client-go.
 *
 *   phase   what happened                                   next
 *   ------  ----------------------------------------------  ------------------------------------------------
 *   stream  initial-events-end bookmark                      stays open and counts as phase watch
 *   stream  connection refused, 429                          back off, stream again
 *   stream  410, resource version too large                  stream at once with an empty resource version
 *   stream  ended before the bookmark, not very short        stream again at once
 *   stream  anything else                                    list at once (fallback)
 *   list    done                                             watch from the list's resource version
 *   list    410, too large; the first time                   list at once with an empty resource version
 *   list    anything else                                    back off, begin anew
 *   watch   ended by the server, not very short              watch again at once from the last one seen
 *   watch   connection refused, 429                          back off, watch again from the last one seen
 *   watch   anything else (410, 500, very short)             back off, begin anew
 *
 * "Very short": ended within a second, with no event. "Begin anew": stream or list, at the last version seen, which
 * the server answers from its cache; only if that version is unavailable with an empty one (a consistent read).
 * Source: k8s.io/client-go v0.36 tools/cache/reflector.go.
 */
import type { Random } from '../core/index.ts';
import { ApiError, TransportError } from './api-error.ts';
import {
  type BackoffState,
  freshBackoff,
  isConnectionRefused,
  nextBackoffMs,
  REFLECTOR_BACKOFF,
} from './retry.ts';

/** `watch-list`: Kubernetes 1.35 and later ask for the initial events in the watch; before, LIST then WATCH. */
export type WatchMode = 'watch-list' | 'list-watch';

export type ReflectorPhase = 'stream' | 'list' | 'watch';

/** Plain data: a fleet holds tens of thousands. */
export interface ReflectorState {
  phase: ReflectorPhase;
  /** Last resourceVersion seen; empty before the first. */
  lastResourceVersion: string;
  /** The server said that it does not have that version any more, or not yet. */
  versionUnavailable: boolean;
  /** The server gave a list of resourceVersion=0 in pages: its cache is off, so go on asking for pages. */
  paginated: boolean;
  /** A list with an empty version was tried already. */
  listedAnew: boolean;
  backoff: BackoffState;
}

/** The next request. */
export interface ReflectorStep {
  phase: ReflectorPhase;
  resourceVersion: string;
  /** Page size; 0 for none. Lists only. */
  limit: number;
  /** Wait before it. */
  delayMs: number;
}

/** Why a request or a stream ended, as far as a reflector cares. */
export type ReflectorFailure = 'refused' | 'too-many-requests' | 'expired' | 'version-too-large' | 'other';

/** Source: client-go v0.36 tools/pager/pager.go, defaultPageSize. */
export const LIST_PAGE_SIZE = 500;
/** A watch that ends sooner and without events is taken for a failure. */
export const VERY_SHORT_WATCH_US = 1_000_000;

export function initialReflectorState(): ReflectorState {
  return {
    phase: 'stream',
    lastResourceVersion: '',
    versionUnavailable: false,
    paginated: false,
    listedAnew: false,
    backoff: freshBackoff(),
  };
}

/** The first step, and that of beginning anew. */
export function beginStep(state: ReflectorState, mode: WatchMode, delayMs = 0): ReflectorStep {
  return mode === 'watch-list' ? streamStep(state, delayMs) : listStep(state, delayMs);
}

/** A request for initial state failed, or the stream of it ended before its bookmark. */
export function afterStreamEnd(
  state: ReflectorState,
  failure: ReflectorFailure | undefined,
  veryShort: boolean,
  nowUs: number,
  random: Random,
): ReflectorStep {
  switch (failure) {
    case 'refused':
    case 'too-many-requests':
      return streamStep(state, backoffMs(state, nowUs, random));
    case 'expired':
    case 'version-too-large':
      state.versionUnavailable = true;
      return streamStep(state, 0);
    case undefined:
      return veryShort ? listStep(state, 0) : streamStep(state, 0);
    default:
      return listStep(state, 0);
  }
}

/** The initial state is complete, at `resourceVersion`. */
export function synced(state: ReflectorState, resourceVersion: string): void {
  state.phase = 'watch';
  state.versionUnavailable = false;
  state.lastResourceVersion = resourceVersion;
}

/** A list is done: watch from there. */
export function afterList(state: ReflectorState, resourceVersion: string, pageCount: number): ReflectorStep {
  if (pageCount > 1 && state.lastResourceVersion === '' && !state.versionUnavailable) state.paginated = true;
  synced(state, resourceVersion);
  return watchStep(state, 0);
}

/** A list failed. */
export function afterListFailure(
  state: ReflectorState,
  failure: ReflectorFailure,
  mode: WatchMode,
  nowUs: number,
  random: Random,
): ReflectorStep {
  if ((failure === 'expired' || failure === 'version-too-large') && !state.listedAnew) {
    state.versionUnavailable = true;
    const step = listStep(state, 0);
    state.listedAnew = true;
    return step;
  }
  return beginStep(state, mode, backoffMs(state, nowUs, random));
}

/** A watch could not be opened, broke, or was ended by the server (no failure). */
export function afterWatchEnd(
  state: ReflectorState,
  failure: ReflectorFailure | undefined,
  veryShort: boolean,
  mode: WatchMode,
  nowUs: number,
  random: Random,
): ReflectorStep {
  if (failure === undefined && !veryShort) return watchStep(state, 0);
  const delayMs = backoffMs(state, nowUs, random);
  if (failure === 'refused' || failure === 'too-many-requests') return watchStep(state, delayMs);
  return beginStep(state, mode, delayMs);
}

/**
 * The class of an error. A connection that broke in the middle of a stream is no failure (undefined): client-go reads
 * it as the stream's end and resumes; one that went silent is.
 * Source: client-go v0.36 apimachinery watch/streamwatcher.go, net.IsProbableEOF.
 */
export function reflectorFailure(error: Error | undefined): ReflectorFailure | undefined {
  if (error === undefined) return undefined;
  if (error instanceof ApiError) {
    if (error.status === 429 || error.reason === 'TooManyRequests') return 'too-many-requests';
    if (error.status === 410 || error.reason === 'Expired' || error.reason === 'Gone') return 'expired';
    if (isVersionTooLarge(error)) return 'version-too-large';
    return 'other';
  }
  if (isConnectionRefused(error)) return 'refused';
  if (error instanceof TransportError && error.class === 'connection') return undefined;
  return 'other';
}

// Servers before 1.17.3 say it only in the message. Source: client-go v0.36 tools/cache/reflector.go.
function isVersionTooLarge(error: ApiError): boolean {
  if (error.status !== 504 && error.reason !== 'Timeout') return false;
  return (
    error.causes.includes('ResourceVersionTooLarge') ||
    error.statusMessage.includes('Too large resource version')
  );
}

function streamStep(state: ReflectorState, delayMs: number): ReflectorStep {
  state.phase = 'stream';
  return { phase: 'stream', resourceVersion: resumeVersion(state), limit: 0, delayMs };
}

function listStep(state: ReflectorState, delayMs: number): ReflectorStep {
  state.phase = 'list';
  state.listedAnew = false;
  const resourceVersion = state.versionUnavailable ? '' : state.lastResourceVersion || '0';
  // At a version of its own the list is read from the cache, whole: a page limit would send it to etcd.
  const whole = resourceVersion !== '' && resourceVersion !== '0' && !state.paginated;
  return { phase: 'list', resourceVersion, limit: whole ? 0 : LIST_PAGE_SIZE, delayMs };
}

function watchStep(state: ReflectorState, delayMs: number): ReflectorStep {
  state.phase = 'watch';
  return { phase: 'watch', resourceVersion: state.lastResourceVersion, limit: 0, delayMs };
}

function resumeVersion(state: ReflectorState): string {
  return state.versionUnavailable ? '' : state.lastResourceVersion;
}

function backoffMs(state: ReflectorState, nowUs: number, random: Random): number {
  return nextBackoffMs(state.backoff, REFLECTOR_BACKOFF, nowUs, random);
}
