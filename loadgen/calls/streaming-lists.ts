/**
 * Streaming lists as calls: a watch that begins with the objects that exist, read up to the bookmark that ends them and
 * closed there, as a client does that only wants the list. Over HTTP/2, where closing costs a stream and not a connection.
 */
import type { Clock } from '../../src/core/index.ts';
import {
  ApiError,
  type ApiRequest,
  type CallDispatcher,
  type CallHandle,
  type CallHandler,
  type Connection,
  DEFAULT_REQUEST_TIMEOUT_MS,
  frameFacts,
  frameType,
  TransportError,
} from '../../src/kube/index.ts';

export class StreamingLists implements CallDispatcher {
  readonly #connections: readonly Connection[];
  readonly #clock: Clock;
  #turn = 0;

  /** Calls take the connections in turn. */
  constructor(connections: readonly Connection[], clock: Clock) {
    this.#connections = connections;
    this.#clock = clock;
  }

  dispatch(request: ApiRequest, handler: CallHandler): CallHandle {
    const connection = this.#connections[this.#turn++ % this.#connections.length];
    if (connection === undefined) throw new RangeError('streaming lists need a connection');
    return new StreamingList(connection, request, handler, this.#clock);
  }
}

class StreamingList implements CallHandle {
  readonly #handler: CallHandler;
  readonly #what: string;
  readonly #cancelTimer: () => void;
  readonly #close: () => void;
  #receivedBytes = 0;
  #over = false;

  constructor(connection: Connection, request: ApiRequest, handler: CallHandler, clock: Clock) {
    const timeoutMs = request.timeoutMs ?? DEFAULT_REQUEST_TIMEOUT_MS;
    this.#handler = handler;
    this.#what = `GET ${request.path}`;
    this.#cancelTimer = clock.setTimer(
      () => this.#fail('timeout', `not whole in ${timeoutMs} ms`),
      timeoutMs,
    );
    const sentUs = clock.nowUs();
    const watch = connection.watch(request.path, {
      onFrame: (frame) => {
        this.#receivedBytes += frame.length + 1;
        const type = frameType(frame);
        if (type === 'ERROR') this.#fail('protocol', frame.toString('utf8', 0, 500));
        else if (type === 'BOOKMARK' && frameFacts(frame).initialEventsEnd) {
          const doneUs = clock.nowUs();
          const receivedBytes = this.#receivedBytes;
          if (this.#finish()) handler.onReply({ status: 200, body: '', receivedBytes, sentUs, doneUs });
        }
      },
      onEnd: (error) => this.#ended(error),
    });
    this.#close = () => watch.close();
    handler.onSent();
  }

  cancel(): void {
    this.#fail('cancelled', 'cancelled');
  }

  #ended(error: Error | undefined): void {
    if (error instanceof ApiError) {
      if (!this.#finish()) return;
      const { status, retryAfterMs, statusMessage } = error;
      this.#handler.onReply({
        status,
        body: statusMessage,
        receivedBytes: this.#receivedBytes,
        ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
      });
    } else if (error === undefined) this.#fail('protocol', 'ended before its initial events did');
    else if (!(error instanceof TransportError)) this.#fail('protocol', error.message);
    else if (this.#finish()) this.#handler.onFailure(error);
  }

  #fail(errorClass: TransportError['class'], why: string): void {
    if (!this.#finish()) return;
    this.#handler.onFailure(new TransportError(errorClass, `${this.#what} failed: ${why}`));
  }

  #finish(): boolean {
    if (this.#over) return false;
    this.#over = true;
    this.#cancelTimer();
    // The handle comes back from watch(): an end within it must not ask for it yet.
    queueMicrotask(() => this.#close());
    return true;
  }
}
