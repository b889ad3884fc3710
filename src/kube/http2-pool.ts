/**
 * HTTP/2 sessions to one server under one credential, and who speaks over them. A pool opens a session when a call
 * finds no room, as Go's transport does, and gives out connections: one that owns the pool (`per-node`), or any number
 * of cheap views that differ only in whom they impersonate (`shared`).
 */
import type { OutgoingHttpHeaders } from 'node:http2';
import { type CancelTimer, type Clock, describeError } from '../core/index.ts';
import type { Impersonation } from './access.ts';
import { asTransportError, TransportError } from './api-error.ts';
import type { ConnectionStats, CuttableConnection } from './connection.ts';
import type { ClientIdentity } from './credentials.ts';
import type { StreamCall } from './http2-calls.ts';
import { Http2Connection } from './http2-connection.ts';
import {
  Http2Session,
  INITIAL_MAX_STREAM_COUNT,
  type SessionOwner,
  type SessionSettings,
} from './http2-session.ts';

export interface Http2PoolSettings extends SessionSettings {
  userAgent: string;
  /** Ask for gzip; recorded in the result, because it changes what the server does. */
  compression: boolean;
  /** Own limit of streams on a session, below the server's. */
  maxStreamsPerSession: number;
}

/**
 * Streams that a shared session carries: a stock API server allows 100, and a pool that uses them all waits at every
 * reopening of a watch. Source: k8s.io/apiserver pkg/server/secure_serving.go.
 */
export const SHARED_STREAMS_PER_SESSION = 90;

export class Http2Pool implements SessionOwner, AsyncDisposable {
  readonly clock: Clock;
  readonly identity: ClientIdentity;
  readonly settings: Http2PoolSettings;
  readonly #sessions: Http2Session[] = [];
  #waiting: StreamCall[] = [];
  /** As the server last said; until it has, what the protocol advises. A new session starts from it. */
  #serverMaxStreamCount = INITIAL_MAX_STREAM_COUNT;
  #connectCount = 0;
  #openedCount = 0;
  #retiredReceivedBytes = 0;
  #retiredSentBytes = 0;
  #closing: Promise<void> | undefined;
  #whenEmpty: (() => void) | undefined;

  constructor(settings: Http2PoolSettings, identity: ClientIdentity, clock: Clock) {
    this.settings = settings;
    this.identity = identity;
    this.clock = clock;
  }

  /** A connection that speaks as `impersonate`, or as the pool's credential; closing it leaves the pool open. */
  view(impersonate: Impersonation | undefined): CuttableConnection {
    return new Http2Connection(this, impersonate, false);
  }

  /** The only connection of this pool: closing it closes the pool. */
  soleView(impersonate: Impersonation | undefined): CuttableConnection {
    return new Http2Connection(this, impersonate, true);
  }

  /** Headers of every request under this pool's credential; a fresh object. */
  baseHeaders(): OutgoingHttpHeaders {
    const headers: OutgoingHttpHeaders = {
      accept: 'application/json',
      'user-agent': this.settings.userAgent,
    };
    if (this.settings.compression) headers['accept-encoding'] = 'gzip';
    return Object.assign(headers, this.identity.headers());
  }

  /** Sends a call as soon as a session has room. */
  submit(call: StreamCall): void {
    if (this.#closing !== undefined) {
      call.fail(new TransportError('cancelled', `${call.method} ${call.path} failed: connection is closed`));
    } else if (this.identity.renewalDue()) {
      this.identity.renew().then(
        () => this.#place(call),
        (error: unknown) => {
          const text = `${call.method} ${call.path} failed: credential not renewed: ${describeError(error)}`;
          call.fail(new TransportError('connection', text, { cause: error }));
        },
      );
    } else this.#place(call);
  }

  stats(): ConnectionStats {
    let openConnectionCount = 0;
    let openStreamCount = 0;
    let receivedBytes = this.#retiredReceivedBytes;
    let sentBytes = this.#retiredSentBytes;
    for (const session of this.#sessions) {
      if (session.state !== 'connecting') openConnectionCount++;
      openStreamCount += session.streamCount;
      receivedBytes += session.receivedBytes;
      sentBytes += session.sentBytes;
    }
    return {
      openConnectionCount,
      connectCount: this.#connectCount,
      reconnectCount: Math.max(0, this.#openedCount - 1),
      openStreamCount,
      receivedBytes,
      sentBytes,
    };
  }

  /** Lets calls in flight finish for `graceMs`, then cuts them. Idempotent. */
  close(graceMs = 0): Promise<void> {
    this.#closing ??= this.#close(graceMs);
    return this.#closing;
  }

  /** Destroys every session; what ran on them fails, and the next call opens a new one. */
  cut(): void {
    const error = new TransportError('connection', `connection to ${this.settings.server} failed: cut`);
    for (const session of [...this.#sessions]) session.destroy(error);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  sessionOpened(session: Http2Session): void {
    this.#openedCount++;
    this.#fill(session);
  }

  sessionLimited(maxStreamCount: number): void {
    this.#serverMaxStreamCount = Math.max(1, maxStreamCount);
  }

  sessionHasRoom(session: Http2Session): void {
    if (this.#waiting.length > 0) this.#fill(session);
  }

  sessionClosed(session: Http2Session, error: TransportError | undefined): void {
    const place = this.#sessions.indexOf(session);
    if (place !== -1) this.#sessions.splice(place, 1);
    this.#retiredReceivedBytes += session.receivedBytes;
    this.#retiredSentBytes += session.sentBytes;
    if (this.#sessions.length === 0) this.#whenEmpty?.();
    if (this.#waiting.length === 0) return;
    if (!session.wasOpen && !this.#sessions.some((other) => other.state === 'connecting')) {
      // Whoever waited for this connection learns why it failed; whether to try again is their decision.
      this.#failWaiting(
        error ?? new TransportError('connection', `connection to ${this.settings.server} failed`),
      );
    } else this.#connectForWaiting();
  }

  /** Sends a call again that the server refused before it began. */
  requeue(call: StreamCall): void {
    this.submit(call);
  }

  #place(call: StreamCall): void {
    if (call.isOver) return;
    for (const session of this.#sessions) {
      if (!this.#usable(session)) continue;
      this.#launch(call, session);
      return;
    }
    this.#waiting.push(call);
    this.#connectForWaiting();
  }

  #usable(session: Http2Session): boolean {
    if (!session.hasRoom(this.settings.maxStreamsPerSession)) return false;
    if (session.secureContext === this.identity.secureContext()) return true;
    // The client certificate was renewed: what runs finishes under the old one, new calls use the new one.
    session.retire();
    return false;
  }

  #launch(call: StreamCall, session: Http2Session): void {
    try {
      call.start(session);
    } catch (error) {
      // The session may have begun to close between its last event and now; then the call moves on.
      if (session.isGone()) {
        session.retire();
        this.submit(call);
      } else call.fail(asTransportError(`${call.method} ${call.path}`, error));
    }
  }

  #fill(session: Http2Session): void {
    while (this.#waiting.length > 0 && this.#usable(session)) {
      const call = this.#waiting.shift();
      if (call !== undefined && !call.isOver) this.#launch(call, session);
    }
    if (this.#waiting.length > 0) this.#connectForWaiting();
  }

  #connectForWaiting(): void {
    if (this.#closing !== undefined) return;
    this.#waiting = this.#waiting.filter((call) => !call.isOver);
    const connecting = this.#sessions.filter((session) => session.state === 'connecting').length;
    const missing =
      Math.ceil(
        this.#waiting.length / Math.min(this.settings.maxStreamsPerSession, this.#serverMaxStreamCount),
      ) - connecting;
    for (let i = 0; i < missing; i++) {
      this.#connectCount++;
      this.#sessions.push(
        new Http2Session(
          this.settings,
          this.identity.secureContext(),
          this,
          this.clock,
          this.#serverMaxStreamCount,
        ),
      );
    }
  }

  #failWaiting(cause: TransportError): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const call of waiting) {
      const text = `${call.method} ${call.path} failed: ${cause.message}`;
      call.fail(new TransportError(cause.class, text, { cause, refused: true }));
    }
  }

  async #close(graceMs: number): Promise<void> {
    // #closing is set by the caller once this returns its promise, so nothing before the first await may submit.
    await Promise.resolve();
    this.#failWaiting(new TransportError('cancelled', 'connection is closed'));
    if (this.#sessions.length === 0) return;
    const empty = new Promise<void>((resolve) => {
      this.#whenEmpty = resolve;
    });
    let cancelTimer: CancelTimer = () => {};
    const cut = () => {
      const error = new TransportError('cancelled', 'connection was closed by this side');
      for (const session of [...this.#sessions]) session.destroy(error);
    };
    if (graceMs > 0) {
      for (const session of [...this.#sessions]) session.retire();
      cancelTimer = this.clock.setTimer(cut, graceMs);
    } else cut();
    await empty;
    cancelTimer();
  }
}
