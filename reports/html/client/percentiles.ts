/** Curves over quantiles: latency on an axis of nines, and the distribution of pod startup. */
import uPlot from 'uplot';
import { type ChartData, CURVE_POINTS_PER_NINE, type CurveLine, type StartupCurves } from '../chart-types.ts';
import { formatTick, formatValue } from './format.ts';
import type { Palette } from './theme.ts';
import { axis, logRange } from './time-series.ts';

/** Draws the plot of the chosen call; the returned function takes it away. */
export function drawPercentiles(data: ChartData, colours: Palette): () => void {
  const box = document.getElementById('percentile-chart');
  const choice = document.getElementById('percentile-call');
  if (box === null || !(choice instanceof HTMLSelectElement)) return () => {};
  let plot: uPlot | undefined;
  const draw = () => {
    plot?.destroy();
    const call = data.calls[Number(choice.value)];
    if (call === undefined) return;
    plot = plotNines(box, call.lines, call.limitUs, colours);
  };
  draw();
  choice.addEventListener('change', draw);
  return () => {
    choice.removeEventListener('change', draw);
    plot?.destroy();
  };
}

/** Draws the distribution of pod startup and of its parts; the returned function takes it away. */
export function drawStartup(data: ChartData, colours: Palette): () => void {
  const box = document.getElementById('startup-chart');
  const choice = document.getElementById('startup-select');
  if (box === null || !(choice instanceof HTMLSelectElement)) return () => {};
  let plot: uPlot | undefined;
  const draw = () => {
    plot?.destroy();
    const startup = data.startup[Number(choice.value)];
    if (startup !== undefined) plot = plotDistribution(box, startup.lines, startup.limitUs, colours);
  };
  draw();
  choice.addEventListener('change', draw);
  return () => {
    choice.removeEventListener('change', draw);
    plot?.destroy();
  };
}

/** Place of a curve's point on the axis of nines; the maximum stands just behind the last that has one. */
function nines(index: number, line: CurveLine): number {
  const last = index === line.curve.length - 1;
  return last ? Math.log10(Math.max(1, line.count)) + 0.05 : index / CURVE_POINTS_PER_NINE;
}

const NINES = [0, Math.log10(2), 1, 2, 3, 4, 5, 6, 7];

function plotNines(
  box: HTMLElement,
  lines: readonly CurveLine[],
  limitUs: number | null,
  colours: Palette,
): uPlot {
  const data = uPlot.join(
    lines.map((line) => [line.curve.map((_, i) => nines(i, line)), line.curve.map((us) => Math.max(1, us))]),
  );
  const end = Math.max(1, ...lines.map((line) => nines(line.curve.length - 1, line)));
  return new uPlot(
    {
      width: box.clientWidth,
      height: Number(box.dataset['height'] ?? 320),
      padding: [14, 14, 0, 0],
      scales: {
        x: { time: false, range: () => [0, end] },
        y: { distr: 3, range: (self, min, max) => logRange(self, min, withLimit(max, limitUs)) },
      },
      axes: [
        axis(colours, {
          size: 30,
          // On a phone the labels of 0 % and 50 % would run into each other.
          splits: () => NINES.filter((x) => x <= end && (x === 0 || x >= 1 || box.clientWidth > 500)),
          values: (_, ticks) => ticks.map(quantileName),
        }),
        axis(colours, { size: 72, values: (_, ticks) => ticks.map((tick) => formatTick(tick, 'us')) }),
      ],
      series: [
        { label: 'percentile', value: (_, x) => (x === null ? '–' : cursorName(x, end)) },
        ...lines.map((line, i) => ({
          label: line.label,
          stroke: colours.series[i] ?? colours.text,
          width: 2,
          ...(line.dash ? { dash: [6, 4] } : {}),
          points: { show: false },
          spanGaps: true,
          ...(uPlot.paths.stepped === undefined ? {} : { paths: uPlot.paths.stepped({ align: -1 }) }),
          value: (_: uPlot, value: number | null) => formatValue(value, 'us'),
        })),
      ],
      cursor: { y: false, drag: { x: false, y: false } },
      hooks: { draw: [(self) => drawLimit(self, limitUs, colours, 'horizontal', 2)] },
    },
    data,
    box,
  );
}

function plotDistribution(
  box: HTMLElement,
  lines: StartupCurves['lines'],
  limitUs: number | null,
  colours: Palette,
): uPlot {
  const data = uPlot.join(
    lines.map(({ us, share }) => [us.map((value) => Math.max(1, value)), share.map((one) => one / 10_000)]),
  );
  return new uPlot(
    {
      width: box.clientWidth,
      height: Number(box.dataset['height'] ?? 300),
      padding: [14, 14, 0, 0],
      scales: {
        x: { time: false, distr: 3, range: (self, min, max) => logRange(self, min, withLimit(max, limitUs)) },
        y: { range: () => [0, 1] },
      },
      axes: [
        axis(colours, { size: 30, values: (_, ticks) => ticks.map((tick) => formatTick(tick, 'us')) }),
        axis(colours, { size: 56, values: (_, ticks) => ticks.map((tick) => `${Math.round(tick * 100)} %`) }),
      ],
      series: [
        { label: 'within', value: (_, us) => formatValue(us, 'us') },
        ...lines.map((line, i) => ({
          label: line.label,
          stroke: line.total ? colours.limit : (colours.series[i] ?? colours.text),
          width: line.total ? 2.4 : 1.6,
          points: { show: false },
          spanGaps: true,
          value: (_: uPlot, value: number | null) => (value === null ? '–' : `${(value * 100).toFixed(1)} %`),
        })),
      ],
      cursor: { y: false, drag: { x: false, y: false } },
      hooks: { draw: [(self) => drawLimit(self, limitUs, colours, 'vertical', 0)] },
    },
    data,
    box,
  );
}

function withLimit(max: number | null, limitUs: number | null): number | null {
  return limitUs === null || max === null ? max : Math.max(max, limitUs);
}

/** The SLO limit as a dashed line; on the axis of nines a ring marks p99, which it speaks of. */
function drawLimit(
  plot: uPlot,
  limitUs: number | null,
  colours: Palette,
  direction: 'horizontal' | 'vertical',
  ringX: number,
): void {
  if (limitUs === null) return;
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  const at = plot.valToPos(limitUs, direction === 'horizontal' ? 'y' : 'x', true);
  ctx.save();
  ctx.strokeStyle = colours.limit;
  ctx.fillStyle = colours.limit;
  ctx.lineWidth = 1.5 * ratio;
  ctx.setLineDash([8 * ratio, 5 * ratio]);
  ctx.beginPath();
  if (direction === 'horizontal') {
    ctx.moveTo(bbox.left, at);
    ctx.lineTo(bbox.left + bbox.width, at);
  } else {
    ctx.moveTo(at, bbox.top);
    ctx.lineTo(at, bbox.top + bbox.height);
  }
  ctx.stroke();
  ctx.setLineDash([]);
  ctx.font = `${12 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'alphabetic';
  const text = `SLO limit of p99: ${formatTick(limitUs, 'us')}`;
  if (direction === 'horizontal') {
    ctx.fillText(text, bbox.left + 8 * ratio, at - 6 * ratio);
    const x = plot.valToPos(ringX, 'x', true);
    if (x <= bbox.left + bbox.width) {
      ctx.beginPath();
      ctx.arc(x, at, 4 * ratio, 0, 2 * Math.PI);
      ctx.stroke();
    }
  } else {
    const width = ctx.measureText(text).width;
    const fits = at + width + 8 * ratio < bbox.left + bbox.width;
    ctx.fillText(text, fits ? at + 6 * ratio : at - width - 6 * ratio, bbox.top + 14 * ratio);
  }
  ctx.restore();
}

function quantileName(x: number): string {
  if (x === 0) return '0 %';
  const share = 100 * (1 - 10 ** -x);
  return `${Number(share.toFixed(Math.max(0, Math.ceil(x) - 2)))} %`;
}

function cursorName(x: number, end: number): string {
  if (x >= end - 0.001) return 'max';
  return `${Number((100 * (1 - 10 ** -x)).toFixed(Math.max(1, Math.ceil(x))))} %`;
}
