/**
 * The rows of the table of calls: one per sender, verb, resource and scope, over the measured phases together, and
 * one per phase. Every report shows these rows and no report reckons figures of its own.
 */
import type {
  CallSeries,
  CallSource,
  Distribution,
  DistributionSummary,
  ErrorClass,
  RunResult,
  Scope,
  Verb,
} from '../../src/result/index.ts';
import { mergeDistributions } from './distributions.ts';
import { type ServerFigure, serverFigure } from './server-side.ts';
import { callLimitUs } from './slo-limits.ts';

export interface CallRow {
  source: CallSource;
  verb: Verb;
  resource: string;
  subresource: string;
  scope: Scope;
  variant: string;
  /** Name of the phase; empty for the measured phases together. */
  phase: string;
  /** `create pods`, `list nodes (consistent)`, `patch pods/status`. */
  call: string;
  offeredCount: number;
  doneCount: number;
  failedCount: number;
  droppedCount: number;
  errors: Partial<Record<ErrorClass, number>>;
  /** Done per second of the phases it was seen in. */
  ratePerSecond: number;
  /** Mean body received per call that was answered; absent when none was. */
  meanReceivedBytes?: number;
  response: Distribution;
  service: Distribution;
  /** Official limit of the 99th percentile; absent for calls that no SLO speaks of. */
  limitUs?: number;
  /** p99 over limit: 0.2 leaves four fifths, above 1 is too slow. Absent without limit or samples. */
  limitShareRatio?: number;
  /** What the API servers say of such calls, of all clients, over the whole run. */
  server?: ServerFigure;
}

const SOURCE_ORDER: readonly CallSource[] = ['load', 'kubelet', 'kube-proxy', 'probe', 'setup'];

/** What each sender of calls is called in tables; kubelet and kube-proxy are the fleet's hollow ones. */
export const SOURCE_LABEL: Readonly<Record<CallSource, string>> = {
  load: 'load',
  kubelet: 'kubelet',
  'kube-proxy': 'kube-proxy',
  probe: 'probe',
  setup: 'set-up',
};

/** Rows over the measured phases together, by sender, the closest to its limit first; series without calls left out. */
export function measuredCallRows(result: RunResult): CallRow[] {
  const measured = new Set(result.phases.filter((phase) => phase.measured).map((phase) => phase.name));
  const groups = new Map<string, CallSeries[]>();
  for (const series of result.series) {
    if (!measured.has(series.key.phase)) continue;
    const { source, verb, resource, subresource, scope, variant } = series.key;
    const id = JSON.stringify([source, verb, resource, subresource, scope, variant]);
    groups.set(id, [...(groups.get(id) ?? []), series]);
  }
  return sortRows([...groups.values()].map((group) => toRow(result, group, '')));
}

/** Rows of each phase on its own, warm-up included. */
export function phaseCallRows(result: RunResult): CallRow[] {
  return sortRows(result.series.map((series) => toRow(result, [series], series.key.phase)));
}

function toRow(result: RunResult, group: readonly CallSeries[], phase: string): CallRow {
  const [first] = group;
  if (first === undefined) throw new TypeError('a row needs at least one series');
  const { source, verb, resource, subresource, scope, variant } = first.key;
  const sum = (pick: (series: CallSeries) => number) => group.reduce((total, one) => total + pick(one), 0);
  const phases = new Set(group.map((series) => series.key.phase));
  const lengthMs = result.phases
    .filter((one) => phases.has(one.name))
    .reduce((total, one) => total + (one.endMs - one.startMs), 0);
  const doneCount = sum((series) => series.doneCount);
  const failedCount = sum((series) => series.failedCount);
  const answeredCount = doneCount + failedCount;
  const response = mergeDistributions(group.map((series) => series.response));
  const limitUs = callLimitUs(result, first.key);
  const server = serverFigure(result.server, first.key, limitUs);
  return {
    source,
    verb,
    resource,
    subresource,
    scope,
    variant,
    phase,
    call: callName(first.key),
    offeredCount: sum((series) => series.offeredCount),
    doneCount,
    failedCount,
    droppedCount: sum((series) => series.droppedCount),
    errors: sumErrors(group),
    ratePerSecond: lengthMs === 0 ? 0 : doneCount / (lengthMs / 1_000),
    ...(answeredCount === 0
      ? {}
      : { meanReceivedBytes: sum((series) => series.receivedBytes) / answeredCount }),
    response,
    service: mergeDistributions(group.map((series) => series.service)),
    ...(limitUs === undefined ? {} : { limitUs }),
    ...(limitUs === undefined || response.summary.count === 0
      ? {}
      : { limitShareRatio: response.summary.p99Us / limitUs }),
    ...(server === undefined ? {} : { server }),
  };
}

/** `create pods`, `list nodes (consistent)`, `patch pods/status`. */
export function callName(key: {
  verb: Verb;
  resource: string;
  subresource: string;
  variant: string;
}): string {
  const path = key.subresource === '' ? key.resource : `${key.resource}/${key.subresource}`;
  return key.variant === '' ? `${key.verb} ${path}` : `${key.verb} ${path} (${key.variant})`;
}

function sumErrors(group: readonly CallSeries[]): Partial<Record<ErrorClass, number>> {
  const errors: Partial<Record<ErrorClass, number>> = {};
  for (const series of group) {
    for (const [name, count] of Object.entries(series.errors)) {
      const errorClass = name as ErrorClass;
      errors[errorClass] = (errors[errorClass] ?? 0) + count;
    }
  }
  return errors;
}

function sortRows(rows: CallRow[]): CallRow[] {
  const tail = (row: CallRow) => row.limitShareRatio ?? -1;
  const p99 = (summary: DistributionSummary) => (summary.count === 0 ? -1 : summary.p99Us);
  return rows
    .filter((row) => row.offeredCount + row.response.summary.count > 0)
    .sort(
      (a, b) =>
        SOURCE_ORDER.indexOf(a.source) - SOURCE_ORDER.indexOf(b.source) ||
        tail(b) - tail(a) ||
        p99(b.response.summary) - p99(a.response.summary) ||
        a.call.localeCompare(b.call),
    );
}
