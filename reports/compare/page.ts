/** comparison.html: the answer, the effects with their intervals, both sides' percentiles over each other, every run. */
import type { RunResult } from '../../src/result/index.ts';
import { LATENCY_ROWS_US } from '../../src/result/index.ts';
import type { CallCurves } from '../html/chart-types.ts';
import { dataTable } from '../html/data-table.ts';
import { html, type Markup } from '../html/markup.ts';
import { type PageAssets, pageShell, type Section } from '../html/shell.ts';
import { formatHeadline } from '../model/headline-metrics.ts';
import { comparisonCurves } from './curves.ts';
import { forestPlot } from './forest.ts';
import type { Comparison, ComparisonSide, ComparisonVerdict } from './model.ts';
import {
  describeRuns,
  differenceLines,
  formatEffect,
  formatInterval,
  formatMore,
  formatP,
  howDecided,
} from './sentences.ts';

const CLASS: Readonly<Record<ComparisonVerdict, string>> = {
  REGRESSION: 'fail',
  IMPROVEMENT: 'pass',
  EQUIVALENT: 'pass',
  INCONCLUSIVE: 'inconclusive',
};
const GLYPH: Readonly<Record<ComparisonVerdict, string>> = {
  REGRESSION: '✗',
  IMPROVEMENT: '✓',
  EQUIVALENT: '✓',
  INCONCLUSIVE: '?',
};
const YARDSTICK = {
  WITHIN: { className: 'pass', glyph: '✓' },
  OUTSIDE: { className: 'fail', glyph: '✗' },
  'NO-DATA': { className: 'no-data', glyph: '∅' },
} as const;

/** The page as text; `runs` are those that were compared, for their percentiles. */
export function renderComparisonHtml(
  comparison: Comparison,
  runs: { a: readonly RunResult[]; b: readonly RunResult[] },
  assets: PageAssets,
): string {
  const calls = comparisonCurves(counted(comparison.a, runs.a), counted(comparison.b, runs.b), {
    a: 'A',
    b: 'B',
  });
  const answer = comparison.yardstick?.state ?? comparison.verdict;
  return pageShell({
    title: `${answer} · ${comparison.a.label} against ${comparison.b.label} · hollowmark`,
    header: header(comparison),
    sections: [
      effectsSection(comparison),
      yardstickSection(comparison),
      curvesSection(calls),
      runsSection(comparison),
      howSection(comparison),
    ].filter((section) => section !== undefined),
    footer: `Written by hollowmark ${comparison.tool.version} from the result.json of ${comparison.a.runs.length + comparison.b.runs.length} runs alone.`,
    data: {
      startMs: [],
      endMs: [],
      marks: [],
      time: [],
      rowsUs: [...LATENCY_ROWS_US],
      heat: [],
      calls,
      startup: [],
    },
    assets,
  });
}

function counted(side: ComparisonSide, runs: readonly RunResult[]): RunResult[] {
  const ids = new Set(side.runs.map((run) => run.runId));
  return runs.filter((run) => ids.has(run.runId));
}

function header(comparison: Comparison): Markup {
  const { verdict, yardstick, a, b } = comparison;
  const mark =
    yardstick === undefined
      ? { className: CLASS[verdict], glyph: GLYPH[verdict] }
      : YARDSTICK[yardstick.state];
  const title = yardstick === undefined ? verdict : `Kubemark's yardstick: ${yardstick.state}`;
  const differences = differenceLines(comparison);
  return html`<header>
<div class="title"><h1>Comparison<small>${a.label} against ${b.label}</small></h1><button type="button" id="theme" hidden>Theme: system</button></div>
<div class="verdicts"><section class="verdict ${mark.className}" aria-label="Verdict"><h2><span class="glyph" aria-hidden="true">${mark.glyph}</span><em id="comparison-verdict">${title}</em></h2>
<p>${comparison.text}.</p></section>
<section class="verdict" aria-label="What was compared"><h2>What was compared</h2>
<ul>${[a, b].map((side) => html`<li><b>${side.name}</b> ${side.label} <small>· ${describeRuns(side)}</small></li>`)}</ul>
${differences.length === 0 ? html`<p><small>The two sides are set up alike.</small></p>` : html`<ul class="notes">${differences.map((line) => html`<li>${line}</li>`)}</ul>`}</section></div>
</header>`;
}

function effectsSection(comparison: Comparison): Section {
  const judged = comparison.yardstick === undefined;
  const rows = comparison.metrics.map((one) => ({
    cells: [
      one.metric.label,
      { content: formatHeadline(one.metric, one.medianA), sort: one.medianA },
      { content: formatHeadline(one.metric, one.medianB), sort: one.medianB },
      { content: formatEffect(one.ratio), sort: one.ratio },
      formatInterval(one),
      { content: formatP(one.pValue), sort: one.pValue },
      { content: formatP(one.adjustedPValue), sort: one.adjustedPValue },
      ...(judged
        ? [
            {
              content: html`<b class="${CLASS[one.verdict]}">${one.verdict}</b>${one.moreNeeded === undefined ? '' : html` <small>needs about ${formatMore(one.moreNeeded, comparison.design)}</small>`}`,
            },
          ]
        : []),
    ],
  }));
  return {
    id: 'effects',
    title: 'B against A',
    short: 'Effects',
    body: html`<p>The dot is the estimate of B over A, the line its exact interval (dashed: too few runs for one), the grey band the margin. The axis is logarithmic. Of times less is better, of rates more.</p>
${forestPlot(comparison)}
${
  rows.length === 0
    ? html`<p class="note warn">Neither side has any of the figures asked for.</p>`
    : dataTable({
        id: 'effects-table',
        caption: 'Headline figures of both sides',
        columns: [
          { title: 'Figure' },
          { title: 'A', numeric: true, hint: 'median of the runs' },
          { title: 'B', numeric: true, hint: 'median of the runs' },
          { title: 'B against A', numeric: true, hint: 'Hodges-Lehmann estimate' },
          { title: 'Interval', numeric: true, hint: 'exact, at least 95 %' },
          { title: 'p', numeric: true, hint: 'exact, two-sided' },
          { title: 'p (Holm)', numeric: true, hint: 'corrected for the number of figures' },
          ...(judged ? [{ title: 'Verdict' }] : []),
        ],
        rows,
        sortable: true,
      })
}
${comparison.absent.length === 0 ? '' : html`<p><small>In no run: ${comparison.absent.join('; ')}.</small></p>`}`,
  };
}

function yardstickSection({ yardstick }: Comparison): Section | undefined {
  if (yardstick === undefined) return undefined;
  const { trend } = yardstick;
  return {
    id: 'yardstick',
    title: "Kubemark's own yardstick",
    short: 'Yardstick',
    body: html`<p>Pod startup about as on a real cluster (0.66 to 1.50 times), API calls less than twice as slow. Latencies below 50 ms (API) and 1 s (pod startup) count as that floor, as in upstream's own comparison of Kubemark with real clusters.</p>
${dataTable({
  id: 'yardstick-table',
  caption: 'Ratios against the yardstick',
  columns: [
    { title: 'Figure' },
    { title: 'B / A', numeric: true },
    { title: 'Allowed', numeric: true },
    { title: 'Similar' },
    { title: 'State' },
  ],
  rows: yardstick.checks.map((check) => ({
    cells: [
      check.metric.label,
      { content: `${check.ratio.toFixed(2)}x`, sort: check.ratio },
      check.lowLimit > 0 ? `${check.lowLimit}-${check.highLimit.toFixed(2)}x` : `below ${check.highLimit}x`,
      check.similar ? 'yes' : 'no',
      { content: html`<b class="${YARDSTICK[check.state].className}">${check.state}</b>` },
    ],
  })),
})}
<p>${trend === undefined ? 'Too few kinds of call on both sides to tell whether trends agree.' : `What is slow on one side is ${trend.agrees ? '' : 'not '}slow on the other: rank correlation ${trend.rho.toFixed(2)} over ${trend.count} figures, p ${formatP(trend.pValue)}.`}</p>`,
  };
}

function curvesSection(calls: readonly CallCurves[]): Section | undefined {
  if (calls.length === 0) return undefined;
  const options = calls.map((call, i) => html`<option value="${i}">${call.label}</option>`);
  return {
    id: 'percentiles',
    title: 'Latency by percentile',
    short: 'Percentiles',
    body: html`<p>All runs of a side taken together, A solid and B dashed. Each step to the right is another nine: 90 %, 99 %, 99.9 %. This picture pools requests; the verdicts do not, for a run with one bad minute has thousands of slow requests and is still one run.</p>
<p class="controls" hidden><label>What <select id="percentile-call">${options}</select></label></p>
<div class="chart" id="percentile-chart" data-height="340"></div>`,
  };
}

function runsSection(comparison: Comparison): Section {
  const { a, b, design, metrics, leftOut } = comparison;
  const complete = metrics.filter(
    (one) => one.valuesA.length === a.runs.length && one.valuesB.length === b.runs.length,
  );
  const rows = inTurn(comparison).map(({ side, run, i }) => ({
    cells: [
      ...(design === 'paired' ? [{ content: String(i + 1), sort: i + 1 }] : []),
      side.name,
      run.runId,
      run.trust,
      ...complete.map((one) => {
        const value = (side.name === 'A' ? one.valuesA : one.valuesB)[i];
        return { content: formatHeadline(one.metric, value), sort: value };
      }),
    ],
  }));
  return {
    id: 'runs',
    title: 'Every run',
    short: 'Runs',
    body: html`${dataTable({
      id: 'runs-table',
      caption: 'Headline figures of every run',
      columns: [
        ...(design === 'paired' ? [{ title: 'Pair', numeric: true }] : []),
        { title: 'Side' },
        { title: 'Run' },
        { title: 'Trust' },
        ...complete.map((one) => ({ title: one.metric.label, numeric: true })),
      ],
      rows,
      sortable: true,
    })}
${leftOut.length === 0 ? '' : html`<h3>Left out</h3><ul>${leftOut.map((run) => html`<li>${run.side} ${run.runId}: ${run.why}</li>`)}</ul>`}`,
  };
}

/** Runs of pairs beside each other, other runs by side. */
function inTurn({ a, b, design }: Comparison) {
  const rows = [a, b].flatMap((side) => side.runs.map((run, i) => ({ side, run, i })));
  return design === 'paired' ? rows.sort((one, other) => one.i - other.i) : rows;
}

function howSection(comparison: Comparison): Section {
  return {
    id: 'how',
    title: 'How it was decided',
    short: 'How',
    body: html`<p>${howDecided(comparison)}</p>
${comparison.yardstick === undefined ? html`<p>REGRESSION and IMPROVEMENT need a corrected p at most ${comparison.alpha} and an estimate beyond the margin; EQUIVALENT needs the whole interval inside it; everything else is INCONCLUSIVE, which is not the same as equal.</p>` : ''}
${comparison.notes.length === 0 ? '' : html`<ul>${comparison.notes.map((note) => html`<li>${note}</li>`)}</ul>`}
<p>Exit code ${comparison.exitCode}: ${comparison.text}.</p>`,
  };
}
