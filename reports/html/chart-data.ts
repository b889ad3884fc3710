/** The data behind the charts, thinned to what a screen can show: long runs are merged into fewer windows. */
import {
  type Distribution,
  type Gauges,
  LATENCY_ROWS_US,
  LatencyHistogram,
  type RunResult,
  type TimelineWindow,
} from '../../src/result/index.ts';
import { type CallRow, SOURCE_LABEL } from '../model/call-rows.ts';
import { orderedPodStartup } from '../model/pods.ts';
import { podStartupLimitUs } from '../model/slo-limits.ts';
import { STARTUP_PHASES } from '../model/words.ts';
import type { ChartData, CurveLine, StartupCurves, TimeChart, TimeMark } from './chart-types.ts';

/** More windows than this are merged with their neighbours. */
export const MAX_WINDOWS = 600;
/** Curves beyond these stay in result.json. */
const MAX_CALLS = 40;
/** Points of a distribution's line. */
const CUMULATIVE_POINTS = 100;

/** Everything the script draws; `rows` are the rows of the measured phases together. */
export function chartData(result: RunResult, rows: readonly CallRow[]): ChartData {
  const windows = mergeWindows(result.timeline, MAX_WINDOWS);
  return {
    startMs: windows.map((window) => Math.round(window.startMs)),
    endMs: windows.map((window) => Math.round(window.endMs)),
    marks: timeMarks(result),
    time: timeCharts(windows),
    rowsUs: [...LATENCY_ROWS_US],
    heat: windows.map((window) => trimZeros(window.heat)),
    calls: rows
      .filter((row) => row.response.summary.count > 0)
      .slice(0, MAX_CALLS)
      .map((row) => ({
        label: `${SOURCE_LABEL[row.source]}: ${row.call}, ${row.scope}`,
        limitUs: row.limitUs ?? null,
        lines: [curveLine('response', row.response), { ...curveLine('service', row.service), dash: true }],
      })),
    startup: startupCurves(result),
  };
}

/** At most `limit` windows: neighbours of one phase are merged, counts added, of percentiles the highest kept. */
export function mergeWindows(windows: readonly TimelineWindow[], limit: number): TimelineWindow[] {
  const size = Math.ceil(windows.length / limit);
  if (size <= 1) return [...windows];
  const merged: TimelineWindow[] = [];
  let group: TimelineWindow[] = [];
  const close = () => {
    if (group.length > 0) merged.push(mergeGroup(group));
    group = [];
  };
  for (const window of windows) {
    if (group.length === size || (group[0] !== undefined && group[0].phase !== window.phase)) close();
    group.push(window);
  }
  close();
  return merged;
}

function mergeGroup(group: readonly TimelineWindow[]): TimelineWindow {
  const [first] = group;
  const last = group.at(-1);
  if (first === undefined || last === undefined) throw new TypeError('a group has at least one window');
  const sum = (pick: (window: TimelineWindow) => number) =>
    group.reduce((total, window) => total + pick(window), 0);
  const highest = (name: 'p50Us' | 'p99Us' | 'maxUs' | 'slipP99Us' | 'loopLagP99Us') => {
    const values = group.flatMap((window) => window[name] ?? []);
    return values.length === 0 ? {} : { [name]: Math.max(...values) };
  };
  return {
    startMs: first.startMs,
    endMs: last.endMs,
    phase: first.phase,
    offeredCount: sum((window) => window.offeredCount),
    achievedCount: sum((window) => window.achievedCount),
    droppedCount: sum((window) => window.droppedCount),
    failedCount: sum((window) => window.failedCount),
    ...highest('p50Us'),
    ...highest('p99Us'),
    ...highest('maxUs'),
    ...highest('slipP99Us'),
    ...highest('loopLagP99Us'),
    heat: LATENCY_ROWS_US.map((_, row) => sum((window) => window.heat[row] ?? 0)),
    gauges: last.gauges,
  };
}

function timeMarks(result: RunResult): TimeMark[] {
  const phases = result.phases.map(
    (phase): TimeMark => ({
      kind: phase.measured ? 'phase' : 'warm-up',
      label: phase.state === 'completed' ? phase.name : `${phase.name} (${phase.state})`,
      startMs: Math.round(phase.startMs),
      endMs: Math.round(phase.endMs),
    }),
  );
  const done = (result.marks ?? []).map(
    (mark): TimeMark => ({
      kind: 'fault',
      label: mark.text,
      startMs: Math.round(mark.atMs),
      endMs: Math.round(mark.endMs ?? result.durationMs),
    }),
  );
  return [...phases, ...done];
}

function timeCharts(windows: readonly TimelineWindow[]): TimeChart[] {
  const column = (pick: (window: TimelineWindow) => number | undefined, digits = 0) =>
    windows.map((window) => {
      const value = pick(window);
      return value === undefined ? null : Number(value.toFixed(digits));
    });
  const perSecond = (count: (window: TimelineWindow) => number) =>
    column((window) => count(window) / Math.max(0.001, (window.endMs - window.startMs) / 1_000), 2);
  const gauge = (name: keyof Gauges, digits = 0) => column((window) => window.gauges[name], digits);
  const charts: TimeChart[] = [
    {
      id: 'rate',
      title: 'Load: calls per second',
      unit: 'rate',
      log: false,
      lines: [
        { label: 'ended', values: perSecond((window) => window.achievedCount), dash: false },
        { label: 'offered', values: perSecond((window) => window.offeredCount), dash: true },
        { label: 'failed', values: perSecond((window) => window.failedCount), dash: false },
        { label: 'dropped', values: perSecond((window) => window.droppedCount), dash: false },
      ],
    },
    {
      id: 'latency',
      title: 'Load: response time',
      unit: 'us',
      log: true,
      lines: [
        { label: 'p50', values: column((window) => window.p50Us), dash: false },
        { label: 'p99', values: column((window) => window.p99Us), dash: false },
        { label: 'max', values: column((window) => window.maxUs), dash: true },
      ],
    },
    {
      id: 'objects',
      title: 'Nodes and pods',
      unit: 'count',
      log: false,
      lines: [
        { label: 'nodes Ready', values: gauge('nodesReady'), dash: true },
        { label: 'pods running', values: gauge('podsRunning'), dash: false },
        { label: 'pods pending', values: gauge('podsPending'), dash: false },
        { label: 'calls in flight', values: gauge('inFlight'), dash: false },
      ],
    },
    {
      id: 'cpu',
      title: 'CPU, cores',
      unit: 'cores',
      log: false,
      lines: [
        { label: 'kube-apiserver', values: gauge('apiserverCpuCores', 3), dash: false },
        { label: 'etcd', values: gauge('etcdCpuCores', 3), dash: false },
        { label: 'fleet', values: gauge('fleetCpuCores', 3), dash: true },
        { label: 'load', values: gauge('loadCpuCores', 3), dash: true },
      ],
    },
    {
      id: 'memory',
      title: 'Resident memory',
      unit: 'bytes',
      log: false,
      lines: [
        { label: 'kube-apiserver', values: gauge('apiserverRssBytes'), dash: false },
        { label: 'etcd', values: gauge('etcdRssBytes'), dash: false },
        { label: 'fleet', values: gauge('fleetRssBytes'), dash: true },
      ],
    },
    {
      id: 'health',
      title: 'The generator itself',
      unit: 'us',
      log: true,
      lines: [
        { label: 'schedule slip p99', values: column((window) => window.slipP99Us), dash: false },
        { label: 'event-loop lag p99', values: column((window) => window.loopLagP99Us), dash: true },
      ],
    },
  ];
  const known = (values: readonly (number | null)[]) => values.some((value) => value !== null);
  return charts
    .map((chart) => ({ ...chart, lines: chart.lines.filter((line) => known(line.values)) }))
    .filter((chart) => chart.lines.length > 0);
}

/** The distributions of pod startup that the page offers, in its order. */
export function startupCurves(result: RunResult): StartupCurves[] {
  return orderedPodStartup(result)
    .filter(({ pods }) => (pods.phases.pod_startup?.summary.count ?? 0) > 0)
    .map(({ pods, measured }) => ({
      label: `${pods.kind} pods, phase ${pods.phase}${measured ? '' : ' (not measured)'}`,
      limitUs: podStartupLimitUs(result, pods.kind) ?? null,
      lines: STARTUP_PHASES.flatMap(({ phase, label, part }) => {
        const distribution = pods.phases[phase];
        if (distribution === undefined || distribution.summary.count === 0) return [];
        if (!part && phase !== 'pod_startup') return [];
        return [{ label, ...cumulative(distribution), total: !part }];
      }),
    }));
}

/** A distribution as a line of the percentile plot. */
export function curveLine(label: string, distribution: Distribution): CurveLine {
  // percentilePoints() steps evenly through the nines, so that x need not be written for each.
  const points = LatencyHistogram.fromDistribution(distribution).percentilePoints();
  return {
    label,
    count: distribution.summary.count,
    curve: points.map(({ valueUs }) => valueUs),
    dash: false,
  };
}

/** Cumulative shares over the distribution's buckets, thinned to what a line can show. */
function cumulative(distribution: Distribution): { us: number[]; share: number[] } {
  const us: number[] = [];
  const share: number[] = [];
  const total = distribution.summary.count;
  let seen = 0;
  let last = Number.NEGATIVE_INFINITY;
  for (const bucket of LatencyHistogram.fromDistribution(distribution).bucketCounts()) {
    if (us.length === 0) {
      us.push(bucket.lowUs);
      share.push(0);
    }
    seen += bucket.count;
    if (seen < total && (seen - last) / total < 1 / CUMULATIVE_POINTS) continue;
    us.push(Math.min(bucket.highUs, distribution.summary.maxUs));
    share.push(Math.round((10_000 * seen) / total));
    last = seen;
  }
  return { us, share };
}

function trimZeros(row: readonly number[]): number[] {
  return row.slice(0, row.findLastIndex((count) => count !== 0) + 1);
}
