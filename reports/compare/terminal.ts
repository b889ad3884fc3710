/** The comparison as it is printed: the answer first, then one line per figure, within 100 columns. */
import { styleText } from 'node:util';
import { formatHeadline } from '../model/headline-metrics.ts';
import { TERMINAL_COLUMNS, type TerminalOptions } from '../terminal.ts';
import { type Column, shorten, textTable, wrap } from '../text-table.ts';
import type { Comparison, ComparisonVerdict, MetricComparison } from './model.ts';
import {
  describeRuns,
  differenceLines,
  formatEffect,
  formatInterval,
  formatMargin,
  formatMore,
  formatP,
  howDecided,
} from './sentences.ts';

type Style = 'green' | 'red' | 'yellow' | 'bold' | 'dim';

const STYLE: Readonly<Record<ComparisonVerdict, Style>> = {
  REGRESSION: 'red',
  IMPROVEMENT: 'green',
  EQUIVALENT: 'green',
  INCONCLUSIVE: 'yellow',
};

const COLUMNS: readonly Column[] = [
  { title: 'Figure', align: 'left' },
  { title: 'A', align: 'right' },
  { title: 'B', align: 'right' },
  { title: 'B against A', align: 'right' },
  { title: 'Interval', align: 'right' },
  { title: 'p (Holm)', align: 'right' },
  { title: 'Verdict', align: 'left' },
];

/** The comparison as text, ending in a line break. */
export function renderComparisonTerminal(comparison: Comparison, options: TerminalOptions): string {
  const paint = (style: Style, text: string) =>
    options.colour ? styleText(style, text, { validateStream: false }) : text;
  const head = [
    ...wrap(comparison.text, TERMINAL_COLUMNS, 2).map((line) => paint('bold', line)),
    ...[comparison.a, comparison.b].map((side) =>
      shorten(`  ${side.name}  ${side.label}: ${describeRuns(side)}`, TERMINAL_COLUMNS),
    ),
    ...differenceLines(comparison).flatMap(indented),
  ];
  const blocks = [
    head,
    figureLines(comparison, paint),
    yardstickLines(comparison, paint),
    openLines(comparison),
    noteLines(comparison),
    wrap(howDecided(comparison), TERMINAL_COLUMNS),
    options.files.length === 0 ? [] : ['Files', ...options.files.map((file) => `  ${file}`)],
  ];
  return `${blocks
    .filter((lines) => lines.length > 0)
    .map((lines) => lines.join('\n'))
    .join('\n\n')}\n`;
}

function figureLines(comparison: Comparison, paint: (style: Style, text: string) => string): string[] {
  if (comparison.metrics.length === 0) return [];
  const rows = comparison.metrics.map((one) => [
    one.metric.label,
    formatHeadline(one.metric, one.medianA),
    formatHeadline(one.metric, one.medianB),
    formatEffect(one.ratio),
    formatInterval(one),
    formatP(one.adjustedPValue),
    comparison.yardstick === undefined ? one.verdict : '',
  ]);
  const lines = textTable(COLUMNS, rows, TERMINAL_COLUMNS);
  return lines.map((line, i) => {
    const verdict = comparison.metrics[i - 1]?.verdict;
    if (verdict === undefined) return paint('bold', line);
    return line.replace(verdict, (word) => paint(STYLE[verdict], word));
  });
}

function yardstickLines(comparison: Comparison, paint: (style: Style, text: string) => string): string[] {
  const { yardstick } = comparison;
  if (yardstick === undefined || yardstick.checks.length === 0) return [];
  const rows = yardstick.checks.map((check) => [
    check.metric.label,
    `${check.ratio.toFixed(2)}x`,
    check.lowLimit > 0 ? `${check.lowLimit}-${check.highLimit.toFixed(2)}x` : `<${check.highLimit}x`,
    check.similar ? 'similar' : 'not similar',
    check.state,
  ]);
  const columns: Column[] = [
    { title: "Kubemark's yardstick", align: 'left' },
    { title: 'B / A', align: 'right' },
    { title: 'Allowed', align: 'right' },
    { title: '0.66-1.50', align: 'left' },
    { title: 'State', align: 'left' },
  ];
  return textTable(columns, rows, TERMINAL_COLUMNS).map((line, i) => {
    if (i === 0) return paint('bold', line);
    const state = yardstick.checks[i - 1]?.state ?? 'WITHIN';
    return line.replace(new RegExp(`${state}$`), (word) => paint(state === 'WITHIN' ? 'green' : 'red', word));
  });
}

function openLines(comparison: Comparison): string[] {
  // With too few runs the first line has said it of all figures at once.
  if (comparison.yardstick !== undefined || !comparison.enough) return [];
  const open = comparison.metrics.filter((one) => one.verdict === 'INCONCLUSIVE');
  if (open.length === 0) return [];
  return [
    'Not decided',
    ...open.flatMap((one) => indented(`${one.metric.label}: ${whatItTakes(one, comparison)}`)),
  ];
}

function whatItTakes(one: MetricComparison, comparison: Comparison): string {
  if (one.ratio === undefined) return one.text.slice(one.metric.label.length + 2);
  if (one.moreNeeded === undefined) {
    return `too noisy, or too near the margin of ${formatMargin(comparison.marginRatio)}, for any sensible number of runs`;
  }
  return `about ${formatMore(one.moreNeeded, comparison.design)} would probably decide it`;
}

function noteLines(comparison: Comparison): string[] {
  const notes = [
    ...comparison.leftOut.map((run) => `left out: ${run.side} ${run.runId}: ${run.why}`),
    ...comparison.notes,
  ];
  if (notes.length === 0) return [];
  return ['Notes', ...notes.flatMap(indented)];
}

function indented(text: string): string[] {
  return wrap(text, TERMINAL_COLUMNS - 2, 2).map((line) => `  ${line}`);
}
