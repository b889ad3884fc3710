/** Probes: was the API there, how long did a write take to its watchers, was it read back. */
import { formatUs } from '../../../src/core/index.ts';
import { type Distribution, formatCount, type RunResult } from '../../../src/result/index.ts';
import {
  availabilityRows,
  formatAvailability,
  formatOutages,
  probedPhases,
  propagationRows,
  propagationText,
  readBackRows,
  readBackText,
} from '../../model/probe-rows.ts';
import { formatPercentile, type PercentileName } from '../../model/words.ts';
import { dataTable, type TableCell } from '../data-table.ts';
import { html, type Markup } from '../markup.ts';
import type { Section } from '../shell.ts';

export function probesSection(result: RunResult): Section | undefined {
  const phases = probedPhases(result);
  if (phases.length === 0) return undefined;
  const slip = phases.map(
    ({ phase, slip: { summary } }) => `${formatPercentile(summary, 'p99Us')} in ${phase}`,
  );
  return {
    id: 'probes',
    title: 'Probes',
    short: 'Probes',
    body: html`<p>Asked all the time by a process of its own, whatever the load does; sent late by the harness’s own doing at p99 by ${slip.join(', ')}.</p>
${availabilityTable(result)}${propagationTable(result)}${readBackTable(result)}`,
  };
}

function availabilityTable(result: RunResult): Markup {
  const rows = availabilityRows(result);
  if (rows.length === 0) return html``;
  return html`<h3>API availability</h3><p>Good is a 200 within the timeout. An outage is bad probes in a row times their period.</p>
${dataTable({
  id: 'availability-table',
  caption: 'API availability by path',
  columns: [
    { title: 'Phase' },
    { title: 'Path' },
    { title: 'Asked for' },
    ...['Available', 'Good', 'Bad', 'Outages', 'p50', 'p99', 'max'].map((title) => ({
      title,
      numeric: true,
    })),
  ],
  rows: rows.map((row) => ({
    ...(row.badCount > 0 ? { className: 'over' } : {}),
    cells: [
      row.phase,
      row.path,
      row.endpoint,
      {
        content: formatAvailability(row.availableRatio),
        sort: row.availableRatio ?? -1,
        className: 'strong',
      },
      { content: formatCount(row.goodCount), sort: row.goodCount },
      { content: formatCount(row.badCount), sort: row.badCount },
      { content: formatOutages(row), sort: row.longestOutageUs },
      percentile(row.response, 'p50Us'),
      percentile(row.response, 'p99Us'),
      percentile(row.response, 'maxUs'),
    ],
  })),
  sortable: true,
})}`;
}

function propagationTable(result: RunResult): Markup {
  const rows = propagationRows(result);
  if (rows.length === 0) return html``;
  const texts = probedPhases(result)
    .filter(({ propagation }) => propagation !== undefined)
    .map((probes) => `${probes.phase}: ${propagationText(probes)}`);
  return html`<h3>Write to watch</h3><p>From the write leaving to its event at the watchers, by one clock. ${texts.join('; ')}.</p>
${dataTable({
  id: 'propagation-table',
  caption: 'Write-to-watch propagation',
  columns: [
    { title: 'Phase' },
    { title: 'To' },
    ...['n', 'p50', 'p90', 'p99', 'max'].map((title) => ({ title, numeric: true })),
  ],
  rows: rows.map(({ phase, reach, distribution }) => ({
    cells: [
      phase,
      reach,
      { content: formatCount(distribution.summary.count), sort: distribution.summary.count },
      percentile(distribution, 'p50Us'),
      percentile(distribution, 'p90Us'),
      { ...percentile(distribution, 'p99Us'), className: 'strong' },
      percentile(distribution, 'maxUs'),
    ],
  })),
  sortable: true,
})}`;
}

function readBackTable(result: RunResult): Markup {
  const rows = readBackRows(result);
  if (rows.length === 0) return html``;
  const texts = probedPhases(result)
    .filter(({ readYourWrite }) => readYourWrite.length > 0)
    .map((probes) => `${probes.phase}: ${readBackText(probes)}`);
  return html`<h3>Read your write</h3><p>Consistent reads on every path, sent when the write through the balanced one was acknowledged. ${texts.join('; ')}.</p>
${dataTable({
  id: 'read-back-table',
  caption: 'Reads of what was just written',
  columns: [
    { title: 'Phase' },
    { title: 'Path' },
    { title: 'Read' },
    ...['Answered', 'Stale', 'Failed'].map((title) => ({ title, numeric: true })),
  ],
  rows: rows.map((row) => ({
    ...(row.staleCount > 0 ? { className: 'over' } : {}),
    cells: [
      row.phase,
      row.path,
      row.verb,
      { content: formatCount(row.readCount), sort: row.readCount },
      { content: formatCount(row.staleCount), sort: row.staleCount, className: 'strong' },
      { content: formatCount(row.failedCount), sort: row.failedCount },
    ],
  })),
  sortable: true,
})}`;
}

function percentile(distribution: Distribution | undefined, name: PercentileName): TableCell {
  if (distribution === undefined || distribution.summary.count === 0) return { content: '–', sort: -1 };
  return { content: formatUs(distribution.summary[name]), sort: distribution.summary[name] };
}
