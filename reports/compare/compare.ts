/** Two sets of runs become one comparison: matched, tested metric by metric, corrected, judged. */
import { EXIT_CODE, HarnessError } from '../../src/core/index.ts';
import { minSampleCount, type RunResult } from '../../src/result/index.ts';
import type { FingerprintField } from '../model/fingerprints.ts';
import { HEADLINE_METRICS, type HeadlineMetric } from '../model/headline-metrics.ts';
import { holm, median } from '../statistics/index.ts';
import { type Column, columnsOf } from './columns.ts';
import { type Design, isEnough, judgeMetric, minimumCount, moreNeeded, testMetric } from './judge.ts';
import { ACROSS, type Across, matchSides, unusable, usableRuns } from './match.ts';
import {
  ALPHA,
  COMPARISON_SCHEMA,
  type ComparedRun,
  type Comparison,
  type ComparisonSide,
  type ComparisonVerdict,
  DEFAULT_MARGIN_RATIO,
  type LeftOutRun,
  type MetricComparison,
} from './model.ts';
import { metricText, overallText } from './sentences.ts';
import { holdAgainstYardstick, YARDSTICK_ACROSS } from './yardstick.ts';

export interface CompareOptions {
  /** The two sides in words: folders, or settings. */
  labels: { a: string; b: string };
  /** Version of hollowmark that compares. */
  toolVersion: string;
  /** `paired`: `a[i]` and `b[i]` are one pair. @default 'independent' */
  design?: Design;
  /** Factor that changes up to are of no interest: 0.1 for 10 %. @default DEFAULT_MARGIN_RATIO */
  marginRatio?: number;
  /** Deliberate differences. @default none */
  across?: readonly Across[];
  /** Ids of the metrics to look at, chosen before the runs; fewer need fewer runs. @default all */
  metrics?: readonly string[];
  /** Hold a hollow cluster (B) against a real one (A). */
  yardstick?: 'kubemark';
  /** Said in the report as they are. */
  notes?: readonly string[];
  leftOut?: readonly LeftOutRun[];
}

/**
 * Compares runs `b` with runs `a`.
 * @throws HM_USAGE where they cannot be: a field differs that `across` does not name, no valid run on a side, an
 * unknown metric
 */
export function compareRuns(
  a: readonly RunResult[],
  b: readonly RunResult[],
  options: CompareOptions,
): Comparison {
  const { design = 'independent', marginRatio = DEFAULT_MARGIN_RATIO } = options;
  const wanted = wantedMetrics(options.metrics);
  const sides = design === 'paired' ? wholePairs(a, b) : bothSides(a, b);
  refuseEmpty('A', sides.a, a.length, sides.leftOut);
  refuseEmpty('B', sides.b, b.length, sides.leftOut);
  refuseShared(sides.a, sides.b);
  const across = [...(options.across ?? []), ...(options.yardstick === undefined ? [] : YARDSTICK_ACROSS)];
  const { differences, settings } = matchSides(sides.a, sides.b, across);

  const columns = columnsOf(sides.a, sides.b, wanted, design);
  const present = columns.filter((column) => column.presentA || column.presentB);
  const tests = present.map((column) => testMetric(column, design));
  const adjusted = holm(tests.map((test) => test?.pValue ?? 1));
  const context = { design, marginRatio, metricCount: present.length };
  const metrics = present.map((column, i) => compareMetric(column, tests[i], adjusted[i] ?? 1, context));
  const verdict = overallVerdict(metrics);
  const base: Omit<Comparison, 'exitCode' | 'text'> = {
    schema: COMPARISON_SCHEMA,
    tool: { name: 'hollowmark', version: options.toolVersion },
    design,
    a: side('A', options.labels.a, sides.a),
    b: side('B', options.labels.b, sides.b),
    ...(design === 'paired' ? { pairCount: sides.a.length } : {}),
    minimumCount: minimumCount(design, present.length),
    enough: isEnough(design, sides.a.length, sides.b.length, present.length),
    marginRatio,
    alpha: ALPHA,
    across: [...new Set(across.flatMap((name): readonly FingerprintField[] => ACROSS[name]))],
    differences,
    settings,
    leftOut: [...(options.leftOut ?? []), ...sides.leftOut],
    metrics,
    absent: columns.filter((column) => !present.includes(column)).map(({ metric }) => metric.label),
    verdict,
    notes: [...(options.notes ?? []), ...notesOf(sides.a, sides.b, present)],
  };
  if (options.yardstick !== undefined) {
    const yardstick = holdAgainstYardstick(sides.a, sides.b, metrics);
    const exitCode = {
      WITHIN: EXIT_CODE.pass,
      OUTSIDE: EXIT_CODE.sloFailed,
      'NO-DATA': EXIT_CODE.inconclusive,
    };
    return { ...base, yardstick, exitCode: exitCode[yardstick.state], text: yardstick.text };
  }
  return { ...base, exitCode: VERDICT_EXIT_CODE[verdict], text: overallText(base) };
}

const VERDICT_EXIT_CODE: Readonly<Record<ComparisonVerdict, number>> = {
  REGRESSION: EXIT_CODE.sloFailed,
  INCONCLUSIVE: EXIT_CODE.inconclusive,
  IMPROVEMENT: EXIT_CODE.pass,
  EQUIVALENT: EXIT_CODE.pass,
};

/** A regression anywhere is one; short of that, what is not known of one metric is not known of the whole. */
function overallVerdict(metrics: readonly MetricComparison[]): ComparisonVerdict {
  const has = (verdict: ComparisonVerdict) => metrics.some((metric) => metric.verdict === verdict);
  if (has('REGRESSION')) return 'REGRESSION';
  if (has('INCONCLUSIVE') || metrics.length === 0) return 'INCONCLUSIVE';
  return has('IMPROVEMENT') ? 'IMPROVEMENT' : 'EQUIVALENT';
}

function compareMetric(
  column: Column,
  test: ReturnType<typeof testMetric>,
  adjustedPValue: number,
  context: { design: Design; marginRatio: number; metricCount: number },
): MetricComparison {
  const { metric, a, b } = column;
  const base = {
    metric,
    valuesA: a,
    valuesB: b,
    ...(a.length === 0 ? {} : { medianA: median(a) }),
    ...(b.length === 0 ? {} : { medianB: median(b) }),
  };
  if (test === undefined) {
    const lacking =
      column.presentA && column.presentB ? 'no pair' : column.presentA ? 'no run of B' : 'no run of A';
    const why = column.missing === undefined ? '' : ` (${column.missing})`;
    return {
      ...base,
      verdict: 'INCONCLUSIVE',
      low: null,
      high: null,
      text: `${metric.label}: ${lacking} has this figure${why}`,
    };
  }
  const { shift, pValue } = test;
  const verdict = judgeMetric(test, adjustedPValue, {
    better: metric.better,
    marginRatio: context.marginRatio,
    enough: isEnough(context.design, a.length, b.length, context.metricCount),
  });
  const more =
    verdict === 'INCONCLUSIVE'
      ? moreNeeded(test, { ...context, count: Math.min(a.length, b.length) })
      : undefined;
  const compared: Omit<MetricComparison, 'text'> = {
    ...base,
    verdict,
    ratio: Math.exp(shift.estimate),
    low: Number.isFinite(shift.low) ? Math.exp(shift.low) : null,
    high: Number.isFinite(shift.high) ? Math.exp(shift.high) : null,
    ...(Number.isFinite(shift.low) ? { confidence: shift.confidence } : {}),
    pValue,
    adjustedPValue,
    ...(more === undefined ? {} : { moreNeeded: more }),
  };
  return { ...compared, text: metricText(compared, context) };
}

function wantedMetrics(ids: readonly string[] | undefined): readonly HeadlineMetric[] {
  if (ids === undefined || ids.length === 0) return HEADLINE_METRICS;
  const known = HEADLINE_METRICS.map(({ id }) => id);
  const unknown = ids.filter((id) => !known.includes(id));
  if (unknown.length > 0) {
    throw new HarnessError(
      'HM_USAGE',
      `unknown metric ${unknown.map((id) => `"${id}"`).join(', ')}: expected some of ${known.join(', ')}`,
    );
  }
  return HEADLINE_METRICS.filter(({ id }) => ids.includes(id));
}

interface UsedSides {
  a: RunResult[];
  b: RunResult[];
  leftOut: LeftOutRun[];
}

function bothSides(a: readonly RunResult[], b: readonly RunResult[]): UsedSides {
  const left = usableRuns('A', a);
  const right = usableRuns('B', b);
  return { a: left.used, b: right.used, leftOut: [...left.leftOut, ...right.leftOut] };
}

/** A pair counts whole or not at all. */
function wholePairs(a: readonly RunResult[], b: readonly RunResult[]): UsedSides {
  if (a.length !== b.length) throw new TypeError('pairs need as many runs on each side');
  const sides: UsedSides = { a: [], b: [], leftOut: [] };
  for (const [i, left] of a.entries()) {
    const right = b[i];
    if (right === undefined) continue;
    const whyA = unusable(left);
    const whyB = unusable(right);
    if (whyA === undefined && whyB === undefined) {
      sides.a.push(left);
      sides.b.push(right);
      continue;
    }
    const partner = 'the other run of its pair is left out';
    sides.leftOut.push({ side: 'A', runId: left.runId, why: whyA ?? partner });
    sides.leftOut.push({ side: 'B', runId: right.runId, why: whyB ?? partner });
  }
  return sides;
}

function refuseEmpty(
  name: 'A' | 'B',
  used: readonly RunResult[],
  given: number,
  leftOut: readonly LeftOutRun[],
): void {
  if (used.length > 0) return;
  const why = leftOut.filter((run) => run.side === name).map((run) => `${run.runId}: ${run.why}`);
  throw new HarnessError(
    'HM_USAGE',
    given === 0
      ? `compare refused: side ${name} has no runs`
      : `compare refused: none of the ${given} runs of side ${name} can be used: ${why.join('; ')}`,
    { hint: 'an INVALID or unfinished run says nothing of the cluster: repeat it' },
  );
}

/** A run held against itself is equal to itself, and would make the two sides look so. */
function refuseShared(a: readonly RunResult[], b: readonly RunResult[]): void {
  const known = new Set(a.map((run) => `${run.runId} ${run.startedAt} ${run.machine.hostname}`));
  const shared = b.find((run) => known.has(`${run.runId} ${run.startedAt} ${run.machine.hostname}`));
  if (shared === undefined) return;
  throw new HarnessError('HM_USAGE', `compare refused: run ${shared.runId} is on both sides`);
}

function side(name: 'A' | 'B', label: string, runs: readonly RunResult[]): ComparisonSide {
  return {
    name,
    label,
    runs: runs.map(
      (run): ComparedRun => ({
        runId: run.runId,
        startedAt: run.startedAt,
        trust: run.verdicts.trust.state,
        exitCode: run.verdicts.exitCode,
      }),
    ),
  };
}

function notesOf(a: readonly RunResult[], b: readonly RunResult[], columns: readonly Column[]): string[] {
  const notes: string[] = [];
  const all = [...a, ...b];
  const degraded = all.filter((run) => run.verdicts.trust.state === 'DEGRADED');
  if (degraded.length > 0) {
    notes.push(
      `${degraded.length} of ${all.length} runs are DEGRADED: the harness was near its limits in them`,
    );
  }
  const versions = [...new Set(all.map((run) => run.tool.version))];
  if (versions.length > 1) notes.push(`the runs were made by hollowmark ${versions.join(' and ')}`);
  if (all.some((run) => run.controlPlane.colocated)) {
    notes.push(
      'control plane and generator shared a machine: changes of the one can show as changes of the other',
    );
  }
  for (const { metric, missingCount, missing, beyondCount } of columns) {
    if (missingCount > 0)
      notes.push(
        `${metric.label}: ${missingCount} runs without it${missing === undefined ? '' : ` (${missing})`}`,
      );
    if (beyondCount > 0)
      notes.push(
        `${metric.label}: ${beyondCount} runs in which it never came to an end; they count as one hour`,
      );
  }
  const thin = columns.filter((column) => column.thin).map(({ metric }) => metric.label);
  if (thin.length > 0) {
    notes.push(`fewer than ${minSampleCount(0.99)} samples in a run, so noisy: ${thin.join('; ')}`);
  }
  return notes;
}
