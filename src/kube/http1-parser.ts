/**
 * Replies of HTTP/1.1, read from bytes as they come. Only the headers that a client of the API server acts on are
 * looked at; bodies are passed on as views of the bytes they came in. One reply at a time: nothing is pipelined.
 *
 *   head ─▶ length ─▶ done
 *     │──▶ chunk-size ─▶ chunk ─▶ chunk-end ─▶ chunk-size ... ─▶ trailer ─▶ done
 *     └──▶ until-close                                  (done when the connection ends)
 */

/** What a reply's head says. */
export interface ReplyHead {
  status: number;
  /** Content-Encoding is gzip. */
  isGzip: boolean;
  retryAfter: string | undefined;
  flowSchemaUid: string | undefined;
  priorityLevelUid: string | undefined;
}

export interface ReplySink {
  onHead(head: ReplyHead): void;
  /** A part of the body; the buffer is only valid during the call. */
  onBody(chunk: Buffer): void;
}

/** Bytes that are no reply of HTTP/1.1. */
export class Http1SyntaxError extends Error {
  override readonly name = 'Http1SyntaxError';
}

type ParserState =
  | 'head'
  | 'length'
  | 'chunk-size'
  | 'chunk-extension'
  | 'chunk'
  | 'chunk-end'
  | 'trailer'
  | 'until-close'
  | 'done';

const HEAD_END = Buffer.from('\r\n\r\n');
/** Go's server writes at most 1 MiB; the API server's heads are below 1 KB. */
const MAX_HEAD_BYTES = 64 * 1024;
const CARRIAGE_RETURN = 0x0d;
const LINE_FEED = 0x0a;
/** 16^8: a chunk of 4 GiB. */
const MAX_SIZE_DIGITS = 8;

export class Http1Parser {
  #state: ParserState = 'head';
  #pendingHead = '';
  #leftBytes = 0;
  #sizeDigits = 0;
  #lineBytes = 0;
  #keepsAlive = true;

  /** The reply is whole. */
  get isDone(): boolean {
    return this.#state === 'done';
  }

  /** True where the reply is whole as soon as the connection ends. */
  get endsWithConnection(): boolean {
    return this.#state === 'until-close';
  }

  /** The connection can take another request after this reply. */
  get keepsAlive(): boolean {
    return this.#keepsAlive;
  }

  /** Makes ready for the next reply. */
  reset(): void {
    this.#state = 'head';
    this.#pendingHead = '';
    this.#keepsAlive = true;
  }

  /**
   * Reads on, and returns how many bytes of `chunk` belong to the reply: all, unless it is done.
   * @throws Http1SyntaxError
   */
  push(chunk: Buffer, sink: ReplySink): number {
    let at = 0;
    while (at < chunk.length && this.#state !== 'done') {
      switch (this.#state) {
        case 'head':
          at = this.#readHead(chunk, at, sink);
          break;
        case 'length':
        case 'chunk':
          at = this.#readCounted(chunk, at, sink);
          break;
        case 'until-close':
          sink.onBody(at === 0 ? chunk : chunk.subarray(at));
          at = chunk.length;
          break;
        default:
          this.#readFraming(chunk[at++] ?? 0);
      }
    }
    return at;
  }

  #readHead(chunk: Buffer, from: number, sink: ReplySink): number {
    const pending = this.#pendingHead;
    let end = pending === '' ? chunk.indexOf(HEAD_END, from) : -1;
    let text: string;
    if (end !== -1) text = chunk.toString('latin1', from, end);
    else {
      const all = pending + chunk.toString('latin1', from, Math.min(chunk.length, from + MAX_HEAD_BYTES));
      const place = all.indexOf('\r\n\r\n', Math.max(0, pending.length - 3));
      if (place === -1) {
        if (all.length >= MAX_HEAD_BYTES)
          throw new Http1SyntaxError(`head of a reply over ${MAX_HEAD_BYTES} bytes`);
        if (!all.startsWith('HTTP/1.'.slice(0, all.length))) throw noReply(all);
        this.#pendingHead = all;
        return chunk.length;
      }
      text = all.slice(0, place);
      end = from + place - pending.length;
    }
    this.#pendingHead = '';
    this.#applyHead(text, sink);
    return end + HEAD_END.length;
  }

  #applyHead(text: string, sink: ReplySink): void {
    const status = statusOf(text);
    if (status < 200) {
      // Interim replies; nobody here asks for another protocol.
      if (status === 101) throw new Http1SyntaxError('the server switched protocols unasked');
      return;
    }
    const head: ReplyHead = {
      status,
      isGzip: false,
      retryAfter: undefined,
      flowSchemaUid: undefined,
      priorityLevelUid: undefined,
    };
    this.#leftBytes = -1;
    this.#keepsAlive = text.charCodeAt(7) === 0x31; // HTTP/1.1
    let isChunked = false;
    for (let start = text.indexOf('\r\n') + 2; start > 1 && start < text.length; ) {
      const found = text.indexOf('\r\n', start);
      const end = found === -1 ? text.length : found;
      const colon = text.indexOf(':', start);
      if (colon === -1 || colon >= end || colon === start)
        throw new Http1SyntaxError(`no header: "${text.slice(start, Math.min(end, start + 60))}"`);
      // Told apart by length before anything is compared: most headers are never looked at.
      switch (colon - start) {
        case 10:
          if (isNamed(text, start, 'connection'))
            this.#keepsAlive = headerValue(text, colon, end).toLowerCase() !== 'close';
          break;
        case 11:
          if (isNamed(text, start, 'retry-after')) head.retryAfter = headerValue(text, colon, end);
          break;
        case 14:
          if (isNamed(text, start, 'content-length'))
            this.#leftBytes = lengthOf(headerValue(text, colon, end));
          break;
        case 16:
          if (isNamed(text, start, 'content-encoding'))
            head.isGzip = headerValue(text, colon, end) === 'gzip';
          break;
        case 17:
          if (isNamed(text, start, 'transfer-encoding'))
            isChunked = headerValue(text, colon, end).toLowerCase() === 'chunked';
          break;
        case 30:
          if (isNamed(text, start, 'x-kubernetes-pf-flowschema-uid'))
            head.flowSchemaUid = headerValue(text, colon, end);
          break;
        case 33:
          if (isNamed(text, start, 'x-kubernetes-pf-prioritylevel-uid'))
            head.priorityLevelUid = headerValue(text, colon, end);
          break;
      }
      start = end + 2;
    }
    if (status === 204 || status === 304 || (this.#leftBytes === 0 && !isChunked)) this.#state = 'done';
    else if (isChunked) this.#beginChunk();
    else if (this.#leftBytes > 0) this.#state = 'length';
    else {
      this.#state = 'until-close';
      this.#keepsAlive = false;
    }
    sink.onHead(head);
  }

  /** Bytes of a body or of a chunk, of which it is known how many there are. */
  #readCounted(chunk: Buffer, from: number, sink: ReplySink): number {
    const end = Math.min(chunk.length, from + this.#leftBytes);
    this.#leftBytes -= end - from;
    if (this.#leftBytes === 0) {
      this.#state = this.#state === 'length' ? 'done' : 'chunk-end';
      this.#lineBytes = 0;
    }
    sink.onBody(from === 0 && end === chunk.length ? chunk : chunk.subarray(from, end));
    return end;
  }

  #beginChunk(): void {
    this.#state = 'chunk-size';
    this.#leftBytes = 0;
    this.#sizeDigits = 0;
  }

  /** One byte between chunks: their sizes, and trailers, which are skipped. */
  #readFraming(byte: number): void {
    switch (this.#state) {
      case 'chunk-size': {
        const digit = hexDigit(byte);
        if (digit === -1) {
          if (this.#sizeDigits === 0) throw new Http1SyntaxError('a chunk without a size');
          this.#state = 'chunk-extension';
          this.#readFraming(byte);
        } else if (++this.#sizeDigits > MAX_SIZE_DIGITS) throw new Http1SyntaxError('a chunk over 4 GiB');
        else this.#leftBytes = this.#leftBytes * 16 + digit;
        break;
      }
      case 'chunk-extension':
        if (byte !== LINE_FEED) break;
        this.#state = this.#leftBytes === 0 ? 'trailer' : 'chunk';
        this.#lineBytes = 0;
        break;
      case 'chunk-end':
        if (byte === LINE_FEED) this.#beginChunk();
        else if (byte !== CARRIAGE_RETURN) throw new Http1SyntaxError('a chunk longer than its size');
        break;
      default: // trailer
        if (byte === LINE_FEED) {
          if (this.#lineBytes === 0) this.#state = 'done';
          this.#lineBytes = 0;
        } else if (byte !== CARRIAGE_RETURN) this.#lineBytes++;
    }
  }
}

function statusOf(head: string): number {
  const isReply = head.startsWith('HTTP/1.') && head.charCodeAt(8) === 0x20;
  const status = isReply ? Number(head.slice(9, 12)) : Number.NaN;
  if (!(status >= 100 && status <= 999)) throw noReply(head);
  return status;
}

function noReply(text: string): Http1SyntaxError {
  return new Http1SyntaxError(`no reply of HTTP/1.1: ${JSON.stringify(text.slice(0, 60))}`);
}

function isNamed(text: string, start: number, name: string): boolean {
  return text.slice(start, start + name.length).toLowerCase() === name;
}

function headerValue(text: string, colon: number, end: number): string {
  return text.slice(colon + 1, end).trim();
}

function lengthOf(value: string): number {
  if (!/^\d{1,15}$/.test(value)) throw new Http1SyntaxError(`content-length "${value.slice(0, 40)}"`);
  return Number(value);
}

function hexDigit(byte: number): number {
  if (byte >= 0x30 && byte <= 0x39) return byte - 0x30;
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}
