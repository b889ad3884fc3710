/** The table of calls: every kind of call with its figures, its limit and what the server says of it. */
import { formatBytes, formatRate, formatRatio, formatUs } from '../../../src/core/index.ts';
import { formatCount, formatEdge, type RunResult } from '../../../src/result/index.ts';
import { type CallRow, SOURCE_LABEL } from '../../model/call-rows.ts';
import { formatInterval } from '../../model/server-side.ts';
import { formatPercentile, type PercentileName } from '../../model/words.ts';
import { dataTable, type TableCell, type TableColumn, type TableRow } from '../data-table.ts';
import { html, type Markup } from '../markup.ts';
import type { Section } from '../shell.ts';

const COLUMNS: readonly TableColumn[] = [
  { title: 'From' },
  { title: 'Call' },
  { title: 'Scope' },
  { title: 'Phase', className: 'phase' },
  { title: 'n', numeric: true, hint: 'calls that ended, failed ones included' },
  { title: 'Rate', numeric: true, hint: 'answered per second of the phase' },
  { title: 'p50', numeric: true, hint: 'response time: intended start to last byte' },
  { title: 'p90', numeric: true, hint: 'response time: intended start to last byte' },
  { title: 'p99', numeric: true, hint: 'response time: intended start to last byte' },
  { title: 'Max', numeric: true, hint: 'response time: intended start to last byte' },
  { title: 'Limit', numeric: true, hint: 'SLO limit of the 99th percentile' },
  { title: 'Margin', numeric: true, hint: 'how much of the limit p99 leaves free' },
  { title: 'Service p99', numeric: true, hint: 'sent to last byte: without the harness’s own queueing' },
  {
    title: 'Server p99',
    numeric: true,
    hint: 'by the API server’s SLI histogram: all clients, whole run; between two bucket edges',
  },
  { title: 'Body', numeric: true, hint: 'mean bytes received per call' },
  { title: 'Failed', numeric: true, hint: 'failed and dropped calls' },
];

export function callsSection(
  result: RunResult,
  together: readonly CallRow[],
  perPhase: readonly CallRow[],
): Section {
  const rows = [
    ...together.map((row) => callRow(row, '')),
    ...perPhase.map((row) => callRow(row, row.phase)),
  ];
  const phases = result.phases.map(
    (phase) =>
      html`<option value="${phase.name}">${phase.name}${phase.measured ? '' : ' (not measured)'}</option>`,
  );
  const body = html`<p>Response time runs from the instant a call was <em>meant</em> to start to its last byte, so a call that had to wait is not flattered. Limits are those of the Kubernetes SLOs for the 99th percentile. The calls of the hollow kubelets and kube-proxies stand beside the load’s and are not judged.</p>
<p class="controls" data-for="call-table" hidden><label>Search <input type="search" id="call-search" placeholder="e.g. list pods"></label> <label>Phase <select id="call-phase"><option value="">measured phases together</option>${phases}</select></label> <output id="call-count" aria-live="polite"></output></p>
${dataTable({ id: 'call-table', caption: 'API calls', columns: COLUMNS, rows, sortable: true })}`;
  return {
    id: 'calls',
    title: 'API calls',
    short: 'API calls',
    body:
      together.length + perPhase.length === 0 ? html`<p class="note warn">No calls were recorded.</p>` : body,
  };
}

function callRow(row: CallRow, phase: string): TableRow {
  const { summary } = row.response;
  const service = row.service.summary;
  const lost = row.failedCount + row.droppedCount;
  const over = row.limitShareRatio !== undefined && row.limitShareRatio > 1;
  const errors = [
    ...Object.entries(row.errors).map(([name, count]) => `${formatCount(count)} ${name}`),
    ...(row.droppedCount > 0 ? [`${formatCount(row.droppedCount)} dropped`] : []),
  ].join(', ');
  return {
    ...(over ? { className: 'over' } : {}),
    data: { phase },
    cells: [
      SOURCE_LABEL[row.source],
      { content: breakable(row.call), className: 'call' },
      row.scope,
      { content: phase === '' ? 'all measured' : phase, className: 'phase' },
      { content: formatCount(summary.count), sort: summary.count },
      { content: formatRate(row.ratePerSecond), sort: row.ratePerSecond },
      percentile(row, 'p50Us'),
      percentile(row, 'p90Us'),
      { ...percentile(row, 'p99Us'), className: 'strong' },
      percentile(row, 'maxUs'),
      row.limitUs === undefined ? '–' : { content: formatEdge(row.limitUs), sort: row.limitUs },
      marginCell(row),
      service.count === 0 ? '–' : { content: formatUs(service.p99Us), sort: service.p99Us },
      row.server === undefined
        ? '–'
        : { content: formatInterval(row.server.p99), sort: row.server.p99.highUs ?? Number.MAX_SAFE_INTEGER },
      row.meanReceivedBytes === undefined
        ? '–'
        : { content: formatBytes(row.meanReceivedBytes), sort: row.meanReceivedBytes },
      {
        content: errors === '' ? '0' : html`<span title="${errors}">${formatCount(lost)}</span>`,
        sort: lost,
      },
    ],
  };
}

function percentile(row: CallRow, name: PercentileName): TableCell {
  const { summary } = row.response;
  return { content: formatPercentile(summary, name), sort: summary.count === 0 ? -1 : summary[name] };
}

// Long names of API groups may break at their dots, so that the table fits.
function breakable(text: string): Markup[] {
  return text.split('.').map((part, i) => (i === 0 ? html`${part}` : html`<wbr>.${part}`));
}

function marginCell(row: CallRow): TableCell | string {
  const share = row.limitShareRatio;
  if (share === undefined) return '–';
  if (share > 1) return { content: `over ×${share.toFixed(1)}`, sort: 1 - share, className: 'bad' };
  return { content: formatRatio(1 - share), sort: 1 - share };
}
