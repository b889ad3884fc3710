/**
 * What a client of the API server can do: send a request and read the whole reply, or hold a watch. Implemented over
 * node:http2 sessions (nodes, and anything general) and over a pool of HTTP/1.1 connections (measured load). Nothing here
 * parses bodies: callers decide, because on the measured paths bytes are counted and not parsed.
 */

import type { TransportError } from './api-error.ts';

export type HttpMethod = 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface ApiRequest {
  method: HttpMethod;
  /** Path with query, from the root: `/api/v1/nodes/n1/status?timeout=10s`. */
  path: string;
  /** Serialized body. */
  body?: string;
  /** @default application/json; patches name theirs */
  contentType?: string;
  /** Extra headers, lower case: impersonation of this call, or Accept. */
  headers?: Readonly<Record<string, string>>;
  /** Client-side deadline, from the call to the last byte, waiting for a connection included. @default 60_000 */
  timeoutMs?: number;
  /** Count the reply's body and drop it: `body` is empty. For LISTs of measured load. Kept for statuses >= 400. */
  discardBody?: boolean;
  /**
   * With discardBody: keep this many bytes of the reply's head, and what the chunk that reaches them holds, as `body`. For
   * the metadata in front of a list; nothing of a compressed reply is kept.
   */
  keepHeadBytes?: number;
}

export const DEFAULT_REQUEST_TIMEOUT_MS = 60_000;

export interface ApiReply {
  /** HTTP status, whatever it is: only transport failures reject. */
  status: number;
  /** Body as text, after decompression. */
  body: string;
  /** Bytes of the body on the wire before decompression where known, else after. */
  receivedBytes: number;
  /** Retry-After in milliseconds, where the server sent one. */
  retryAfterMs?: number;
  /** Priority & Fairness placement, from X-Kubernetes-PF-* headers. */
  flowSchemaUid?: string;
  priorityLevelUid?: string;
  /** When the request went to an open connection, and when the last byte was here: Clock.nowUs() instants. Set by every transport of this folder. */
  sentUs?: number;
  doneUs?: number;
}

/**
 * The lean form of a call for hot paths: no promise, no closures. The caller makes one object per call (or reuses
 * its own records) and is told of three things. `onSent` comes at most once; then exactly one of the other two.
 */
export interface CallHandler {
  /** The request is being handed to an open connection: the instant to stamp. */
  onSent(): void;
  /** The last byte is here, whatever the status. */
  onReply(reply: ApiReply): void;
  /** No reply: connection, deadline, protocol or cancellation. */
  onFailure(error: TransportError): void;
}

/** Ends a call early; its handler gets a `cancelled` failure. Does nothing once the call is over. */
export interface CallHandle {
  cancel(): void;
}

/** Connections that take calls in the lean form; every transport of this folder does. */
export interface CallDispatcher {
  dispatch(request: ApiRequest, handler: CallHandler): CallHandle;
}

/** Frames of one watch; calls come in order and never after onEnd. */
export interface WatchHandlers {
  /** Headers are here; anything but 200 is followed by onEnd with an ApiError of the reply's Status. */
  onOpen?(status: number): void;
  /** One event: a line of JSON without its newline. The buffer is only valid during the call. */
  onFrame(frame: Buffer): void;
  /** The stream is over: undefined for a clean end by the server (its timeout), else ApiError or TransportError. Called exactly once. */
  onEnd(error: Error | undefined): void;
}

export interface WatchHandle {
  /** Cancels; onEnd is still called once. */
  close(): void;
}

/** One client identity over one connection, or over a pool of them. */
export interface ApiConnection extends AsyncDisposable {
  /**
   * Sends and reads whole.
   * @throws TransportError on connection failure, reset, deadline or abort; never for an HTTP status
   */
  request(request: ApiRequest, signal?: AbortSignal): Promise<ApiReply>;
  /** Opens a watch; failures to open arrive in onEnd. */
  watch(path: string, handlers: WatchHandlers): WatchHandle;
  /** Open connections, requests and watches in flight, and how often it had to connect again. */
  stats(): ConnectionStats;
  /** Lets what is in flight finish for `graceMs`, then cuts it. Idempotent. */
  close(graceMs?: number): Promise<void>;
}

export interface ConnectionStats {
  openConnectionCount: number;
  connectCount: number;
  reconnectCount: number;
  openStreamCount: number;
  receivedBytes: number;
  sentBytes: number;
}

/** What the factories of connect.ts give out. */
export type Connection = ApiConnection & CallDispatcher;

/** A connection whose network can be pulled. */
export interface CuttableConnection extends Connection {
  /**
   * Cuts what is open, as a lost network would: calls and watches fail with class `connection`, and the next call
   * connects anew. Of a view of a shared pool only its own streams are cut.
   */
  cut(): void;
}
