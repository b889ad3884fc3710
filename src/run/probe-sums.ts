/** What the probes found, by phase: counts and histograms are added, in the order in which phases came. */
import type { ProbeWindow } from '../../loadgen/index.ts';
import { LatencyHistogram, type PathAvailability, type PhaseProbes, type ReadBack } from '../result/index.ts';

type PropagationWindow = NonNullable<ProbeWindow['propagation']>;

export class ProbeSums {
  readonly #phases = new Map<string, PhaseSums>();

  add(windows: readonly ProbeWindow[]): void {
    for (const window of windows) {
      const sums = this.#phases.get(window.phase) ?? new PhaseSums();
      this.#phases.set(window.phase, sums);
      sums.add(window);
    }
  }

  /** Of the run so far; undefined where there were no probes. */
  summary(): PhaseProbes[] | undefined {
    if (this.#phases.size === 0) return undefined;
    return [...this.#phases].map(([phase, sums]) => sums.toResult(phase));
  }
}

class PhaseSums {
  readonly #availability = new Map<string, PathAvailability>();
  readonly #readBack = new Map<string, ReadBack>();
  readonly #slip = new LatencyHistogram();
  #propagation: PropagationSums | undefined;

  add({ availability, propagation, readYourWrite, slip }: ProbeWindow): void {
    this.#slip.add(LatencyHistogram.fromWire(slip));
    for (const window of availability) {
      const sum = this.#availability.get(window.path) ?? { ...window, goodCount: 0, badCount: 0 };
      sum.goodCount += window.goodCount;
      sum.badCount += window.badCount;
      // Already of the whole phase.
      sum.outageCount = window.outageCount;
      sum.longestOutageUs = window.longestOutageUs;
      this.#availability.set(window.path, sum);
    }
    for (const window of readYourWrite) {
      const key = `${window.path}/${window.verb}`;
      const sum = this.#readBack.get(key) ?? { ...window, readCount: 0, staleCount: 0, failedCount: 0 };
      sum.readCount += window.readCount;
      sum.staleCount += window.staleCount;
      sum.failedCount += window.failedCount;
      this.#readBack.set(key, sum);
    }
    if (propagation === undefined) return;
    this.#propagation ??= new PropagationSums();
    this.#propagation.add(propagation);
  }

  toResult(phase: string): PhaseProbes {
    return {
      phase,
      availability: [...this.#availability.values()].map((sum) => ({ ...sum })),
      ...(this.#propagation === undefined ? {} : { propagation: this.#propagation.toResult() }),
      readYourWrite: [...this.#readBack.values()].map((sum) => ({ ...sum })),
      slip: this.#slip.distribution(),
    };
  }
}

class PropagationSums {
  readonly #first = new LatencyHistogram();
  readonly #last = new LatencyHistogram();
  readonly #spread = new LatencyHistogram();
  readonly #counts = {
    watcherCount: 0,
    writeCount: 0,
    failedCount: 0,
    completeCount: 0,
    incompleteCount: 0,
    unseenCount: 0,
    reconnectCount: 0,
  };

  add({ first, last, spread, ...counts }: PropagationWindow): void {
    this.#first.add(LatencyHistogram.fromWire(first));
    this.#last.add(LatencyHistogram.fromWire(last));
    this.#spread.add(LatencyHistogram.fromWire(spread));
    const sums = this.#counts;
    sums.watcherCount = Math.max(sums.watcherCount, counts.watcherCount);
    sums.writeCount += counts.writeCount;
    sums.failedCount += counts.failedCount;
    sums.completeCount += counts.completeCount;
    sums.incompleteCount += counts.incompleteCount;
    sums.unseenCount += counts.unseenCount;
    sums.reconnectCount += counts.reconnectCount;
  }

  toResult() {
    return {
      ...this.#counts,
      first: this.#first.distribution(),
      last: this.#last.distribution(),
      spread: this.#spread.distribution(),
    };
  }
}
