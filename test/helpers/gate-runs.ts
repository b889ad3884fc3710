/** Runs with chosen headline figures, for tests of the gate. */
import { type CallSeries, LatencyHistogram, type RunResult } from '../../src/result/index.ts';
import { sampleRun } from './sample-run.ts';

export interface GateRunOptions {
  /** Day of the year 2026 that the run started on. */
  day: number;
  /** p50 and p99 of creates, milliseconds. */
  createMs?: number;
  /** Startup of pods; null for a run without pods. */
  startupMs?: number | null;
  boundPerSecond?: number;
  changes?: Partial<RunResult>;
}

/** A run that passed, with two metrics of constant latency, and scheduling. */
export function gateRun(options: GateRunOptions): RunResult {
  const { day, createMs = 10, startupMs = 1_000, boundPerSecond = 20, changes = {} } = options;
  const run = sampleRun();
  const startedAt = new Date(Date.UTC(2026, 0, day, 2)).toISOString();
  const isCreate = ({ key }: CallSeries) =>
    key.source === 'load' && key.verb === 'create' && key.phase === 'churn';
  const create = run.series.find(isCreate);
  const startup = run.podStartup.find(({ phase }) => phase === 'churn');
  if (create === undefined || startup === undefined) throw new Error('the sample run has changed');
  return {
    ...run,
    runId: `${startedAt.slice(0, 10).replaceAll('-', '')}-020000-nightly`,
    startedAt,
    series: [{ ...create, response: constant(createMs) }],
    podStartup:
      startupMs === null
        ? []
        : [{ ...startup, neverStartedCount: 0, phases: { pod_startup: constant(startupMs) } }],
    watches: [],
    server: [],
    scheduling: { boundCount: 400, meanPerSecond: boundPerSecond, maxPerSecond: boundPerSecond },
    ...changes,
  };
}

/** `count` accepted runs of consecutive days from day 1 on; `noise` gives each its factor. */
export function gateHistory(count: number, noise: (i: number) => number = wobble): RunResult[] {
  return Array.from({ length: count }, (_, i) =>
    gateRun({
      day: i + 1,
      createMs: 10 * noise(i),
      startupMs: 1_000 * noise(i + 3),
      boundPerSecond: 20 * noise(i + 5),
    }),
  );
}

/** Five values around 1, a spread of about 4 %. */
function wobble(i: number): number {
  return [0.95, 0.98, 1, 1.02, 1.05][i % 5] ?? 1;
}

function constant(ms: number) {
  const histogram = new LatencyHistogram();
  for (let i = 0; i < 400; i++) histogram.record(Math.round(ms * 1_000));
  return histogram.distribution();
}
