/**
 * A node's connection with what storms do to it: requests that leave late, connections that are cut. While nothing is
 * wrong every call passes straight through.
 */
import { type CancelTimer, type Clock, delay } from '../../src/core/index.ts';
import {
  type ApiReply,
  type ApiRequest,
  type CallHandle,
  type CallHandler,
  type ConnectionStats,
  type CuttableConnection,
  TransportError,
  type WatchHandle,
  type WatchHandlers,
} from '../../src/kube/index.ts';
import type { NodeDisturbance } from './node-disturbance.ts';

export class DisturbedConnection implements CuttableConnection {
  readonly #inner: CuttableConnection;
  readonly #disturbance: NodeDisturbance;
  readonly #clock: Clock;

  constructor(inner: CuttableConnection, disturbance: NodeDisturbance, clock: Clock) {
    this.#inner = inner;
    this.#disturbance = disturbance;
    this.#clock = clock;
  }

  async request(request: ApiRequest, signal?: AbortSignal): Promise<ApiReply> {
    const { delayMs } = this.#disturbance;
    if (delayMs > 0) await delay(delayMs, { signal: signal ?? NEVER, clock: this.#clock });
    return this.#inner.request(request, signal);
  }

  dispatch(request: ApiRequest, handler: CallHandler): CallHandle {
    const { delayMs } = this.#disturbance;
    if (delayMs === 0) return this.#inner.dispatch(request, handler);
    const later = new LaterCall(this.#clock, delayMs, () => this.#inner.dispatch(request, handler), {
      cancel: (handle: CallHandle) => handle.cancel(),
      cancelled: () => handler.onFailure(cancelled(request.method, request.path)),
    });
    return { cancel: () => later.end() };
  }

  watch(path: string, handlers: WatchHandlers): WatchHandle {
    const { delayMs } = this.#disturbance;
    if (delayMs === 0) return this.#inner.watch(path, handlers);
    const later = new LaterCall(this.#clock, delayMs, () => this.#inner.watch(path, handlers), {
      cancel: (handle: WatchHandle) => handle.close(),
      cancelled: () => handlers.onEnd(cancelled('GET', path)),
    });
    return { close: () => later.end() };
  }

  stats(): ConnectionStats {
    return this.#inner.stats();
  }

  cut(): void {
    this.#inner.cut();
  }

  close(graceMs?: number): Promise<void> {
    return this.#inner.close(graceMs);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

const NEVER = new AbortController().signal;

/** A call that is sent after a while, or ended before. */
class LaterCall<Handle> {
  readonly #ends: { cancel(handle: Handle): void; cancelled(): void };
  #cancelTimer: CancelTimer | undefined;
  #handle: Handle | undefined;

  constructor(
    clock: Clock,
    delayMs: number,
    send: () => Handle,
    ends: { cancel(handle: Handle): void; cancelled(): void },
  ) {
    this.#ends = ends;
    this.#cancelTimer = clock.setTimer(() => {
      this.#cancelTimer = undefined;
      this.#handle = send();
    }, delayMs);
  }

  end(): void {
    if (this.#handle !== undefined) {
      this.#ends.cancel(this.#handle);
    } else if (this.#cancelTimer !== undefined) {
      this.#cancelTimer();
      this.#cancelTimer = undefined;
      this.#ends.cancelled();
    }
  }
}

function cancelled(method: string, path: string): TransportError {
  return new TransportError('cancelled', `${method} ${path} failed: cancelled`);
}
