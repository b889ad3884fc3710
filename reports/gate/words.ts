/** What the gate says, one way in all its outputs. */
import { formatHeadline } from '../model/headline-metrics.ts';
import type { MedianOfThree } from './decide.ts';
import type { MetricVerdict } from './metric.ts';

/** `+34 %`, `-8.2 %`; a dash for none. */
export function formatEffect(ratio: number | undefined): string {
  if (ratio === undefined) return '–';
  const percent = ratio * 100;
  const text = Math.abs(percent) >= 9.95 ? Math.round(percent).toString() : percent.toFixed(1);
  return `${percent > 0 ? '+' : ''}${text === '-0.0' ? '0.0' : text} %`;
}

/** `startup of stateless pods, p99: 2.31 s, +34 % on the median of 20 runs (1.72 s), z 5.1` */
export function describeSuspicion(verdict: MetricVerdict): string {
  const { metric, value, missing, baseline, effectRatio, z } = verdict;
  const runs = `the median of ${baseline?.runCount ?? 0} runs (${formatHeadline(metric, baseline?.median)})`;
  if (value === undefined) return `${metric.label}: no figure (${missing ?? 'missing'}), against ${runs}`;
  return `${metric.label}: ${formatHeadline(metric, value)}, ${formatEffect(effectRatio)} on ${runs}, z ${formatZ(z)}`;
}

/** `startup of stateless pods, p99: median 2.25 s of 2.31 s, 2.25 s, 1.74 s: +31 %, z 4.8` */
export function describeMedianOfThree({ values, verdict }: MedianOfThree): string {
  const { metric, value, effectRatio, z } = verdict;
  const three = values.map((one) => formatHeadline(metric, one ?? undefined)).join(', ');
  if (value === undefined) return `${metric.label}: no figure in most of ${three}`;
  return `${metric.label}: median ${formatHeadline(metric, value)} of ${three}, ${formatEffect(effectRatio)}, z ${formatZ(z)}`;
}

/** One decimal; a dash for none. */
export function formatZ(z: number | undefined): string {
  return z === undefined ? '–' : z.toFixed(1);
}
