/**
 * A hollow cluster (B) held against a real one (A), by what Kubemark promises of itself: pod startup about as on a real
 * cluster, API calls less than twice as slow; and by the similarity that upstream's comparison of Kubemark with real
 * clusters asks for: means within 0.66-1.50 of each other in at least nine figures of ten, where latencies below 50 ms
 * (API) and 1 s (pod startup) count as that floor.
 *
 * Absolute figures of two unlike clusters need not be equal to be of use; what must hold is that what is slow on one
 * is slow on the other. That is the rank correlation of all kinds of call and phases of pod startup.
 *
 * Source: https://github.com/kubernetes/perf-tests/tree/master/benchmark (design.md)
 */
import type { RunResult } from '../../src/result/index.ts';
import { measuredCallRows } from '../model/call-rows.ts';
import { orderedPodStartup } from '../model/pods.ts';
import { STARTUP_PHASES } from '../model/words.ts';
import { median, rankCorrelation } from '../statistics/index.ts';
import type { Across } from './match.ts';
import type { MetricComparison, YardstickCheck, YardstickResult } from './model.ts';

/** What a hollow and a real cluster cannot have in common. */
export const YARDSTICK_ACROSS: readonly Across[] = [
  'profile',
  'provenance',
  'fidelity',
  'identity',
  'connections',
  'encoding',
  'machine',
];

const SIMILAR_LOW = 0.66;
const SIMILAR_HIGH = 1.5;
const SIMILAR_SHARE = 0.9;
const API_LIMIT = 2;
const API_FLOOR_US = 50_000;
const STARTUP_FLOOR_US = 1_000_000;
/** Fewer kinds of call and phase can be in the same order by chance. */
const LEAST_FOR_TREND = 5;
const TREND_ALPHA = 0.05;

/** The yardstick on the medians of the runs. */
export function holdAgainstYardstick(
  a: readonly RunResult[],
  b: readonly RunResult[],
  metrics: readonly MetricComparison[],
): YardstickResult {
  const checks = metrics.flatMap(checkOf);
  const similarCount = checks.filter((check) => check.similar).length;
  const similarRatio = checks.length === 0 ? 0 : similarCount / checks.length;
  const trend = trendOf(a, b);
  const outside = checks.filter((check) => check.state === 'OUTSIDE');
  const startup = checks.some(({ metric }) => metric.id.startsWith('pod_startup'));
  const calls = checks.some(({ metric }) => !metric.id.startsWith('pod_startup'));
  const state = !startup || !calls ? 'NO-DATA' : outside.length > 0 ? 'OUTSIDE' : 'WITHIN';
  const similar = `${similarCount} of ${checks.length} figures within ${SIMILAR_LOW}-${SIMILAR_HIGH.toFixed(2)} (upstream asks for ${SIMILAR_SHARE * 100} %)`;
  const trendText =
    trend === undefined
      ? 'too few kinds of call for a trend'
      : `trends ${trend.agrees ? 'agree' : 'do not agree'} (rank correlation ${trend.rho.toFixed(2)} over ${trend.count})`;
  const head = {
    'NO-DATA': `no data: ${startup ? 'no API call' : 'no pod startup'} on both sides`,
    OUTSIDE: `outside the yardstick: ${outside.map((check) => `${check.metric.label} ${check.ratio.toFixed(2)}x`).join(', ')}`,
    WITHIN: 'within the yardstick',
  }[state];
  return {
    name: 'kubemark',
    checks,
    similarRatio,
    ...(trend === undefined ? {} : { trend }),
    state,
    text: `${head}; ${similar}; ${trendText}`,
  };
}

function checkOf({ metric, medianA, medianB }: MetricComparison): YardstickCheck[] {
  const isStartup = metric.id.startsWith('pod_startup');
  const isCall = metric.id.startsWith('mutating') || metric.id.startsWith('read_');
  if (medianA === undefined || medianB === undefined || !(isStartup || isCall)) return [];
  const floor = isStartup ? STARTUP_FLOOR_US : API_FLOOR_US;
  const ratio = Math.max(floor, medianB) / Math.max(floor, medianA);
  const lowLimit = isStartup ? SIMILAR_LOW : 0;
  const highLimit = isStartup ? SIMILAR_HIGH : API_LIMIT;
  const within = ratio >= lowLimit && (isStartup ? ratio <= highLimit : ratio < highLimit);
  const similar = ratio >= SIMILAR_LOW && ratio <= SIMILAR_HIGH;
  return [{ metric, ratio, lowLimit, highLimit, state: within ? 'WITHIN' : 'OUTSIDE', similar }];
}

function trendOf(a: readonly RunResult[], b: readonly RunResult[]): YardstickResult['trend'] {
  const left = figuresByKind(a);
  const right = figuresByKind(b);
  const shared = [...left.keys()].filter((kind) => right.has(kind));
  if (shared.length < LEAST_FOR_TREND) return undefined;
  const values = (side: ReadonlyMap<string, number[]>) => shared.map((kind) => median(side.get(kind) ?? []));
  const { rho, pGreater, count } = rankCorrelation(values(left), values(right));
  return { rho, pValue: pGreater, count, agrees: rho > 0 && pGreater <= TREND_ALPHA };
}

/** p50 and p99 of every kind of measured call and every phase of pod startup, a value per run. */
function figuresByKind(runs: readonly RunResult[]): Map<string, number[]> {
  const figures = new Map<string, number[]>();
  const add = (kind: string, us: number) => figures.set(kind, [...(figures.get(kind) ?? []), us]);
  for (const run of runs) {
    for (const row of measuredCallRows(run)) {
      const { count, p50Us, p99Us } = row.response.summary;
      if (row.source !== 'load' || count === 0) continue;
      add(`${row.call} ${row.scope} p50`, p50Us);
      add(`${row.call} ${row.scope} p99`, p99Us);
    }
    for (const { pods, measured } of orderedPodStartup(run)) {
      if (!measured) continue;
      for (const { phase } of STARTUP_PHASES) {
        const summary = pods.phases[phase]?.summary;
        if (summary === undefined || summary.count === 0) continue;
        add(`${pods.kind} ${pods.phase} ${phase} p50`, summary.p50Us);
        add(`${pods.kind} ${pods.phase} ${phase} p99`, summary.p99Us);
      }
    }
  }
  return figures;
}
