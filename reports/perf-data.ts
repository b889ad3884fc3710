/**
 * perf-data: the run's figures under ClusterLoader2's names and in its shapes, for perf-dash and what else reads them.
 *
 * - `APIResponsivenessPrometheus_simple`: the API server's own histograms, quantiles interpolated as Prometheus does,
 *   which is what that file holds upstream.
 * - `APIResponsiveness`: what clients felt, from the response histograms of the load.
 * - `PodStartupLatency_PodStartupLatency`, and the same with `Stateless` and `Stateful` in front.
 * - `SchedulingThroughput`: pods bound per second.
 * - `NetworkProgrammingLatency`: all proxies in one pool, over the measured phases; upstream's are of one-minute windows.
 * - `NodeRegistrationLatency`, `LeaseLateness`, `WatchDelivery`: what upstream has no file for, in the same shape;
 *   the first two over the whole run, the last one item for each action and figure of the measured phases.
 *
 * Files without samples are left out: zeros would be drawn as an excellent run.
 *
 * Source: names, versions, labels and units of clusterloader2/pkg/measurement/common/slos in kubernetes/perf-tests
 * (0fec4121, 09a6a61d); file names of its summary writer; perfdash/config.go for the prefixes.
 */
import {
  type CallSeries,
  type Distribution,
  LatencyHistogram,
  type PodStartup,
  type PodStartupPhase,
  type RunResult,
  type ServerSli,
  type Verb,
} from '../src/result/index.ts';
import { mergeDistributions } from './model/distributions.ts';
import { programmedPhases } from './model/network-programming.ts';
import { interpolatedQuantileSeconds, mergeSli } from './model/server-side.ts';
import { callLimitUs } from './model/slo-limits.ts';

export interface PerfDataFile {
  /** `APIResponsiveness_quickstart_2026-11-22T12:06:02Z.json`, colons replaced: not every file system takes them. */
  name: string;
  content: PerfData | SchedulingThroughput;
}

export interface PerfData {
  version: string;
  dataItems: PerfDataItem[];
}

export interface PerfDataItem {
  /** Milliseconds. */
  data: { Perc50: number; Perc90: number; Perc99: number };
  unit: 'ms';
  labels?: Record<string, string>;
}

/** Pods per second. */
export interface SchedulingThroughput {
  average: number;
  max: number;
}

/** Verbs as kube-apiserver labels them in its metrics. */
const METRIC_VERB: Readonly<Record<Verb, string>> = {
  get: 'GET',
  list: 'LIST',
  watch: 'WATCH',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
  deletecollection: 'DELETECOLLECTION',
};

/** Upstream's transitions, made of ours; ours that upstream does not know stay in result.json. */
const TRANSITIONS: readonly { metric: string; phase: PodStartupPhase }[] = [
  { metric: 'create_to_schedule', phase: 'create_to_schedule' },
  { metric: 'schedule_to_run', phase: 'schedule_to_run' },
  { metric: 'run_to_watch', phase: 'run_to_watch' },
  { metric: 'schedule_to_watch', phase: 'schedule_to_watch' },
  { metric: 'create_to_run', phase: 'create_to_run' },
  { metric: 'pod_startup', phase: 'pod_startup' },
];

/** The files of a run, ready to be written as JSON. */
export function perfDataFiles(result: RunResult): PerfDataFile[] {
  const measured = new Set(result.phases.filter((phase) => phase.measured).map((phase) => phase.name));
  const pods = result.podStartup.filter((one) => measured.has(one.phase));
  const calls = result.series.filter((one) => one.key.source === 'load' && measured.has(one.key.phase));
  const files: { summary: string; content: PerfData | SchedulingThroughput }[] = [
    { summary: 'APIResponsivenessPrometheus_simple', content: serverResponsiveness(result) },
    { summary: 'APIResponsiveness', content: clientResponsiveness(result, calls) },
    { summary: 'PodStartupLatency_PodStartupLatency', content: podStartup(pods) },
    {
      summary: 'StatelessPodStartupLatency_PodStartupLatency',
      content: podStartup(pods.filter((one) => one.kind === 'stateless')),
    },
    {
      summary: 'StatefulPodStartupLatency_PodStartupLatency',
      content: podStartup(pods.filter((one) => one.kind === 'stateful')),
    },
    { summary: 'NetworkProgrammingLatency', content: networkProgramming(result, measured) },
    { summary: 'NodeRegistrationLatency', content: single('register_to_ready', result.fleet.registration) },
    { summary: 'LeaseLateness', content: single('due_to_acknowledged', result.fleet.leaseLateness) },
    { summary: 'WatchDelivery', content: watchDelivery(result, measured) },
  ];
  if (result.scheduling !== undefined) {
    const { meanPerSecond, maxPerSecond } = result.scheduling;
    files.push({ summary: 'SchedulingThroughput', content: { average: meanPerSecond, max: maxPerSecond } });
  }
  const suite = result.suite.name.replaceAll(/[^\w.-]/g, '-');
  const time = result.endedAt.replace(/\.\d+Z$/, 'Z').replaceAll(':', '-');
  return files
    .filter(({ content }) => !('dataItems' in content) || content.dataItems.length > 0)
    .map(({ summary, content }) => ({ name: `${summary}_${suite}_${time}.json`, content }));
}

function serverResponsiveness(result: RunResult): PerfData {
  const groups = new Map<string, ServerSli[]>();
  for (const sli of result.server.flatMap((component) => component.sli ?? [])) {
    if (sli.verb.toUpperCase() === 'WATCH') continue;
    const id = [sli.resource, sli.subresource, sli.verb, sli.scope].join('|');
    groups.set(id, [...(groups.get(id) ?? []), sli]);
  }
  const dataItems = [...groups.values()].flatMap((group) => {
    const [first] = group;
    const merged = mergeSli(group);
    if (first === undefined || merged.count === 0) return [];
    const ms = (quantile: number) => (interpolatedQuantileSeconds(merged.buckets, quantile) ?? 0) * 1_000;
    const limitSeconds = first.scope === 'resource' ? 1 : 30;
    const fast = merged.buckets.find((bucket) => bucket.leSeconds === limitSeconds)?.count ?? merged.count;
    return [
      item(
        { Perc50: ms(0.5), Perc90: ms(0.9), Perc99: ms(0.99) },
        {
          Verb: first.verb,
          Resource: first.resource,
          Subresource: first.subresource,
          Scope: first.scope,
          Count: String(merged.count),
          SlowCount: String(merged.count - fast),
        },
      ),
    ];
  });
  return { version: 'v1', dataItems: slowestFirst(dataItems) };
}

function clientResponsiveness(result: RunResult, calls: readonly CallSeries[]): PerfData {
  const groups = new Map<string, CallSeries[]>();
  for (const series of calls) {
    const { verb, resource, subresource, scope } = series.key;
    if (verb === 'watch') continue;
    const id = [resource, subresource, verb, scope].join('|');
    groups.set(id, [...(groups.get(id) ?? []), series]);
  }
  const dataItems = [...groups.values()].flatMap((group) => {
    const [first] = group;
    const all = mergeDistributions(group.map((series) => series.response));
    if (first === undefined || all.summary.count === 0) return [];
    const limitUs = callLimitUs(result, first.key);
    const slowCount = limitUs === undefined ? 0 : LatencyHistogram.fromDistribution(all).countAbove(limitUs);
    const [resource = ''] = first.key.resource.split('.');
    return [
      item(percentilesMs(all), {
        Verb: METRIC_VERB[first.key.verb],
        Resource: resource,
        Subresource: first.key.subresource,
        Scope: first.key.scope,
        Count: String(all.summary.count),
        SlowCount: String(slowCount),
      }),
    ];
  });
  return { version: 'v1', dataItems: slowestFirst(dataItems) };
}

function podStartup(pods: readonly PodStartup[]): PerfData {
  const dataItems = TRANSITIONS.flatMap(({ metric, phase }) => {
    const all = mergeDistributions(pods.flatMap((one) => one.phases[phase] ?? []));
    return all.summary.count === 0 ? [] : [item(percentilesMs(all), { Metric: metric })];
  });
  return { version: '1.0', dataItems };
}

/** Upstream's one item, which has no labels. */
function networkProgramming(result: RunResult, measured: ReadonlySet<string>): PerfData {
  const phases = programmedPhases(result).filter(({ phase }) => measured.has(phase));
  const all = mergeDistributions(phases.map(({ programming }) => programming));
  const dataItems: PerfDataItem[] = all.summary.count === 0 ? [] : [{ data: percentilesMs(all), unit: 'ms' }];
  return { version: 'v1', dataItems };
}

function single(metric: string, all: Distribution): PerfData {
  const dataItems = all.summary.count === 0 ? [] : [item(percentilesMs(all), { Metric: metric })];
  return { version: 'v1', dataItems };
}

function watchDelivery(result: RunResult, measured: ReadonlySet<string>): PerfData {
  const dataItems = result.watches
    .filter(({ phase }) => measured.has(phase))
    .flatMap(({ phase, resource, scope, watcherCount, deliverySpread, serverLag }) =>
      [
        { metric: 'first_to_each_watcher', all: deliverySpread },
        { metric: 'server_stamp_to_first_watcher', all: serverLag },
      ].flatMap(({ metric, all }) => {
        if (all === undefined || all.summary.count === 0) return [];
        const labels = { Metric: metric, Resource: resource, Scope: scope, Phase: phase };
        return [item(percentilesMs(all), { ...labels, Watchers: String(watcherCount) })];
      }),
    );
  return { version: 'v1', dataItems };
}

function item(data: PerfDataItem['data'], labels: Record<string, string>): PerfDataItem {
  return { data, unit: 'ms', labels };
}

function percentilesMs({ summary }: Distribution): PerfDataItem['data'] {
  return { Perc50: summary.p50Us / 1_000, Perc90: summary.p90Us / 1_000, Perc99: summary.p99Us / 1_000 };
}

function slowestFirst(items: PerfDataItem[]): PerfDataItem[] {
  return items.sort((a, b) => b.data.Perc99 - a.data.Perc99);
}
