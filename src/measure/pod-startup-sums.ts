/**
 * What finished pods add up to, per phase of the suite and kind of pod: counts by outcome, a histogram per startup
 * phase, the slowest pods by name, 5-minute windows, and the difference of the clocks.
 */
import {
  LatencyHistogram,
  type LimitWindow,
  type PodKind,
  type PodOutcome,
  type PodRecord,
  type PodStartup,
  type PodStartupPhase,
  SLO_WINDOW_MS,
} from '../result/index.ts';

/** Slowest pods that are kept by name. */
export const SLOWEST_LIMIT = 20;

/** A pod whose story is over. */
export interface FinishedPod {
  record: PodRecord;
  /** Since the start of the run. */
  startMs: number;
  /** Start to Running seen, microseconds; undefined if it never was. */
  startupUs: number | undefined;
  /** Durations that are known, microseconds. */
  durationsUs: Partial<Record<PodStartupPhase, number>>;
  serverClockDifferenceMs: number | undefined;
}

export class PodStartupSums {
  readonly #phase: string;
  readonly #kind: PodKind;
  readonly #limitUs: number;
  readonly #counts: Record<PodOutcome, number> = { started: 0, 'never-started': 0, censored: 0 };
  readonly #histograms = new Map<PodStartupPhase, LatencyHistogram>();
  readonly #windows = new Map<number, LimitWindow>();
  readonly #slowest: FinishedPod[] = [];
  /** Counts by whole milliseconds: the differences are few, as stamps have a grain of 1 s. */
  readonly #clockDifferences = new Map<number, number>();

  constructor(phase: string, kind: PodKind, limitUs: number) {
    this.#phase = phase;
    this.#kind = kind;
    this.#limitUs = limitUs;
  }

  add(pod: FinishedPod): void {
    const { outcome } = pod.record;
    this.#counts[outcome]++;
    for (const [phase, us] of Object.entries(pod.durationsUs) as [PodStartupPhase, number][]) {
      this.#histogram(phase).record(us);
    }
    if (pod.serverClockDifferenceMs !== undefined) {
      const ms = Math.round(pod.serverClockDifferenceMs);
      this.#clockDifferences.set(ms, (this.#clockDifferences.get(ms) ?? 0) + 1);
    }
    if (outcome === 'censored') return;
    this.#addToWindow(pod);
    this.#addToSlowest(pod);
  }

  /** The same sums, to which pods can be added that are not to stay. */
  copy(): PodStartupSums {
    const copy = new PodStartupSums(this.#phase, this.#kind, this.#limitUs);
    Object.assign(copy.#counts, this.#counts);
    for (const [phase, histogram] of this.#histograms) copy.#histogram(phase).add(histogram);
    for (const [startMs, window] of this.#windows) copy.#windows.set(startMs, { ...window });
    for (const [ms, times] of this.#clockDifferences) copy.#clockDifferences.set(ms, times);
    copy.#slowest.push(...this.#slowest);
    return copy;
  }

  /** `endMs`: how far the run got; 5-minute windows that reach beyond it are left out. */
  toPodStartup(endMs: number): PodStartup {
    const { started, 'never-started': neverStarted, censored } = this.#counts;
    const windows = [...this.#windows.values()].filter(({ startMs }) => startMs + SLO_WINDOW_MS <= endMs);
    const difference = this.#clockDifference();
    return {
      kind: this.#kind,
      phase: this.#phase,
      createdCount: started + neverStarted + censored,
      startedCount: started,
      neverStartedCount: neverStarted,
      censoredCount: censored,
      phases: Object.fromEntries(
        [...this.#histograms].map(([phase, histogram]) => [phase, histogram.distribution()]),
      ),
      slowest: this.#slowest.map(({ record: { phase, kind, outcome, ...timeline } }) => timeline),
      ...(difference === undefined ? {} : { serverClockDifferenceMs: difference }),
      ...(windows.length > 0 ? { windows: windows.sort((a, b) => a.startMs - b.startMs) } : {}),
    };
  }

  #histogram(phase: PodStartupPhase): LatencyHistogram {
    let histogram = this.#histograms.get(phase);
    if (histogram === undefined) {
      histogram = new LatencyHistogram();
      this.#histograms.set(phase, histogram);
    }
    return histogram;
  }

  #addToWindow({ startMs: podStartMs, startupUs }: FinishedPod): void {
    const startMs = Math.floor(podStartMs / SLO_WINDOW_MS) * SLO_WINDOW_MS;
    const window = this.#windows.get(startMs) ?? { startMs, count: 0, overLimitCount: 0 };
    window.count++;
    if (startupUs === undefined || startupUs > this.#limitUs) window.overLimitCount++;
    this.#windows.set(startMs, window);
  }

  #addToSlowest(pod: FinishedPod): void {
    const slowness = slownessOf(pod);
    const last = this.#slowest.at(-1);
    if (this.#slowest.length === SLOWEST_LIMIT && last !== undefined && slownessOf(last) >= slowness) return;
    const place = this.#slowest.findIndex((other) => slownessOf(other) < slowness);
    this.#slowest.splice(place === -1 ? this.#slowest.length : place, 0, pod);
    this.#slowest.length = Math.min(this.#slowest.length, SLOWEST_LIMIT);
  }

  #clockDifference(): PodStartup['serverClockDifferenceMs'] {
    const sorted = [...this.#clockDifferences].sort(([a], [b]) => a - b);
    const count = sorted.reduce((sum, [, times]) => sum + times, 0);
    const first = sorted[0];
    const last = sorted.at(-1);
    if (first === undefined || last === undefined) return undefined;
    let seen = 0;
    const median = sorted.find(([, times]) => {
      seen += times;
      return seen * 2 >= count;
    });
    return { count, minMs: first[0], medianMs: (median ?? last)[0], maxMs: last[0] };
  }
}

// A pod that never started is slower than any that did.
function slownessOf({ startupUs }: FinishedPod): number {
  return startupUs ?? Number.POSITIVE_INFINITY;
}
