/**
 * Measured load over HTTP/1.1, the cheapest way to send it from Node: N connections for calls, one request at a time on
 * each (pipelining would let one slow LIST hold up what stands behind it). Calls that find none free wait in order; a
 * watch has a connection of its own.
 */
import type { Clock } from '../core/index.ts';
import { describeError } from '../core/index.ts';
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
import { Http1Socket, type Http1SocketOwner, type Http1Target } from './http1-socket.ts';
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

type Exchange = Http1Call | Http1Watch;

/** Idle connections are used for less than the server's own 90 s, so that it is never the server that closes first. */
const MAX_IDLE_US = 80e6;
const READ_BUFFER_BYTES = 64 * 1024;
/** What must not stand in a request's line or in a header: it would be another line. */
const NOT_IN_PATH = /[^\x21-\x7e]/;
const NOT_IN_HEADER = /[^\t\x20-\x7e\x80-\xff]/;

export class Http1Pool implements Connection, Http1Owner, Http1SocketOwner {
  readonly clock: Clock;
  readonly #settings: Http1PoolSettings;
  readonly #identity: ClientIdentity;
  readonly #impersonate: Impersonation | undefined;
  readonly #readBuffer = Buffer.allocUnsafeSlow(READ_BUFFER_BYTES);
  readonly #inFlight = new Set<Exchange>();
  /** Every connection that is not closed yet, with the watch that it was made for. */
  readonly #sockets = new Map<Http1Socket, Http1Watch | undefined>();
  /** Free ones; the one used last is used next, so that what is too many falls idle. */
  readonly #idle: { socket: Http1Socket; sinceUs: number }[] = [];
  #waiting: Http1Call[] = [];
  /** For calls, and not open yet. */
  readonly #connecting = new Set<Http1Socket>();
  #callSocketCount = 0;
  #secureContext: ReturnType<ClientIdentity['secureContext']>;
  #headers = '';
  #headersVersion = -1;
  #connectCount = 0;
  #disconnectCount = 0;
  #receivedBytes = 0;
  #sentBytes = 0;
  #closing: Promise<void> | undefined;
  #onAllClosed = () => {};

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
    this.#secureContext = identity.secureContext();
  }

  request(request: ApiRequest, signal?: AbortSignal): Promise<ApiReply> {
    return promiseOf(this, request, signal);
  }

  dispatch(request: ApiRequest, handler: CallHandler): CallHandle {
    const call = new Http1Call(this, request, handler);
    this.#submit(call);
    return call;
  }

  watch(path: string, handlers: WatchHandlers): WatchHandle {
    const watch = new Http1Watch(this, path, handlers);
    this.#submit(watch);
    return watch;
  }

  stats(): ConnectionStats {
    return {
      openConnectionCount: this.#connectCount - this.#disconnectCount,
      connectCount: this.#connectCount,
      reconnectCount: this.#disconnectCount,
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
  ended(call: Exchange): void {
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

  /** Called by connections. */
  onFree(socket: Http1Socket): void {
    const watch = this.#sockets.get(socket);
    if (watch !== undefined) {
      if (!socket.wasUsed) this.#connectCount++;
      if (watch.isOver) socket.destroy();
      else this.#write(socket, watch);
      return;
    }
    if (this.#connecting.delete(socket)) this.#connectCount++;
    const call = this.#nextWaiting();
    if (call !== undefined) this.#write(socket, call);
    else this.#idle.push({ socket, sinceUs: this.clock.nowUs() });
  }

  onClosed(socket: Http1Socket, error: Error | undefined): void {
    const watch = this.#sockets.get(socket);
    this.#sockets.delete(socket);
    if (socket.wasOpen) this.#disconnectCount++;
    if (this.#sockets.size === 0) this.#onAllClosed();
    if (watch !== undefined) {
      if (error !== undefined) watch.fail(asTransportError(watch.what, error));
      return;
    }
    this.#callSocketCount--;
    this.#connecting.delete(socket);
    const place = this.#idle.findIndex((one) => one.socket === socket);
    if (place !== -1) this.#idle.splice(place, 1);
    // A server that nobody answers at costs each call an attempt of its own.
    if (error !== undefined) {
      const call = this.#nextWaiting();
      call?.fail(asTransportError(call.what, error));
    }
    this.#openMissing();
  }

  #submit(call: Exchange): void {
    this.#inFlight.add(call);
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

  #start(call: Exchange): void {
    if (call.isOver) return;
    try {
      if (this.#headersVersion !== this.#identity.version) this.#renew();
    } catch (error) {
      call.fail(asTransportError(call.what, error));
      return;
    }
    if (call instanceof Http1Watch) {
      this.#open(call);
      return;
    }
    for (let free = this.#idle.pop(); free !== undefined; free = this.#idle.pop()) {
      if (this.clock.nowUs() - free.sinceUs > MAX_IDLE_US) {
        free.socket.destroy();
        continue;
      }
      this.#write(free.socket, call);
      return;
    }
    this.#waiting.push(call);
    // Calls that were given up leave their places behind.
    if (this.#waiting.length > 2 * this.#inFlight.size)
      this.#waiting = this.#waiting.filter(({ isOver }) => !isOver);
    this.#openMissing();
  }

  /** The call that has waited longest and has not been given up. */
  #nextWaiting(): Http1Call | undefined {
    let call = this.#waiting.shift();
    while (call?.isOver === true) call = this.#waiting.shift();
    return call;
  }

  /** As many connections as calls wait for, up to the limit. */
  #openMissing(): void {
    if (this.#closing !== undefined) return;
    while (
      this.#callSocketCount < this.#settings.connectionCount &&
      this.#connecting.size < this.#waiting.length
    ) {
      this.#callSocketCount++;
      this.#connecting.add(this.#open(undefined));
    }
  }

  #open(watch: Http1Watch | undefined): Http1Socket {
    const { server, tlsServerName, insecureSkipTlsVerify, connectTimeoutMs } = this.#settings;
    const target: Http1Target = {
      server: new URL(server),
      tlsServerName,
      insecureSkipTlsVerify,
      secureContext: this.#secureContext,
      connectTimeoutMs,
      readBuffer: this.#readBuffer,
    };
    const socket = new Http1Socket(this);
    this.#sockets.set(socket, watch);
    socket.open(target, this.clock);
    return socket;
  }

  #write(socket: Http1Socket, call: Exchange): void {
    try {
      socket.send(call, this.#headOf(call.request), call.request.body);
    } catch (error) {
      // What cannot be written takes nothing from the connection.
      if (!(error instanceof TransportError)) throw error;
      call.fail(error);
      this.onFree(socket);
    }
  }

  #headOf({ method, path, body, contentType, headers }: ApiRequest): string {
    if (NOT_IN_PATH.test(path))
      throw new TransportError('protocol', `${method} ${path} failed: no path of a request`);
    let head = `${method} ${path} HTTP/1.1\r\n${this.#headers}`;
    if (headers !== undefined) head = withHeaders(head, headers);
    if (body !== undefined) {
      const type = headerLine('content-type', contentType ?? 'application/json');
      head += `${type}content-length: ${Buffer.byteLength(body)}\r\n`;
    }
    return `${head}\r\n`;
  }

  #renew(): void {
    const { server, userAgent, compression } = this.#settings;
    let headers = `host: ${new URL(server).host}\r\naccept: application/json\r\nuser-agent: ${userAgent}\r\n`;
    if (compression) headers += 'accept-encoding: gzip\r\n';
    for (const source of [this.#identity.headers(), impersonationHeaders(this.#impersonate)]) {
      for (const [name, value] of Object.entries(source)) {
        for (const item of typeof value === 'string' ? [value] : value) headers += headerLine(name, item);
      }
    }
    this.#headers = headers;
    this.#headersVersion = this.#identity.version;
    if (this.#identity.secureContext() === this.#secureContext) return;
    // The client certificate was renewed: what runs finishes on the old connections.
    this.#secureContext = this.#identity.secureContext();
    for (const [socket, watch] of this.#sockets) if (watch === undefined) socket.isRetired = true;
    for (const { socket } of this.#idle.splice(0)) socket.destroy();
  }

  async #close(graceMs: number): Promise<void> {
    await Promise.resolve();
    if (graceMs > 0 && this.#inFlight.size > 0) await this.#drained(graceMs);
    for (const call of [...this.#inFlight]) call.cancel();
    this.#waiting.length = 0;
    if (this.#sockets.size === 0) return;
    const closed = new Promise<void>((resolve) => {
      this.#onAllClosed = resolve;
    });
    for (const socket of this.#sockets.keys()) socket.destroy();
    await closed;
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

function headerLine(name: string, value: string): string {
  if (NOT_IN_HEADER.test(value))
    throw new TransportError('protocol', `header ${name} has a character that headers cannot have`);
  return `${name}: ${value}\r\n`;
}

/** The head with `headers`, in place of its own of the same names. */
function withHeaders(head: string, headers: Readonly<Record<string, string>>): string {
  const names = Object.keys(headers);
  const kept = head
    .split('\r\n')
    .filter((line, index) => index === 0 || !names.some((name) => line.startsWith(`${name}: `)));
  return names.reduce((all, name) => all + headerLine(name, headers[name] ?? ''), kept.join('\r\n'));
}
