/**
 * What a client of the API server can do: send a request and read the whole reply, or hold a watch. Implemented over
 * node:http2 sessions (nodes, and anything general) and over undici's HTTP/1.1 pool (measured load). Nothing here
 * parses bodies: callers decide, because on the measured paths bytes are counted and not parsed.
 */

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
  /** Client-side deadline, from sending to last byte. @default 60_000 */
  timeoutMs?: number;
}

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
}

/** Frames of one watch; calls come in order and never after onEnd. */
export interface WatchHandlers {
  /** Headers are here; anything but 200 is followed by onEnd with the reply's body in the error. */
  onOpen?(status: number): void;
  /** One event: a line of JSON without its newline. The buffer is only valid during the call. */
  onFrame(frame: Buffer): void;
  /** The stream is over: undefined for a clean end by the server (its timeout), else why. Called exactly once. */
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
