/**
 * A server with known answers on the virtual clock: so many connections, a service time per call and stalls in which
 * nothing is answered. Calls that find every connection busy wait for one, as in a connection pool.
 */
import type { Clock } from '../../src/core/index.ts';
import {
  type ApiReply,
  type ApiRequest,
  type CallDispatcher,
  type CallHandle,
  type CallHandler,
  TransportError,
} from '../../src/kube/index.ts';

export interface ScriptedAnswer {
  /** From sending to the last byte. */
  serviceMs: number;
  /** @default 200 */
  status?: number;
  body?: string;
  retryAfterMs?: number;
  /** No reply but this. */
  failure?: TransportError['class'];
}

export interface SeenCall {
  request: ApiRequest;
  sentUs: number;
}

export class ScriptedDispatcher implements CallDispatcher {
  readonly seen: SeenCall[] = [];
  readonly #clock: Clock;
  readonly #connectionCount: number;
  readonly #answer: (request: ApiRequest, number: number) => ScriptedAnswer;
  readonly #waiting: (() => void)[] = [];
  #busyCount = 0;
  #number = 0;
  #stall = { fromUs: 0, untilUs: 0 };

  constructor(
    clock: Clock,
    connectionCount: number,
    answer: (request: ApiRequest, number: number) => ScriptedAnswer,
  ) {
    this.#clock = clock;
    this.#connectionCount = connectionCount;
    this.#answer = answer;
  }

  /** Nothing is answered in this span: what is sent in it begins to be served at its end. */
  stall(fromMs: number, lengthMs: number): void {
    this.#stall = { fromUs: fromMs * 1_000, untilUs: (fromMs + lengthMs) * 1_000 };
  }

  dispatch(request: ApiRequest, handler: CallHandler): CallHandle {
    let over = false;
    let release = () => {};
    let cancelTimer = () => {};
    const run = () => {
      if (over) return;
      this.#busyCount++;
      release = () => {
        this.#busyCount--;
        this.#waiting.shift()?.();
      };
      const sentUs = this.#clock.nowUs();
      handler.onSent();
      this.seen.push({ request, sentUs });
      const answer = this.#answer(request, this.#number++);
      const { fromUs, untilUs } = this.#stall;
      const stalledMs = sentUs >= fromUs && sentUs < untilUs ? (untilUs - sentUs) / 1_000 : 0;
      cancelTimer = this.#clock.setTimer(() => {
        if (over) return;
        over = true;
        if (answer.failure === undefined) handler.onReply(replyOf(answer, sentUs, this.#clock.nowUs()));
        else handler.onFailure(new TransportError(answer.failure, `${request.path} failed: scripted`));
        release();
      }, answer.serviceMs + stalledMs);
    };
    if (this.#busyCount < this.#connectionCount) run();
    else this.#waiting.push(run);
    return {
      cancel: () => {
        if (over) return;
        over = true;
        cancelTimer();
        handler.onFailure(new TransportError('cancelled', `${request.path} failed: cancelled`));
        release();
      },
    };
  }
}

function replyOf(answer: ScriptedAnswer, sentUs: number, doneUs: number): ApiReply {
  const body = answer.body ?? '';
  return {
    status: answer.status ?? 200,
    body,
    receivedBytes: Buffer.byteLength(body),
    sentUs,
    doneUs,
    ...(answer.retryAfterMs === undefined ? {} : { retryAfterMs: answer.retryAfterMs }),
  };
}
