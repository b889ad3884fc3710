/**
 * One headline metric of one run against the same metric of accepted runs. A value is suspect when it lies more than
 * three robust standard deviations and more than a tenth beyond the median, in the bad direction. Everything happens
 * on logarithms, because noise of latencies is a matter of ratios.
 */
import type { HeadlineFigure, HeadlineMetric } from '../model/headline-metrics.ts';
import { median, medianAbsoluteDeviation, robustZ, SIGMA_PER_MAD } from '../statistics/index.ts';

/** What the gate decides by. docs/gate.md lists the same; a test keeps the two equal. */
export const GATE_RULES = {
  /** Accepted runs below which a metric is reported and not gated. */
  minRunCount: 10,
  /** The newest accepted runs that are looked at. */
  maxRunCount: 30,
  /** Robust standard deviations. */
  z: 3,
  /** Smallest effect that counts, as a ratio of the median. */
  effectRatio: 0.1,
  /** Least median absolute deviation that is believed, as a ratio: a quiet history is luck. */
  madFloorRatio: 0.02,
} as const;

/** Standard normal quantile of 0.9: with this much more a slow-down is caught nine times out of ten. */
const Z_OF_NINE_TENTHS = 1.2816;

export type MetricState =
  /** Within what the history does by itself. */
  | 'ok'
  /** Beyond it in the bad direction, or gone though every run before had it. */
  | 'suspect'
  /** Beyond it in the good direction. */
  | 'improved'
  /** Too little history: shown, decides nothing. */
  | 'not gated';

/** The history of one metric, and what a gate with such a history can see. */
export interface MetricBaseline {
  runCount: number;
  median: number;
  /** Run-to-run noise: robust standard deviation as a ratio of the median. */
  noiseRatio: number;
  /** Smallest true worsening, as a ratio, that makes a run suspect half the time, and nine times out of ten. */
  detectableHalfRatio: number;
  detectableMostRatio: number;
}

export interface MetricVerdict {
  metric: HeadlineMetric;
  state: MetricState;
  /** Of the run; absent where it has none, and then `missing` says why. */
  value?: number;
  missing?: string;
  sampleCount: number;
  /** Absent without any history. */
  baseline?: MetricBaseline;
  /** value / median - 1; positive is more, which is bad or good by the metric's direction. */
  effectRatio?: number;
  /** Robust standard deviations in the bad direction; negative is better than the median. */
  z?: number;
}

/** The verdict on `figure`, with the values of the same metric in accepted runs (those that have it). */
export function judgeMetric(figure: HeadlineFigure, history: readonly number[]): MetricVerdict {
  const { metric, value, missing, sampleCount } = figure;
  const base = {
    metric,
    sampleCount,
    ...(value === undefined ? {} : { value }),
    ...(missing === undefined ? {} : { missing }),
  };
  if (history.length === 0) return { ...base, state: 'not gated' };
  const baseline = baselineOf(metric, history);
  const gated = history.length >= GATE_RULES.minRunCount;
  // A figure that vanished is as bad as a figure can be: no data is never a pass.
  if (value === undefined) return { ...base, baseline, state: gated ? 'suspect' : 'not gated' };
  const sign = metric.better === 'lower' ? 1 : -1;
  const z = robustZ(sign * Math.log(value), signedLogs(metric, history), madFloor());
  const distance = sign * Math.log(value / baseline.median);
  const judged = { ...base, baseline, z, effectRatio: value / baseline.median - 1 };
  if (!gated) return { ...judged, state: 'not gated' };
  const beyond = Math.abs(z) > GATE_RULES.z && Math.abs(distance) > effectFloor();
  return { ...judged, state: !beyond ? 'ok' : z > 0 ? 'suspect' : 'improved' };
}

function baselineOf(metric: HeadlineMetric, history: readonly number[]): MetricBaseline {
  const logs = signedLogs(metric, history);
  const mad = medianAbsoluteDeviation(logs);
  const sigma = SIGMA_PER_MAD * Math.max(mad, madFloor());
  const half = Math.max(GATE_RULES.z * sigma, effectFloor());
  return {
    runCount: history.length,
    median: Math.exp(median(history.map(Math.log))),
    noiseRatio: Math.expm1(SIGMA_PER_MAD * mad),
    detectableHalfRatio: worsening(metric, half),
    detectableMostRatio: worsening(metric, half + Z_OF_NINE_TENTHS * sigma),
  };
}

/** A distance on the log scale as people say it: `+0.25` more latency, `-0.2` less throughput. */
function worsening(metric: HeadlineMetric, distance: number): number {
  return Math.expm1(metric.better === 'lower' ? distance : -distance);
}

function signedLogs(metric: HeadlineMetric, values: readonly number[]): number[] {
  const sign = metric.better === 'lower' ? 1 : -1;
  return values.map((value) => sign * Math.log(value));
}

function madFloor(): number {
  return Math.log1p(GATE_RULES.madFloorRatio);
}

function effectFloor(): number {
  return Math.log1p(GATE_RULES.effectRatio);
}
