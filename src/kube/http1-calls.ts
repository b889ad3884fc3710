/**
 * A call and a watch over HTTP/1.1, as their connection sees them. Bodies come as views of a buffer that is read into
 * again: what is kept of one is copied, and most are only counted.
 */
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
import type { ReplyHead } from './http1-parser.ts';
import type { Http1Exchange, Http1Socket } from './http1-socket.ts';
import { retryAfterMsOf } from './retry.ts';
import { type WatchCarrier, WatchIntake } from './watch-intake.ts';

/** What a call needs of the pool that sent it. */
export interface Http1Owner {
  readonly clock: Clock;
  ended(call: Http1Call | Http1Watch): void;
  received(byteCount: number): void;
  sent(byteCount: number): void;
  unauthorized(): void;
}

/** A request with one whole reply. */
export class Http1Call implements CallHandle, Http1Exchange {
  readonly request: ApiRequest;
  readonly #owner: Http1Owner;
  readonly #handler: CallHandler;
  readonly #cancelTimer: CancelTimer;
  #socket: Http1Socket | undefined;
  #chunks: Buffer[] | undefined;
  #head: ReplyHead | undefined;
  #receivedBytes = 0;
  #sentUs = -1;
  isOver = false;

  constructor(owner: Http1Owner, request: ApiRequest, handler: CallHandler) {
    this.#owner = owner;
    this.request = request;
    this.#handler = handler;
    const timeoutMs = request.timeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
    this.#cancelTimer = owner.clock.setTimer(() => {
      this.#giveUp(new TransportError('timeout', `${this.what} failed: no whole reply in ${timeoutMs} ms`));
    }, timeoutMs);
  }

  get what(): string {
    return `${this.request.method} ${this.request.path}`;
  }

  onSent(socket: Http1Socket): void {
    this.#socket = socket;
    this.#sentUs = this.#owner.clock.nowUs();
    this.#owner.sent(this.request.body?.length ?? 0);
    this.#handler.onSent();
  }

  onHead(head: ReplyHead): void {
    this.#head = head;
    if (head.status === 401) this.#owner.unauthorized();
  }

  onBody(chunk: Buffer): void {
    const beforeBytes = this.#receivedBytes;
    this.#receivedBytes += chunk.length;
    const { discardBody, keepHeadBytes = 0 } = this.request;
    if (discardBody === true && (this.#head?.status ?? 0) < 400 && beforeBytes >= keepHeadBytes) return;
    const copy = Buffer.from(chunk);
    if (this.#chunks === undefined) this.#chunks = [copy];
    else this.#chunks.push(copy);
  }

  onReplyEnd(): void {
    const head = this.#head;
    if (this.isOver || head === undefined) return;
    const doneUs = this.#owner.clock.nowUs();
    this.#owner.received(this.#receivedBytes);
    const chunks = this.#chunks;
    const whole = chunks === undefined ? undefined : chunks.length === 1 ? chunks[0] : Buffer.concat(chunks);
    if (whole === undefined || (head.isGzip && whole.length < this.#receivedBytes))
      this.#reply('', doneUs, head);
    else if (head.isGzip) {
      gunzip(whole, (error, plain) => {
        if (error === null) this.#reply(plain.toString('utf8'), doneUs, head);
        else this.fail(new TransportError('protocol', `${this.what} failed: ${error.message}`));
      });
    } else this.#reply(whole.toString('utf8'), doneUs, head);
  }

  onBroken(error: Error): void {
    this.fail(asTransportError(this.what, error));
  }

  fail(error: TransportError): void {
    if (this.#finish()) this.#handler.onFailure(error);
  }

  cancel(): void {
    this.#giveUp(new TransportError('cancelled', `${this.what} failed: cancelled`));
  }

  #giveUp(error: TransportError): void {
    if (this.isOver) return;
    // HTTP/1.1 cannot end a request but with its connection.
    this.#socket?.destroy();
    this.fail(error);
  }

  #reply(body: string, doneUs: number, head: ReplyHead): void {
    if (!this.#finish()) return;
    const reply: ApiReply = {
      status: head.status,
      body,
      receivedBytes: this.#receivedBytes,
      sentUs: this.#sentUs,
      doneUs,
    };
    const retryAfterMs = retryAfterMsOf(head.retryAfter);
    if (retryAfterMs !== undefined) reply.retryAfterMs = retryAfterMs;
    if (head.flowSchemaUid !== undefined) reply.flowSchemaUid = head.flowSchemaUid;
    if (head.priorityLevelUid !== undefined) reply.priorityLevelUid = head.priorityLevelUid;
    this.#handler.onReply(reply);
  }

  #finish(): boolean {
    if (this.isOver) return false;
    this.isOver = true;
    this.#cancelTimer();
    this.#chunks = undefined;
    this.#socket = undefined;
    this.#owner.ended(this);
    return true;
  }
}

/** A watch: a connection of its own, for as long as it lasts. */
export class Http1Watch implements WatchHandle, WatchCarrier, Http1Exchange {
  readonly request: ApiRequest;
  readonly #owner: Http1Owner;
  readonly #intake: WatchIntake;
  #socket: Http1Socket | undefined;

  constructor(owner: Http1Owner, path: string, handlers: WatchHandlers) {
    this.#owner = owner;
    this.request = { method: 'GET', path };
    this.#intake = new WatchIntake(this, path, handlers);
  }

  get what(): string {
    return this.#intake.what;
  }

  get isOver(): boolean {
    return this.#intake.isOver;
  }

  onSent(socket: Http1Socket): void {
    this.#socket = socket;
  }

  onHead({ status, retryAfter }: ReplyHead): void {
    if (status === 401) this.#owner.unauthorized();
    this.#intake.onStatus(status, retryAfterMsOf(retryAfter));
  }

  onBody(chunk: Buffer): void {
    this.#owner.received(chunk.length);
    // A frame that goes on in the next chunk is kept until then.
    this.#intake.onData(Buffer.from(chunk));
  }

  onReplyEnd(): void {
    this.#intake.onLastByte();
  }

  onBroken(error: Error): void {
    this.fail(asTransportError(this.what, error));
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

  reset(): void {
    this.#socket?.destroy();
  }

  released(): void {
    this.#owner.ended(this);
  }
}
