/**
 * One identity over a pool of HTTP/2 sessions: the connection that a hollow kubelet or kube-proxy holds, and a view of
 * a shared pool. All it keeps is its headers, worked out once.
 */
import type { OutgoingHttpHeaders } from 'node:http2';
import { type Clock, onAbort } from '../core/index.ts';
import type { Impersonation } from './access.ts';
import { TransportError } from './api-error.ts';
import type {
  ApiReply,
  ApiRequest,
  CallHandle,
  CallHandler,
  ConnectionStats,
  CuttableConnection,
  WatchHandle,
  WatchHandlers,
} from './connection.ts';
import { impersonationHeaders } from './credentials.ts';
import { type StreamCall, type StreamOwner, UnaryCall, WatchCall } from './http2-calls.ts';
import type { Http2Pool } from './http2-pool.ts';

export class Http2Connection implements CuttableConnection, StreamOwner {
  readonly #pool: Http2Pool;
  readonly #impersonate: Impersonation | undefined;
  /** Calls in flight; kept by views only, because an owner's are cut with its pool. */
  readonly #calls: Set<StreamCall> | undefined;
  #headers: OutgoingHttpHeaders = {};
  #headersVersion = -1;
  #closed = false;

  constructor(pool: Http2Pool, impersonate: Impersonation | undefined, ownsPool: boolean) {
    this.#pool = pool;
    this.#impersonate = impersonate;
    this.#calls = ownsPool ? undefined : new Set();
  }

  get clock(): Clock {
    return this.#pool.clock;
  }

  request(request: ApiRequest, signal?: AbortSignal): Promise<ApiReply> {
    return promiseOf(this, request, signal);
  }

  dispatch(request: ApiRequest, handler: CallHandler): CallHandle {
    const call = new UnaryCall(this, request, handler);
    this.#submit(call);
    return call;
  }

  watch(path: string, handlers: WatchHandlers): WatchHandle {
    const call = new WatchCall(this, path, handlers);
    this.#submit(call);
    return call;
  }

  /** Of a view of a shared pool: its own streams only; connections and bytes are the pool's. */
  stats(): ConnectionStats {
    if (this.#calls === undefined) return this.#pool.stats();
    return {
      openConnectionCount: 0,
      connectCount: 0,
      reconnectCount: 0,
      openStreamCount: this.#calls.size,
      receivedBytes: 0,
      sentBytes: 0,
    };
  }

  cut(): void {
    if (this.#calls === undefined) {
      this.#pool.cut();
      return;
    }
    for (const call of [...this.#calls]) {
      const text = `${call.method} ${call.path} failed: connection was cut`;
      call.cut(new TransportError('connection', text));
    }
  }

  async close(graceMs = 0): Promise<void> {
    this.#closed = true;
    if (this.#calls === undefined) return this.#pool.close(graceMs);
    if (graceMs > 0 && this.#calls.size > 0) {
      await new Promise<void>((resolve) => {
        this.clock.setTimer(resolve, graceMs);
      });
    }
    for (const call of [...this.#calls]) call.cancel();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  headers(method: string): OutgoingHttpHeaders {
    const { identity } = this.#pool;
    if (this.#headersVersion !== identity.version) {
      this.#headersVersion = identity.version;
      this.#headers = Object.assign(this.#pool.baseHeaders(), impersonationHeaders(this.#impersonate));
    }
    return { ':method': method, ...this.#headers };
  }

  unauthorized(): void {
    this.#pool.identity.rejected();
  }

  requeue(call: StreamCall): void {
    this.#pool.requeue(call);
  }

  ended(call: StreamCall): void {
    this.#calls?.delete(call);
  }

  #submit(call: StreamCall): void {
    if (this.#closed) {
      // In a later turn, so that a caller has its handle before its handlers are called.
      queueMicrotask(() =>
        call.fail(
          new TransportError('cancelled', `${call.method} ${call.path} failed: connection is closed`),
        ),
      );
      return;
    }
    this.#calls?.add(call);
    this.#pool.submit(call);
  }
}

/** The promise form of dispatch: rejects with TransportError only. */
export function promiseOf(
  connection: Pick<CuttableConnection, 'dispatch'>,
  request: ApiRequest,
  signal: AbortSignal | undefined,
): Promise<ApiReply> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(aborted(request, signal));
      return;
    }
    let stopListening: (() => void) | undefined;
    const handle = connection.dispatch(request, {
      onSent: ignoreSent,
      onReply: (reply) => {
        stopListening?.();
        resolve(reply);
      },
      onFailure: (error) => {
        stopListening?.();
        reject(signal?.aborted && error.class === 'cancelled' ? aborted(request, signal) : error);
      },
    });
    if (signal !== undefined) stopListening = onAbort(signal, () => handle.cancel());
  });
}

function aborted(request: ApiRequest, signal: AbortSignal): TransportError {
  return new TransportError('cancelled', `${request.method} ${request.path} failed: aborted`, {
    cause: signal.reason,
  });
}

function ignoreSent(): void {
  // The promise form reads sentUs from the reply.
}
