/** What was done to the cluster and its nodes during the run, kept as it happens: a run that breaks off has it too. */
import type { RunMark } from '../result/index.ts';

/** Begun, and ended once. */
export interface OpenMark {
  /** `atUs` is a monotonic instant. */
  end(atUs: number): void;
}

export class MarkLedger {
  readonly #marks: RunMark[] = [];
  readonly #sinceStartMs: (atUs: number) => number;

  constructor(sinceStartMs: (atUs: number) => number) {
    this.#sinceStartMs = sinceStartMs;
  }

  /** Something begins at monotonic instant `atUs`. */
  begin(mark: Pick<RunMark, 'kind' | 'text' | 'phase' | 'nodeCount'>, atUs: number): OpenMark {
    const entry: RunMark = { ...mark, atMs: this.#sinceStartMs(atUs) };
    this.#marks.push(entry);
    return {
      end: (endUs) => {
        entry.endMs ??= this.#sinceStartMs(endUs);
      },
    };
  }

  /** As the result has it: in order, absent where there is nothing. */
  recorded(): { marks?: RunMark[] } {
    if (this.#marks.length === 0) return {};
    return { marks: [...this.#marks].sort((a, b) => a.atMs - b.atMs) };
  }
}
