/** Network programming: how long a change of a Service's endpoints takes to be in the rules of every node. */
import { formatCount, type RunResult } from '../../../src/result/index.ts';
import { networkRows, programmedPhases } from '../../model/network-programming.ts';
import { formatPercentile } from '../../model/words.ts';
import { dataTable } from '../data-table.ts';
import { html } from '../markup.ts';
import type { Section } from '../shell.ts';

export function networkSection(result: RunResult): Section | undefined {
  const rows = networkRows(result).map(({ phase, part, distribution: { summary } }) => {
    const cell = (name: 'p50Us' | 'p90Us' | 'p99Us' | 'maxUs') => ({
      content: formatPercentile(summary, name),
      sort: summary.count === 0 ? -1 : summary[name],
    });
    return {
      cells: [
        phase,
        part,
        { content: formatCount(summary.count), sort: summary.count },
        cell('p50Us'),
        cell('p90Us'),
        { ...cell('p99Us'), className: 'strong' },
        cell('maxUs'),
      ],
    };
  });
  if (rows.length === 0) return undefined;
  const syncs = programmedPhases(result).map(
    ({ phase, syncCount, maxRuleCount }) =>
      `${formatCount(syncCount)} syncs of up to ${formatCount(maxRuleCount)} rules in ${phase}`,
  );
  return {
    id: 'network',
    title: 'Network programming',
    short: 'Network',
    body: html`<p>From the change of a Service or of a pod's readiness to its sync on a node: one sample for each change of an EndpointSlice and node. The change's time has a grain of 1 s and is rounded down, so that a figure is up to 1 s too long; the part in the proxy is exact. Rules are modelled, not written: ${syncs.join('; ')}. The SLI has no official limit.</p>
${dataTable({
  id: 'network-table',
  caption: 'Network programming latency',
  columns: [
    { title: 'Phase' },
    { title: 'Part' },
    ...['n', 'p50', 'p90', 'p99', 'max'].map((title) => ({ title, numeric: true })),
  ],
  rows,
  sortable: true,
})}`,
  };
}
