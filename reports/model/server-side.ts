/**
 * The API servers' own view of a kind of call, from the difference of their SLI histograms over the run. Their
 * buckets are coarse and start at 50 ms, so a quantile is an interval between two edges and is shown as one: a point
 * inside it would be invented.
 *
 * Source: bucket edges and labels of apiserver_request_sli_duration_seconds, kubernetes/apiserver
 * pkg/endpoints/metrics/metrics.go.
 */
import {
  formatEdge,
  type Scope,
  type ServerComponent,
  type ServerSli,
  type Verb,
} from '../../src/result/index.ts';

export interface ServerFigure {
  count: number;
  /** Mean time in microseconds; absent when nothing was counted. */
  meanUs?: number;
  p50: EdgeInterval;
  p99: EdgeInterval;
  /** Share of calls within the limit; absent when the limit is no bucket edge or there is no limit. */
  withinLimitRatio?: number;
}

/** The two bucket edges that a quantile lies between; `highUs` is absent above the last edge. */
export interface EdgeInterval {
  lowUs: number;
  highUs?: number;
}

/** Verbs as the API server labels them. */
const METRIC_VERBS: Readonly<Record<Verb, readonly string[]>> = {
  get: ['get'],
  list: ['list'],
  watch: ['watch'],
  create: ['post', 'create'],
  update: ['put', 'update'],
  patch: ['patch', 'apply'],
  delete: ['delete'],
  deletecollection: ['deletecollection'],
};

export interface ServerCallKey {
  verb: Verb;
  resource: string;
  subresource: string;
  scope: Scope;
}

/** The servers' figure for calls of this kind, all API servers together; undefined when none reported any. */
export function serverFigure(
  components: readonly ServerComponent[],
  key: ServerCallKey,
  limitUs: number | undefined,
): ServerFigure | undefined {
  const [resource = '', ...group] = key.resource.split('.');
  const verbs = METRIC_VERBS[key.verb];
  const matching = components
    .flatMap((component) => component.sli ?? [])
    .filter(
      (sli) =>
        verbs.includes(sli.verb.toLowerCase()) &&
        sli.resource === resource &&
        sli.group === group.join('.') &&
        sli.subresource === key.subresource &&
        sli.scope === key.scope,
    );
  if (matching.length === 0) return undefined;
  const merged = mergeSli(matching);
  if (merged.count === 0) return undefined;
  const within =
    limitUs === undefined
      ? undefined
      : merged.buckets.find((bucket) => bucket.leSeconds !== null && bucket.leSeconds * 1e6 === limitUs);
  return {
    count: merged.count,
    meanUs: (merged.sumSeconds / merged.count) * 1e6,
    p50: quantileInterval(merged.buckets, 0.5),
    p99: quantileInterval(merged.buckets, 0.99),
    ...(within === undefined ? {} : { withinLimitRatio: within.count / merged.count }),
  };
}

/** Between which edges the quantile (0..1) of cumulative buckets lies. */
export function quantileInterval(
  buckets: readonly { leSeconds: number | null; count: number }[],
  quantile: number,
): EdgeInterval {
  const total = buckets.at(-1)?.count ?? 0;
  let lowUs = 0;
  for (const bucket of buckets) {
    if (bucket.leSeconds === null) break;
    if (bucket.count >= quantile * total) return { lowUs, highUs: Math.round(bucket.leSeconds * 1e6) };
    lowUs = Math.round(bucket.leSeconds * 1e6);
  }
  return { lowUs };
}

/**
 * Quantile in seconds by linear interpolation inside its bucket, as Prometheus' histogram_quantile reckons it and as
 * ClusterLoader2 therefore prints it; undefined when empty. For its file format only: see the head of this file.
 */
export function interpolatedQuantileSeconds(
  buckets: readonly { leSeconds: number | null; count: number }[],
  quantile: number,
): number | undefined {
  const total = buckets.at(-1)?.count ?? 0;
  if (total === 0) return undefined;
  const rank = quantile * total;
  let lowSeconds = 0;
  let lowCount = 0;
  for (const bucket of buckets) {
    if (bucket.leSeconds === null) break;
    if (bucket.count >= rank) {
      const inside = bucket.count - lowCount;
      const part = inside === 0 ? 1 : (rank - lowCount) / inside;
      return lowSeconds + (bucket.leSeconds - lowSeconds) * part;
    }
    lowSeconds = bucket.leSeconds;
    lowCount = bucket.count;
  }
  return lowSeconds;
}

/** `<50 ms`, `100–200 ms`, `>60 s`. */
export function formatInterval(interval: EdgeInterval): string {
  if (interval.highUs === undefined) return `>${formatEdge(interval.lowUs)}`;
  if (interval.lowUs === 0) return `<${formatEdge(interval.highUs)}`;
  const low = formatEdge(interval.lowUs);
  const high = formatEdge(interval.highUs);
  const [lowNumber, lowUnit] = low.split(' ');
  const [, highUnit] = high.split(' ');
  return lowUnit === highUnit ? `${lowNumber}–${high}` : `${low}–${high}`;
}

/** Sums the histograms of several API servers, edge by edge. */
export function mergeSli(all: readonly ServerSli[]): Pick<ServerSli, 'count' | 'sumSeconds' | 'buckets'> {
  const byEdge = new Map<number | null, number>();
  for (const sli of all) {
    for (const bucket of sli.buckets) {
      byEdge.set(bucket.leSeconds, (byEdge.get(bucket.leSeconds) ?? 0) + bucket.count);
    }
  }
  const edge = (leSeconds: number | null) => leSeconds ?? Number.POSITIVE_INFINITY;
  return {
    count: all.reduce((sum, sli) => sum + sli.count, 0),
    sumSeconds: all.reduce((sum, sli) => sum + sli.sumSeconds, 0),
    buckets: [...byEdge]
      .map(([leSeconds, count]) => ({ leSeconds, count }))
      .sort((a, b) => edge(a.leSeconds) - edge(b.leSeconds)),
  };
}
