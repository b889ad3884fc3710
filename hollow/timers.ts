/**
 * Timers for thousands of nodes on one timer of the machine: a binary heap ordered by due time. Arming and cancelling
 * allocate nothing, a timer belongs to whoever is woken and carries only a number saying what for.
 */
import type { CancelTimer, Clock } from '../src/core/index.ts';

/** Whoever is woken. */
export interface TimerTarget {
  /** `kind` is what the timer was made with; `dueUs` is when it should have fired. */
  onTimer(kind: number, dueUs: number): void;
}

/** One timer; armed at most once at a time. */
export class Timer {
  readonly target: TimerTarget;
  readonly kind: number;
  dueUs = Number.POSITIVE_INFINITY;
  /** Place in the heap, -1 while not armed; the heap's own. */
  place = -1;

  constructor(target: TimerTarget, kind: number) {
    this.target = target;
    this.kind = kind;
  }
}

/** Longest time spent firing timers before the event loop gets a turn. */
const MAX_BURST_US = 20_000;

export class Timers {
  readonly #clock: Clock;
  readonly #onError: (error: unknown) => void;
  readonly #heap: Timer[] = [];
  #cancel: CancelTimer | undefined;
  #armedUs = Number.POSITIVE_INFINITY;
  #stopped = false;

  /** `onError` is told of what a target throws; the other timers go on. */
  constructor(clock: Clock, onError: (error: unknown) => void) {
    this.#clock = clock;
    this.#onError = onError;
  }

  /** Timers that are armed. */
  get count(): number {
    return this.#heap.length;
  }

  /** Fires `timer` at monotonic instant `dueUs`, instead of whenever it was due before; Infinity cancels. */
  arm(timer: Timer, dueUs: number): void {
    if (this.#stopped || dueUs === Number.POSITIVE_INFINITY) {
      this.cancel(timer);
      return;
    }
    timer.dueUs = dueUs;
    if (timer.place === -1) {
      timer.place = this.#heap.length;
      this.#heap.push(timer);
    }
    this.#up(timer.place);
    this.#down(timer.place);
    this.#wakeAt(this.#heap[0]?.dueUs ?? Number.POSITIVE_INFINITY);
  }

  cancel(timer: Timer): void {
    const { place } = timer;
    timer.dueUs = Number.POSITIVE_INFINITY;
    if (place === -1) return;
    timer.place = -1;
    const last = this.#heap.pop();
    if (last === undefined || last === timer) return;
    this.#heap[place] = last;
    last.place = place;
    this.#up(place);
    this.#down(last.place);
  }

  /** Fires nothing more. */
  stop(): void {
    this.#stopped = true;
    this.#cancel?.();
    this.#cancel = undefined;
    for (const timer of this.#heap) timer.place = -1;
    this.#heap.length = 0;
  }

  #wakeAt(dueUs: number): void {
    if (dueUs >= this.#armedUs) return;
    this.#cancel?.();
    this.#armedUs = dueUs;
    const delayMs =
      dueUs === Number.POSITIVE_INFINITY ? 0 : Math.max(0, (dueUs - this.#clock.nowUs()) / 1_000);
    this.#cancel = this.#clock.setTimer(() => this.#fire(), delayMs);
  }

  #fire(): void {
    this.#cancel = undefined;
    this.#armedUs = Number.POSITIVE_INFINITY;
    const startUs = this.#clock.nowUs();
    for (let nowUs = startUs; nowUs - startUs < MAX_BURST_US; nowUs = this.#clock.nowUs()) {
      const timer = this.#heap[0];
      if (timer === undefined || timer.dueUs > nowUs) break;
      const { dueUs } = timer;
      this.cancel(timer);
      try {
        timer.target.onTimer(timer.kind, dueUs);
      } catch (error) {
        this.#onError(error);
      }
    }
    const next = this.#heap[0];
    if (next !== undefined && !this.#stopped) this.#wakeAt(next.dueUs);
  }

  #up(start: number): void {
    const heap = this.#heap;
    const timer = heap[start];
    if (timer === undefined) return;
    let place = start;
    while (place > 0) {
      const parentPlace = (place - 1) >> 1;
      const parent = heap[parentPlace];
      if (parent === undefined || parent.dueUs <= timer.dueUs) break;
      heap[place] = parent;
      parent.place = place;
      place = parentPlace;
    }
    heap[place] = timer;
    timer.place = place;
  }

  #down(start: number): void {
    const heap = this.#heap;
    const timer = heap[start];
    if (timer === undefined) return;
    let place = start;
    for (;;) {
      let childPlace = 2 * place + 1;
      let child = heap[childPlace];
      if (child === undefined) break;
      const right = heap[childPlace + 1];
      if (right !== undefined && right.dueUs < child.dueUs) {
        child = right;
        childPlace++;
      }
      if (child.dueUs >= timer.dueUs) break;
      heap[place] = child;
      child.place = place;
      place = childPlace;
    }
    heap[place] = timer;
    timer.place = place;
  }
}
