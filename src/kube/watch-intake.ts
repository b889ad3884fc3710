/**
 * The receiving side of a watch, the same over HTTP/1.1 and HTTP/2: frames until the stream ends, and then exactly one
 * onEnd, whoever ends it: the server, the network, or this side.
 */
import { ApiError, statusFacts, TransportError } from './api-error.ts';
import type { WatchHandlers } from './connection.ts';
import { type FrameSink, FrameSplitter } from './watch-frames.ts';

/** What a watch goes over: one HTTP/2 stream, or one HTTP/1.1 connection. */
export interface WatchCarrier {
  /** The watch is over: called once, before its handlers hear of it. */
  released(): void;
  /** Ends the stream from this side; what comes of it is not listened to any more. */
  reset(): void;
}

/** A refused watch's body is an error page or a Status: more than this is not worth keeping. */
const MAX_ERROR_BODY_BYTES = 64 * 1024;

export class WatchIntake implements FrameSink {
  readonly #carrier: WatchCarrier;
  readonly #path: string;
  readonly #handlers: WatchHandlers;
  #splitter: FrameSplitter | undefined;
  #status = 0;
  #retryAfterMs: number | undefined;
  #errorBody = '';
  isOver = false;

  constructor(carrier: WatchCarrier, path: string, handlers: WatchHandlers) {
    this.#carrier = carrier;
    this.#path = path;
    this.#handlers = handlers;
  }

  /** For messages. */
  get what(): string {
    return `GET ${this.#path}`;
  }

  /** The reply's head is here. */
  onStatus(status: number, retryAfterMs: number | undefined): void {
    if (this.isOver) return;
    this.#status = status;
    this.#retryAfterMs = retryAfterMs;
    this.#handlers.onOpen?.(status);
  }

  onData(chunk: Buffer): void {
    if (this.isOver) return;
    if (this.#status === 200) {
      this.#splitter ??= new FrameSplitter();
      this.#splitter.push(chunk, this);
    } else if (this.#errorBody.length < MAX_ERROR_BODY_BYTES) this.#errorBody += chunk.toString('utf8');
  }

  /** Called by the splitter. */
  onFrame(frame: Buffer): void {
    // A handler may have closed the watch at an earlier frame of the same chunk.
    if (!this.isOver) this.#handlers.onFrame(frame);
  }

  /** The stream ended in good order: the server's timeout, or the end of a refusal's body. */
  onLastByte(): void {
    if (this.isOver) return;
    if (this.#status === 200) {
      const partial = this.#splitter?.isPartial === true;
      this.#end(
        partial
          ? new TransportError('connection', `${this.what} failed: watch ended inside a frame`)
          : undefined,
      );
      return;
    }
    const facts = statusFacts({
      status: this.#status,
      body: this.#errorBody,
      ...(this.#retryAfterMs === undefined ? {} : { retryAfterMs: this.#retryAfterMs }),
    });
    this.#end(new ApiError({ verb: 'watch', subject: this.#path }, facts));
  }

  /** The transport failed. */
  fail(error: TransportError): void {
    if (!this.isOver) this.#end(error);
  }

  /** This side has had enough. */
  cancel(): void {
    if (this.isOver) return;
    // Over before the carrier is told: what its end brings about is not heard any more.
    this.isOver = true;
    this.#carrier.reset();
    this.#end(new TransportError('cancelled', `${this.what} failed: cancelled`));
  }

  #end(error: Error | undefined): void {
    this.isOver = true;
    this.#splitter = undefined;
    this.#carrier.released();
    this.#handlers.onEnd(error);
  }
}
