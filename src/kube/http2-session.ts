/**
 * One HTTP/2 session to the API server: connects, says when it is usable, watches over its silence with PINGs, and
 * drains after GOAWAY while a successor takes the new calls. It is kept lean, because a fleet has thousands.
 *
 *   connecting ──connected──▶ open ──GOAWAY, retire()──▶ draining ──last stream ends──▶ closed
 *       └────── error, deadline, PING unanswered: from any state ──────────────────────▶ closed
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  type OutgoingHttpHeaders,
} from 'node:http2';
import { connect as connectTcp, isIP, type Socket } from 'node:net';
import { connect as connectTls, type SecureContext } from 'node:tls';
import type { Clock } from '../core/index.ts';
import { asTransportError, TransportError } from './api-error.ts';
import { pingSweeper } from './ping-sweeper.ts';

/** How a session behaves on the wire. */
export interface SessionSettings {
  /** Base URL of the server. */
  server: string;
  /** Name expected in the server's certificate instead of the URL's host. */
  tlsServerName: string | undefined;
  insecureSkipTlsVerify: boolean;
  /** Receive window of a stream and of the connection. */
  streamWindowBytes: number;
  connectionWindowBytes: number;
  /** Silence after which a PING goes out, and how long it may stay unanswered. */
  pingIdleMs: number;
  pingTimeoutMs: number;
  connectTimeoutMs: number;
}

/**
 * What Go's HTTP/2 client does, so that the server sees the same: 4 MiB windows per stream, PING after 30 s of silence
 * and 15 s for its answer, 30 s to connect.
 * Source: k8s.io/apimachinery util/net/http.go (ReadIdleTimeout, PingTimeout), golang.org/x/net/http2 transport.go.
 */
export const DEFAULT_SESSION_SETTINGS = {
  streamWindowBytes: 4 * 1024 * 1024,
  connectionWindowBytes: 64 * 1024 * 1024,
  pingIdleMs: 30_000,
  pingTimeoutMs: 15_000,
  connectTimeoutMs: 30_000,
} as const;

/** Streams that a server allows on a connection until its SETTINGS are here. Source: RFC 9113 §6.5.2 advises >= 100. */
export const INITIAL_MAX_STREAM_COUNT = 100;
const KEEP_ALIVE_MS = 30_000;
const NO_ERROR = 0;

/** Told of the life of a session. */
export interface SessionOwner {
  sessionOpened(session: Http2Session): void;
  /** The server said how many streams it allows on a connection. */
  sessionLimited(maxStreamCount: number): void;
  /** A stream ended and there is room for another, or the server raised its limit. */
  sessionHasRoom(session: Http2Session): void;
  /** No more streams: `error` is why it never opened or broke, undefined for an orderly end. */
  sessionClosed(session: Http2Session, error: TransportError | undefined): void;
}

export class Http2Session {
  state: 'connecting' | 'open' | 'draining' | 'closed' = 'connecting';
  /** True once it has been usable. */
  wasOpen = false;
  /** Streams that count against the server's limit. */
  streamCount = 0;
  readonly secureContext: SecureContext | undefined;
  readonly #settings: SessionSettings;
  readonly #owner: SessionOwner;
  readonly #clock: Clock;
  readonly #session: ClientHttp2Session;
  readonly #socket: Socket;
  #maxStreamCount: number;
  /** Instant of the last sign of life, or of the start while connecting. */
  #aliveUs: number;
  #seenBytes = 0;
  #pingSentUs = 0;
  #failure: TransportError | undefined;

  constructor(
    settings: SessionSettings,
    secureContext: SecureContext | undefined,
    owner: SessionOwner,
    clock: Clock,
    maxStreamCount: number,
  ) {
    this.#settings = settings;
    this.#owner = owner;
    this.#clock = clock;
    this.secureContext = secureContext;
    this.#maxStreamCount = maxStreamCount;
    this.#aliveUs = clock.nowUs();
    const socket = openSocket(settings, secureContext);
    this.#socket = socket;
    const session = connect(settings.server, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: settings.streamWindowBytes },
      // Megabytes; Node's own limit of 10 would refuse streams in the middle of a big LIST.
      maxSessionMemory: 1_000,
    });
    this.#session = session;
    session.on('connect', () => this.#opened());
    session.on('remoteSettings', (remote) => {
      this.#maxStreamCount = remote.maxConcurrentStreams ?? INITIAL_MAX_STREAM_COUNT;
      this.#owner.sessionLimited(this.#maxStreamCount);
      if (this.hasRoom(Number.POSITIVE_INFINITY)) this.#owner.sessionHasRoom(this);
    });
    session.on('goaway', (code) => this.#goaway(code));
    session.on('error', (error) => {
      this.#failure ??= asTransportError(`connection to ${settings.server}`, error);
    });
    session.on('close', () => this.#closed());
    pingSweeper(clock).add(this);
  }

  /** True if another stream fits, with at most `ownLimit` of them. */
  hasRoom(ownLimit: number): boolean {
    return this.state === 'open' && this.streamCount < Math.min(ownLimit, this.#maxStreamCount);
  }

  /** True if node has given the session up, though its close event is yet to come. */
  isGone(): boolean {
    return this.state !== 'open' || this.#session.closed || this.#session.destroyed;
  }

  /** Opens a stream; the caller has checked hasRoom and calls release() once when it is over. */
  openStream(headers: OutgoingHttpHeaders, endStream: boolean): ClientHttp2Stream {
    // Said either way: left to itself, node:http2 ends the stream of every DELETE, and a DELETE may carry options.
    const stream = this.#session.request(headers, { endStream });
    this.streamCount++;
    return stream;
  }

  /** A stream is over. */
  release(): void {
    this.streamCount--;
    if (this.state === 'open') this.#owner.sessionHasRoom(this);
  }

  /** Takes no new streams; ends when the last one does. */
  retire(): void {
    if (this.state === 'closed' || this.state === 'draining') return;
    this.state = 'draining';
    this.#session.close();
  }

  /** Cuts the connection; its streams fail with `error`. */
  destroy(error: TransportError | undefined): void {
    if (this.state === 'closed') return;
    this.#failure ??= error;
    // At once, not when the close event comes: no new stream may be put on it in between.
    this.state = 'draining';
    this.#session.destroy(error);
  }

  /** Why the session broke; undefined while it is well or if it ended in order. */
  get failure(): TransportError | undefined {
    return this.#failure;
  }

  get receivedBytes(): number {
    return this.#socket.bytesRead;
  }

  get sentBytes(): number {
    return this.#socket.bytesWritten;
  }

  /** Called by the sweeper about once a second. */
  sweep(nowUs: number): void {
    // A destroyed session drains its streams for a moment; a ping on it would throw out of the sweeper's timer.
    if (this.state === 'closed' || this.#session.destroyed) return;
    if (this.state === 'connecting') {
      if (nowUs - this.#aliveUs >= this.#settings.connectTimeoutMs * 1_000) this.#giveUp('connect timed out');
      return;
    }
    const receivedBytes = this.#socket.bytesRead;
    if (receivedBytes !== this.#seenBytes) {
      this.#seenBytes = receivedBytes;
      this.#aliveUs = nowUs;
      this.#pingSentUs = 0;
    } else if (this.#pingSentUs > 0) {
      if (nowUs - this.#pingSentUs >= this.#settings.pingTimeoutMs * 1_000) this.#giveUp('ping unanswered');
    } else if (nowUs - this.#aliveUs >= this.#settings.pingIdleMs * 1_000) {
      this.#pingSentUs = nowUs;
      // The answer shows in bytesRead at a later sweep: no callback has to be kept per ping.
      this.#session.ping(ignorePing);
    }
  }

  #giveUp(why: string): void {
    this.destroy(new TransportError('timeout', `connection to ${this.#settings.server} failed: ${why}`));
  }

  #opened(): void {
    if (this.state !== 'connecting') return;
    this.state = 'open';
    this.wasOpen = true;
    this.#aliveUs = this.#clock.nowUs();
    this.#session.setLocalWindowSize(this.#settings.connectionWindowBytes);
    this.#owner.sessionOpened(this);
  }

  #goaway(code: number): void {
    if (this.state === 'closed') return;
    if (code !== NO_ERROR) {
      this.#failure ??= new TransportError(
        'connection',
        `connection to ${this.#settings.server} failed: GOAWAY with code ${code}`,
      );
    }
    // Node closes the session itself, gracefully for NO_ERROR; what matters here is to take no new streams.
    this.state = 'draining';
  }

  #closed(): void {
    if (this.state === 'closed') return;
    const opening = !this.wasOpen;
    this.state = 'closed';
    pingSweeper(this.#clock).remove(this);
    if (opening) {
      this.#failure ??= new TransportError(
        'connection',
        `connection to ${this.#settings.server} failed: closed while connecting`,
      );
    }
    this.#owner.sessionClosed(this, this.#failure);
  }
}

function ignorePing(): void {
  // Nothing to do: see sweep().
}

function openSocket(settings: SessionSettings, secureContext: SecureContext | undefined): Socket {
  const url = new URL(settings.server);
  const host = url.hostname.replace(/^\[|\]$/g, '');
  const port = Number(url.port || (url.protocol === 'https:' ? 443 : 80));
  const expected = settings.tlsServerName ?? host;
  const socket =
    url.protocol === 'https:'
      ? connectTls({
          host,
          port,
          ALPNProtocols: ['h2'],
          rejectUnauthorized: !settings.insecureSkipTlsVerify,
          // The name is checked against the certificate by `servername`; an IP address must not be sent as SNI.
          ...(isIP(expected) === 0 ? { servername: expected } : {}),
          ...(secureContext === undefined ? {} : { secureContext }),
        })
      : connectTcp({ host, port });
  socket.setNoDelay(true);
  socket.setKeepAlive(true, KEEP_ALIVE_MS);
  return socket;
}
