/** What a comparison says in words, the same in every output. */
import { FINGERPRINT_LABEL, type FingerprintField } from '../model/fingerprints.ts';
import { formatHeadline } from '../model/headline-metrics.ts';
import type { Design } from './judge.ts';
import type { Comparison, ComparisonVerdict, MetricComparison } from './model.ts';
import { describeSetting } from './settings.ts';

const SHOWN_SETTINGS = 12;
const SETTING_OF_FIELD: Readonly<Partial<Record<FingerprintField, readonly string[]>>> = {
  kubernetesVersion: ['controlPlane.version'],
  profile: ['controlPlane.profile'],
  nodeCount: ['fleet.nodeCount'],
  identity: ['fleet.identity'],
  connections: ['fleet.connections'],
};
/** Factors beyond this are written as factors, not as per cent. */
const LARGE_RATIO = 3;

/** `+12.4 %`, `×4.1`; a dash where unknown. */
export function formatEffect(ratio: number | undefined): string {
  if (ratio === undefined) return '–';
  if (ratio >= LARGE_RATIO) return `×${ratio.toPrecision(3)}`;
  const percent = (ratio - 1) * 100;
  return `${percent >= 0 ? '+' : '−'}${Math.abs(percent).toFixed(1)} %`;
}

/** `−2.1 % to +3.4 %`, or that there are too few runs for an interval. */
export function formatInterval(metric: Pick<MetricComparison, 'low' | 'high'>): string {
  if (metric.low === null || metric.high === null) return 'unbounded';
  return `${formatEffect(metric.low)} to ${formatEffect(metric.high)}`;
}

/** `0.0039`; never a bare 0. */
export function formatP(p: number | undefined): string {
  if (p === undefined) return '–';
  return p < 0.0001 ? '<0.0001' : String(Number(p.toPrecision(2)));
}

/** `10 %`. */
export function formatMargin(marginRatio: number): string {
  return `${Number((marginRatio * 100).toPrecision(3))} %`;
}

/** `12.3 ms → 13.9 ms`. */
export function formatMedians(metric: MetricComparison): string {
  return `${formatHeadline(metric.metric, metric.medianA)} → ${formatHeadline(metric.metric, metric.medianB)}`;
}

/** What more it takes: `4 more pairs`, `3 more runs on each side`. */
export function formatMore(count: number, design: Design): string {
  if (design === 'paired') return `${count} more ${count === 1 ? 'pair' : 'pairs'}`;
  return `${count} more ${count === 1 ? 'run' : 'runs'} on each side`;
}

const MEANING: Readonly<Record<ComparisonVerdict, string>> = {
  REGRESSION: 'worse, and estimated beyond the margin',
  IMPROVEMENT: 'better, and estimated beyond the margin',
  EQUIVALENT: 'the same within the margin',
  INCONCLUSIVE: 'not decided',
};

/** One metric in one sentence. */
export function metricText(
  compared: Omit<MetricComparison, 'text'>,
  context: { design: Design; marginRatio: number },
): string {
  const { metric, verdict, ratio } = compared;
  const head = `${metric.label}: ${formatEffect(ratio)} (${formatInterval(compared)})`;
  if (verdict !== 'INCONCLUSIVE')
    return `${head}, ${MEANING[verdict]} of ${formatMargin(context.marginRatio)}`;
  const more =
    compared.moreNeeded === undefined
      ? 'no sensible number of runs would decide it: lower the noise or widen the margin'
      : `about ${formatMore(compared.moreNeeded, context.design)} would probably decide it`;
  return `${head}, not decided; ${more}`;
}

/** The comparison in one line: what decided the exit code. */
export function overallText(
  comparison: Pick<
    Comparison,
    'verdict' | 'metrics' | 'design' | 'marginRatio' | 'minimumCount' | 'enough' | 'a' | 'b'
  >,
): string {
  const { verdict, metrics, design, minimumCount } = comparison;
  const of = (wanted: ComparisonVerdict) => metrics.filter((metric) => metric.verdict === wanted);
  const names = (list: readonly MetricComparison[]) =>
    list.map((one) => `${one.metric.label} (${formatEffect(one.ratio)})`).join(', ');
  if (metrics.length === 0) return 'INCONCLUSIVE: neither side has any of the figures asked for';
  if (verdict === 'REGRESSION') return `REGRESSION: B is worse in ${names(of('REGRESSION'))}`;
  if (verdict === 'INCONCLUSIVE') {
    const have = Math.min(comparison.a.runs.length, comparison.b.runs.length);
    const unit = design === 'paired' ? 'pairs' : 'runs on each side';
    if (!comparison.enough) {
      return `INCONCLUSIVE: ${countOf(have, design)}, and ${metrics.length} figures need at least ${minimumCount} ${unit} before any difference can be shown`;
    }
    const open = of('INCONCLUSIVE');
    const more = Math.max(...open.map((one) => one.moreNeeded ?? Number.POSITIVE_INFINITY));
    const advice = Number.isFinite(more) ? `; about ${formatMore(more, design)} would probably decide` : '';
    const better = of('IMPROVEMENT');
    const gain = better.length === 0 ? '' : `; better in ${names(better)}`;
    return `INCONCLUSIVE: no regression was shown, and ${open.length} of ${metrics.length} figures are not decided${gain}${advice}`;
  }
  if (verdict === 'IMPROVEMENT')
    return `IMPROVEMENT: B is better in ${names(of('IMPROVEMENT'))}, and worse in nothing`;
  return `EQUIVALENT: all ${metrics.length} figures are the same within ${formatMargin(comparison.marginRatio)}`;
}

function countOf(count: number, design: Design): string {
  if (design === 'paired') return count === 1 ? '1 pair' : `${count} pairs`;
  return count === 1 ? '1 run on the smaller side' : `${count} runs on the smaller side`;
}

/** `10 runs`, `5 runs, 1 of them DEGRADED`, `1 run, DEGRADED`. */
export function describeRuns(side: Comparison['a']): string {
  const count = side.runs.length;
  const degraded = side.runs.filter((run) => run.trust === 'DEGRADED').length;
  const text = count === 1 ? '1 run' : `${count} runs`;
  if (degraded === 0) return text;
  return degraded === count ? `${text}, DEGRADED` : `${text}, ${degraded} of them DEGRADED`;
}

/** What differs between the sides on purpose, a line each. */
export function differenceLines(comparison: Pick<Comparison, 'differences' | 'settings'>): string[] {
  const settings = comparison.settings.slice(0, SHOWN_SETTINGS).map(describeSetting);
  const more = comparison.settings.length - settings.length;
  const named = new Set(comparison.settings.map(({ path }) => path));
  // A setting says more than the field of the fingerprint that comes of it.
  const fields = comparison.differences.filter(
    ({ field }) => field !== 'suiteSha256' && !SETTING_OF_FIELD[field]?.some((path) => named.has(path)),
  );
  return [
    ...settings,
    ...(more > 0 ? [`and ${more} more settings`] : []),
    ...fields.map(({ field, first, second }) => `${FINGERPRINT_LABEL[field]}: ${first} in A, ${second} in B`),
  ];
}

/** How the verdicts came about, in two sentences. */
export function howDecided(comparison: Comparison): string {
  const { design, metrics, minimumCount, marginRatio } = comparison;
  const test =
    design === 'paired'
      ? 'Paired runs of an experiment: exact Wilcoxon signed-rank test'
      : 'Two sets of runs: exact Mann-Whitney test';
  const unit = design === 'paired' ? 'pairs' : 'runs on each side';
  return `${test} of the runs' figures, p corrected by Holm over ${metrics.length} figures, level ${comparison.alpha}; Hodges-Lehmann estimate with its exact 95 % interval; margin ${formatMargin(marginRatio)}. Below ${minimumCount} ${unit} nothing can be decided.`;
}
