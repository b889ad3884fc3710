/**
 * Makes the load's calls: holds the cap on calls in flight, stamps, honours Retry-After and records. Response time
 * runs from the intended start to the last byte, service time from the first sending, slip is what lies between.
 *
 * A 429 with Retry-After is not the end of a call: as every client of Kubernetes does, it is sent again once after
 * the time that the server named. The wait is part of the call's response and service time, and it keeps its place in
 * flight meanwhile. A second 429 is the call's outcome.
 */
import { type CancelTimer, type Clock, delay, onAbort } from '../../src/core/index.ts';
import {
  type ApiReply,
  type ApiRequest,
  type CallDispatcher,
  type CallHandle,
  type CallHandler,
  classifyOutcome,
  classifyStatus,
  type TransportError,
} from '../../src/kube/index.ts';
import type { CallSeriesRecorder, Outcome } from '../../src/measure/index.ts';
import type { ActionTally, DropReason } from './action-tally.ts';
import { FlowPlacements } from './flow-placements.ts';

/** How a call ended. */
export interface CallEnd {
  outcome: Outcome;
  /** First sending; where it never got that far, the instant of the attempt. */
  sentUs: number;
  doneUs: number;
  /** Absent when there was no reply. */
  reply?: ApiReply;
}

export interface LoadCall {
  request: ApiRequest;
  series: CallSeriesRecorder;
  tally: ActionTally;
  /** A streaming list: goes to `streamingLists`. */
  streaming?: boolean;
  /** When the schedule wanted it. */
  intendedUs: number;
  onSent?: (sentUs: number) => void;
  /** Exactly once for each started call. */
  onEnd?: (end: CallEnd) => void;
}

export interface LoadCallerOptions {
  clock: Clock;
  dispatcher: CallDispatcher;
  /** Absent where no phase has any. */
  streamingLists?: CallDispatcher;
  maxInFlightCount: number;
  /** False: a 429 is an outcome at once. */
  honourRetryAfter: boolean;
  /** A Retry-After longer than this is not waited for. */
  requestTimeoutMs: number;
}

/** One resend is what tells a passing overload from a lasting one, and keeps the load open-loop. */
const MAX_ATTEMPT_COUNT = 2;

export class LoadCaller {
  readonly #options: LoadCallerOptions;
  readonly #inFlight = new Set<InFlightCall>();
  readonly placements = new FlowPlacements();
  #idleListeners: (() => void)[] = [];
  #stopped = false;
  #maxInFlightSeenCount = 0;
  #lastSlipUs = 0;

  constructor(options: LoadCallerOptions) {
    this.#options = options;
  }

  get inFlightCount(): number {
    return this.#inFlight.size;
  }

  get maxInFlightSeenCount(): number {
    return this.#maxInFlightSeenCount;
  }

  /** Of the call that was sent last. */
  get lastSlipUs(): number {
    return this.#lastSlipUs;
  }

  /** The schedule wants one more call. */
  offer(series: CallSeriesRecorder, tally: ActionTally): void {
    series.offer();
    tally.offeredCount++;
  }

  /** An offered call that cannot start. */
  drop(series: CallSeriesRecorder, tally: ActionTally, reason: DropReason): void {
    series.drop();
    tally.droppedCounts[reason]++;
  }

  /** Starts an offered call; false where it had to be dropped, which is then counted. */
  start(call: LoadCall): boolean {
    if (this.#stopped || this.#inFlight.size >= this.#options.maxInFlightCount) {
      this.drop(call.series, call.tally, this.#stopped ? 'stopped' : 'in-flight-cap');
      return false;
    }
    const inFlight = new InFlightCall(call, this.#options, this);
    this.#inFlight.add(inFlight);
    if (this.#inFlight.size > this.#maxInFlightSeenCount) this.#maxInFlightSeenCount = this.#inFlight.size;
    inFlight.send();
    return true;
  }

  /** Whether new calls are dropped; a new phase lets them again. */
  setStopped(stopped: boolean): void {
    this.#stopped = stopped;
  }

  /**
   * Resolves when nothing is in flight: after `graceMs` what still runs is cancelled, and recorded as that.
   * @throws the signal's reason, after cancelling
   */
  async drain(graceMs: number, signal: AbortSignal): Promise<void> {
    if (this.#inFlight.size > 0 && !signal.aborted) {
      const cancelled = new AbortController();
      const stopListening = onAbort(signal, () => cancelled.abort(signal.reason));
      const idle = this.#whenIdle();
      try {
        // Either the calls end, which ends the wait, or the grace does.
        await Promise.race([idle, delay(graceMs, { signal: cancelled.signal, clock: this.#options.clock })]);
      } catch (error) {
        if (!signal.aborted) throw error;
      } finally {
        stopListening();
        cancelled.abort();
      }
    }
    this.cancelAll();
    await this.#whenIdle();
    signal.throwIfAborted();
  }

  /** Cancels every call in flight; each ends as `cancelled`. */
  cancelAll(): void {
    for (const call of [...this.#inFlight]) call.cancel();
  }

  /** For the calls themselves. */
  noteSent(slipUs: number): void {
    this.#lastSlipUs = slipUs;
  }

  /** For the calls themselves. */
  noteEnded(call: InFlightCall): void {
    this.#inFlight.delete(call);
    if (this.#inFlight.size > 0) return;
    const listeners = this.#idleListeners;
    this.#idleListeners = [];
    for (const listener of listeners) listener();
  }

  #whenIdle(): Promise<void> {
    if (this.#inFlight.size === 0) return Promise.resolve();
    return new Promise((resolve) => this.#idleListeners.push(resolve));
  }
}

class InFlightCall implements CallHandler {
  readonly #call: LoadCall;
  readonly #options: LoadCallerOptions;
  readonly #caller: LoadCaller;
  readonly #startedUs: number;
  #sentUs = Number.NaN;
  #attemptCount = 0;
  #handle: CallHandle | undefined;
  #cancelRetry: CancelTimer | undefined;
  #ended = false;

  constructor(call: LoadCall, options: LoadCallerOptions, caller: LoadCaller) {
    this.#call = call;
    this.#options = options;
    this.#caller = caller;
    this.#startedUs = options.clock.nowUs();
  }

  send(): void {
    this.#attemptCount++;
    this.#cancelRetry = undefined;
    const { dispatcher, streamingLists } = this.#options;
    const over = this.#call.streaming === true ? (streamingLists ?? dispatcher) : dispatcher;
    this.#handle = over.dispatch(this.#call.request, this);
  }

  cancel(): void {
    if (this.#cancelRetry !== undefined) {
      this.#cancelRetry();
      // What is known of the call is the server's refusal.
      this.#end('http-429', undefined, this.#options.clock.nowUs());
      return;
    }
    this.#handle?.cancel();
  }

  onSent(): void {
    if (this.#attemptCount > 1) return;
    const { tally, intendedUs, onSent } = this.#call;
    const sentUs = this.#options.clock.nowUs();
    this.#sentUs = sentUs;
    tally.slip.record(sentUs - intendedUs);
    this.#caller.noteSent(sentUs - intendedUs);
    onSent?.(sentUs);
  }

  onReply(reply: ApiReply): void {
    // Of a streaming list only the events are known, not the headers.
    if (this.#call.streaming !== true) this.#caller.placements.note(reply);
    if (reply.status === 429 && this.#retryAfter(reply.retryAfterMs)) return;
    this.#end(classifyStatus(reply.status), reply, reply.doneUs ?? this.#options.clock.nowUs());
  }

  onFailure(error: TransportError): void {
    this.#end(classifyOutcome(error), undefined, this.#options.clock.nowUs());
  }

  #retryAfter(retryAfterMs: number | undefined): boolean {
    const { clock, honourRetryAfter, requestTimeoutMs } = this.#options;
    if (!honourRetryAfter || this.#attemptCount >= MAX_ATTEMPT_COUNT) return false;
    if (retryAfterMs === undefined || retryAfterMs > requestTimeoutMs) return false;
    this.#call.tally.retriedCount++;
    this.#cancelRetry = clock.setTimer(() => this.send(), retryAfterMs);
    return true;
  }

  #end(outcome: Outcome, reply: ApiReply | undefined, doneUs: number): void {
    if (this.#ended) return;
    this.#ended = true;
    const { request, series, tally, intendedUs, onEnd } = this.#call;
    const sentUs = Number.isNaN(this.#sentUs) ? this.#startedUs : this.#sentUs;
    if (outcome === 'ok') tally.doneCount++;
    else tally.failedCount++;
    const sentBytes = request.body === undefined ? 0 : Buffer.byteLength(request.body) * this.#attemptCount;
    series.record(intendedUs, sentUs, doneUs, outcome, reply?.receivedBytes ?? 0, sentBytes);
    try {
      onEnd?.(reply === undefined ? { outcome, sentUs, doneUs } : { outcome, sentUs, doneUs, reply });
    } finally {
      this.#caller.noteEnded(this);
    }
  }
}
