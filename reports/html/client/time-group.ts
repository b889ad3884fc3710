/** What all charts over time share: the window under the cursor and the part of the run that is shown. */
import type { ChartData } from '../chart-types.ts';

export interface TimeMember {
  /** Shows the cursor at a window, or nowhere. */
  setCursor(index: number | null): void;
  /** Shows the run between two instants, in seconds. */
  setRange(fromSeconds: number, toSeconds: number): void;
}

const ZOOM_FACTOR = 0.6;

export class TimeGroup {
  /** Middle of each window, in seconds. */
  readonly seconds: number[];
  readonly startSeconds: number;
  readonly endSeconds: number;
  #members: TimeMember[] = [];
  #index: number | null = null;
  #range: [number, number];
  #busy = false;

  constructor(data: ChartData) {
    this.seconds = data.startMs.map((startMs, i) => (startMs + (data.endMs[i] ?? startMs)) / 2_000);
    this.startSeconds =
      Math.min(...data.startMs, ...data.marks.map((mark) => mark.startMs), Number.MAX_SAFE_INTEGER) / 1_000;
    this.endSeconds = Math.max(...data.endMs, ...data.marks.map((mark) => mark.endMs), 1) / 1_000;
    if (this.startSeconds > this.endSeconds) this.startSeconds = 0;
    this.#range = [this.startSeconds, this.endSeconds];
  }

  get range(): readonly [number, number] {
    return this.#range;
  }

  get index(): number | null {
    return this.#index;
  }

  /** Takes a chart in; the returned function takes it out again. */
  join(member: TimeMember): () => void {
    this.#members.push(member);
    return () => {
      this.#members = this.#members.filter((other) => other !== member);
    };
  }

  /** Moves the cursor of every chart but `from`. */
  point(index: number | null, from: TimeMember | undefined): void {
    if (this.#busy || index === this.#index) return;
    this.#index = index;
    this.#tell(from, (member) => member.setCursor(index));
  }

  /** Shows a part of the run in every chart. */
  zoom(fromSeconds: number, toSeconds: number): void {
    if (this.#busy || toSeconds - fromSeconds < 0.001) return;
    this.#range = [Math.max(this.startSeconds, fromSeconds), Math.min(this.endSeconds, toSeconds)];
    this.apply();
  }

  reset(): void {
    this.#range = [this.startSeconds, this.endSeconds];
    this.apply();
  }

  /** Brings every member to the range and the cursor in force. */
  apply(): void {
    this.#tell(undefined, (member) => member.setRange(...this.#range));
  }

  /** Arrow keys move the cursor, plus and minus zoom around it, escape shows the whole run. */
  onKey(event: KeyboardEvent): void {
    const last = this.seconds.length - 1;
    const at = this.#index ?? -1;
    const step = event.shiftKey ? 10 : 1;
    switch (event.key) {
      case 'ArrowRight':
        this.point(Math.min(last, at + step), undefined);
        break;
      case 'ArrowLeft':
        this.point(Math.max(0, (this.#index ?? last + 1) - step), undefined);
        break;
      case 'Home':
        this.point(0, undefined);
        break;
      case 'End':
        this.point(last, undefined);
        break;
      case '+':
      case '=':
        this.#scale(ZOOM_FACTOR);
        break;
      case '-':
        this.#scale(1 / ZOOM_FACTOR);
        break;
      case 'Escape':
        this.reset();
        break;
      default:
        return;
    }
    event.preventDefault();
  }

  #scale(factor: number): void {
    const [from, to] = this.#range;
    const centre = this.#index === null ? (from + to) / 2 : (this.seconds[this.#index] ?? (from + to) / 2);
    this.zoom(centre - (centre - from) * factor, centre + (to - centre) * factor);
  }

  // A chart that is told to move tells that it has moved: the flag ends the echo.
  #tell(from: TimeMember | undefined, tell: (member: TimeMember) => void): void {
    this.#busy = true;
    try {
      for (const member of this.#members) if (member !== from) tell(member);
    } finally {
      this.#busy = false;
    }
  }
}
