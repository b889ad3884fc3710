/**
 * How well a process of the harness does itself: event-loop lag, garbage collection, CPU and memory, per window.
 *
 * Lag is what a timer of LAG_RESOLUTION_MS is late by. perf_hooks' own sampler is not used: it gives values by rank
 * only, each a walk over its buckets (measured: 3 to 6 ms in every window, on the loop that it watches). A block takes
 * one sample, however long: one of 100 ms hides nine at a period of 10 ms, which are put back (a serial prober with a
 * fixed period is the one case in which filling up is right), so that quantiles are those of an event that arrives at
 * a random time.
 */
import { constants, type EventLoopUtilization, PerformanceObserver, performance } from 'node:perf_hooks';
import type { Clock } from '../core/index.ts';
import { type EncodedHistogram, LatencyHistogram } from '../result/index.ts';

/** Period of the timer whose lateness is the lag. */
export const LAG_RESOLUTION_MS = 10;

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
  #lag = new LatencyHistogram();
  #probe: NodeJS.Timeout | undefined;
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
    if (this.#probe !== undefined) return;
    let lastUs = this.#clock.nowUs();
    this.#probe = setInterval(() => {
      const nowUs = this.#clock.nowUs();
      recordLag(this.#lag, nowUs - lastUs - LAG_RESOLUTION_MS * 1_000);
      lastUs = nowUs;
    }, LAG_RESOLUTION_MS).unref();
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
      loopLag: this.#lag.toWire(),
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
    clearInterval(this.#probe);
    this.#gcObserver?.disconnect();
    this.#probe = undefined;
    this.#gcObserver = undefined;
  }

  #beginWindow(): void {
    this.#lag = new LatencyHistogram();
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

/** Records a lag and those of the probes that were due while the loop was blocked. */
export function recordLag(histogram: LatencyHistogram, lagUs: number): void {
  histogram.record(Math.max(0, lagUs));
  const stepUs = LAG_RESOLUTION_MS * 1_000;
  for (let missedUs = lagUs - stepUs; missedUs > 0; missedUs -= stepUs) histogram.record(missedUs);
}
