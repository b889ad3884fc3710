/**
 * How well a process of the harness does itself: event-loop lag, garbage collection, CPU and memory, per window.
 *
 * Lag comes from perf_hooks' sampling timer, with its two traps closed. It reports intervals, not lag: an idle loop
 * shows the resolution, which is subtracted. And it takes one sample per block, however long: a block of 100 ms at
 * a resolution of 10 ms hides nine samples, which are put back (a serial prober with a fixed period is the one case
 * in which filling up is right), so that quantiles are those of an event that arrives at a random time.
 */
import {
  constants,
  type EventLoopUtilization,
  type IntervalHistogram,
  monitorEventLoopDelay,
  PerformanceObserver,
  performance,
} from 'node:perf_hooks';
import type { Clock } from '../core/index.ts';
import { type EncodedHistogram, LatencyHistogram } from '../result/index.ts';

/** Period of the lag sampler. */
export const LAG_RESOLUTION_MS = 10;
/** Ranks at which a window's lag is read from the sampler's histogram: it gives values by rank, never its buckets. */
const MAX_RANK_COUNT = 1_000;

/** One process in one window; JSON as it stands. */
export interface HealthWindow {
  durationMs: number;
  /** Of an event that arrives at a random time. */
  loopLag: EncodedHistogram;
  /** Busy share of the event loop, 0..1. */
  loopUtilizationRatio: number;
  gcMs: number;
  gcCount: number;
  maxGcPauseMs: number;
  /** User and system time; above `durationMs` where helper threads work too. */
  cpuMs: number;
  rssBytes: number;
  heapUsedBytes: number;
}

/** Watches this process from start() to stop(). */
export class ProcessHealth {
  readonly #clock: Clock;
  #lag: IntervalHistogram | undefined;
  #gcObserver: PerformanceObserver | undefined;
  #gcMs = 0;
  #gcCount = 0;
  #maxGcPauseMs = 0;
  #cpu = process.cpuUsage();
  #loop: EventLoopUtilization = performance.eventLoopUtilization();
  #windowStartUs: number;

  constructor(clock: Clock) {
    this.#clock = clock;
    this.#windowStartUs = clock.nowUs();
  }

  /** Begins the first window. Idempotent. */
  start(): void {
    if (this.#lag !== undefined) return;
    this.#lag = monitorEventLoopDelay({ resolution: LAG_RESOLUTION_MS });
    this.#lag.enable();
    this.#gcObserver = new PerformanceObserver((list) => this.#countCollections(list.getEntries()));
    this.#gcObserver.observe({ entryTypes: ['gc'] });
    this.#beginWindow();
  }

  /** Closes the window and begins the next. */
  drain(): HealthWindow {
    if (this.#gcObserver !== undefined) this.#countCollections(this.#gcObserver.takeRecords());
    const cpu = process.cpuUsage(this.#cpu);
    const memory = process.memoryUsage();
    const window: HealthWindow = {
      durationMs: (this.#clock.nowUs() - this.#windowStartUs) / 1_000,
      loopLag: lagOf(this.#lag).toWire(),
      loopUtilizationRatio: performance.eventLoopUtilization(this.#loop).utilization,
      gcMs: this.#gcMs,
      gcCount: this.#gcCount,
      maxGcPauseMs: this.#maxGcPauseMs,
      cpuMs: (cpu.user + cpu.system) / 1_000,
      rssBytes: memory.rss,
      heapUsedBytes: memory.heapUsed,
    };
    this.#beginWindow();
    return window;
  }

  /** Idempotent. */
  stop(): void {
    this.#lag?.disable();
    this.#gcObserver?.disconnect();
    this.#lag = undefined;
    this.#gcObserver = undefined;
  }

  #beginWindow(): void {
    this.#lag?.reset();
    this.#gcMs = 0;
    this.#gcCount = 0;
    this.#maxGcPauseMs = 0;
    this.#cpu = process.cpuUsage();
    this.#loop = performance.eventLoopUtilization();
    this.#windowStartUs = this.#clock.nowUs();
  }

  #countCollections(entries: readonly { duration: number; detail?: unknown }[]): void {
    for (const { duration, detail } of entries) {
      this.#gcCount++;
      this.#gcMs += duration;
      // Steps of incremental marking are short by design and many; they count in the sum all the same.
      if (kindOf(detail) !== constants.NODE_PERFORMANCE_GC_INCREMENTAL) {
        this.#maxGcPauseMs = Math.max(this.#maxGcPauseMs, duration);
      }
    }
  }
}

function kindOf(detail: unknown): unknown {
  return typeof detail === 'object' && detail !== null && 'kind' in detail ? detail.kind : undefined;
}

/** Lag by rank, with the samples that a block swallowed put back. */
function lagOf(sampler: IntervalHistogram | undefined): LatencyHistogram {
  const lag = new LatencyHistogram();
  const count = sampler?.count ?? 0;
  if (sampler === undefined || count === 0) return lag;
  const rankCount = Math.min(count, MAX_RANK_COUNT);
  for (let rank = 1; rank <= rankCount; rank++) {
    const intervalNs =
      rank === rankCount ? sampler.max : sampler.percentile(((rank - 0.5) / rankCount) * 100);
    recordLag(lag, intervalNs / 1_000 - LAG_RESOLUTION_MS * 1_000);
  }
  return lag;
}

/** Records a lag and those of the probes that were due while the loop was blocked. */
export function recordLag(histogram: LatencyHistogram, lagUs: number): void {
  histogram.record(Math.max(0, lagUs));
  const stepUs = LAG_RESOLUTION_MS * 1_000;
  for (let missedUs = lagUs - stepUs; missedUs > 0; missedUs -= stepUs) histogram.record(missedUs);
}
