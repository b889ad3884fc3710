/** What a component did in the measured phases alone: evidence for what limited the run. */
import { type MeasuredServer, SERIAL_METRICS } from '../result/index.ts';
import { FLOW_CONTROL_SAMPLES, flowControl } from './server-flow-control.ts';
import { CPU_SECONDS, RATE_LIMITER } from './server-headlines.ts';
import { type Samples, samplesOf, total } from './server-samples.ts';

const EVIDENCE_SAMPLES: ReadonlySet<string> = new Set([
  CPU_SECONDS,
  `${RATE_LIMITER}_count`,
  `${RATE_LIMITER}_sum`,
  ...FLOW_CONTROL_SAMPLES,
  ...SERIAL_METRICS.map((metric) => `${metric}_sum`),
]);

export class MeasuredSums {
  readonly #growth: Samples = new Map();
  #durationMs = 0;

  /** A measured span of `durationMs` begins to be counted. */
  addSpan(durationMs: number): void {
    this.#durationMs += durationMs;
  }

  /** A counter grew within the span. */
  addGrowth(name: string, labels: string, growth: number): void {
    if (!EVIDENCE_SAMPLES.has(name)) return;
    const values = samplesOf(this.#growth, name);
    values.set(labels, (values.get(labels) ?? 0) + growth);
  }

  /** Undefined where nothing was measured; `maxCpuCount` is the process's GOMAXPROCS. */
  figures(maxCpuCount: number | undefined): MeasuredServer | undefined {
    if (this.#durationMs <= 0) return undefined;
    const growth = (name: string) => total(this.#growth.get(name));
    const cpuSeconds = growth(CPU_SECONDS);
    const rateLimiterWaitSeconds = growth(`${RATE_LIMITER}_sum`);
    const rateLimiterWaitCount = growth(`${RATE_LIMITER}_count`);
    const { priorityLevels } = flowControl(this.#growth);
    const serialSeconds: Record<string, number> = {};
    for (const metric of SERIAL_METRICS) {
      const seconds = growth(`${metric}_sum`);
      if (seconds !== undefined) serialSeconds[metric] = seconds;
    }
    return {
      durationMs: this.#durationMs,
      ...(cpuSeconds === undefined ? {} : { cpuSeconds }),
      ...(maxCpuCount === undefined ? {} : { maxCpuCount }),
      ...(rateLimiterWaitSeconds === undefined ? {} : { rateLimiterWaitSeconds }),
      ...(rateLimiterWaitCount === undefined ? {} : { rateLimiterWaitCount }),
      ...(priorityLevels === undefined ? {} : { priorityLevels }),
      serialSeconds,
    };
  }
}
