/** Published figures beside the run's own: for a sense of proportion, not for a verdict. */
import { formatRate, formatUs } from '../../../src/core/index.ts';
import { formatCount, type RunResult } from '../../../src/result/index.ts';
import type { CallRow } from '../../model/call-rows.ts';
import { mergeDistributions } from '../../model/distributions.ts';
import { REFERENCE_FIGURES, type ReferenceMetric } from '../../model/reference-figures.ts';
import { dataTable } from '../data-table.ts';
import { html } from '../markup.ts';
import type { Section } from '../shell.ts';

const METRIC_LABEL: Readonly<Record<ReferenceMetric, string>> = {
  'pod-startup': 'Pod startup',
  'api-calls': 'API calls',
  scheduling: 'Scheduling throughput',
};

export function referencesSection(result: RunResult, rows: readonly CallRow[]): Section {
  const own = ownFigures(result, rows);
  const table = (Object.keys(METRIC_LABEL) as ReferenceMetric[]).flatMap((metric) => [
    {
      className: 'total',
      cells: [
        METRIC_LABEL[metric],
        `this run, ${formatCount(result.fleet.nodeCount)} hollow nodes`,
        own[metric],
        'result.json',
      ],
    },
    ...REFERENCE_FIGURES.filter((figure) => figure.metric === metric).map((figure) => ({
      cells: [METRIC_LABEL[metric], figure.setting, figure.figure, figure.source],
    })),
  ]);
  return {
    id: 'references',
    title: 'Published figures',
    short: 'Published',
    body: html`<p>Other clusters, hardware, versions and definitions: for a sense of proportion only.</p>
${dataTable({
  id: 'reference-table',
  caption: 'Published figures beside this run’s',
  columns: [{ title: 'What' }, { title: 'Where' }, { title: 'Figure' }, { title: 'Source' }],
  rows: table,
})}`,
  };
}

function ownFigures(result: RunResult, rows: readonly CallRow[]): Record<ReferenceMetric, string> {
  const measured = new Set(result.phases.filter((phase) => phase.measured).map((phase) => phase.name));
  const { summary } = mergeDistributions(
    result.podStartup
      .filter((pods) => pods.kind === 'stateless' && measured.has(pods.phase))
      .flatMap((pods) => pods.phases.pod_startup ?? []),
  );
  const load = rows.filter(
    (row) => row.source === 'load' && row.limitUs !== undefined && row.response.summary.count > 0,
  );
  const p99 = load.map((row) => row.response.summary.p99Us);
  return {
    'pod-startup':
      summary.count === 0
        ? 'no pods'
        : `p50 ${formatUs(summary.p50Us)}, p90 ${formatUs(summary.p90Us)}, p99 ${formatUs(summary.p99Us)}`,
    'api-calls':
      p99.length === 0
        ? 'no calls'
        : `p99 from ${formatUs(Math.min(...p99))} to ${formatUs(Math.max(...p99))} by kind of call`,
    scheduling:
      result.scheduling === undefined
        ? 'not measured'
        : `best 10 s ${formatRate(result.scheduling.maxPerSecond)} (as offered; not the scheduler’s limit)`,
  };
}
