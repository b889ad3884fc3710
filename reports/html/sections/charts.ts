/** Boxes that the script draws charts into, each with what it shows in words and its figures as a table. */
import { formatUs } from '../../../src/core/index.ts';
import { formatCount, LatencyHistogram, type RunResult } from '../../../src/result/index.ts';
import { type CallRow, SOURCE_LABEL } from '../../model/call-rows.ts';
import { formatInstant, formatLength } from '../../model/words.ts';
import type { ChartData } from '../chart-types.ts';
import { dataTable } from '../data-table.ts';
import { html, type Markup } from '../markup.ts';
import type { Section } from '../shell.ts';

const QUANTILES = [0.5, 0.9, 0.95, 0.99, 0.999, 0.9999, 1];

/** Percentile plot and heatmap. */
export function latencySections(data: ChartData, rows: readonly CallRow[]): (Section | undefined)[] {
  return [percentileSection(data, rows), heatmapSection(data)];
}

function percentileSection(data: ChartData, rows: readonly CallRow[]): Section | undefined {
  if (data.calls.length === 0) return undefined;
  const options = data.calls.map(
    (call, i) =>
      html`<option value="${i}">${call.label} (n ${formatCount(call.lines[0]?.count ?? 0)})</option>`,
  );
  return {
    id: 'percentiles',
    title: 'Latency by percentile',
    short: 'Percentiles',
    body: html`<p>Each step to the right is another nine: 90 %, 99 %, 99.9 %. Where <em>response</em> lies above <em>service</em>, calls waited in the harness or for a connection before they were sent. The dashed line is the SLO limit of p99.</p>
<p class="controls" hidden><label>Call <select id="percentile-call">${options}</select></label></p>
<div class="chart" id="percentile-chart" data-height="320"></div>
<details><summary>The same as a table</summary>${percentileTable(rows)}</details>`,
  };
}

function percentileTable(rows: readonly CallRow[]): Markup {
  const titles = QUANTILES.map((quantile) =>
    quantile === 1 ? 'max' : `p${Number((quantile * 100).toFixed(2))}`,
  );
  const cells = rows
    .filter((row) => row.response.summary.count > 0)
    .flatMap((row) =>
      (['response', 'service'] as const).map((kind) => {
        const histogram = LatencyHistogram.fromDistribution(row[kind]);
        const figures = QUANTILES.map((quantile) =>
          // Beyond the sample count a further nine is only the maximum again.
          quantile < 1 && histogram.count * (1 - quantile) < 1
            ? '–'
            : { content: formatUs(histogram.percentile(quantile)), sort: histogram.percentile(quantile) },
        );
        return { cells: [`${SOURCE_LABEL[row.source]}: ${row.call}, ${row.scope}`, kind, ...figures] };
      }),
    );
  return dataTable({
    id: 'percentile-table',
    caption: 'Percentiles of response and service time',
    columns: [{ title: 'Call' }, { title: 'Time' }, ...titles.map((title) => ({ title, numeric: true }))],
    rows: cells,
    sortable: true,
  });
}

function heatmapSection(data: ChartData): Section | undefined {
  if (!data.heat.some((row) => row.length > 0)) return undefined;
  return {
    id: 'heatmap',
    title: 'Latency over time',
    short: 'Heatmap',
    body: html`<p>Every response of the load, by when it ended and how long it took; the lighter, the more (on a log scale). Stripes are pauses, a second band is a second kind of call.</p>
<div class="chart" id="heatmap-chart" data-height="280" tabindex="0" role="img" aria-label="Heatmap of response times over time. Arrow keys move a cursor that reads out counts."></div>
<p class="readout" id="heatmap-readout" aria-live="polite">Point at a cell, or use the arrow keys.</p>`,
  };
}

function rolloutNote({ rollouts }: RunResult['phases'][number]): string {
  if (rollouts === undefined) return '';
  if (rollouts.openCount > 0) return `; ${formatCount(rollouts.openCount)} workloads had not rolled out`;
  return `; rolled out ${formatLength(rollouts.waitMs)} after the last call`;
}

export function timeSection(result: RunResult, data: ChartData): Section | undefined {
  if (data.startMs.length === 0) return undefined;
  const charts = data.time.map(
    (chart) =>
      html`<h3>${chart.title}</h3><div class="chart time" id="time-${chart.id}" data-chart="${chart.id}" data-height="170" tabindex="0" role="group" aria-label="${chart.title} over time. Arrow keys move the cursor in all charts, plus and minus zoom, escape shows all."></div>`,
  );
  const phases = result.phases.map((phase) => ({
    cells: [
      phase.name,
      phase.measured ? 'yes' : phase.warmUp === undefined ? 'no' : `no (warm-up: ${phase.warmUp.text})`,
      formatInstant(phase.startMs),
      formatLength(phase.endMs - phase.startMs),
      phase.state === 'completed'
        ? `completed${rolloutNote(phase)}`
        : `${phase.state}${phase.reason === undefined ? '' : `: ${phase.reason}`}`,
      html`${phase.actions.map((action, i) => html`${i === 0 ? '' : html`<br>`}${action.action}: ${action.description} (offered ${action.offeredPerSecond.toFixed(1)}/s, achieved ${action.achievedPerSecond.toFixed(1)}/s)`)}`,
    ].map((content) => ({ content })),
  }));
  return {
    id: 'time',
    title: 'Over the run',
    short: 'Over time',
    body: html`<p class="controls" hidden><span>Drag to zoom, double-click to see all; the cursor is shared.</span> <button type="button" id="zoom-reset">Show the whole run</button></p>
${charts}
<h3>Phases</h3>
${dataTable({
  id: 'phase-table',
  caption: 'Phases of the run',
  columns: [
    { title: 'Phase' },
    { title: 'Measured' },
    { title: 'Start' },
    { title: 'Length' },
    { title: 'End' },
    { title: 'What it did' },
  ],
  rows: phases,
})}`,
  };
}
