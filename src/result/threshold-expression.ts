/**
 * Thresholds as code, as text: `pod_startup{kind:stateless}.p99 < 5s`.
 *
 *   threshold = metric [ "{" label ":" value { "," label ":" value } "}" ] "." aggregate operator quantity
 *   operator  = "<" | "<=" | ">" | ">=" | "=="
 *   quantity  = a duration (500ms), a number (0), a ratio (1% or 0.01) or a rate (20/s), as the aggregate asks
 *
 * Metrics, labels and aggregates are all known here: anything else is a problem, never a threshold that passes.
 */
import { formatRate, formatRatio, formatUs, parseDurationMs, parseRatePerSecond } from '../core/index.ts';
import { formatCount, formatEdge } from './quantiles.ts';

/** `us`: a latency; `ratio`: 0..1. */
export type ThresholdUnit = 'us' | 'count' | 'ratio' | 'per-second';
export type ThresholdOperator = '<' | '<=' | '>' | '>=' | '==';
export type ThresholdAggregate =
  | 'p50'
  | 'p90'
  | 'p95'
  | 'p99'
  | 'p999'
  | 'min'
  | 'mean'
  | 'max'
  | 'count'
  | 'rate'
  | 'ratio';
export type ThresholdMetricName =
  | 'calls_response'
  | 'calls_service'
  | 'errors'
  | 'dropped'
  | 'throughput'
  | 'pod_startup'
  | 'pods_never_started'
  | 'scheduling'
  | 'watch_spread'
  | 'network_programming'
  | 'availability'
  | 'outage'
  | 'watch_propagation'
  | 'stale_reads'
  | 'registration'
  | 'lease_lateness'
  | 'leases_missed'
  | 'nodes_lost';

export interface ThresholdMetricInfo {
  /** One phrase, for the reference page. */
  description: string;
  labels: readonly string[];
  aggregates: Readonly<Partial<Record<ThresholdAggregate, ThresholdUnit>>>;
}

export interface ThresholdExpression {
  /** As written, without space around it. */
  text: string;
  metric: ThresholdMetricName;
  labels: Readonly<Record<string, string>>;
  aggregate: ThresholdAggregate;
  operator: ThresholdOperator;
  /** In `unit`. */
  limit: number;
  unit: ThresholdUnit;
}

/** Why a text is no threshold; `word` may be a mistyped one of `known`. */
export interface ThresholdProblem {
  message: string;
  word?: string;
  known?: readonly string[];
}

/** Quantiles by the aggregate that asks for them. */
export const THRESHOLD_QUANTILES: Readonly<Partial<Record<ThresholdAggregate, number>>> = {
  p50: 0.5,
  p90: 0.9,
  p95: 0.95,
  p99: 0.99,
  p999: 0.999,
};

const LATENCY = {
  p50: 'us',
  p90: 'us',
  p95: 'us',
  p99: 'us',
  p999: 'us',
  min: 'us',
  mean: 'us',
  max: 'us',
  count: 'count',
} as const;
const CALL_LABELS = ['source', 'verb', 'resource', 'subresource', 'scope', 'variant', 'phase'];

export const THRESHOLD_METRICS: Readonly<Record<ThresholdMetricName, ThresholdMetricInfo>> = {
  calls_response: {
    description:
      'Intended start to last byte. In a percentile, calls refused or cut off by the server are slower than any other.',
    labels: CALL_LABELS,
    aggregates: { ...LATENCY, rate: 'per-second' },
  },
  calls_service: {
    description: 'Sent to last byte; refused calls as above.',
    labels: CALL_LABELS,
    aggregates: { ...LATENCY, rate: 'per-second' },
  },
  errors: {
    description: 'Failed calls; `ratio` is of the calls that ended.',
    labels: [...CALL_LABELS, 'class'],
    aggregates: { ratio: 'ratio', count: 'count', rate: 'per-second' },
  },
  dropped: {
    description: 'Arrivals that could not start; `ratio` is of those offered.',
    labels: CALL_LABELS,
    aggregates: { ratio: 'ratio', count: 'count' },
  },
  throughput: {
    description: 'Calls that succeeded; `rate` is over the length of their phases.',
    labels: CALL_LABELS,
    aggregates: { rate: 'per-second', count: 'count' },
  },
  pod_startup: {
    description:
      'Create sent to Running seen, or the `part` of it. Pods that never started are slower than any that did.',
    labels: ['kind', 'phase', 'part'],
    aggregates: LATENCY,
  },
  pods_never_started: {
    description:
      'Pods that lived for the startup limit without running; `ratio` is of those that can be judged.',
    labels: ['kind', 'phase'],
    aggregates: { count: 'count', ratio: 'ratio' },
  },
  scheduling: {
    description: 'Pods bound; `rate` while pods waited, `max` the best 10 s.',
    labels: [],
    aggregates: { rate: 'per-second', max: 'per-second', count: 'count' },
  },
  watch_spread: {
    description: "From the first watcher's receipt of a change to each other watcher's.",
    labels: ['resource', 'scope', 'phase'],
    aggregates: LATENCY,
  },
  network_programming: {
    description:
      "Change of a Service's endpoints to its sync on a node, or the `stage` of it that the proxy itself took.",
    labels: ['phase', 'stage'],
    aggregates: LATENCY,
  },
  availability: {
    description:
      'Availability probes answered 200 in time, of all; without a `path` those through the load balancer.',
    labels: ['path', 'phase'],
    aggregates: { ratio: 'ratio' },
  },
  outage: {
    description:
      'Availability probes that were bad in a row, as time: the longest (`max`), and how many times (`count`).',
    labels: ['path', 'phase'],
    aggregates: { max: 'us', count: 'count' },
  },
  watch_propagation: {
    description:
      'Write sent to its event at the `reach` of its watchers (the last where it is not said); writes that some watcher missed are slower than any other. `spread` is from the first to the last.',
    labels: ['reach', 'phase'],
    aggregates: LATENCY,
  },
  stale_reads: {
    description:
      'Consistent reads that did not show what had been acknowledged; `ratio` is of those answered.',
    labels: ['path', 'verb', 'phase'],
    aggregates: { count: 'count', ratio: 'ratio' },
  },
  registration: {
    description: "First request of a node to its Ready condition's acknowledgement.",
    labels: [],
    aggregates: LATENCY,
  },
  lease_lateness: { description: 'Lease renewals, due to acknowledged.', labels: [], aggregates: LATENCY },
  leases_missed: {
    description: 'Lease renewals that never came.',
    labels: [],
    aggregates: { count: 'count' },
  },
  nodes_lost: {
    description: 'Times that a hollow node was lost.',
    labels: [],
    aggregates: { count: 'count' },
  },
};

/** Values of labels that can be no others; labels not named here take any text. */
export const THRESHOLD_LABEL_VALUES: Readonly<Record<string, readonly string[]>> = {
  source: ['load', 'kubelet', 'kube-proxy', 'probe', 'setup'],
  verb: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete', 'deletecollection'],
  scope: ['resource', 'namespace', 'cluster'],
  class: ['http-4xx', 'http-409', 'http-429', 'http-5xx', 'timeout', 'connection', 'protocol', 'cancelled'],
  kind: ['stateless', 'stateful'],
  stage: ['programming', 'proxy_delay'],
  reach: ['first', 'last', 'spread'],
  part: [
    'create_to_schedule',
    'schedule_to_kubelet',
    'kubelet_to_run',
    'run_to_watch',
    'schedule_to_watch',
    'schedule_to_run',
    'create_to_run',
    'pod_startup',
  ],
};

const EXAMPLE = 'pod_startup{kind:stateless}.p99 < 5s';
const SHAPE = /^([^\s{}.<>=]*)\s*(?:\{([^{}]*)\})?\s*\.\s*([^\s{}.<>=]*)\s*([<>=]+)\s*(.*)$/s;
const OPERATORS: readonly string[] = ['<', '<=', '>', '>=', '=='];
const EXPECTED_QUANTITY: Readonly<Record<ThresholdUnit, string>> = {
  us: 'a duration such as 500ms or 5s',
  count: 'a number such as 0 or 1000',
  ratio: 'a ratio such as 1% or 0.01',
  'per-second': 'a rate such as 20/s',
};

/** The threshold that `text` is, or the first thing that is wrong with it; never throws. */
export function parseThreshold(text: string): ThresholdExpression | ThresholdProblem {
  const trimmed = text.trim();
  const [, metricText = '', labelText, aggregateText = '', operator = '', quantityText = ''] =
    SHAPE.exec(trimmed) ?? [];
  if (metricText === '' || aggregateText === '')
    return { message: `expected metric{label:value}.aggregate < quantity, such as ${EXAMPLE}` };
  if (!isMetric(metricText)) return unknown('metric', metricText, Object.keys(THRESHOLD_METRICS));
  const metric = THRESHOLD_METRICS[metricText];
  const labels = parseLabels(labelText ?? '', metricText, metric);
  if ('message' in labels) return labels.message;
  const unit = Object.hasOwn(metric.aggregates, aggregateText)
    ? metric.aggregates[aggregateText as ThresholdAggregate]
    : undefined;
  if (unit === undefined)
    return unknown(`aggregate of ${metricText}`, aggregateText, Object.keys(metric.aggregates));
  if (!OPERATORS.includes(operator)) return unknown('operator', operator, OPERATORS);
  const limit = parseQuantity(quantityText.trim(), unit);
  if (limit === undefined)
    return {
      message: `expected ${EXPECTED_QUANTITY[unit]} after ${operator}, got ${JSON.stringify(quantityText.trim())}`,
    };
  return {
    text: trimmed,
    metric: metricText,
    labels: labels.labels,
    aggregate: aggregateText as ThresholdAggregate,
    operator: operator as ThresholdOperator,
    limit,
    unit,
  };
}

/** A figure in its unit, for people: `1.37 s`, `0.5 %`, `1,200`, `19.8/s`. */
export function formatThresholdFigure(value: number, unit: ThresholdUnit): string {
  switch (unit) {
    case 'us':
      return formatUs(value);
    case 'ratio':
      return formatRatio(value);
    case 'count':
      return formatCount(value);
    case 'per-second':
      return formatRate(value);
  }
}

/** A limit as it was written, near enough: without padding zeros. */
export function formatThresholdLimit(limit: number, unit: ThresholdUnit): string {
  if (unit === 'us') return formatEdge(limit);
  if (unit === 'ratio') return `${Number((limit * 100).toPrecision(6))} %`;
  return unit === 'per-second' ? `${Number(limit.toPrecision(6))}/s` : String(limit);
}

function parseLabels(
  text: string,
  metricName: string,
  metric: ThresholdMetricInfo,
): { labels: Record<string, string> } | { message: ThresholdProblem } {
  const labels: Record<string, string> = {};
  if (text.trim() === '') return { labels };
  for (const part of text.split(',')) {
    const colon = part.indexOf(':');
    const name = part.slice(0, colon === -1 ? undefined : colon).trim();
    const value = colon === -1 ? '' : part.slice(colon + 1).trim();
    const known = metric.labels.length === 0 ? [] : metric.labels;
    if (!known.includes(name)) return { message: unknown(`label of ${metricName}`, name, known) };
    if (value === '') return { message: { message: `label ${name} has no value: expected ${name}:value` } };
    if (Object.hasOwn(labels, name)) return { message: { message: `label ${name} stands there twice` } };
    const values = THRESHOLD_LABEL_VALUES[name];
    if (values !== undefined && !values.includes(value)) return { message: unknown(name, value, values) };
    labels[name] = value;
  }
  return { labels };
}

function parseQuantity(text: string, unit: ThresholdUnit): number | undefined {
  switch (unit) {
    case 'us': {
      const ms = parseDurationMs(text);
      return ms === undefined || !Number.isFinite(ms) ? undefined : Math.round(ms * 1_000);
    }
    case 'per-second':
      return finite(parseRatePerSecond(text));
    case 'count':
      return /^\d+$/.test(text) ? finite(Number(text)) : undefined;
    case 'ratio': {
      const match = /^(\d+(?:\.\d+)?)\s*(%?)$/.exec(text);
      const value = match === null ? undefined : Number(match[1]) / (match[2] === '%' ? 100 : 1);
      // 5 for 5 % is a mistake that would pass whatever happens.
      return value === undefined || value > 1 ? undefined : value;
    }
  }
}

function finite(value: number | undefined): number | undefined {
  return value !== undefined && Number.isFinite(value) ? value : undefined;
}

function unknown(what: string, word: string, known: readonly string[]): ThresholdProblem {
  const list = known.length === 0 ? 'there is none' : `known: ${known.join(', ')}`;
  return { message: `unknown ${what} ${JSON.stringify(word)}; ${list}`, word, known };
}

function isMetric(text: string): text is ThresholdMetricName {
  return Object.hasOwn(THRESHOLD_METRICS, text);
}
