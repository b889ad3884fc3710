/**
 * The API client of one hollow component: sends over its connection under client-go's rules (its own rate limit,
 * repeats after Retry-After) and records every attempt.
 */
import { type Clock, delay } from '../src/core/index.ts';
import {
  type ApiReply,
  type ApiRequest,
  type Connection,
  classifyOutcome,
  retryDelayMs,
  type TokenBucket,
  TransportError,
  takeToken,
} from '../src/kube/index.ts';
import type { Outcome } from '../src/measure/index.ts';
import type { CallSource } from '../src/result/index.ts';
import type { CallKind, FleetCalls } from './calls.ts';
import type { NodeDisturbance } from './storms/node-disturbance.ts';

export interface ClientOptions {
  readonly source: CallSource;
  readonly connection: Connection;
  readonly calls: FleetCalls;
  readonly clock: Clock;
  /** Ends waits between attempts. */
  readonly signal: AbortSignal;
  /** What storms do to the node. */
  readonly disturbance: NodeDisturbance;
}

/** Deadline of calls that carry `?timeout=10s`. Source: heartbeat client, cmd/kubelet/app/server.go v1.36.3 */
export const HEARTBEAT_TIMEOUT_MS = 10_000;

export class NodeClient {
  readonly connection: Connection;
  readonly #source: CallSource;
  readonly #calls: FleetCalls;
  readonly #clock: Clock;
  readonly #signal: AbortSignal;
  readonly #disturbance: NodeDisturbance;

  constructor(options: ClientOptions) {
    this.connection = options.connection;
    this.#source = options.source;
    this.#calls = options.calls;
    this.#clock = options.clock;
    this.#signal = options.signal;
    this.#disturbance = options.disturbance;
  }

  /** True while the node is to be taken for dead: heartbeats and status are not to be written. */
  get silent(): boolean {
    return this.#disturbance.silent;
  }

  get stopped(): boolean {
    return this.#signal.aborted;
  }

  /**
   * The last reply, whatever its status.
   * @throws TransportError; the signal's reason when stopped while waiting
   */
  async send(kind: CallKind, request: ApiRequest, throttle?: TokenBucket): Promise<ApiReply> {
    for (let attempt = 0; ; attempt++) {
      // Each attempt passes the throttle, as in client-go.
      if (throttle !== undefined) await takeToken(throttle, { signal: this.#signal, clock: this.#clock });
      const outcome = await this.#sendOnce(kind, request);
      const againMs = this.#signal.aborted ? undefined : retryDelayMs(request.method, outcome, attempt);
      if (againMs === undefined) {
        if (outcome instanceof TransportError) throw outcome;
        return outcome;
      }
      if (againMs > 0) await delay(againMs, { signal: this.#signal, clock: this.#clock });
    }
  }

  async #sendOnce(kind: CallKind, request: ApiRequest): Promise<ApiReply | TransportError> {
    const series = this.#calls.offer(this.#source, kind);
    const intendedUs = this.#clock.nowUs();
    const outcome = await this.connection.request(request).catch((error: unknown) => {
      if (error instanceof TransportError) return error;
      throw error;
    });
    const failed = outcome instanceof TransportError;
    const doneUs = (failed ? undefined : outcome.doneUs) ?? this.#clock.nowUs();
    this.#calls.done(
      series,
      { intendedUs, sentUs: (failed ? undefined : outcome.sentUs) ?? intendedUs, doneUs },
      outcomeOf(request, outcome),
      failed ? 0 : outcome.receivedBytes,
      request.body?.length ?? 0,
    );
    return outcome;
  }
}

/** Kubelets ask whether their Node, Lease, CSINode or a pod is there: that it is not is an answer, no failure. */
function outcomeOf(request: ApiRequest, outcome: ApiReply | TransportError): Outcome {
  if (request.method === 'GET' && !(outcome instanceof TransportError) && outcome.status === 404) return 'ok';
  return classifyOutcome(outcome);
}
