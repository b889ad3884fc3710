/** Watch fan-out: how long one change takes to reach every watcher. */
import { formatBytes } from '../../../src/core/index.ts';
import { formatCount, type RunResult } from '../../../src/result/index.ts';
import { formatPercentile } from '../../model/words.ts';
import { dataTable } from '../data-table.ts';
import { html } from '../markup.ts';
import type { Section } from '../shell.ts';

export function watchesSection(result: RunResult): Section | undefined {
  if (result.watches.length === 0) return undefined;
  const rows = result.watches.map((watch) => {
    const { summary } = watch.deliverySpread;
    const phase = result.phases.find((one) => one.name === watch.phase);
    const seconds = phase === undefined ? 0 : (phase.endMs - phase.startMs) / 1_000;
    const cell = (name: 'p50Us' | 'p99Us' | 'maxUs') => ({
      content: formatPercentile(summary, name),
      sort: summary.count === 0 ? -1 : summary[name],
    });
    return {
      cells: [
        watch.phase,
        watch.resource,
        watch.scope,
        { content: formatCount(watch.watcherCount), sort: watch.watcherCount },
        { content: formatCount(watch.eventCount), sort: watch.eventCount },
        seconds === 0
          ? '–'
          : { content: `${formatCount(watch.eventCount / seconds)}/s`, sort: watch.eventCount / seconds },
        perWatcher(watch),
        { content: formatBytes(watch.receivedBytes), sort: watch.receivedBytes },
        cell('p50Us'),
        { ...cell('p99Us'), className: 'strong' },
        cell('maxUs'),
        {
          content: watch.serverLag === undefined ? '–' : formatPercentile(watch.serverLag.summary, 'p99Us'),
          sort: watch.serverLag?.summary.p99Us ?? -1,
        },
        { content: formatCount(watch.reconnectCount), sort: watch.reconnectCount },
        { content: formatCount(watch.relistCount), sort: watch.relistCount },
      ],
    };
  });
  return {
    id: 'watches',
    title: 'Watch fan-out',
    short: 'Watches',
    body: html`<p>Spread: from the first watcher that received a change to each of the others. It grows with the number of watchers and the size of the objects; no SLO speaks of it. Server lag: from the API server's stamp of a change to the first watcher, up to 1 s too long.</p>
${dataTable({
  id: 'watch-table',
  caption: 'Watch fan-out',
  columns: [
    { title: 'Phase' },
    { title: 'Resource' },
    { title: 'Scope' },
    ...[
      'Watchers',
      'Events',
      'Event rate',
      'A watcher',
      'Received',
      'Spread p50',
      'Spread p99',
      'Spread max',
      'Server lag p99',
      'Reconnects',
      'Relists',
    ].map((title) => ({ title, numeric: true })),
  ],
  rows,
  sortable: true,
})}`,
  };
}

/** Events of the watcher with the fewest, of the median one and of the one with the most. */
function perWatcher({ eventsPerWatcher }: RunResult['watches'][number]) {
  if (eventsPerWatcher === undefined) return '–';
  const { min, median, max } = eventsPerWatcher;
  const content = min === max ? formatCount(min) : [min, median, max].map(formatCount).join(' / ');
  return { content, sort: min };
}
