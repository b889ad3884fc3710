/**
 * The short list of figures that runs are compared by. One number per run each: the run is the unit, not the request.
 * Few on purpose, because every further figure is a further chance of a false alarm. `gate` and `compare` read this
 * list and no other.
 */
import { formatRate, formatUs } from '../../src/core/index.ts';
import {
  type CallSeries,
  LatencyHistogram,
  type RunResult,
  rankOf,
  type Verb,
} from '../../src/result/index.ts';

export interface HeadlineMetric {
  /** `pod_startup.p99`: stable, for machines. */
  id: string;
  label: string;
  /** Microseconds, or events per second. */
  unit: 'us' | 'per-second';
  /** Which direction is good. */
  better: 'lower' | 'higher';
}

/** What one run says of one metric. */
export interface HeadlineFigure {
  metric: HeadlineMetric;
  /** Above 0; absent where the run says nothing, and then `missing` says why. */
  value?: number;
  /** Samples behind the value: calls, pods, events. */
  sampleCount: number;
  missing?: string;
}

type Measured = Omit<HeadlineFigure, 'metric'>;
interface Definition extends HeadlineMetric {
  measure: (result: RunResult) => Measured;
}

const MUTATING: readonly Verb[] = ['create', 'update', 'patch', 'delete'];
const READING: readonly Verb[] = ['get', 'list'];
const mutating = ({ key }: CallSeries) => MUTATING.includes(key.verb);
const reading =
  (scope: string) =>
  ({ key }: CallSeries) =>
    READING.includes(key.verb) && key.scope === scope;

const DEFINITIONS: readonly Definition[] = [
  calls('mutating.p50', 'mutating calls, p50', mutating, 0.5),
  calls('mutating.p99', 'mutating calls, p99', mutating, 0.99),
  calls('read_resource.p99', 'reads of one object, p99', reading('resource'), 0.99),
  calls('read_namespace.p99', 'reads of a namespace, p99', reading('namespace'), 0.99),
  calls('read_cluster.p99', 'reads of the cluster, p99', reading('cluster'), 0.99),
  pods('pod_startup.p50', 'startup of stateless pods, p50', 0.5),
  pods('pod_startup.p99', 'startup of stateless pods, p99', 0.99),
  {
    id: 'scheduling.rate',
    label: 'pods bound per second of waiting',
    unit: 'per-second',
    better: 'higher',
    measure: ({ scheduling }) =>
      scheduling === undefined || scheduling.meanPerSecond <= 0
        ? nothing('no pod was bound')
        : { value: scheduling.meanPerSecond, sampleCount: scheduling.boundCount },
  },
  {
    id: 'watch_spread.p99',
    label: 'watch fan-out, first to last watcher, p99',
    unit: 'us',
    better: 'lower',
    measure: (result) =>
      quantileOf(
        measuredOf(result, result.watches).map((watch) => watch.deliverySpread),
        0.99,
        0,
        'no watch saw an event',
      ),
  },
  {
    id: 'apiserver_cpu.mean',
    label: 'CPU of the API servers per call',
    unit: 'us',
    better: 'lower',
    measure: apiServerCpu,
  },
];

/** Every headline metric, in the order in which they are shown. */
export const HEADLINE_METRICS: readonly HeadlineMetric[] = DEFINITIONS.map(
  ({ measure: _, ...metric }) => metric,
);

/** What `result` says of every headline metric, in their order; measured phases alone where there are phases. */
export function headlineFigures(result: RunResult): HeadlineFigure[] {
  return DEFINITIONS.map(({ measure, ...metric }) => ({ metric, ...measure(result) }));
}

/** `12.3 ms`, `17.2/s`; a dash for a figure that is missing. */
export function formatHeadline(metric: HeadlineMetric, value: number | undefined): string {
  if (value === undefined) return '–';
  return metric.unit === 'us' ? formatUs(value) : formatRate(value);
}

function calls(
  id: string,
  label: string,
  matches: (series: CallSeries) => boolean,
  quantile: number,
): Definition {
  return {
    id,
    label,
    unit: 'us',
    better: 'lower',
    measure: (result) =>
      quantileOf(
        result.series
          .filter(({ key }) => key.source === 'load' && measuredPhases(result).has(key.phase))
          .filter(matches)
          .map((series) => series.response),
        quantile,
        0,
        'the load made no such call',
      ),
  };
}

function pods(id: string, label: string, quantile: number): Definition {
  return {
    id,
    label,
    unit: 'us',
    better: 'lower',
    measure: (result) => {
      const startups = measuredOf(result, result.podStartup).filter(({ kind }) => kind === 'stateless');
      const neverCount = startups.reduce((sum, startup) => sum + startup.neverStartedCount, 0);
      return quantileOf(
        startups.flatMap(({ phases }) => phases.pod_startup ?? []),
        quantile,
        neverCount,
        'no stateless pod can be judged',
      );
    },
  };
}

/** `slowerCount` further samples have no duration and are slower than all that have: pods that never started. */
function quantileOf(
  distributions: readonly CallSeries['response'][],
  quantile: number,
  slowerCount: number,
  absence: string,
): Measured {
  const histogram = LatencyHistogram.merged(
    distributions.map((one) => LatencyHistogram.fromDistribution(one)),
  );
  const sampleCount = histogram.count + slowerCount;
  if (sampleCount === 0) return nothing(absence);
  const rank = rankOf(quantile, sampleCount);
  if (rank > histogram.count)
    return { sampleCount, missing: `${slowerCount} never did: beyond any duration` };
  // A duration of 0 µs has no logarithm; the clock's grain stands for it.
  return { value: Math.max(1, histogram.percentile(rank / histogram.count)), sampleCount };
}

// Of the whole run: the processes do not say in which phase they spent their time.
function apiServerCpu(result: RunResult): Measured {
  const servers = result.server.filter(({ component }) => component === 'kube-apiserver');
  const cpuSeconds = servers.map((server) => server.cpuSeconds);
  if (servers.length === 0 || cpuSeconds.includes(undefined)) return nothing('the API servers did not tell');
  const callCount = result.series.reduce((sum, one) => sum + one.doneCount + one.failedCount, 0);
  const total = cpuSeconds.reduce<number>((sum, seconds) => sum + (seconds ?? 0), 0);
  return callCount === 0 || total <= 0
    ? nothing('no call was made')
    : { value: (total * 1e6) / callCount, sampleCount: callCount };
}

function nothing(missing: string): Measured {
  return { sampleCount: 0, missing };
}

function measuredPhases(result: RunResult): ReadonlySet<string> {
  return new Set(result.phases.filter((phase) => phase.measured).map((phase) => phase.name));
}

function measuredOf<T extends { phase: string }>(result: RunResult, items: readonly T[]): T[] {
  const measured = measuredPhases(result);
  return items.filter(({ phase }) => measured.has(phase));
}
