/**
 * `official-sli`: the official limits held against the server's own histograms, as the official text defines the
 * indicator: from the receipt of a request to the last byte of the response, without webhooks and without waiting
 * for Priority & Fairness, every client of the server included.
 *
 * A bucket says only between which edges a value lies, so no value is ever interpolated: a quantile is given as the
 * upper edge of its bucket, below the first edge as `<50 ms` and without a number, and limits are compared as
 * shares at bucket edges. Several API servers are judged one by one, because their sum hides the bad one.
 *
 * Source: kubernetes/apiserver pkg/endpoints/metrics/metrics.go (apiserver_request_sli_duration_seconds).
 */
import { rankOf } from './histogram.ts';
import { formatCount, formatEdge, formatQuantile, judgeQuantile, minSampleCount } from './quantiles.ts';
import type { Scope, ServerComponent, ServerSli, SloCheck, Verb, VerdictState } from './run-result.ts';
import { type CallSlo, callSlo, type SloLimits } from './slo-rules.ts';

/** The server's verbs, by ours. APPLY is a server-side apply patch. */
const VERBS: Readonly<Record<string, Verb>> = {
  GET: 'get',
  LIST: 'list',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  APPLY: 'patch',
  DELETE: 'delete',
};

interface Bucket {
  /** Upper edge in microseconds; Infinity for the last. */
  edgeUs: number;
  /** Samples not above the edge. */
  count: number;
}

/** Every check of the official-sli, from the servers that could be scraped. */
export function officialChecks(server: readonly ServerComponent[], limits: SloLimits): SloCheck[] {
  const apiServers = server.filter((component) => component.sli !== undefined);
  return apiServers.flatMap((component) => {
    const suffix = apiServers.length > 1 ? ` @ ${component.name}` : '';
    return serverChecks(component.sli ?? [], limits, suffix);
  });
}

/** API servers whose own figures are missing, with the reason; they are said, never passed over. */
export function unscrapedApiServers(server: readonly ServerComponent[]): string[] {
  return server
    .filter((component) => component.component === 'kube-apiserver' && component.sli === undefined)
    .map(
      (component) => `${component.name}: ${component.unreachable ?? 'no SLI histograms between two scrapes'}`,
    );
}

function serverChecks(sli: readonly ServerSli[], limits: SloLimits, suffix: string): SloCheck[] {
  const bySubject = new Map<string, { rule: CallSlo; parts: ServerSli[] }>();
  for (const one of sli) {
    const rule = officialSlo(one, limits);
    if (rule === undefined || one.count === 0) continue;
    const group = bySubject.get(rule.subject) ?? { rule, parts: [] };
    group.parts.push(one);
    bySubject.set(rule.subject, group);
  }
  return [...bySubject.values()].map(({ rule, parts }) => serverCheck(rule, parts, limits, suffix));
}

function officialSlo(sli: ServerSli, limits: SloLimits): CallSlo | undefined {
  const verb = VERBS[sli.verb];
  if (verb === undefined || !isScope(sli.scope)) return undefined;
  const resource = sli.group === '' ? sli.resource : `${sli.resource}.${sli.group}`;
  return callSlo({ verb, resource, subresource: sli.subresource, scope: sli.scope }, limits);
}

function isScope(scope: string): scope is Scope {
  return scope === 'resource' || scope === 'namespace' || scope === 'cluster';
}

function serverCheck(
  rule: CallSlo,
  parts: readonly ServerSli[],
  limits: SloLimits,
  suffix: string,
): SloCheck {
  const { quantile } = limits;
  const buckets = mergeBuckets(parts);
  const sampleCount = buckets.at(-1)?.count ?? 0;
  const subject = `${rule.subject}${suffix}`;
  const { state, overCount } = judgeBuckets(buckets, rule.limitUs, quantile);
  const place = quantileBucket(buckets, quantile);
  const small = sampleCount < minSampleCount(quantile) ? ` (small n: needs ${minSampleCount(quantile)})` : '';
  const slower = overCount > 0 ? `, ${formatCount(overCount)} slower` : '';
  return {
    kind: 'official-sli',
    slo: rule.slo,
    subject,
    phase: '',
    state,
    sampleCount,
    quantile,
    limitUs: rule.limitUs,
    overLimitCount: overCount,
    ...(place.valueUs === undefined ? {} : { valueUs: place.valueUs }),
    text: `${subject}: ${formatQuantile(quantile)} ${place.text} of ${formatCount(sampleCount)} calls, limit ${formatEdge(rule.limitUs)}${slower}${small}`,
  };
}

/** Sum of cumulative histograms over the edges that all of them have. */
function mergeBuckets(parts: readonly ServerSli[]): Bucket[] {
  const sums = new Map<number, { count: number; partCount: number }>();
  for (const part of parts) {
    for (const { leSeconds, count } of part.buckets) {
      const edgeUs = leSeconds === null ? Number.POSITIVE_INFINITY : Math.round(leSeconds * 1e6);
      const sum = sums.get(edgeUs) ?? { count: 0, partCount: 0 };
      sums.set(edgeUs, { count: sum.count + count, partCount: sum.partCount + 1 });
    }
  }
  return [...sums]
    .filter(([, { partCount }]) => partCount === parts.length)
    .map(([edgeUs, { count }]) => ({ edgeUs, count }))
    .sort((a, b) => a.edgeUs - b.edgeUs);
}

/**
 * Compares shares at the edges around the limit. With the limit on an edge (1 s and 30 s are) the count over it is
 * exact; between two edges the truth is bracketed, and a verdict is given only if both ends agree.
 */
function judgeBuckets(
  buckets: readonly Bucket[],
  limitUs: number,
  quantile: number,
): { state: VerdictState; overCount: number } {
  const total = buckets.at(-1)?.count ?? 0;
  const below = buckets.findLast((bucket) => bucket.edgeUs <= limitUs)?.count ?? 0;
  const above = buckets.find((bucket) => bucket.edgeUs >= limitUs)?.count ?? total;
  const worst = judgeQuantile(total, total - below, quantile);
  const best = judgeQuantile(total, total - above, quantile);
  return { state: worst === best ? worst : 'inconclusive', overCount: total - below };
}

function quantileBucket(buckets: readonly Bucket[], quantile: number): { text: string; valueUs?: number } {
  const total = buckets.at(-1)?.count ?? 0;
  const rank = rankOf(quantile, total);
  const index = buckets.findIndex((bucket) => bucket.count >= rank);
  const bucket = buckets[index];
  const lower = buckets[index - 1];
  if (bucket === undefined) return { text: 'unknown' };
  if (lower === undefined) return { text: `<${formatEdge(bucket.edgeUs)}` };
  if (bucket.edgeUs === Number.POSITIVE_INFINITY) {
    return { text: `>${formatEdge(lower.edgeUs)}`, valueUs: lower.edgeUs };
  }
  return { text: `${formatEdge(lower.edgeUs)} to ${formatEdge(bucket.edgeUs)}`, valueUs: bucket.edgeUs };
}
