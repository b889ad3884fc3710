/**
 * A call and a watch on one HTTP/2 stream. Listeners are shared functions that find their call on the stream: there
 * are as many streams as watches in a fleet, and closures of their own would be most of what a watch costs.
 */
import type { ClientHttp2Stream, IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http2';
import { gunzip } from 'node:zlib';
import type { CancelTimer, Clock } from '../core/index.ts';
import { asTransportError, TransportError } from './api-error.ts';
import {
  type ApiReply,
  type ApiRequest,
  type CallHandle,
  type CallHandler,
  DEFAULT_REQUEST_TIMEOUT_MS,
  type WatchHandle,
  type WatchHandlers,
} from './connection.ts';
import type { Http2Session } from './http2-session.ts';
import { retryAfterMsOf } from './retry.ts';
import { type WatchCarrier, WatchIntake } from './watch-intake.ts';

/** What a stream needs of whoever sent it. */
export interface StreamOwner {
  readonly clock: Clock;
  /** A fresh object with the identity's headers, for one stream. */
  headers(method: string): OutgoingHttpHeaders;
  /** The credential was refused. */
  unauthorized(): void;
  /** The server refused the stream before it began: send it again elsewhere. */
  requeue(call: StreamCall): void;
  /** The call is over. */
  ended(call: StreamCall): void;
}

const RST_REFUSED_STREAM = 7;
const RST_CANCEL = 8;
/** A refused call is sent again on another connection at most this often. */
const MAX_REFUSED_COUNT = 3;

const callOf = Symbol('call');
const sessionOf = Symbol('session');
type CallStream = ClientHttp2Stream & { [callOf]?: StreamCall | undefined; [sessionOf]?: Http2Session };

/** A call that waits for, or is on, a stream. */
export abstract class StreamCall {
  readonly path: string;
  readonly method: string;
  readonly owner: StreamOwner;
  protected stream: CallStream | undefined;
  protected session: Http2Session | undefined;
  protected status = 0;
  /** The last byte is here: what happens to the stream afterwards changes nothing. */
  protected complete = false;
  #refusedCount = 0;

  constructor(owner: StreamOwner, method: string, path: string) {
    this.owner = owner;
    this.method = method;
    this.path = path;
  }

  abstract get isOver(): boolean;

  /** Ends the call as a broken connection would. */
  cut(error: TransportError): void {
    if (this.isOver) return;
    this.reset();
    this.fail(error);
  }

  /** Puts the call on a stream of `session`. @throws what node:http2 throws if the session cannot take it */
  abstract start(session: Http2Session): void;
  abstract fail(error: TransportError): void;
  /** Ends the call from this side. */
  abstract cancel(): void;
  abstract onHeaders(headers: IncomingHttpHeaders): void;
  abstract onData(chunk: Buffer): void;
  abstract onLastByte(): void;

  protected attach(session: Http2Session, headers: OutgoingHttpHeaders, body?: string): void {
    const stream: CallStream = session.openStream(headers, body === undefined);
    this.session = session;
    this.stream = stream;
    stream[callOf] = this;
    stream[sessionOf] = session;
    stream.on('response', onResponse);
    stream.on('data', onData);
    stream.on('end', onEnd);
    stream.on('error', onError);
    stream.on('close', onClose);
    if (body !== undefined) stream.end(body);
  }

  /** True while the call is on this stream, and not yet on another. */
  isOn(stream: ClientHttp2Stream): boolean {
    return this.stream === stream;
  }

  /** Ends the stream with RST_STREAM CANCEL if it is still open. */
  reset(): void {
    this.stream?.close(RST_CANCEL);
  }

  /** The stream closed before its end. */
  broke(error: unknown): void {
    if (this.isOver || this.complete) return;
    const refused = this.stream?.rstCode === RST_REFUSED_STREAM;
    if (refused && this.status === 0 && this.#refusedCount < MAX_REFUSED_COUNT) {
      this.#refusedCount++;
      this.stream = undefined;
      this.owner.requeue(this);
      return;
    }
    const what = `${this.method} ${this.path}`;
    // The session's own failure says more than the stream's, which is only that it was cancelled.
    const cause = this.session?.failure;
    if (cause !== undefined) {
      this.fail(new TransportError(cause.class, `${what} failed: ${cause.message}`, { cause, refused }));
      return;
    }
    if (error !== undefined) {
      this.fail(asTransportError(what, error));
      return;
    }
    const code = this.stream?.rstCode ?? 0;
    const why =
      code === 0 ? 'connection closed in mid-reply' : `stream reset by the server with code ${code}`;
    this.fail(new TransportError('connection', `${what} failed: ${why}`, { refused }));
  }
}

/** A request with one whole reply. */
export class UnaryCall extends StreamCall implements CallHandle {
  readonly #request: ApiRequest;
  readonly #handler: CallHandler;
  #cancelTimer: CancelTimer | undefined;
  #chunks: Buffer[] | undefined;
  #receivedBytes = 0;
  #sentUs = -1;
  #headers: IncomingHttpHeaders | undefined;
  isOver = false;

  constructor(owner: StreamOwner, request: ApiRequest, handler: CallHandler) {
    super(owner, request.method, request.path);
    this.#request = request;
    this.#handler = handler;
    const timeoutMs = request.timeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
    this.#cancelTimer = owner.clock.setTimer(() => this.#expire(timeoutMs), timeoutMs);
  }

  start(session: Http2Session): void {
    const { body, contentType } = this.#request;
    const headers = this.owner.headers(this.method);
    headers[':path'] = this.path;
    if (body !== undefined) headers['content-type'] = contentType ?? 'application/json';
    if (this.#request.headers !== undefined) Object.assign(headers, this.#request.headers);
    const nowUs = this.owner.clock.nowUs();
    this.attach(session, headers, body);
    if (this.#sentUs >= 0) return; // Sent before, and refused.
    this.#sentUs = nowUs;
    this.#handler.onSent();
  }

  onHeaders(headers: IncomingHttpHeaders): void {
    this.status = Number(headers[':status'] ?? 0);
    this.#headers = headers;
    if (this.status === 401) this.owner.unauthorized();
  }

  onData(chunk: Buffer): void {
    const beforeBytes = this.#receivedBytes;
    this.#receivedBytes += chunk.length;
    const { discardBody, keepHeadBytes = 0 } = this.#request;
    if (discardBody === true && this.status < 400 && beforeBytes >= keepHeadBytes) return;
    if (this.#chunks === undefined) this.#chunks = [chunk];
    else this.#chunks.push(chunk);
  }

  onLastByte(): void {
    if (this.isOver) return;
    const expectedBytes = this.#headers?.['content-length'];
    if (expectedBytes !== undefined && Number(expectedBytes) !== this.#receivedBytes) {
      // Node reports a reset with code NO_ERROR as an orderly end.
      const text = `${this.method} ${this.path} failed: ${this.#receivedBytes} bytes of ${expectedBytes} came`;
      this.fail(new TransportError('connection', text));
      return;
    }
    this.complete = true;
    const doneUs = this.owner.clock.nowUs();
    const whole = joinChunks(this.#chunks);
    if (whole !== undefined && this.#headers?.['content-encoding'] === 'gzip') {
      if (whole.length < this.#receivedBytes) {
        this.#reply('', doneUs);
        return;
      }
      gunzip(whole, (error, plain) => {
        if (error === null) this.#reply(plain.toString('utf8'), doneUs);
        else
          this.fail(new TransportError('protocol', `${this.method} ${this.path} failed: ${error.message}`));
      });
      return;
    }
    this.#reply(whole === undefined ? '' : whole.toString('utf8'), doneUs);
  }

  fail(error: TransportError): void {
    if (!this.#finish()) return;
    this.#handler.onFailure(error);
  }

  cancel(): void {
    if (this.isOver) return;
    this.reset();
    this.fail(new TransportError('cancelled', `${this.method} ${this.path} failed: cancelled`));
  }

  #expire(timeoutMs: number): void {
    if (this.isOver) return;
    this.reset();
    this.fail(
      new TransportError('timeout', `${this.method} ${this.path} failed: no whole reply in ${timeoutMs} ms`),
    );
  }

  #reply(body: string, doneUs: number): void {
    if (!this.#finish()) return;
    const headers = this.#headers ?? {};
    const retryAfterMs = retryAfterMsOf(headers['retry-after']);
    const flowSchemaUid = headers['x-kubernetes-pf-flowschema-uid'];
    const priorityLevelUid = headers['x-kubernetes-pf-prioritylevel-uid'];
    const reply: ApiReply = {
      status: this.status,
      body,
      receivedBytes: this.#receivedBytes,
      sentUs: this.#sentUs,
      doneUs,
    };
    if (retryAfterMs !== undefined) reply.retryAfterMs = retryAfterMs;
    if (typeof flowSchemaUid === 'string') reply.flowSchemaUid = flowSchemaUid;
    if (typeof priorityLevelUid === 'string') reply.priorityLevelUid = priorityLevelUid;
    this.#handler.onReply(reply);
  }

  #finish(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    this.#chunks = undefined;
    this.owner.ended(this);
    return true;
  }
}

/** A watch: frames until the stream ends. */
export class WatchCall extends StreamCall implements WatchHandle, WatchCarrier {
  readonly #intake: WatchIntake;

  constructor(owner: StreamOwner, path: string, handlers: WatchHandlers) {
    super(owner, 'GET', path);
    this.#intake = new WatchIntake(this, path, handlers);
  }

  get isOver(): boolean {
    return this.#intake.isOver;
  }

  start(session: Http2Session): void {
    const headers = this.owner.headers('GET');
    delete headers['accept-encoding'];
    headers[':path'] = this.path;
    this.attach(session, headers);
  }

  onHeaders(headers: IncomingHttpHeaders): void {
    this.status = Number(headers[':status'] ?? 0);
    if (this.status === 401) this.owner.unauthorized();
    this.#intake.onStatus(this.status, retryAfterMsOf(headers['retry-after']));
  }

  onData(chunk: Buffer): void {
    this.#intake.onData(chunk);
  }

  onLastByte(): void {
    this.#intake.onLastByte();
  }

  fail(error: TransportError): void {
    this.#intake.fail(error);
  }

  close(): void {
    this.#intake.cancel();
  }

  cancel(): void {
    this.#intake.cancel();
  }

  released(): void {
    this.owner.ended(this);
  }
}

function joinChunks(chunks: Buffer[] | undefined): Buffer | undefined {
  if (chunks === undefined) return undefined;
  return chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
}

function onResponse(this: CallStream, headers: IncomingHttpHeaders): void {
  const call = this[callOf];
  if (call !== undefined && !call.isOver) call.onHeaders(headers);
}

function onData(this: CallStream, chunk: Buffer): void {
  const call = this[callOf];
  if (call !== undefined && !call.isOver) call.onData(chunk);
}

function onEnd(this: CallStream): void {
  const call = this[callOf];
  if (call === undefined || call.isOver) return;
  // Node ends the readable side of a stream that was reset too: only code 0 is a whole reply.
  if ((this.rstCode ?? 0) === 0 && !this.aborted) call.onLastByte();
}

function onError(this: CallStream, error: Error): void {
  this[callOf]?.broke(error);
}

function onClose(this: CallStream): void {
  const call = this[callOf];
  this[callOf] = undefined;
  if (call?.isOn(this)) call.broke(undefined);
  this[sessionOf]?.release();
}
