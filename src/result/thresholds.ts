/**
 * The `threshold` verdict: the suite's own thresholds held against what a run recorded. A pure function of a result's
 * figures, so that the same rules hold at the end of a run, in mid-run (abort-on-fail) and offline.
 *
 * Without a `phase` a threshold holds over all measured phases together, and without a `source` over the load's calls.
 * Percentiles under `<` and `<=` are judged as SLOs are, from counts over the limit, so that few samples can be
 * inconclusive; every other figure is compared as it stands. No data is never a pass.
 */
import { LatencyHistogram, rankOf } from './histogram.ts';
import { BALANCED_PATH } from './probes.ts';
import { formatCount, judgeQuantile } from './quantiles.ts';
import type {
  CallSeries,
  Distribution,
  PhaseResult,
  RunResult,
  SloCheck,
  SloVerdict,
  VerdictState,
} from './run-result.ts';
import { makeVerdict } from './slo.ts';
import { unservedCount } from './slo-client.ts';
import {
  formatThresholdFigure,
  formatThresholdLimit,
  parseThreshold,
  THRESHOLD_QUANTILES,
  type ThresholdExpression,
} from './threshold-expression.ts';

export type ThresholdInput = Pick<
  RunResult,
  'series' | 'podStartup' | 'watches' | 'fleet' | 'networkProgramming' | 'probes' | 'scheduling'
> & {
  phases: readonly Pick<PhaseResult, 'name' | 'measured' | 'startMs' | 'endMs'>[];
};

/** What was found of one metric, before it is compared. */
interface Finding {
  sampleCount: number;
  /** In the expression's unit; Infinity for "never"; absent without data. */
  value?: number;
  /** Percentiles: samples over the limit. */
  overCount?: number;
}

/** The verdict on `expressions`, always judged; undefined where there are none. */
export function judgeThresholds(
  input: ThresholdInput,
  expressions: readonly string[],
): SloVerdict | undefined {
  if (expressions.length === 0) return undefined;
  const checks = expressions.map((expression) => checkThreshold(input, expression));
  return { ...makeVerdict('threshold', checks, []), judged: true };
}

/** One threshold, held against `input`. */
export function checkThreshold(input: ThresholdInput, text: string): SloCheck {
  const parsed = parseThreshold(text);
  // The configuration has refused such texts; in an edited result they fail as what they are.
  if ('message' in parsed) return makeCheck(undefined, text, { sampleCount: 0 }, 'no-data', parsed.message);
  const found = measure(input, parsed);
  return makeCheck(parsed, parsed.text, found, stateOf(parsed, found), 'no data');
}

function stateOf(expression: ThresholdExpression, found: Finding): VerdictState {
  if (found.value === undefined) return 'no-data';
  const quantile = THRESHOLD_QUANTILES[expression.aggregate];
  const ceiling = expression.operator === '<' || expression.operator === '<=';
  if (quantile !== undefined && ceiling && found.overCount !== undefined)
    return judgeQuantile(found.sampleCount, found.overCount, quantile);
  return holds(found.value, expression) ? 'pass' : 'fail';
}

function holds(value: number, { operator, limit }: ThresholdExpression): boolean {
  switch (operator) {
    case '<':
      return value < limit;
    case '<=':
      return value <= limit;
    case '>':
      return value > limit;
    case '>=':
      return value >= limit;
    case '==':
      return value === limit;
  }
}

function makeCheck(
  expression: ThresholdExpression | undefined,
  text: string,
  { sampleCount, value, overCount }: Finding,
  state: VerdictState,
  absence: string,
): SloCheck {
  const unit = expression?.unit ?? 'count';
  const limit = expression?.limit ?? 0;
  const latency = expression?.unit === 'us';
  const shown =
    value === undefined
      ? absence
      : value === Number.POSITIVE_INFINITY
        ? 'never'
        : formatThresholdFigure(value, unit);
  const small = state === 'inconclusive' ? ', too few to tell' : '';
  const samples =
    value === undefined
      ? ''
      : ` (${formatCount(sampleCount)} ${sampleCount === 1 ? 'sample' : 'samples'}${small})`;
  return {
    kind: 'threshold',
    slo: 'threshold',
    subject: text,
    phase: '',
    state,
    sampleCount,
    quantile: (expression && THRESHOLD_QUANTILES[expression.aggregate]) ?? 0,
    limitUs: latency ? limit : 0,
    ...(latency && value !== undefined && Number.isFinite(value) ? { valueUs: value } : {}),
    overLimitCount: overCount ?? 0,
    threshold: {
      unit,
      limitText: `${expression?.operator ?? ''} ${formatThresholdLimit(limit, unit)}`.trim(),
      ...(value === undefined ? {} : { valueText: shown }),
    },
    text: `${text}: ${shown}${samples}`,
  };
}

function measure(input: ThresholdInput, expression: ThresholdExpression): Finding {
  const { fleet } = input;
  switch (expression.metric) {
    case 'calls_response':
    case 'calls_service':
      return callLatency(input, expression);
    case 'errors':
    case 'dropped':
    case 'throughput':
      return callCounts(input, expression);
    case 'pod_startup':
      return podStartup(input, expression);
    case 'pods_never_started':
      return neverStarted(input, expression);
    case 'scheduling':
      return scheduling(input, expression);
    case 'watch_spread': {
      const { resource, scope } = expression.labels;
      const watches = ofPhases(input, expression, input.watches).filter(
        (watch) => matches(resource, watch.resource) && matches(scope, watch.scope),
      );
      return latency(
        expression,
        watches.map((watch) => watch.deliverySpread),
      );
    }
    case 'network_programming': {
      const proxyOnly = expression.labels['stage'] === 'proxy_delay';
      const phases = ofPhases(input, expression, input.networkProgramming ?? []);
      return latency(
        expression,
        phases.map(({ programming, proxyDelay }) => (proxyOnly ? proxyDelay : programming)),
      );
    }
    case 'availability':
    case 'outage':
      return availability(input, expression);
    case 'watch_propagation':
      return propagation(input, expression);
    case 'stale_reads':
      return staleReads(input, expression);
    case 'registration':
      return latency(expression, [fleet.registration]);
    case 'lease_lateness':
      return latency(expression, [fleet.leaseLateness]);
    case 'leases_missed':
      return fleetCount(fleet.leaseLateness.summary.count, fleet.leaseMissedCount);
    case 'nodes_lost':
      return fleetCount(fleet.nodeCount, fleet.lostCount);
  }
}

function availability(input: ThresholdInput, expression: ThresholdExpression): Finding {
  const wanted = expression.labels['path'] ?? BALANCED_PATH;
  const paths = ofPhases(input, expression, input.probes ?? [])
    .flatMap((probes) => probes.availability)
    .filter(({ path }) => path === wanted);
  const goodCount = sum(paths.map((path) => path.goodCount));
  const sampleCount = goodCount + sum(paths.map((path) => path.badCount));
  if (sampleCount === 0) return { sampleCount };
  if (expression.metric === 'availability') return { sampleCount, value: goodCount / sampleCount };
  const value =
    expression.aggregate === 'count'
      ? sum(paths.map((path) => path.outageCount))
      : Math.max(...paths.map((path) => path.longestOutageUs));
  return { sampleCount, value };
}

function propagation(input: ThresholdInput, expression: ThresholdExpression): Finding {
  const reach = expression.labels['reach'] ?? 'last';
  const found = ofPhases(input, expression, input.probes ?? []).flatMap((probes) => probes.propagation ?? []);
  return latency(
    expression,
    found.map(({ first, last, spread }) => (reach === 'first' ? first : reach === 'spread' ? spread : last)),
    { neverCount: sum(found.map((one) => (reach === 'first' ? one.unseenCount : one.incompleteCount))) },
  );
}

function staleReads(input: ThresholdInput, expression: ThresholdExpression): Finding {
  const { path, verb } = expression.labels;
  const reads = ofPhases(input, expression, input.probes ?? [])
    .flatMap((probes) => probes.readYourWrite)
    .filter((read) => matches(path, read.path) && matches(verb, read.verb));
  const sampleCount = sum(reads.map((read) => read.readCount));
  const value = sum(reads.map((read) => read.staleCount));
  if (sampleCount === 0) return { sampleCount };
  return { sampleCount, value: expression.aggregate === 'ratio' ? value / sampleCount : value };
}

function callLatency(input: ThresholdInput, expression: ThresholdExpression): Finding {
  const series = selectCalls(input, expression);
  const endedCount = sum(series.map(ended));
  if (expression.aggregate === 'rate')
    return endedCount === 0 ? { sampleCount: 0 } : perSecond(input, expression, endedCount);
  const distributions = series.map((one) =>
    expression.metric === 'calls_response' ? one.response : one.service,
  );
  // Failing fast is not fast: what was refused counts from the slow end, as in client-slo.
  return latency(expression, distributions, {
    unservedCount: sum(series.map((one) => unservedCount(one.errors))),
  });
}

function callCounts(input: ThresholdInput, expression: ThresholdExpression): Finding {
  const series = selectCalls(input, expression);
  const { metric, aggregate, labels } = expression;
  const endedCount = sum(series.map(ended));
  const offeredCount = sum(series.map((one) => one.offeredCount));
  const errorClass = labels['class'];
  const counts = {
    errors: sum(
      series.map((one) =>
        errorClass === undefined
          ? one.failedCount
          : sum(Object.entries(one.errors).map(([name, count]) => (name === errorClass ? count : 0))),
      ),
    ),
    dropped: sum(series.map((one) => one.droppedCount)),
    throughput: sum(series.map((one) => one.doneCount)),
  };
  const count = metric === 'errors' || metric === 'dropped' ? counts[metric] : counts.throughput;
  const allCount = metric === 'dropped' ? offeredCount : endedCount;
  if (allCount === 0) return { sampleCount: 0 };
  if (aggregate === 'rate') return { ...perSecond(input, expression, count), sampleCount: allCount };
  return { sampleCount: allCount, value: aggregate === 'ratio' ? count / allCount : count };
}

function podStartup(input: ThresholdInput, expression: ThresholdExpression): Finding {
  const startups = selectPods(input, expression);
  const part = expression.labels['part'] ?? 'pod_startup';
  const distributions = startups.flatMap(({ phases }) =>
    Object.entries(phases).flatMap(([name, distribution]) => (name === part ? [distribution] : [])),
  );
  return latency(expression, distributions, {
    neverCount: sum(startups.map((one) => one.neverStartedCount)),
  });
}

function neverStarted(input: ThresholdInput, expression: ThresholdExpression): Finding {
  const startups = selectPods(input, expression);
  const neverCount = sum(startups.map((one) => one.neverStartedCount));
  const sampleCount = neverCount + sum(startups.map((one) => one.startedCount));
  if (sampleCount === 0) return { sampleCount };
  return { sampleCount, value: expression.aggregate === 'ratio' ? neverCount / sampleCount : neverCount };
}

function scheduling(input: ThresholdInput, { aggregate }: ThresholdExpression): Finding {
  const figures = input.scheduling;
  if (figures === undefined || figures.boundCount === 0) return { sampleCount: 0 };
  const value =
    aggregate === 'rate'
      ? figures.meanPerSecond
      : aggregate === 'max'
        ? figures.maxPerSecond
        : figures.boundCount;
  return { sampleCount: figures.boundCount, value };
}

function fleetCount(sampleCount: number, count: number): Finding {
  return sampleCount + count === 0 ? { sampleCount: 0 } : { sampleCount, value: count };
}

/**
 * An aggregate of merged histograms. `neverCount` further samples have no duration; `unservedCount` samples have one
 * that says nothing. Both count as slower than any other: the rank moves up by them, to "never" where it runs out.
 */
function latency(
  { aggregate, limit }: ThresholdExpression,
  distributions: readonly Distribution[],
  slow: { neverCount?: number; unservedCount?: number } = {},
): Finding {
  const histogram = LatencyHistogram.merged(
    distributions.map((one) => LatencyHistogram.fromDistribution(one)),
  );
  const { neverCount = 0, unservedCount: refusedCount = 0 } = slow;
  const sampleCount = histogram.count + neverCount;
  if (sampleCount === 0) return { sampleCount };
  const quantile = THRESHOLD_QUANTILES[aggregate];
  if (quantile !== undefined) {
    const rank = rankOf(quantile, sampleCount) + refusedCount;
    const value =
      rank > histogram.count ? Number.POSITIVE_INFINITY : histogram.percentile(rank / histogram.count);
    const overCount = Math.min(sampleCount, histogram.countAbove(limit) + refusedCount + neverCount);
    return { sampleCount, value, overCount };
  }
  if (aggregate === 'count') return { sampleCount, value: sampleCount };
  if (aggregate === 'min')
    return { sampleCount, value: histogram.count === 0 ? Number.POSITIVE_INFINITY : histogram.minUs };
  const value = aggregate === 'max' ? histogram.maxUs : histogram.meanUs;
  return { sampleCount, value: neverCount > 0 ? Number.POSITIVE_INFINITY : value };
}

function perSecond(input: ThresholdInput, expression: ThresholdExpression, count: number): Finding {
  const lengthMs = sum(
    ofPhases(input, expression, phasesByName(input)).map(({ startMs, endMs }) => endMs - startMs),
  );
  return lengthMs <= 0 ? { sampleCount: 0 } : { sampleCount: count, value: count / (lengthMs / 1_000) };
}

function phasesByName(input: ThresholdInput) {
  return input.phases.map(({ name, startMs, endMs }) => ({ phase: name, startMs, endMs }));
}

function selectCalls(input: ThresholdInput, expression: ThresholdExpression): CallSeries[] {
  const { source = 'load', verb, resource, subresource, scope, variant } = expression.labels;
  const ofPhase = ofPhases(
    input,
    expression,
    input.series.map((series) => ({ phase: series.key.phase, series })),
  );
  return ofPhase
    .map(({ series }) => series)
    .filter(
      ({ key }) =>
        key.source === source &&
        matches(verb, key.verb) &&
        matches(resource, key.resource) &&
        matches(subresource, key.subresource) &&
        matches(scope, key.scope) &&
        matches(variant, key.variant),
    );
}

function selectPods(input: ThresholdInput, expression: ThresholdExpression) {
  return ofPhases(input, expression, input.podStartup).filter(({ kind }) =>
    matches(expression.labels['kind'], kind),
  );
}

/** Of the phase that is named, or of all measured ones. */
function ofPhases<T extends { phase: string }>(
  input: ThresholdInput,
  { labels }: ThresholdExpression,
  items: readonly T[],
): T[] {
  const named = labels['phase'];
  const measured = new Set(input.phases.filter((phase) => phase.measured).map((phase) => phase.name));
  return items.filter(({ phase }) => (named === undefined ? measured.has(phase) : phase === named));
}

function matches(wanted: string | undefined, found: string): boolean {
  return wanted === undefined || wanted === found;
}

function ended(series: CallSeries): number {
  return series.doneCount + series.failedCount;
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
