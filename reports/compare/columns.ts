/** The figures of both sides, metric by metric, as the tests take them. */
import { HISTOGRAM_MAX_US, minSampleCount, type RunResult } from '../../src/result/index.ts';
import { type HeadlineFigure, type HeadlineMetric, headlineFigures } from '../model/headline-metrics.ts';
import type { Design } from './judge.ts';

/** Values of one metric on both sides. */
export interface Column {
  metric: HeadlineMetric;
  a: number[];
  b: number[];
  presentA: boolean;
  presentB: boolean;
  /** Runs or pairs that said nothing of it, with one run's reason. */
  missingCount: number;
  missing?: string;
  /** Values that stand for something slower than can be measured. */
  beyondCount: number;
  /** True where a run had fewer samples than its quantile needs. */
  thin: boolean;
}

/** The values of each wanted metric on both sides. */
export function columnsOf(
  a: readonly RunResult[],
  b: readonly RunResult[],
  wanted: readonly HeadlineMetric[],
  design: Design,
): Column[] {
  const figuresA = a.map(headlineFigures);
  const figuresB = b.map(headlineFigures);
  const pick = (figures: readonly HeadlineFigure[][], id: string) =>
    figures.flatMap((run) => run.filter((figure) => figure.metric.id === id));
  return wanted.map((metric) => {
    const left = pick(figuresA, metric.id);
    const right = pick(figuresB, metric.id);
    const all = [...left, ...right];
    const lacking = all.filter((figure) => usableValue(figure) === undefined);
    const missing = lacking.find((figure) => figure.missing !== undefined)?.missing;
    const usedLeft = design === 'paired' ? left.filter((_, i) => known(right[i])) : left;
    const usedRight = design === 'paired' ? right.filter((_, i) => known(left[i])) : right;
    return {
      metric,
      a: usedLeft.flatMap((figure) => usableValue(figure) ?? []),
      b: usedRight.flatMap((figure) => usableValue(figure) ?? []),
      presentA: left.some(known),
      presentB: right.some(known),
      missingCount: lacking.length,
      ...(missing === undefined ? {} : { missing }),
      beyondCount: all.filter((figure) => figure.value === undefined && figure.sampleCount > 0).length,
      thin: all.some((figure) => isThin(metric, figure)),
    };
  });
}

function known(figure: HeadlineFigure | undefined): boolean {
  return figure !== undefined && usableValue(figure) !== undefined;
}

/**
 * Where so many pods never started that the percentile itself never did, the longest duration that a histogram holds
 * stands for it: left out, the worst runs of all would not count.
 */
function usableValue(figure: HeadlineFigure): number | undefined {
  if (figure.value !== undefined) return figure.value;
  return figure.sampleCount > 0 && figure.metric.unit === 'us' ? HISTOGRAM_MAX_US : undefined;
}

function isThin(metric: HeadlineMetric, figure: HeadlineFigure): boolean {
  const quantile = metric.id.endsWith('.p99') ? 0.99 : undefined;
  return quantile !== undefined && figure.sampleCount > 0 && figure.sampleCount < minSampleCount(quantile);
}
