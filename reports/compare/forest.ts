/**
 * The effects as a picture: one row per figure, the estimate as a dot on its interval, the margin as a band around no
 * change. Drawn as SVG in the page, so that it is there without script and on paper; every number is in the table too.
 */
import { html, type Markup } from '../html/markup.ts';
import type { Comparison, ComparisonVerdict, MetricComparison } from './model.ts';
import { formatEffect, formatInterval } from './sentences.ts';

const WIDTH = 900;
const LABEL_WIDTH = 290;
const ROW_HEIGHT = 26;
/** Room for two lines above the rows: what the middle is, and the figures of the axis. */
const TOP = 42;
/** Least half-width of the axis, as multiples of the margin. */
const LEAST_MARGINS = 2.5;
/** A wild figure must not squeeze all others into a line: beyond this factor arrows point outwards. */
const MAX_FACTOR = 4;

const COLOUR: Readonly<Record<ComparisonVerdict, string>> = {
  REGRESSION: 'var(--fail)',
  IMPROVEMENT: 'var(--pass)',
  EQUIVALENT: 'var(--pass)',
  INCONCLUSIVE: 'var(--muted)',
};

/** The picture, or nothing where there is no figure to draw. */
export function forestPlot(comparison: Comparison): Markup | undefined {
  const rows = comparison.metrics.filter((one) => one.ratio !== undefined);
  if (rows.length === 0) return undefined;
  const margin = Math.log(1 + comparison.marginRatio);
  const half = halfWidth(rows, margin);
  const x = (log: number) => {
    const share = Math.max(-1, Math.min(1, log / half));
    return LABEL_WIDTH + ((share + 1) / 2) * (WIDTH - LABEL_WIDTH - 20);
  };
  const height = TOP + rows.length * ROW_HEIGHT + 8;
  // The margin's figures stand outside its band, which may be narrower than they are.
  const ticks = [
    { at: -half, anchor: 'middle' },
    { at: -margin, anchor: 'end' },
    { at: margin, anchor: 'start' },
    { at: half, anchor: 'end' },
  ];
  return html`<div class="scroll"><svg viewBox="0 0 ${WIDTH} ${height}" width="100%" style="min-width:560px" role="img" aria-label="Effects with their intervals and the margin; the table below has the numbers" font-family="system-ui, sans-serif" font-size="13">
<rect x="${round(x(-margin))}" y="${TOP - 6}" width="${round(x(margin) - x(-margin))}" height="${rows.length * ROW_HEIGHT + 6}" fill="var(--band)" stroke="var(--line)"/>
<text x="${round(x(0))}" y="13" text-anchor="middle" fill="var(--muted)">no change</text>
${ticks.map(({ at, anchor }) => html`<text x="${round(x(at))}" y="29" text-anchor="${anchor}" fill="var(--muted)">${formatEffect(Math.exp(at))}</text>`)}
<line x1="${round(x(0))}" x2="${round(x(0))}" y1="${TOP - 6}" y2="${height - 8}" stroke="var(--muted)"/>
${rows.map((row, i) => forestRow(row, TOP + i * ROW_HEIGHT + ROW_HEIGHT / 2, x, half, comparison.yardstick === undefined))}</svg></div>`;
}

function forestRow(
  row: MetricComparison,
  y: number,
  x: (log: number) => number,
  half: number,
  judged: boolean,
): Markup {
  const colour = judged ? COLOUR[row.verdict] : 'var(--s1)';
  const estimate = Math.log(row.ratio ?? 1);
  const low = row.low === null ? -half : Math.log(row.low);
  const high = row.high === null ? half : Math.log(row.high);
  const dash = row.low === null ? html` stroke-dasharray="3 4"` : html``;
  return html`<g><title>${row.metric.label}: ${formatEffect(row.ratio)}, ${formatInterval(row)}${judged ? `, ${row.verdict}` : ''}</title>
<text x="0" y="${y + 4}" fill="var(--text)">${row.metric.label}</text>
<line x1="${round(x(low))}" x2="${round(x(high))}" y1="${y}" y2="${y}" stroke="${colour}" stroke-width="2.5"${dash}/>
${arrow(low < -half, LABEL_WIDTH, y, colour, -1)}${arrow(high > half, WIDTH - 20, y, colour, 1)}<circle cx="${round(x(estimate))}" cy="${y}" r="5" fill="${colour}"/></g>
`;
}

function arrow(beyond: boolean, at: number, y: number, colour: string, direction: 1 | -1): Markup {
  if (!beyond) return html``;
  return html`<path d="M${at} ${y - 5}l${direction * 8} 5l${direction * -8} 5z" fill="${colour}"/>`;
}

function halfWidth(rows: readonly MetricComparison[], margin: number): number {
  const ends = rows.flatMap((row) =>
    [row.ratio, row.low, row.high].flatMap((ratio) =>
      ratio === null || ratio === undefined ? [] : Math.abs(Math.log(ratio)),
    ),
  );
  return Math.min(Math.log(MAX_FACTOR), Math.max(LEAST_MARGINS * margin, ...ends.map((end) => end * 1.08)));
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
