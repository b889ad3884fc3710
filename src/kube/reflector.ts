/**
 * A reflector: keeps somebody informed of a resource over one connection, as client-go's does, request for request.
 * reflector-state.ts decides; this does the I/O and hands on frames without parsing them.
 */
import type { CancelTimer, Clock, Random } from '../core/index.ts';
import {
  ApiError,
  asTransportError,
  eventStatusFacts,
  replyError,
  type TransportError,
} from './api-error.ts';
import type {
  ApiConnection,
  ApiReply,
  CallDispatcher,
  CallHandle,
  CallHandler,
  WatchHandle,
  WatchHandlers,
} from './connection.ts';
import type { TokenBucket } from './rate-limit.ts';
import {
  afterList,
  afterListFailure,
  afterStreamEnd,
  afterWatchEnd,
  beginStep,
  initialReflectorState,
  type ReflectorState,
  type ReflectorStep,
  reflectorFailure,
  synced,
  VERY_SHORT_WATCH_US,
  type WatchMode,
} from './reflector-state.ts';
import { goDuration, withQuery } from './resource-path.ts';
import { retryDelayMs } from './retry.ts';
import { frameFacts, frameResourceVersion, frameType, listFacts, listItems } from './watch-frames.ts';

/** What is watched; shared by all reflectors of a kind where nothing in it is a node's own. */
export interface ReflectorTarget {
  /** Path of the collection: `/api/v1/pods`, `/api/v1/namespaces/ns/configmaps`. */
  path: string;
  fieldSelector?: string;
  labelSelector?: string;
  /** Typed clients also send `timeout=8m53s`; a kubelet's own pod reflector does not. @default true */
  clientTimeout?: boolean;
  /** A watch lasts uniformly in [this, twice this). Source: client-go reflector.go, defaultMinWatchTimeout. @default 300_000 */
  minWatchTimeoutMs?: number;
}

export const DEFAULT_MIN_WATCH_TIMEOUT_MS = 300_000;

/** Who is informed. An exception of a handler is not caught. */
export interface ReflectorHandlers {
  /** A new initial state begins: what is not ADDED between this and onSynced does not exist any more. */
  onReplace?(): void;
  /** `frame` is the event's whole JSON, valid during the call. `initial`: part of the initial state. */
  onEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', frame: Buffer, initial: boolean): void;
  /** The initial state is complete; again after each relist. */
  onSynced?(): void;
  /** A request or stream failed; what comes next is under way. */
  onFailure?(error: Error, next: ReflectorStep): void;
  /** A stream ended in order (undefined) or broke, and is resumed without a list. */
  onResume?(cause: Error | undefined): void;
}

/** What all reflectors of a component share. */
export interface ReflectorContext {
  mode: WatchMode;
  clock: Clock;
  random: Random;
  /** Counts each request, as client-go's limit does; absent: unlimited. */
  limiter?: TokenBucket;
}

type ReflectorConnection = Pick<ApiConnection, 'watch'> & CallDispatcher;

/** Started once, stopped once. */
export class Reflector implements WatchHandlers, CallHandler {
  readonly #connection: ReflectorConnection;
  readonly #target: ReflectorTarget;
  readonly #handlers: ReflectorHandlers;
  readonly #context: ReflectorContext;
  readonly #state: ReflectorState = initialReflectorState();
  #step: ReflectorStep | undefined;
  #open: WatchHandle | CallHandle | undefined;
  #cancelTimer: CancelTimer | undefined;
  #stopped = true;
  /** Of the request or stream that runs. */
  #startedUs = 0;
  #eventCount = 0;
  #retryCount = 0;
  #pageCount = 0;
  #continueToken = '';
  /** Error event that the stream brought; its end follows. */
  #eventError: ApiError | undefined;
  #isSynced = false;

  constructor(
    connection: ReflectorConnection,
    target: ReflectorTarget,
    handlers: ReflectorHandlers,
    context: ReflectorContext,
  ) {
    this.#connection = connection;
    this.#target = target;
    this.#handlers = handlers;
    this.#context = context;
  }

  /** True once an initial state has been complete. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  /** Last resourceVersion seen; empty before the first. */
  get resourceVersion(): string {
    return this.#state.lastResourceVersion;
  }

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    this.#schedule(beginStep(this.#state, this.#context.mode));
  }

  /** Ends for good: no handler is called afterwards. */
  stop(): void {
    this.#stopped = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    const open = this.#open;
    this.#open = undefined;
    if (open === undefined) return;
    if ('close' in open) open.close();
    else open.cancel();
  }

  onFrame(frame: Buffer): void {
    if (this.#stopped || this.#eventError !== undefined) return;
    const type = frameType(frame);
    if (type === 'BOOKMARK') this.#onBookmark(frame);
    else if (type === 'ADDED' || type === 'MODIFIED' || type === 'DELETED') {
      const initial = this.#state.phase === 'stream';
      this.#eventCount++;
      // Within the initial events versions come in no order: only the bookmark's counts.
      if (!initial) this.#state.lastResourceVersion = frameResourceVersion(frame);
      this.#handlers.onEvent(type, frame, initial);
    } else this.#onErrorEvent(frame);
  }

  onEnd(error: Error | undefined): void {
    if (this.#stopped) return;
    this.#open = undefined;
    const cause = this.#eventError ?? error;
    if (this.#retryLater(cause)) return;
    const { mode, clock, random } = this.#context;
    const nowUs = clock.nowUs();
    const veryShort = this.#eventCount === 0 && nowUs - this.#startedUs < VERY_SHORT_WATCH_US;
    const failure = reflectorFailure(cause);
    const next =
      this.#state.phase === 'stream'
        ? afterStreamEnd(this.#state, failure, veryShort, nowUs, random)
        : afterWatchEnd(this.#state, failure, veryShort, mode, nowUs, random);
    if (failure === undefined && !veryShort) this.#handlers.onResume?.(cause);
    else this.#handlers.onFailure?.(cause ?? veryShortError(this.#target.path), next);
    if (!this.#stopped) this.#schedule(next);
  }

  onSent(): void {
    // Instants of a list matter to nobody.
  }

  onReply(reply: ApiReply): void {
    if (this.#stopped) return;
    this.#open = undefined;
    if (reply.status !== 200) {
      this.#listFailed(replyError({ verb: 'list', subject: this.#target.path }, reply), reply);
      return;
    }
    this.#retryCount = 0;
    this.#pageCount++;
    const body = Buffer.from(reply.body);
    const { resourceVersion, continueToken } = listFacts(body);
    for (const item of listItems(body)) this.#handlers.onEvent('ADDED', addedFrame(item), true);
    if (this.#stopped) return;
    if (continueToken !== '') {
      this.#continueToken = continueToken;
      this.#send();
      return;
    }
    const next = afterList(this.#state, resourceVersion, this.#pageCount);
    this.#announceSynced();
    if (!this.#stopped) this.#schedule(next);
  }

  onFailure(error: TransportError): void {
    if (this.#stopped) return;
    this.#open = undefined;
    this.#listFailed(error, error);
  }

  #onBookmark(frame: Buffer): void {
    const facts = frameFacts(frame);
    this.#eventCount++;
    if (this.#state.phase !== 'stream') {
      if (facts.resourceVersion !== '') this.#state.lastResourceVersion = facts.resourceVersion;
    } else if (facts.initialEventsEnd) {
      synced(this.#state, facts.resourceVersion);
      // From here on it is a watch like any other, with a beginning of its own.
      this.#startedUs = this.#context.clock.nowUs();
      this.#eventCount = 0;
      this.#announceSynced();
    }
  }

  #onErrorEvent(frame: Buffer): void {
    let object: unknown;
    try {
      const event: unknown = JSON.parse(frame.toString('utf8'));
      object = typeof event === 'object' && event !== null && 'object' in event ? event.object : undefined;
    } catch (error) {
      object = { kind: 'Status', code: 500, reason: 'ClientWatchDecoding', message: String(error) };
    }
    this.#eventError = new ApiError({ verb: 'watch', subject: this.#subject() }, eventStatusFacts(object));
    // The server ends the stream after an error; do not wait for it.
    const open = this.#open;
    if (open !== undefined && 'close' in open) open.close();
  }

  #announceSynced(): void {
    this.#isSynced = true;
    this.#handlers.onSynced?.();
  }

  #listFailed(error: Error, outcome: ApiReply | Error): void {
    if (this.#retryAfter(outcome)) return;
    const { mode, clock, random } = this.#context;
    // A list that broke off is a failure, though a watch that did would be resumed.
    const failure = reflectorFailure(error) ?? 'other';
    const next = afterListFailure(this.#state, failure, mode, clock.nowUs(), random);
    this.#handlers.onFailure?.(error, next);
    if (!this.#stopped) this.#schedule(next);
  }

  /** The REST client's own repeats of a request that was told to come back later. */
  #retryLater(error: Error | undefined): boolean {
    if (!(error instanceof ApiError) || this.#eventError !== undefined) return false;
    return this.#retryAfter({
      status: error.status,
      body: '',
      receivedBytes: 0,
      ...(error.retryAfterMs === undefined ? {} : { retryAfterMs: error.retryAfterMs }),
    });
  }

  #retryAfter(outcome: ApiReply | Error): boolean {
    const delayMs = retryDelayMs('GET', outcome, this.#retryCount);
    if (delayMs === undefined) return false;
    this.#retryCount++;
    this.#sendIn(delayMs);
    return true;
  }

  #schedule(step: ReflectorStep): void {
    this.#step = step;
    this.#retryCount = 0;
    this.#pageCount = 0;
    this.#continueToken = '';
    this.#sendIn(step.delayMs);
  }

  #sendIn(delayMs: number): void {
    const { limiter, clock } = this.#context;
    const waitMs = delayMs + (limiter?.reserveMs(clock.nowUs()) ?? 0);
    if (waitMs === 0) {
      this.#send();
      return;
    }
    this.#cancelTimer = clock.setTimer(() => {
      this.#cancelTimer = undefined;
      this.#send();
    }, waitMs);
  }

  #send(): void {
    const step = this.#step;
    if (this.#stopped || step === undefined) return;
    this.#eventError = undefined;
    this.#eventCount = 0;
    this.#startedUs = this.#context.clock.nowUs();
    if (step.phase === 'list') {
      if (this.#continueToken === '') this.#handlers.onReplace?.();
      this.#open = this.#connection.dispatch({ method: 'GET', path: this.#listPath(step) }, this);
      return;
    }
    if (step.phase === 'stream') this.#handlers.onReplace?.();
    this.#open = this.#connection.watch(this.#watchPath(step), this);
  }

  #listPath(step: ReflectorStep): string {
    const { path, fieldSelector, labelSelector } = this.#target;
    const first = this.#continueToken === '';
    return withQuery(path, {
      continue: this.#continueToken,
      fieldSelector,
      labelSelector,
      limit: step.limit === 0 ? undefined : step.limit,
      resourceVersion: first ? step.resourceVersion : undefined,
    });
  }

  #watchPath(step: ReflectorStep): string {
    const { path, fieldSelector, labelSelector, clientTimeout, minWatchTimeoutMs } = this.#target;
    const leastSeconds = (minWatchTimeoutMs ?? DEFAULT_MIN_WATCH_TIMEOUT_MS) / 1_000;
    const timeoutSeconds = Math.floor(leastSeconds * (1 + this.#context.random.next()));
    const initial = step.phase === 'stream';
    return withQuery(path, {
      allowWatchBookmarks: true,
      fieldSelector,
      labelSelector,
      resourceVersion: step.resourceVersion,
      resourceVersionMatch: initial ? 'NotOlderThan' : undefined,
      sendInitialEvents: initial,
      timeout: clientTimeout === false ? undefined : goDuration(timeoutSeconds),
      timeoutSeconds,
      watch: true,
    });
  }

  #subject(): string {
    return `${this.#target.path} rv=${this.#state.lastResourceVersion}`;
  }
}

const ADDED_HEAD = Buffer.from('{"type":"ADDED","object":');
const ADDED_TAIL = Buffer.from('}');

/** An item of a list as the event that a watch would have sent. */
function addedFrame(item: Buffer): Buffer {
  return Buffer.concat([ADDED_HEAD, item, ADDED_TAIL]);
}

function veryShortError(path: string): TransportError {
  return asTransportError(
    `watch ${path}`,
    new Error('very short watch: ended within a second without events'),
  );
}
