/** The comparison for a pull request or a CI step summary. */
import { inline, markdownTable } from '../markdown-text.ts';
import { formatHeadline } from '../model/headline-metrics.ts';
import type { Comparison, ComparisonVerdict } from './model.ts';
import {
  describeRuns,
  differenceLines,
  formatEffect,
  formatInterval,
  formatMore,
  formatP,
  howDecided,
} from './sentences.ts';

const MARK: Readonly<Record<ComparisonVerdict, string>> = {
  REGRESSION: '❌',
  IMPROVEMENT: '✅',
  EQUIVALENT: '✅',
  INCONCLUSIVE: '❔',
};

/** The comparison as GitHub-flavoured Markdown, ending in a line break. */
export function renderComparisonMarkdown(comparison: Comparison): string {
  const { yardstick } = comparison;
  const mark =
    yardstick === undefined
      ? MARK[comparison.verdict]
      : { WITHIN: '✅', OUTSIDE: '❌', 'NO-DATA': '⚠️' }[yardstick.state];
  const blocks = [
    '## hollowmark: comparison',
    `${mark} **${inline(comparison.text)}**`,
    markdownTable(
      ['Side', 'What', 'Runs'],
      [comparison.a, comparison.b].map((side) => [
        `**${side.name}**`,
        inline(side.label),
        describeRuns(side),
      ]),
    ),
    differenceLines(comparison)
      .map((line) => `- ${inline(line)}`)
      .join('\n'),
    figureTable(comparison),
    yardstickTable(comparison),
    [
      ...comparison.leftOut.map((run) => `left out: ${run.side} ${run.runId}: ${run.why}`),
      ...comparison.notes,
      ...(comparison.absent.length === 0 ? [] : [`in no run: ${comparison.absent.join('; ')}`]),
    ]
      .map((note) => `- ${inline(note)}`)
      .join('\n'),
    `${inline(howDecided(comparison))} Exit code ${comparison.exitCode}; hollowmark ${inline(comparison.tool.version)}.`,
  ];
  return `${blocks.filter((block) => block !== '').join('\n\n')}\n`;
}

function figureTable(comparison: Comparison): string {
  if (comparison.metrics.length === 0) return '';
  const judged = comparison.yardstick === undefined;
  const rows = comparison.metrics.map((one) => [
    inline(one.metric.label),
    formatHeadline(one.metric, one.medianA),
    formatHeadline(one.metric, one.medianB),
    `**${formatEffect(one.ratio)}**`,
    formatInterval(one),
    formatP(one.adjustedPValue),
    ...(judged
      ? [
          `${MARK[one.verdict]} ${one.verdict}${
            one.moreNeeded === undefined
              ? ''
              : ` (needs about ${formatMore(one.moreNeeded, comparison.design)})`
          }`,
        ]
      : []),
  ]);
  const titles = ['Figure', 'A', 'B', 'B against A', 'Interval', 'p (Holm)', ...(judged ? ['Verdict'] : [])];
  return markdownTable(titles, rows, [false, true, true, true, true, true, false]);
}

function yardstickTable({ yardstick }: Comparison): string {
  if (yardstick === undefined || yardstick.checks.length === 0) return '';
  const rows = yardstick.checks.map((check) => [
    inline(check.metric.label),
    `${check.ratio.toFixed(2)}x`,
    check.lowLimit > 0 ? `${check.lowLimit}-${check.highLimit.toFixed(2)}x` : `below ${check.highLimit}x`,
    check.similar ? 'yes' : 'no',
    check.state === 'WITHIN' ? '✅ within' : '❌ outside',
  ]);
  return markdownTable(["Kubemark's yardstick", 'B / A', 'Allowed', 'Similar (0.66-1.50)', 'State'], rows, [
    false,
    true,
    true,
  ]);
}
