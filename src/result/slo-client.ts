/**
 * `client-slo`: the official limits held against what a user of the cluster felt, from the response histograms of
 * the load (intended start to last byte) and from the pods' own timelines. Stricter than the official text, which
 * starts the clock when the server has the request.
 *
 * Judged is each key over all measured phases together: a quantile of a merged histogram, never a mean of quantiles.
 * With more than one measured phase each phase also gets a line of its own, which decides nothing.
 */
import { formatRatio, formatUs } from '../core/index.ts';
import { LatencyHistogram, rankOf } from './histogram.ts';
import type { PodStartup } from './pod-result.ts';
import { formatCount, formatEdge, formatQuantile, judgeQuantile, minSampleCount } from './quantiles.ts';
import type { CallSeries, ErrorClass, LimitWindow, PhaseResult, SloCheck } from './run-result.ts';
import { callSlo, SLO_NAME, type SloLimits } from './slo-rules.ts';

/**
 * Failures in which the user did not get what was asked for, in however short a time. They are over any limit, so
 * that a server that refuses quickly does not look fast. Timeouts are over by their duration; 4xx and 409 are
 * answers.
 */
export const UNSERVED_CLASSES: readonly ErrorClass[] = ['http-429', 'http-5xx', 'connection', 'protocol'];

export interface ClientSloInput {
  phases: readonly Pick<PhaseResult, 'name' | 'measured'>[];
  series: readonly CallSeries[];
  podStartup: readonly PodStartup[];
}

/** Calls of a series that failed for the server's sake. */
export function unservedCount(errors: CallSeries['errors']): number {
  return UNSERVED_CLASSES.reduce((sum, errorClass) => sum + (errors[errorClass] ?? 0), 0);
}

/** Every check of the client-slo, judged ones first. */
export function clientChecks(input: ClientSloInput, limits: SloLimits): SloCheck[] {
  const measured = input.phases.filter((phase) => phase.measured).map((phase) => phase.name);
  const series = input.series.filter(({ key }) => key.source === 'load' && measured.includes(key.phase));
  const pods = input.podStartup.filter(({ kind, phase }) => kind === 'stateless' && measured.includes(phase));
  const only = measured.length === 1 ? (measured[0] ?? '') : '';
  const judged = [...callChecks(series, limits, only), ...podChecks(pods, series, limits, only)];
  if (measured.length < 2) return judged;
  const perPhase = measured.flatMap((phase) => [
    ...callChecks(
      series.filter(({ key }) => key.phase === phase),
      limits,
      phase,
    ),
    ...podChecks(
      pods.filter((startup) => startup.phase === phase),
      [],
      limits,
      phase,
    ),
  ]);
  return [...judged, ...perPhase.map((check): SloCheck => ({ ...check, informational: true }))];
}

function callChecks(series: readonly CallSeries[], limits: SloLimits, phase: string): SloCheck[] {
  const bySubject = new Map<string, CallSeries[]>();
  for (const one of series) {
    const subject = callSlo(one.key, limits)?.subject;
    // Nothing was asked for: a series that only exists because a handle was made says nothing.
    if (subject === undefined || one.offeredCount + one.doneCount + one.failedCount === 0) continue;
    bySubject.set(subject, [...(bySubject.get(subject) ?? []), one]);
  }
  return [...bySubject.values()].flatMap((group) => callCheck(group, limits, phase));
}

function callCheck(group: readonly CallSeries[], limits: SloLimits, phase: string): SloCheck[] {
  const rule = group[0] === undefined ? undefined : callSlo(group[0].key, limits);
  if (rule === undefined) return [];
  const { quantile } = limits;
  const response = LatencyHistogram.merged(
    group.map((series) => LatencyHistogram.fromDistribution(series.response)),
  );
  const unserved = group.reduce((sum, series) => sum + unservedCount(series.errors), 0);
  const slowCount = response.countAbove(rule.limitUs);
  const overLimitCount = Math.min(response.count, slowCount + unserved);
  const state = judgeQuantile(response.count, overLimitCount, quantile);
  const valueUs = response.percentile(quantile);
  const parts = [
    `${formatQuantile(quantile)} ${formatUs(valueUs)} of ${formatCount(response.count)} calls`,
    `limit ${formatEdge(rule.limitUs)}`,
    ...(slowCount > 0 ? [`${formatCount(slowCount)} slower`] : []),
    ...(unserved > 0
      ? [`${formatCount(unserved)} (${formatRatio(unserved / response.count)}) refused or cut off`]
      : []),
  ];
  const text =
    state === 'no-data'
      ? `${rule.subject}: no call ended, of ${formatCount(offeredSum(group))} asked for`
      : `${rule.subject}: ${parts.join(', ')}${smallSampleNote(state, response.count, quantile)}`;
  const check: SloCheck = {
    kind: 'client-slo',
    slo: rule.slo,
    subject: rule.subject,
    phase,
    state,
    sampleCount: response.count,
    quantile,
    limitUs: rule.limitUs,
    overLimitCount,
    text,
    ...(response.count > 0 ? { valueUs } : {}),
    ...goodWindows(
      group.flatMap((series) => series.windows ?? []),
      quantile,
    ),
  };
  return [check];
}

function podChecks(
  pods: readonly PodStartup[],
  series: readonly CallSeries[],
  limits: SloLimits,
  phase: string,
): SloCheck[] {
  const createdCount = sum(pods.map((startup) => startup.createdCount));
  const askedCount = offeredSum(series.filter(({ key }) => createsPods(key)));
  if (createdCount + askedCount === 0) return [];
  const { quantile } = limits;
  const limitUs = limits.podStartupLimitMs * 1_000;
  const startup = LatencyHistogram.merged(
    pods.flatMap(({ phases }) =>
      phases.pod_startup === undefined ? [] : [LatencyHistogram.fromDistribution(phases.pod_startup)],
    ),
  );
  const neverCount = sum(pods.map((one) => one.neverStartedCount));
  const censoredCount = sum(pods.map((one) => one.censoredCount));
  const sampleCount = startup.count + neverCount;
  const overLimitCount = startup.countAbove(limitUs) + neverCount;
  const state = judgeQuantile(sampleCount, overLimitCount, quantile);
  // Pods that never started are slower than any that did: the quantile's rank counts through them.
  const rank = rankOf(quantile, sampleCount);
  const valueUs = rank <= startup.count ? startup.percentile(rank / startup.count) : undefined;
  const parts = [
    `${formatQuantile(quantile)} ${valueUs === undefined ? 'never started' : formatUs(valueUs)} of ${formatCount(sampleCount)} pods`,
    `limit ${formatEdge(limitUs)}`,
    ...(overLimitCount > neverCount ? [`${formatCount(overLimitCount - neverCount)} slower`] : []),
    ...(neverCount > 0 ? [`${formatCount(neverCount)} never started`] : []),
    ...(censoredCount > 0 ? [`${formatCount(censoredCount)} deleted too young to say`] : []),
  ];
  const text =
    state === 'no-data'
      ? `stateless pods: none of ${formatCount(Math.max(createdCount, askedCount))} can be judged`
      : `stateless pods: ${parts.join(', ')}${smallSampleNote(state, sampleCount, quantile)}`;
  const check: SloCheck = {
    kind: 'client-slo',
    slo: SLO_NAME.podStartup,
    subject: 'stateless pods',
    phase,
    state,
    sampleCount,
    quantile,
    limitUs,
    overLimitCount,
    text,
    ...(sampleCount > 0 && valueUs !== undefined ? { valueUs } : {}),
    ...goodWindows(
      pods.flatMap((one) => one.windows ?? []),
      quantile,
    ),
  };
  return [check];
}

/** Good windows / all, where a window is good if its own quantile keeps the limit; windows are summed per start. */
function goodWindows(windows: readonly LimitWindow[], quantile: number): { goodWindowRatio?: number } {
  const byStart = new Map<number, { count: number; overCount: number }>();
  for (const { startMs, count, overLimitCount } of windows) {
    const sumSoFar = byStart.get(startMs) ?? { count: 0, overCount: 0 };
    byStart.set(startMs, {
      count: sumSoFar.count + count,
      overCount: sumSoFar.overCount + overLimitCount,
    });
  }
  const withSamples = [...byStart.values()].filter(({ count }) => count > 0);
  if (withSamples.length === 0) return {};
  const good = withSamples.filter(({ count, overCount }) => overCount <= count - rankOf(quantile, count));
  return { goodWindowRatio: good.length / withSamples.length };
}

function smallSampleNote(state: SloCheck['state'], count: number, quantile: number): string {
  const needed = minSampleCount(quantile);
  return count < needed
    ? ` (${state === 'pass' ? 'pass, ' : ''}small n: ${formatQuantile(quantile)} needs ${needed})`
    : '';
}

function createsPods(key: CallSeries['key']): boolean {
  return key.verb === 'create' && key.resource === 'pods' && key.subresource === '';
}

function offeredSum(series: readonly CallSeries[]): number {
  return sum(series.map((one) => one.offeredCount));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, number) => total + number, 0);
}
