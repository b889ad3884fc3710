/**
 * HTTP/1.1 over undici's Pool.dispatch, the cheapest way to send measured load from Node: N connections, one request
 * at a time on each (pipelining would let one slow LIST hold up what stands behind it), undici's own timers off.
 */
import { Pool } from 'undici';
import { type Clock, describeError } from '../core/index.ts';
import type { Impersonation } from './access.ts';
import { asTransportError, TransportError } from './api-error.ts';
import type {
  ApiReply,
  ApiRequest,
  CallHandle,
  CallHandler,
  Connection,
  ConnectionStats,
  WatchHandle,
  WatchHandlers,
} from './connection.ts';
import { type ClientIdentity, impersonationHeaders } from './credentials.ts';
import { Http1Call, type Http1Owner, Http1Watch } from './http1-calls.ts';
import { promiseOf } from './http2-connection.ts';

export interface Http1PoolSettings {
  server: string;
  tlsServerName: string | undefined;
  insecureSkipTlsVerify: boolean;
  userAgent: string;
  compression: boolean;
  /** Connections for calls; watches beyond it get connections of their own. */
  connectionCount: number;
  connectTimeoutMs: number;
}

/** Idle connections are kept for less than the server's own 90 s, so that it is never the server that closes first. */
const KEEP_ALIVE_TIMEOUT_MS = 80_000;
export class Http1Pool implements Connection, Http1Owner {
  readonly clock: Clock;
  readonly #settings: Http1PoolSettings;
  readonly #identity: ClientIdentity;
  readonly #impersonate: Impersonation | undefined;
  /** Watches hold a connection each for minutes: they have a pool of their own, or calls would wait behind them. */
  #callPool: Pool;
  #watchPool: Pool;
  readonly #inFlight = new Set<Http1Call | Http1Watch>();
  #poolContext: ReturnType<ClientIdentity['secureContext']>;
  #headers: string[] = [];
  #headersVersion = -1;
  #connectCount = 0;
  #disconnectCount = 0;
  #receivedBytes = 0;
  #sentBytes = 0;
  #closing: Promise<void> | undefined;

  constructor(
    settings: Http1PoolSettings,
    identity: ClientIdentity,
    impersonate: Impersonation | undefined,
    clock: Clock,
  ) {
    this.#settings = settings;
    this.#identity = identity;
    this.#impersonate = impersonate;
    this.clock = clock;
    this.#poolContext = identity.secureContext();
    this.#callPool = this.#makePool(settings.connectionCount);
    this.#watchPool = this.#makePool(undefined);
  }

  request(request: ApiRequest, signal?: AbortSignal): Promise<ApiReply> {
    return promiseOf(this, request, signal);
  }

  dispatch(request: ApiRequest, handler: CallHandler): CallHandle {
    const call = new Http1Call(this, request, handler);
    this.#inFlight.add(call);
    this.#send(call);
    return call;
  }

  watch(path: string, handlers: WatchHandlers): WatchHandle {
    const watch = new Http1Watch(this, path, handlers);
    this.#inFlight.add(watch);
    this.#send(watch);
    return watch;
  }

  stats(): ConnectionStats {
    const calls = this.#callPool.stats;
    const watches = this.#watchPool.stats;
    return {
      openConnectionCount: calls.connected + watches.connected,
      connectCount: this.#connectCount,
      reconnectCount: Math.min(this.#disconnectCount, this.#connectCount),
      openStreamCount: this.#inFlight.size,
      receivedBytes: this.#receivedBytes,
      sentBytes: this.#sentBytes,
    };
  }

  close(graceMs = 0): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Called by calls. */
  ended(call: Http1Call | Http1Watch): void {
    this.#inFlight.delete(call);
  }

  received(byteCount: number): void {
    this.#receivedBytes += byteCount;
  }

  sent(byteCount: number): void {
    this.#sentBytes += byteCount;
  }

  unauthorized(): void {
    this.#identity.rejected();
  }

  #send(call: Http1Call | Http1Watch): void {
    if (this.#closing !== undefined) {
      queueMicrotask(() =>
        call.fail(new TransportError('cancelled', `${call.what} failed: connection is closed`)),
      );
    } else if (this.#identity.renewalDue()) {
      this.#identity.renew().then(
        () => this.#start(call),
        (error: unknown) => {
          const text = `${call.what} failed: credential not renewed: ${describeError(error)}`;
          call.fail(new TransportError('connection', text, { cause: error }));
        },
      );
    } else this.#start(call);
  }

  #start(call: Http1Call | Http1Watch): void {
    if (call.isOver) return;
    if (this.#headersVersion !== this.#identity.version) this.#rebuild();
    try {
      if (call instanceof Http1Watch) this.#watchPool.dispatch(call.options(this.#headers), call);
      else this.#callPool.dispatch(call.options(this.#headers), call);
    } catch (error) {
      call.fail(asTransportError(call.what, error));
    }
  }

  #rebuild(): void {
    const { userAgent, compression, connectionCount } = this.#settings;
    const headers = ['accept', 'application/json', 'user-agent', userAgent];
    if (compression) headers.push('accept-encoding', 'gzip');
    for (const source of [this.#identity.headers(), impersonationHeaders(this.#impersonate)]) {
      for (const [name, value] of Object.entries(source)) {
        for (const item of typeof value === 'string' ? [value] : value) headers.push(name, item);
      }
    }
    this.#headers = headers;
    this.#headersVersion = this.#identity.version;
    if (this.#identity.secureContext() === this.#poolContext) return;
    // The client certificate was renewed: what runs finishes on the old connections.
    const old = [this.#callPool, this.#watchPool];
    this.#poolContext = this.#identity.secureContext();
    this.#callPool = this.#makePool(connectionCount);
    this.#watchPool = this.#makePool(undefined);
    for (const pool of old) void pool.close();
  }

  #makePool(connectionCount: number | undefined): Pool {
    const { server, tlsServerName, insecureSkipTlsVerify, connectTimeoutMs } = this.#settings;
    const secureContext = this.#poolContext;
    const pool = new Pool(server, {
      connections: connectionCount ?? null,
      pipelining: 1,
      allowH2: false,
      // Calls carry their own deadline and watches have none; undici's timers would only cost.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_TIMEOUT_MS,
      keepAliveMaxTimeout: KEEP_ALIVE_TIMEOUT_MS,
      connect: {
        timeout: connectTimeoutMs,
        rejectUnauthorized: !insecureSkipTlsVerify,
        // No resumption: Go's clients do full handshakes too, and the server is to feel them.
        maxCachedSessions: 0,
        ...(secureContext === undefined ? {} : { secureContext }),
        ...(tlsServerName === undefined ? {} : { servername: tlsServerName }),
      },
    });
    pool.on('connect', () => {
      this.#connectCount++;
    });
    pool.on('disconnect', () => {
      this.#disconnectCount++;
    });
    return pool;
  }

  async #close(graceMs: number): Promise<void> {
    await Promise.resolve();
    if (graceMs > 0 && this.#inFlight.size > 0) await this.#drained(graceMs);
    for (const call of [...this.#inFlight]) call.cancel();
    await Promise.all([this.#callPool.destroy(), this.#watchPool.destroy()]);
  }

  #drained(graceMs: number): Promise<void> {
    return new Promise((resolve) => {
      const endUs = this.clock.nowUs() + graceMs * 1_000;
      const look = () => {
        if (this.#inFlight.size === 0 || this.clock.nowUs() >= endUs) resolve();
        else this.clock.setTimer(look, Math.min(20, graceMs));
      };
      look();
    });
  }
}
