/** Time series with phases and faults marked behind them. */
import uPlot from 'uplot';
import type { ChartData, TimeChart } from '../chart-types.ts';
import { formatTick, formatTime, formatValue } from './format.ts';
import type { Palette } from './theme.ts';
import type { TimeGroup, TimeMember } from './time-group.ts';

const BYTE_STEPS = Array.from({ length: 24 }, (_, i) => 2 ** (20 + i));

/** Draws every time series; each returned function takes one away. */
export function drawTimeCharts(data: ChartData, colours: Palette, group: TimeGroup): (() => void)[] {
  return data.time.flatMap((chart) => {
    const box = document.getElementById(`time-${chart.id}`);
    return box === null ? [] : [drawTimeChart(box, chart, data, colours, group)];
  });
}

function drawTimeChart(
  box: HTMLElement,
  chart: TimeChart,
  data: ChartData,
  colours: Palette,
  group: TimeGroup,
): () => void {
  const values = chart.lines.map((line) =>
    // A log axis has no place for zero.
    chart.log ? line.values.map((value) => (value === 0 ? null : value)) : line.values,
  );
  let told = false;
  const plot = new uPlot(
    {
      width: box.clientWidth,
      height: Number(box.dataset['height'] ?? 170),
      padding: [14, 12, 0, 0],
      scales: {
        x: { time: false, range: () => [...group.range] as [number, number] },
        y: chart.log ? { distr: 3, range: logRange } : { range: linearRange },
      },
      axes: [
        axis(colours, {
          size: 30,
          values: (_, ticks) => ticks.map(formatTime),
          incrs: [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400],
        }),
        axis(colours, {
          size: 72,
          ...(chart.unit === 'bytes' ? { incrs: BYTE_STEPS } : {}),
          values: (_, ticks) => ticks.map((tick) => formatTick(tick, chart.unit)),
        }),
      ],
      series: [
        { label: 'time', value: (_, seconds) => (seconds === null ? '–' : formatTime(seconds)) },
        ...chart.lines.map((line, i) => ({
          label: line.label,
          stroke: colours.series[i] ?? colours.text,
          width: 1.6,
          ...(line.dash ? { dash: [6, 4] } : {}),
          points: { show: data.startMs.length < 2 },
          value: (_: uPlot, value: number | null) => formatValue(value, chart.unit),
        })),
      ],
      cursor: { y: false, drag: { x: true, y: false, setScale: false } },
      hooks: {
        drawClear: [(self) => drawMarks(self, data, colours)],
        setCursor: [
          (self) => {
            if (!told) group.point(self.cursor.idx ?? null, member);
          },
        ],
        setSelect: [
          (self) => {
            if (self.select.width < 5) return;
            const from = self.posToVal(self.select.left, 'x');
            const to = self.posToVal(self.select.left + self.select.width, 'x');
            self.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
            group.zoom(from, to);
          },
        ],
      },
    },
    [group.seconds, ...values],
    box,
  );
  const member: TimeMember = {
    setCursor(index) {
      told = true;
      const seconds = index === null ? undefined : group.seconds[index];
      plot.setCursor(
        seconds === undefined ? { left: -10, top: -10 } : { left: plot.valToPos(seconds, 'x'), top: 10 },
      );
      told = false;
    },
    setRange(from, to) {
      plot.setScale('x', { min: from, max: to });
    },
  };
  const leave = group.join(member);
  const onKey = (event: KeyboardEvent) => group.onKey(event);
  const onDouble = () => group.reset();
  box.addEventListener('keydown', onKey);
  plot.over.addEventListener('dblclick', onDouble);
  return () => {
    leave();
    box.removeEventListener('keydown', onKey);
    plot.destroy();
  };
}

/** An axis in the page's colours. */
export function axis(colours: Palette, more: uPlot.Axis): uPlot.Axis {
  return {
    stroke: colours.text,
    font: '12px system-ui, sans-serif',
    grid: { stroke: colours.grid, width: 1 },
    ticks: { stroke: colours.grid, width: 1 },
    ...more,
  };
}

/** From a whole decade below the data to a little above it, at least one decade. */
export function logRange(_: uPlot, min: number | null, max: number | null): [number, number] {
  if (min === null || max === null || max <= 0) return [1_000, 1_000_000];
  const low = 10 ** Math.floor(Math.log10(Math.max(1, min)));
  return [low, Math.max(max * 1.6, low * 10)];
}

function linearRange(_: uPlot, min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, 1];
  return [0, Math.max(max * 1.08, 0.1)];
}

function drawMarks(plot: uPlot, data: ChartData, colours: Palette): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, 0, bbox.width, bbox.top + bbox.height);
  ctx.clip();
  ctx.font = `${11 * ratio}px system-ui, sans-serif`;
  ctx.textAlign = 'left';
  ctx.textBaseline = 'top';
  data.marks.forEach((mark, i) => {
    const left = plot.valToPos(mark.startMs / 1_000, 'x', true);
    const right = plot.valToPos(mark.endMs / 1_000, 'x', true);
    if (mark.kind === 'fault' || i % 2 === 0) {
      ctx.fillStyle = mark.kind === 'fault' ? colours.fault : colours.band;
      ctx.fillRect(left, bbox.top, right - left, bbox.height);
    }
    ctx.fillStyle = colours.text;
    const text = mark.kind === 'warm-up' ? `${mark.label} (not measured)` : mark.label;
    const at = Math.max(left, bbox.left) + 3 * ratio;
    const fits = ctx.measureText(text).width < right - at;
    // Phases are named above the plot, faults in it: they lie within phases, and their names would cover each other.
    if (mark.kind !== 'fault') {
      if (fits) ctx.fillText(text, at, 1 * ratio);
    } else if (fits) ctx.fillText(text, at, bbox.top + 2 * ratio);
    else drawUpwards(plot, text, Math.max(left, bbox.left), Math.min(right, bbox.left + bbox.width));
  });
  ctx.restore();
}

/** The name of a band that is too narrow for it, from its foot upwards; none where not even that has room. */
function drawUpwards({ ctx, bbox }: uPlot, text: string, left: number, right: number): void {
  const ratio = uPlot.pxRatio;
  if (right - left < 8 * ratio) return;
  ctx.save();
  ctx.font = `${9 * ratio}px system-ui, sans-serif`;
  ctx.textBaseline = 'middle';
  ctx.translate((left + right) / 2, bbox.top + bbox.height - 3 * ratio);
  ctx.rotate(-Math.PI / 2);
  ctx.fillText(text, 0, 0, bbox.height - 6 * ratio);
  ctx.restore();
}
