/**
 * A call and a watch over HTTP/1.1 in undici's handler form. undici 7 takes handlers with raw header buffers, which
 * spares an object per reply; version 8 drops that form.
 */
import { gunzip } from 'node:zlib';
import type { Dispatcher } from 'undici';
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
import { retryAfterMsOf } from './retry.ts';
import { type WatchCarrier, WatchIntake } from './watch-intake.ts';

type Abort = (reason?: Error) => void;

/** What a call needs of the pool that sent it. */
export interface Http1Owner {
  readonly clock: Clock;
  ended(call: Http1Call | Http1Watch): void;
  received(byteCount: number): void;
  sent(byteCount: number): void;
  unauthorized(): void;
}

/** A call in undici's handler form. */
export class Http1Call implements CallHandle {
  readonly #owner: Http1Owner;
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

  constructor(owner: Http1Owner, request: ApiRequest, handler: CallHandler) {
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
    const beforeBytes = this.#receivedBytes;
    this.#receivedBytes += chunk.length;
    const { discardBody, keepHeadBytes = 0 } = this.#request;
    if (discardBody !== true || this.#status >= 400 || beforeBytes < keepHeadBytes) {
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
    if (whole !== undefined && whole.length < this.#receivedBytes && facts.gzip)
      this.#reply('', doneUs, facts);
    else if (whole !== undefined && facts.gzip) {
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
export class Http1Watch implements WatchHandle, WatchCarrier {
  readonly #owner: Http1Owner;
  readonly #path: string;
  readonly #intake: WatchIntake;
  #abort: Abort | undefined;

  constructor(owner: Http1Owner, path: string, handlers: WatchHandlers) {
    this.#owner = owner;
    this.#path = path;
    this.#intake = new WatchIntake(this, path, handlers);
  }

  get what(): string {
    return this.#intake.what;
  }

  get isOver(): boolean {
    return this.#intake.isOver;
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
    if (status === 401) this.#owner.unauthorized();
    this.#intake.onStatus(status, headerFacts(rawHeaders).retryAfterMs);
    return true;
  }

  onData(chunk: Buffer): boolean {
    this.#owner.received(chunk.length);
    this.#intake.onData(chunk);
    return true;
  }

  onComplete(): void {
    this.#intake.onLastByte();
  }

  onError(error: Error): void {
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
    this.#abort?.();
  }

  released(): void {
    this.#owner.ended(this);
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
