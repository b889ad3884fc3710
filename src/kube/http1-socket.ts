/**
 * One connection of HTTP/1.1, over TLS or plain: one request at a time, replies parsed where they are read. All
 * connections of a pool read into one buffer, because what is in it is used up before the next read.
 */
import { connect as connectPlain, isIP, type Socket, type TcpNetConnectOpts } from 'node:net';
import { type ConnectionOptions, connect as connectTls, type SecureContext } from 'node:tls';
import type { CancelTimer, Clock } from '../core/index.ts';
import { Http1Parser, Http1SyntaxError, type ReplySink } from './http1-parser.ts';

/** Where connections of a pool go. */
export interface Http1Target {
  server: URL;
  tlsServerName: string | undefined;
  insecureSkipTlsVerify: boolean;
  secureContext: SecureContext | undefined;
  connectTimeoutMs: number;
  readBuffer: Buffer;
}

/** One request and its reply, as its connection sees it. */
export interface Http1Exchange extends ReplySink {
  /** The request is about to be written; `socket.destroy()` ends both. */
  onSent(socket: Http1Socket): void;
  onReplyEnd(): void;
  /** The connection failed before the reply was whole. */
  onBroken(error: Error): void;
}

/** Whoever made the connection. */
export interface Http1SocketOwner {
  /** Open, or done with its exchange: it can take one. */
  onFree(socket: Http1Socket): void;
  /** Closed for good; `error` where it could not be opened. */
  onClosed(socket: Http1Socket, error: Error | undefined): void;
}

/** As Go's dialer: a peer that vanished is found out. */
const TCP_KEEP_ALIVE_MS = 30_000;

export class Http1Socket {
  readonly #owner: Http1SocketOwner;
  readonly #parser = new Http1Parser();
  #socket: Socket | undefined;
  #exchange: Http1Exchange | undefined;
  #cancelTimer: CancelTimer | undefined;
  #error: Error | undefined;
  /** It was open once. */
  wasOpen = false;
  /** It has had an exchange. */
  wasUsed = false;
  /** Takes no more exchanges; ends after the one it has. */
  isRetired = false;

  constructor(owner: Http1SocketOwner) {
    this.#owner = owner;
  }

  /** Connects; the owner hears of it. Call once. */
  open(target: Http1Target, clock: Clock): void {
    const { server, connectTimeoutMs } = target;
    const isTls = server.protocol === 'https:';
    const socket = isTls
      ? connectTls(tlsOptions(target, this.#reader(target)))
      : connectPlain(tcpOptions(target, this.#reader(target)));
    this.#socket = socket;
    this.#cancelTimer = clock.setTimer(() => {
      socket.destroy(timedOut(`no connection to ${server.host} in ${connectTimeoutMs} ms`));
    }, connectTimeoutMs);
    socket.setNoDelay(true);
    socket.once(isTls ? 'secureConnect' : 'connect', () => {
      this.#cancelTimer?.();
      socket.setKeepAlive(true, TCP_KEEP_ALIVE_MS);
      this.wasOpen = true;
      this.#owner.onFree(this);
    });
    socket.on('error', (error) => {
      this.#error = error;
    });
    socket.once('close', () => this.#closed());
  }

  /** Writes a request: its head, which is Latin-1 up to the empty line, and its body. */
  send(exchange: Http1Exchange, head: string, body: string | undefined): void {
    const socket = this.#socket;
    if (socket === undefined) throw new RangeError('a request before its connection');
    this.#exchange = exchange;
    this.wasUsed = true;
    this.#parser.reset();
    exchange.onSent(this);
    // It may have been given up by whoever heard that it is sent.
    if (this.#exchange !== exchange) return;
    if (body === undefined) socket.write(head, 'latin1');
    else {
      socket.cork();
      socket.write(head, 'latin1');
      socket.write(body, 'utf8');
      socket.uncork();
    }
  }

  /** Closes at once; the exchange it has hears no more. */
  destroy(): void {
    this.#exchange = undefined;
    this.#socket?.destroy();
  }

  #reader({ readBuffer }: Http1Target) {
    return {
      buffer: readBuffer,
      callback: (byteCount: number): boolean => {
        this.#received(readBuffer.subarray(0, byteCount));
        return true;
      },
    };
  }

  #received(chunk: Buffer): void {
    const exchange = this.#exchange;
    if (exchange === undefined) {
      // Nothing was asked: whatever this is, the connection is of no use any more.
      this.#socket?.destroy();
      return;
    }
    let readBytes: number;
    try {
      readBytes = this.#parser.push(chunk, exchange);
    } catch (error) {
      if (!(error instanceof Http1SyntaxError)) throw error;
      this.#socket?.destroy(error);
      return;
    }
    if (!this.#parser.isDone || this.#exchange !== exchange) return;
    this.#exchange = undefined;
    exchange.onReplyEnd();
    if (readBytes < chunk.length || !this.#parser.keepsAlive || this.isRetired) this.#socket?.destroy();
    else this.#owner.onFree(this);
  }

  #closed(): void {
    this.#cancelTimer?.();
    const exchange = this.#exchange;
    this.#exchange = undefined;
    this.#owner.onClosed(this, this.wasOpen ? undefined : (this.#error ?? closedEarly()));
    if (exchange === undefined) return;
    if (this.#error === undefined && this.#parser.endsWithConnection) exchange.onReplyEnd();
    else exchange.onBroken(this.#error ?? closedEarly());
  }
}

type Reader = NonNullable<TcpNetConnectOpts['onread']>;

function tcpOptions({ server }: Http1Target, onread: Reader): TcpNetConnectOpts {
  // Addresses of IPv6 stand in brackets in a URL.
  const host = server.hostname.replace(/^\[|\]$/g, '');
  return { host, port: Number(server.port || (server.protocol === 'https:' ? 443 : 80)), onread };
}

function tlsOptions(target: Http1Target, onread: Reader): ConnectionOptions {
  const { tlsServerName, insecureSkipTlsVerify, secureContext } = target;
  const tcp = tcpOptions(target, onread);
  const host = tcp.host ?? '';
  return {
    ...tcp,
    ALPNProtocols: ['http/1.1'],
    // No resumption: Go's clients do full handshakes too, and the server is to feel them.
    rejectUnauthorized: !insecureSkipTlsVerify,
    // An address is no server name; certificates are then held against the host.
    servername: tlsServerName ?? (isIP(host) === 0 ? host : ''),
    ...(secureContext === undefined ? {} : { secureContext }),
  };
}

function timedOut(text: string): Error {
  return Object.assign(new Error(text), { code: 'ETIMEDOUT' });
}

function closedEarly(): Error {
  return new Error('connection closed before the reply was whole');
}
