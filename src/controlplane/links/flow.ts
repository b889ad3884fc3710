/**
 * One direction of one connection: bytes from a source to a destination, under the rule of their link. Chunks leave in
 * the order they came. While a rule drops, they wait, and so do the end and the breaking of the connection: nothing of
 * what a sender does gets through a network that drops its packets. The sender is paused once a window's worth waits.
 */
import type { Socket } from 'node:net';
import type { CancelTimer, Clock } from '../../core/index.ts';
import type { LinkRule } from '../levers/levers.ts';

/** As much as a sender gets rid of without an answer: the size of a TCP window. */
const WINDOW_BYTES = 1024 * 1024;
/** First retransmission time-out of a connection with a short round trip. Source: Linux TCP_RTO_MIN. */
export const RETRANSMISSION_MS = 200;

/** A directed pair of members: the rule for its bytes, and what flows. */
export class Link {
  readonly from: string;
  readonly to: string;
  readonly flows = new Set<Flow>();
  carriedBytes = 0;
  /** Until when earlier bytes occupy a throttled link. */
  busyUntilUs = 0;
  #rule: LinkRule = {};

  constructor(from: string, to: string) {
    this.from = from;
    this.to = to;
  }

  get rule(): LinkRule {
    return this.#rule;
  }

  set(rule: LinkRule): void {
    this.#rule = rule;
    this.busyUntilUs = 0;
    for (const flow of [...this.flows]) flow.ruleChanged();
  }
}

type Item = { dueUs: number } & ({ kind: 'bytes'; chunk: Buffer } | { kind: 'end' } | { kind: 'reset' });

export class Flow {
  readonly #link: Link;
  readonly #source: Socket;
  readonly #destination: Socket;
  readonly #parts: { clock: Clock; random: () => number };
  readonly #queue: Item[] = [];
  #waitingBytes = 0;
  #blocked = false;
  #cancelTimer: CancelTimer | undefined;

  constructor(
    link: Link,
    sockets: { source: Socket; destination: Socket },
    parts: { clock: Clock; random: () => number },
  ) {
    this.#link = link;
    this.#source = sockets.source;
    this.#destination = sockets.destination;
    this.#parts = parts;
    link.flows.add(this);
    const { source, destination } = sockets;
    source.on('data', (chunk: Buffer) =>
      this.#take({ kind: 'bytes', chunk, dueUs: this.#dueUs(chunk.length) }),
    );
    source.on('end', () => this.#take({ kind: 'end', dueUs: this.#dueUs(0) }));
    source.on('error', () => this.#take({ kind: 'reset', dueUs: this.#dueUs(0) }));
    source.on('close', () => {
      if (this.#queue.length === 0) link.flows.delete(this);
    });
    destination.on('drain', () => {
      this.#blocked = false;
      this.#send();
    });
    destination.on('close', () => {
      this.#queue.length = 0;
      this.#cancelTimer?.();
      link.flows.delete(this);
    });
  }

  ruleChanged(): void {
    if (this.#link.rule.cut === 'reset') {
      this.#source.resetAndDestroy();
      this.#destination.resetAndDestroy();
      return;
    }
    // What waited for a rule that is gone goes at once; TCP would send it again at its next retransmission.
    const nowUs = this.#parts.clock.nowUs();
    for (const item of this.#queue) item.dueUs = Math.min(item.dueUs, nowUs);
    this.#send();
  }

  #take(item: Item): void {
    this.#queue.push(item);
    if (item.kind === 'bytes') this.#waitingBytes += item.chunk.length;
    this.#send();
    if (this.#waitingBytes >= WINDOW_BYTES) this.#source.pause();
  }

  /** Sends what is due, unless the link drops or the destination is full. */
  #send(): void {
    this.#cancelTimer?.();
    this.#cancelTimer = undefined;
    while (!this.#blocked && this.#link.rule.cut === undefined) {
      const head = this.#queue[0];
      if (head === undefined) break;
      const waitUs = head.dueUs - this.#parts.clock.nowUs();
      if (waitUs > 0) {
        this.#cancelTimer = this.#parts.clock.setTimer(() => this.#send(), Math.ceil(waitUs / 1_000));
        break;
      }
      this.#queue.shift();
      this.#deliver(head);
    }
    if (this.#waitingBytes < WINDOW_BYTES && this.#source.isPaused()) this.#source.resume();
  }

  #deliver(item: Item): void {
    if (item.kind === 'end') this.#destination.end();
    else if (item.kind === 'reset') this.#destination.resetAndDestroy();
    else {
      this.#waitingBytes -= item.chunk.length;
      this.#link.carriedBytes += item.chunk.length;
      this.#blocked = !this.#destination.write(item.chunk);
    }
  }

  #dueUs(sizeBytes: number): number {
    const nowUs = this.#parts.clock.nowUs();
    const { delayMs = 0, lossRatio = 0, throttleBytesPerSecond } = this.#link.rule;
    const lossMs = lossRatio > 0 && this.#parts.random() < lossRatio ? RETRANSMISSION_MS : 0;
    let leavesUs = nowUs;
    if (throttleBytesPerSecond !== undefined) {
      leavesUs = Math.max(nowUs, this.#link.busyUntilUs) + (sizeBytes / throttleBytesPerSecond) * 1e6;
      this.#link.busyUntilUs = leavesUs;
    }
    const dueUs = leavesUs + (delayMs + lossMs) * 1_000;
    // A stream keeps its order: what was lost holds up what follows.
    return Math.max(dueUs, this.#queue.at(-1)?.dueUs ?? 0);
  }
}
