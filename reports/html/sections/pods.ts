/** Pod startup: where the time went, how it is distributed, and which pods were slowest. */
import { formatUs } from '../../../src/core/index.ts';
import {
  formatCount,
  formatEdge,
  type PodStartup,
  type PodTimeline,
  type RunResult,
} from '../../../src/result/index.ts';
import { orderedPodStartup } from '../../model/pods.ts';
import { podStartupLimitUs } from '../../model/slo-limits.ts';
import { formatInstant, formatPercentile, STARTUP_PHASES } from '../../model/words.ts';
import { startupCurves } from '../chart-data.ts';
import { dataTable } from '../data-table.ts';
import { html, type Markup } from '../markup.ts';
import type { Section } from '../shell.ts';

/** Slowest pods shown for each kind and phase. */
const SLOWEST = 10;
const PARTS = STARTUP_PHASES.filter(({ part }) => part);

export function podsSection(result: RunResult): Section | undefined {
  const ordered = orderedPodStartup(result);
  if (ordered.length === 0) return undefined;
  const options = startupCurves(result).map(({ label }, i) => html`<option value="${i}">${label}</option>`);
  return {
    id: 'pods',
    title: 'Pod startup',
    short: 'Pods',
    body: html`<p>From the create call to the watcher that sees the pod Running, in four parts taken on one clock. Percentiles of parts do not add up to the percentile of the whole: the coloured parts are each at that percentile, the black mark is the whole startup’s. Pods that never ran count as over the limit.</p>
<ul class="key">${PARTS.map(({ label }, i) => html`<li><i class="swatch s${i + 1}"></i>${label}</li>`)}</ul>
${ordered.map(({ pods, measured }) =>
  measured
    ? podBlock(result, pods, true)
    : html`<details><summary>${pods.kind} pods, phase ${pods.phase} (not measured)</summary>${podBlock(result, pods, false)}</details>`,
)}
<h3>Distribution</h3>
<p class="controls" hidden><label>Pods <select id="startup-select">${options}</select></label></p>
<div class="chart" id="startup-chart" data-height="300"></div>`,
  };
}

function podBlock(result: RunResult, pods: PodStartup, measured: boolean): Markup {
  const limitUs = podStartupLimitUs(result, pods.kind);
  const counts = [
    `${formatCount(pods.createdCount)} created`,
    `${formatCount(pods.startedCount)} started`,
    `${formatCount(pods.neverStartedCount)} never started`,
    `${formatCount(pods.censoredCount)} deleted too young to tell`,
    ...(limitUs === undefined ? [] : [`limit ${formatEdge(limitUs)} at p99`]),
  ].join(' · ');
  const id = `${pods.kind}-${pods.phase}`.replaceAll(/[^\w-]/g, '-');
  const rows = STARTUP_PHASES.flatMap(({ phase, label }) => {
    const summary = pods.phases[phase]?.summary;
    if (summary === undefined || summary.count === 0) return [];
    const cell = (name: 'p50Us' | 'p90Us' | 'p99Us' | 'maxUs') => ({
      content: formatPercentile(summary, name),
      sort: summary[name],
    });
    return [
      {
        ...(phase === 'pod_startup' ? { className: 'total' } : {}),
        cells: [
          label,
          { content: formatCount(summary.count), sort: summary.count },
          cell('p50Us'),
          cell('p90Us'),
          cell('p99Us'),
          cell('maxUs'),
        ],
      },
    ];
  });
  return html`<div class="pods"><h3>${pods.kind} pods, phase ${pods.phase}${measured ? '' : ' (not measured)'}</h3>
<p class="facts">${counts}</p>
${startupBars(pods)}
${dataTable({
  id: `startup-${id}`,
  caption: `Startup of ${pods.kind} pods, phase ${pods.phase}`,
  columns: [
    { title: 'Part' },
    ...['n', 'p50', 'p90', 'p99', 'max'].map((title) => ({ title, numeric: true })),
  ],
  rows,
})}
${slowestPods(pods, id)}</div>`;
}

/** One bar a percentile: the four parts at that percentile side by side, all bars on the scale of the longest. */
function startupBars(pods: PodStartup): Markup {
  const bars = (['p50Us', 'p90Us', 'p99Us'] as const).map((name) => {
    const parts = PARTS.map(({ phase }) => pods.phases[phase]?.summary[name] ?? 0);
    const total = pods.phases.pod_startup?.summary[name] ?? 0;
    return { name: name.slice(0, 3), parts, total, sum: parts.reduce((sum, part) => sum + part, 0) };
  });
  const scale = Math.max(1, ...bars.map((bar) => Math.max(bar.sum, bar.total)));
  const percent = (us: number) => `${((100 * us) / scale).toFixed(2)}%`;
  return html`<div class="bars">${bars.map(
    (bar) =>
      html`<div class="bar"><b>${bar.name}</b><span class="track">${bar.parts.map(
        (us, i) =>
          html`<i class="s${i + 1}" style="width:${percent(us)}" title="${PARTS[i]?.label ?? ''}: ${formatUs(us)}"></i>`,
      )}<u style="left:${percent(bar.total)}" title="whole startup: ${formatUs(bar.total)}"></u></span><span class="num">${formatUs(bar.total)}</span></div>`,
  )}</div>`;
}

function slowestPods(pods: PodStartup, id: string): Markup {
  if (pods.slowest.length === 0) return html``;
  const rows = pods.slowest.slice(0, SLOWEST).map((pod) => {
    const totalMs = span(pod.sentMs, pod.runningSeenMs);
    return {
      cells: [
        `${pod.namespace}/${pod.name}`,
        pod.node ?? '–',
        { content: formatInstant(pod.sentMs), sort: pod.sentMs },
        totalMs === undefined
          ? { content: 'never ran', sort: Number.MAX_SAFE_INTEGER, className: 'bad' }
          : { content: formatUs(totalMs * 1_000), sort: totalMs, className: 'strong' },
        ...parts(pod).map((ms) => (ms === undefined ? '–' : { content: formatUs(ms * 1_000), sort: ms })),
      ],
    };
  });
  return html`<details><summary>The ${rows.length} slowest pods</summary>${dataTable({
    id: `slowest-${id}`,
    caption: `Slowest ${pods.kind} pods of phase ${pods.phase}`,
    columns: [
      { title: 'Pod' },
      { title: 'Node' },
      { title: 'Created', numeric: true },
      { title: 'Startup', numeric: true },
      ...PARTS.map(({ label }) => ({ title: label, numeric: true })),
    ],
    rows,
    sortable: true,
  })}</details>`;
}

function parts(pod: PodTimeline): (number | undefined)[] {
  return [
    span(pod.sentMs, pod.scheduledMs),
    span(pod.scheduledMs, pod.kubeletSeenMs),
    span(pod.kubeletSeenMs, pod.runningSentMs),
    span(pod.runningSentMs, pod.runningSeenMs),
  ];
}

function span(fromMs: number | undefined, toMs: number | undefined): number | undefined {
  return fromMs === undefined || toMs === undefined ? undefined : Math.max(0, toMs - fromMs);
}
