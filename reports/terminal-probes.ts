/** The probes' part of the summary in the terminal: a table of times, and a line of counts for each phase. */
import { formatCount, type RunResult } from '../src/result/index.ts';
import {
  availabilityRows,
  formatAvailability,
  formatOutages,
  probedPhases,
  propagationRows,
  propagationText,
  readBackText,
} from './model/probe-rows.ts';
import { formatPercentile } from './model/words.ts';
import { type Column, textTable, wrap } from './text-table.ts';

const COLUMNS: readonly Column[] = [
  { title: 'Probes', align: 'left' },
  ...(['n', 'p50', 'p90', 'p99', 'max'] as const).map((title) => ({ title, align: 'right' as const })),
];

/** Lines of at most `width` characters, titles first; none for a run without probes. */
export function probeLines(result: RunResult, width: number): string[] {
  const rows = [
    ...availabilityRows(result).map(
      ({ path, phase, response }) => [`  ${path} answers, phase ${phase}`, response] as const,
    ),
    ...propagationRows(result).map(
      ({ reach, phase, distribution }) =>
        [`  write to watch, ${reach}, phase ${phase}`, distribution] as const,
    ),
  ].map(([name, distribution]) => {
    if (distribution === undefined) return [name, '0', '–', '–', '–', '–'];
    const { summary } = distribution;
    return [
      name,
      formatCount(summary.count),
      ...(['p50Us', 'p90Us', 'p99Us', 'maxUs'] as const).map((percentile) =>
        formatPercentile(summary, percentile),
      ),
    ];
  });
  const texts = probedPhases(result).flatMap((probes) => {
    const parts = [
      ...availabilityRows({ ...result, probes: [probes] }).map(
        (row) =>
          `${row.path} available ${formatAvailability(row.availableRatio)} of ${formatCount(row.goodCount + row.badCount)}, outages: ${formatOutages(row)}`,
      ),
      propagationText(probes),
      readBackText(probes),
    ].filter((part) => part !== '');
    return wrap(`${probes.phase}: ${parts.join('; ')}`, width - 2, 2).map((line) => `  ${line}`);
  });
  if (rows.length === 0) return texts.length === 0 ? [] : ['Probes', ...texts];
  return [...textTable(COLUMNS, rows, width), ...texts];
}
