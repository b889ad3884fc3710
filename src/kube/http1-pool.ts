/**
 * HTTP/1.1 over undici's Pool.dispatch, the cheapest way to send measured load from Node: N connections, one request
 * at a time on each (pipelining would let one slow LIST hold up what stands behind it), undici's own timers off.
 * undici 7 is used through its raw-header handler form, which spares an object per reply; version 8 drops that form.
 */
import { gunzip } from 'node:zlib';
import { type Dispatcher, Pool } from 'undici';
import { type CancelTimer, type Clock, describeError } from '../core/index.ts';
import type { Impersonation } from './access.ts';
import { ApiError, asTransportError, statusFacts, TransportError } from './api-error.ts';
import {
  type ApiReply,
  type ApiRequest,
  type CallHandle,
  type CallHandler,
  type Connection,
  type ConnectionStats,
  DEFAULT_REQUEST_TIMEOUT_MS,
  type WatchHandle,
  type WatchHandlers,
} from './connection.ts';
import { type ClientIdentity, impersonationHeaders } from './credentials.ts';
import { promiseOf } from './http2-connection.ts';
import { retryAfterMsOf } from './retry.ts';
import { FrameSplitter } from './watch-frames.ts';

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
const MAX_ERROR_BODY_BYTES = 64 * 1024;

type Abort = (reason?: Error) => void;

export class Http1Pool implements Connection {
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

/** A call in undici's handler form. */
class Http1Call implements CallHandle {
  readonly #owner: Http1Pool;
  readonly #request: ApiRequest;
  readonly #handler: CallHandler;
  readonly #cancelTimer: CancelTimer;
  #abort: Abort | undefined;
  #chunks: Buffer[] | undefined;
  #rawHeaders: Buffer[] | undefined;
  #status = 0;
  #receivedBytes = 0;
  #sentUs = -1;
  isOver = false;

  constructor(owner: Http1Pool, request: ApiRequest, handler: CallHandler) {
    this.#owner = owner;
    this.#request = request;
    this.#handler = handler;
    const timeoutMs = request.timeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
    this.#cancelTimer = owner.clock.setTimer(() => {
      this.#giveUp(new TransportError('timeout', `${this.what} failed: no whole reply in ${timeoutMs} ms`));
    }, timeoutMs);
  }

  get what(): string {
    return `${this.#request.method} ${this.#request.path}`;
  }

  options(identityHeaders: string[]): Dispatcher.DispatchOptions {
    const { method, path, body, contentType, headers } = this.#request;
    const all = body === undefined && headers === undefined ? identityHeaders : identityHeaders.slice();
    if (body !== undefined) all.push('content-type', contentType ?? 'application/json');
    if (headers !== undefined)
      for (const name of Object.keys(headers)) setHeader(all, name, headers[name] ?? '');
    return { method, path, headers: all, ...(body === undefined ? {} : { body }) };
  }

  onConnect(abort: Abort): void {
    this.#abort = abort;
    if (this.isOver) {
      abort();
      return;
    }
    if (this.#sentUs >= 0) return; // Written again by undici, after a connection that died unused.
    this.#sentUs = this.#owner.clock.nowUs();
    this.#owner.sent(this.#request.body?.length ?? 0);
    this.#handler.onSent();
  }

  onHeaders(status: number, rawHeaders: Buffer[]): boolean {
    if (status < 200) return true;
    this.#status = status;
    this.#rawHeaders = rawHeaders;
    if (status === 401) this.#owner.unauthorized();
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#receivedBytes += chunk.length;
    if (this.#request.discardBody !== true || this.#status >= 400) {
      if (this.#chunks === undefined) this.#chunks = [chunk];
      else this.#chunks.push(chunk);
    }
    return true;
  }

  onComplete(): void {
    if (this.isOver) return;
    const doneUs = this.#owner.clock.nowUs();
    this.#owner.received(this.#receivedBytes);
    const chunks = this.#chunks;
    const whole = chunks === undefined ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    const facts = headerFacts(this.#rawHeaders);
    if (whole !== undefined && facts.gzip) {
      gunzip(whole, (error, plain) => {
        if (error === null) this.#reply(plain.toString('utf8'), doneUs, facts);
        else this.fail(new TransportError('protocol', `${this.what} failed: ${error.message}`));
      });
    } else this.#reply(whole === undefined ? '' : whole.toString('utf8'), doneUs, facts);
  }

  onError(error: Error): void {
    if (!this.isOver) this.fail(asTransportError(this.what, error));
  }

  fail(error: TransportError): void {
    if (this.#finish()) this.#handler.onFailure(error);
  }

  cancel(): void {
    this.#giveUp(new TransportError('cancelled', `${this.what} failed: cancelled`));
  }

  #giveUp(error: TransportError): void {
    if (this.isOver) return;
    // Told first: aborting makes undici call onError, which then finds the call over.
    this.fail(error);
    this.#abort?.(error);
  }

  #reply(body: string, doneUs: number, facts: HeaderFacts): void {
    if (!this.#finish()) return;
    const reply: ApiReply = {
      status: this.#status,
      body,
      receivedBytes: this.#receivedBytes,
      sentUs: this.#sentUs,
      doneUs,
    };
    if (facts.retryAfterMs !== undefined) reply.retryAfterMs = facts.retryAfterMs;
    if (facts.flowSchemaUid !== undefined) reply.flowSchemaUid = facts.flowSchemaUid;
    if (facts.priorityLevelUid !== undefined) reply.priorityLevelUid = facts.priorityLevelUid;
    this.#handler.onReply(reply);
  }

  #finish(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.#cancelTimer();
    this.#chunks = undefined;
    this.#owner.ended(this);
    return true;
  }
}

/** A watch in undici's handler form. */
class Http1Watch implements WatchHandle {
  readonly #owner: Http1Pool;
  readonly #path: string;
  readonly #handlers: WatchHandlers;
  #abort: Abort | undefined;
  #splitter: FrameSplitter | undefined;
  #status = 0;
  #retryAfterMs: number | undefined;
  #errorBody = '';
  isOver = false;

  constructor(owner: Http1Pool, path: string, handlers: WatchHandlers) {
    this.#owner = owner;
    this.#path = path;
    this.#handlers = handlers;
  }

  get what(): string {
    return `GET ${this.#path}`;
  }

  options(identityHeaders: string[]): Dispatcher.DispatchOptions {
    return { method: 'GET', path: this.#path, headers: identityHeaders, bodyTimeout: 0 };
  }

  onConnect(abort: Abort): void {
    this.#abort = abort;
    if (this.isOver) abort();
  }

  onHeaders(status: number, rawHeaders: Buffer[]): boolean {
    if (status < 200) return true;
    this.#status = status;
    this.#retryAfterMs = headerFacts(rawHeaders).retryAfterMs;
    if (status === 401) this.#owner.unauthorized();
    if (!this.isOver) this.#handlers.onOpen?.(status);
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#owner.received(chunk.length);
    if (this.isOver) return true;
    if (this.#status === 200) {
      this.#splitter ??= new FrameSplitter();
      this.#splitter.push(chunk, this);
    } else if (this.#errorBody.length < MAX_ERROR_BODY_BYTES) this.#errorBody += chunk.toString('utf8');
    return true;
  }

  /** Called by the splitter. */
  onFrame(frame: Buffer): void {
    if (!this.isOver) this.#handlers.onFrame(frame);
  }

  onComplete(): void {
    if (this.#status !== 200) {
      const reply = { status: this.#status, body: this.#errorBody };
      const facts = statusFacts(
        this.#retryAfterMs === undefined ? reply : { ...reply, retryAfterMs: this.#retryAfterMs },
      );
      this.#end(new ApiError({ verb: 'watch', subject: this.#path }, facts));
    } else if (this.#splitter?.isPartial === true) {
      this.#end(new TransportError('connection', `${this.what} failed: watch ended inside a frame`));
    } else this.#end(undefined);
  }

  onError(error: Error): void {
    if (!this.isOver) this.#end(asTransportError(this.what, error));
  }

  fail(error: TransportError): void {
    this.#end(error);
  }

  close(): void {
    this.cancel();
  }

  cancel(): void {
    if (this.isOver) return;
    this.#end(new TransportError('cancelled', `${this.what} failed: cancelled`));
    this.#abort?.();
  }

  #end(error: Error | undefined): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#splitter = undefined;
    this.#owner.ended(this);
    this.#handlers.onEnd(error);
  }
}

interface HeaderFacts {
  gzip: boolean;
  retryAfterMs: number | undefined;
  flowSchemaUid: string | undefined;
  priorityLevelUid: string | undefined;
}

// Names are told apart by length before any text is made: most headers of a reply are never looked at.
function headerFacts(raw: Buffer[] | undefined): HeaderFacts {
  const facts: HeaderFacts = {
    gzip: false,
    retryAfterMs: undefined,
    flowSchemaUid: undefined,
    priorityLevelUid: undefined,
  };
  if (raw === undefined) return facts;
  for (let i = 0; i + 1 < raw.length; i += 2) {
    const name = raw[i];
    const value = raw[i + 1];
    if (name === undefined || value === undefined) continue;
    switch (name.length) {
      case 11:
        if (isNamed(name, 'retry-after')) facts.retryAfterMs = retryAfterMsOf(value.toString('latin1'));
        break;
      case 16:
        if (isNamed(name, 'content-encoding')) facts.gzip = value.toString('latin1') === 'gzip';
        break;
      case 30:
        if (isNamed(name, 'x-kubernetes-pf-flowschema-uid')) facts.flowSchemaUid = value.toString('latin1');
        break;
      case 33:
        if (isNamed(name, 'x-kubernetes-pf-prioritylevel-uid'))
          facts.priorityLevelUid = value.toString('latin1');
        break;
    }
  }
  return facts;
}

function isNamed(name: Buffer, expected: string): boolean {
  return name.toString('latin1').toLowerCase() === expected;
}

/** Sets a header in a flat list, in place of the identity's own of that name. */
function setHeader(headers: string[], name: string, value: string): void {
  for (let i = headers.length - 2; i >= 0; i -= 2) {
    if (headers[i] === name) headers.splice(i, 2);
  }
  headers.push(name, value);
}
