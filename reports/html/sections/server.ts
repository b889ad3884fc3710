/** What the control plane says of itself between the first and the last scrape. */
import { formatBytes, formatMs } from '../../../src/core/index.ts';
import { formatCount, type RunResult, type ServerComponent } from '../../../src/result/index.ts';
import { dataTable } from '../data-table.ts';
import { html, type Markup } from '../markup.ts';
import type { Section } from '../shell.ts';

export function serverSection(result: RunResult): Section {
  const seconds = Math.max(0.001, result.durationMs / 1_000);
  const rows = result.server.map((one) => ({
    ...(one.unreachable === undefined ? {} : { className: 'quiet' }),
    cells: [
      one.name,
      one.unreachable === undefined
        ? `${one.scrapeCount} scrapes, ${one.scrapeGapCount} gaps`
        : `not scraped: ${one.unreachable}`,
      one.cpuSeconds === undefined
        ? '–'
        : { content: `${(one.cpuSeconds / seconds).toFixed(2)} cores`, sort: one.cpuSeconds },
      one.maxRssBytes === undefined ? '–' : { content: formatBytes(one.maxRssBytes), sort: one.maxRssBytes },
      one.maxGoroutineCount === undefined
        ? '–'
        : { content: formatCount(one.maxGoroutineCount), sort: one.maxGoroutineCount },
      one.rateLimiterWaitSeconds === undefined
        ? '–'
        : {
            content: `${formatMs(one.rateLimiterWaitSeconds * 1_000)} in ${formatCount(one.rateLimiterWaitCount ?? 0)} calls`,
            sort: one.rateLimiterWaitSeconds,
          },
    ],
  }));
  return {
    id: 'server',
    title: 'Server side',
    short: 'Server',
    body:
      rows.length === 0
        ? html`<p class="note warn">No component of the control plane was scraped, so nothing stands beside the client’s figures.</p>`
        : html`${dataTable({
            id: 'component-table',
            caption: 'Components of the control plane',
            columns: [
              { title: 'Component' },
              { title: 'Scraped' },
              { title: 'CPU, mean', numeric: true },
              { title: 'Memory, max', numeric: true },
              { title: 'Goroutines, max', numeric: true },
              {
                title: 'Own rate limit',
                numeric: true,
                hint: 'time the component’s client held its calls back',
              },
            ],
            rows,
            sortable: true,
          })}
${priorityTables(result.server)}${otherMetrics(result.server)}`,
  };
}

function priorityTables(components: readonly ServerComponent[]): Markup {
  const levels = components.flatMap((one) =>
    (one.priorityLevels ?? []).map((level) => ({
      cells: [
        one.name,
        level.name,
        { content: formatCount(level.dispatchedCount), sort: level.dispatchedCount },
        {
          content: formatCount(level.rejectedCount),
          sort: level.rejectedCount,
          ...(level.rejectedCount > 0 ? { className: 'bad' } : {}),
        },
        { content: formatMs(level.waitSeconds * 1_000), sort: level.waitSeconds },
      ],
    })),
  );
  const schemas = components.flatMap((one) =>
    (one.flowSchemas ?? []).map((schema) => ({
      cells: [
        one.name,
        schema.name,
        schema.priorityLevel,
        { content: formatCount(schema.dispatchedCount), sort: schema.dispatchedCount },
        {
          content: formatCount(schema.rejectedCount ?? 0),
          sort: schema.rejectedCount ?? 0,
          ...((schema.rejectedCount ?? 0) > 0 ? { className: 'bad' } : {}),
        },
        { content: formatMs((schema.waitSeconds ?? 0) * 1_000), sort: schema.waitSeconds ?? 0 },
      ],
    })),
  );
  if (levels.length + schemas.length === 0) return html``;
  return html`<h3>Priority &amp; Fairness</h3>
${
  levels.length === 0
    ? ''
    : dataTable({
        id: 'level-table',
        caption: 'Priority levels',
        columns: [
          { title: 'API server' },
          { title: 'Priority level' },
          { title: 'Dispatched', numeric: true },
          { title: 'Rejected', numeric: true },
          { title: 'Waited in all', numeric: true },
        ],
        rows: levels,
        sortable: true,
      })
}
${
  schemas.length === 0
    ? ''
    : dataTable({
        id: 'schema-table',
        caption: 'Flow schemas',
        columns: [
          { title: 'API server' },
          { title: 'Flow schema' },
          { title: 'Priority level' },
          { title: 'Dispatched', numeric: true },
          { title: 'Rejected', numeric: true },
          { title: 'Waited in all', numeric: true },
        ],
        rows: schemas,
        sortable: true,
      })
}`;
}

function otherMetrics(components: readonly ServerComponent[]): Markup {
  const rows = components.flatMap((one) =>
    Object.entries(one.metrics).map(([name, value]) => ({
      cells: [one.name, name, { content: Number(value.toPrecision(6)).toLocaleString('en-US'), sort: value }],
    })),
  );
  if (rows.length === 0) return html``;
  return html`<details><summary>${rows.length} more metrics</summary>${dataTable({
    id: 'metric-table',
    caption: 'More metrics: differences of counters, maxima of gauges',
    columns: [{ title: 'Component' }, { title: 'Metric' }, { title: 'Value', numeric: true }],
    rows,
    sortable: true,
  })}</details>`;
}
