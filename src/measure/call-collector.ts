/**
 * The coordinator's side of call recording: what the agents' windows add up to. Per series one response and one
 * service histogram for the whole run; per open window the load's figures for the time series and the histograms
 * for the log, both given out and forgotten when the window closes.
 */
import {
  type CallSeries,
  callSlo,
  type Distribution,
  type HlogInterval,
  LatencyHistogram,
  type LimitWindow,
  SLO_WINDOW_MS,
  type SloLimits,
  type TimelineWindow,
  unservedCount,
} from '../result/index.ts';
import { type CallWindow, seriesId } from './call-recorder.ts';

export interface CallCollectorOptions {
  /** Length of the agents' windows; window i begins i * windowMs after the start of the run. */
  windowMs: number;
  /** Limits that the 5-minute windows are held against. */
  limits: SloLimits;
}

/** The load's part of a TimelineWindow. */
export type CallFigures = Pick<
  TimelineWindow,
  | 'offeredCount'
  | 'achievedCount'
  | 'droppedCount'
  | 'failedCount'
  | 'startedCount'
  | 'p50Us'
  | 'p99Us'
  | 'maxUs'
  | 'slipP99Us'
  | 'heat'
>;

export interface ClosedCallWindow {
  figures: CallFigures;
  /** Every series' histograms of the window, of all sources, for the .hlog. */
  intervals: HlogInterval[];
}

export class CallCollector {
  readonly #options: CallCollectorOptions;
  readonly #series = new Map<string, SeriesSum>();
  readonly #open = new Map<number, OpenWindow>();
  readonly #slipByAgent = new Map<string, LatencyHistogram>();
  #lateIntervals: HlogInterval[] = [];
  #closedCount = 0;

  constructor(options: CallCollectorOptions) {
    this.#options = options;
  }

  /**
   * Takes what an agent recorded in window `index`. What comes after the window was closed still counts in the
   * series, and goes to the log with the next window.
   */
  add(agentId: string, index: number, windows: readonly CallWindow[]): void {
    for (const window of windows) {
      const response = LatencyHistogram.fromWire(window.response ?? EMPTY);
      const slip = LatencyHistogram.fromWire(window.slip ?? EMPTY);
      this.#addToSeries(index, window, response);
      if (slip.count > 0) this.#slip(agentId).add(slip);
      const intervals = intervalsOf(window);
      if (index < this.#closedCount) {
        this.#lateIntervals.push(...intervals);
        continue;
      }
      const open = this.#openWindow(index);
      open.intervals.push(...intervals);
      if (window.key.source === 'load') open.add(window, response, slip);
    }
  }

  /** Figures and histograms of window `index`, which is then forgotten. Windows close in order, each once. */
  closeWindow(index: number): ClosedCallWindow {
    this.#closedCount = Math.max(this.#closedCount, index + 1);
    const open = this.#open.get(index) ?? new OpenWindow();
    this.#open.delete(index);
    const intervals = [...this.#lateIntervals, ...open.intervals];
    this.#lateIntervals = [];
    return { figures: open.figures(), intervals };
  }

  /** Every series over the whole run so far. */
  series(): CallSeries[] {
    // Only 5-minute windows that lie wholly within what has been closed can be good or bad.
    const closedMs = this.#closedCount * this.#options.windowMs;
    return [...this.#series.values()].map((series) => series.toSeries(closedMs));
  }

  /** Sent minus intended of one agent's load; empty for agents without load. */
  slipOf(agentId: string): Distribution {
    return (this.#slipByAgent.get(agentId) ?? new LatencyHistogram()).distribution();
  }

  #addToSeries(index: number, window: CallWindow, response: LatencyHistogram): void {
    const id = seriesId(window.key);
    let series = this.#series.get(id);
    if (series === undefined) {
      const limitUs =
        window.key.source === 'load' ? callSlo(window.key, this.#options.limits)?.limitUs : undefined;
      series = new SeriesSum(window.key, limitUs);
      this.#series.set(id, series);
    }
    series.add(window, response, index * this.#options.windowMs);
  }

  #slip(agentId: string): LatencyHistogram {
    let slip = this.#slipByAgent.get(agentId);
    if (slip === undefined) {
      slip = new LatencyHistogram();
      this.#slipByAgent.set(agentId, slip);
    }
    return slip;
  }

  #openWindow(index: number): OpenWindow {
    let open = this.#open.get(index);
    if (open === undefined) {
      open = new OpenWindow();
      this.#open.set(index, open);
    }
    return open;
  }
}

/** One series over the whole run. */
class SeriesSum {
  readonly #sum: Omit<CallSeries, 'response' | 'service' | 'inFlightAtEndCount' | 'windows'>;
  readonly #response = new LatencyHistogram();
  readonly #service = new LatencyHistogram();
  readonly #limitUs: number | undefined;
  /** By start of the 5-minute window. */
  readonly #windows = new Map<number, LimitWindow>();

  constructor(key: CallSeries['key'], limitUs: number | undefined) {
    this.#limitUs = limitUs;
    this.#sum = {
      key,
      offeredCount: 0,
      doneCount: 0,
      failedCount: 0,
      droppedCount: 0,
      errors: {},
      receivedBytes: 0,
      sentBytes: 0,
      maxReplyBytes: 0,
    };
  }

  add(window: CallWindow, response: LatencyHistogram, windowStartMs: number): void {
    const sum = this.#sum;
    sum.offeredCount += window.offeredCount;
    sum.doneCount += window.doneCount;
    sum.failedCount += window.failedCount;
    sum.droppedCount += window.droppedCount;
    sum.receivedBytes += window.receivedBytes;
    sum.sentBytes += window.sentBytes;
    sum.maxReplyBytes = Math.max(sum.maxReplyBytes ?? 0, window.maxReplyBytes);
    for (const [errorClass, count] of Object.entries(window.errors) as [
      keyof CallSeries['errors'],
      number,
    ][]) {
      sum.errors[errorClass] = (sum.errors[errorClass] ?? 0) + count;
    }
    this.#response.add(response);
    if (window.service !== undefined) this.#service.add(LatencyHistogram.fromWire(window.service));
    if (this.#limitUs === undefined || response.count === 0) return;
    const startMs = Math.floor(windowStartMs / SLO_WINDOW_MS) * SLO_WINDOW_MS;
    const soFar = this.#windows.get(startMs) ?? { startMs, count: 0, overLimitCount: 0 };
    const over = Math.min(response.count, response.countAbove(this.#limitUs) + unservedCount(window.errors));
    soFar.count += response.count;
    soFar.overLimitCount += over;
    this.#windows.set(startMs, soFar);
  }

  toSeries(closedMs: number): CallSeries {
    const { offeredCount, doneCount, failedCount, droppedCount } = this.#sum;
    const settledCount = doneCount + failedCount + droppedCount;
    const windows = [...this.#windows.values()].filter(({ startMs }) => startMs + SLO_WINDOW_MS <= closedMs);
    return {
      ...this.#sum,
      // Sources without a schedule offer nothing: what they did is what was asked for.
      offeredCount: Math.max(offeredCount, settledCount),
      inFlightAtEndCount: Math.max(0, offeredCount - settledCount),
      response: this.#response.distribution(),
      service: this.#service.distribution(),
      ...(windows.length > 0 ? { windows: windows.sort((a, b) => a.startMs - b.startMs) } : {}),
    };
  }
}

/** One window of the whole load, until it closes. */
class OpenWindow {
  readonly intervals: HlogInterval[] = [];
  readonly #response = new LatencyHistogram();
  readonly #slip = new LatencyHistogram();
  #offeredCount = 0;
  #endedCount = 0;
  #droppedCount = 0;
  #failedCount = 0;
  #lateStartCount = 0;

  add(window: CallWindow, response: LatencyHistogram, slip: LatencyHistogram): void {
    this.#response.add(response);
    this.#slip.add(slip);
    this.#offeredCount += window.offeredCount;
    this.#endedCount += window.doneCount + window.failedCount;
    this.#droppedCount += window.droppedCount;
    this.#failedCount += window.failedCount;
    this.#lateStartCount += window.lateStartCount;
  }

  figures(): CallFigures {
    const [p50Us = 0, p99Us = 0] = this.#response.percentiles([0.5, 0.99]);
    return {
      offeredCount: this.#offeredCount,
      achievedCount: this.#endedCount,
      droppedCount: this.#droppedCount,
      failedCount: this.#failedCount,
      startedCount: Math.max(0, this.#offeredCount - this.#droppedCount - this.#lateStartCount),
      heat: this.#response.rebin(),
      ...(this.#response.count > 0 ? { p50Us, p99Us, maxUs: this.#response.maxUs } : {}),
      ...(this.#slip.count > 0 ? { slipP99Us: this.#slip.percentile(0.99) } : {}),
    };
  }
}

const EMPTY = new LatencyHistogram().toWire();

function intervalsOf(window: CallWindow): HlogInterval[] {
  const id = seriesId(window.key);
  return [
    ...(window.response === undefined ? [] : [{ tag: `${id}/response`, histogram: window.response }]),
    ...(window.service === undefined ? [] : [{ tag: `${id}/service`, histogram: window.service }]),
  ];
}
