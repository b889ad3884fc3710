/** Latency heatmap: time across, log latency up, the colour is the logarithm of the count. */
import type { ChartData } from '../chart-types.ts';
import { formatTick, formatTime } from './format.ts';
import type { Palette } from './theme.ts';
import type { TimeGroup, TimeMember } from './time-group.ts';

/** Cividis, made to be read alike with and without colour blindness: dark is few, light is many. */
const RAMP: readonly (readonly [number, number, number])[] = [
  [0, 34, 78],
  [35, 62, 108],
  [87, 93, 109],
  [124, 123, 120],
  [165, 156, 116],
  [211, 193, 100],
  [254, 232, 56],
];
const LEFT = 72;
const BOTTOM = 24;
const TOP = 8;
const RIGHT = 14;

/** Draws the heatmap; the returned function takes it away. */
export function drawHeatmap(data: ChartData, colours: Palette, group: TimeGroup): () => void {
  const box = document.getElementById('heatmap-chart');
  if (box === null) return () => {};
  const readout = document.getElementById('heatmap-readout');
  const canvas = document.createElement('canvas');
  box.replaceChildren(canvas, scaleKey(Math.max(1, ...data.heat.flat())));
  const [firstRow, lastRow] = usedRows(data);
  const peak = Math.max(1, ...data.heat.flat());
  const width = box.clientWidth;
  const height = Number(box.dataset['height'] ?? 280);
  const ratio = window.devicePixelRatio;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  canvas.style.width = `${width}px`;
  canvas.style.height = `${height}px`;
  const context = canvas.getContext('2d');
  if (context === null) return () => {};

  let row: number | null = null;
  const rowCount = lastRow - firstRow + 1;
  const xOf = (seconds: number) => {
    const [from, to] = group.range;
    return LEFT + ((seconds - from) / (to - from)) * (width - LEFT - RIGHT);
  };
  const yOf = (edge: number) => height - BOTTOM - ((edge - firstRow) / rowCount) * (height - BOTTOM - TOP);

  const draw = () => {
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.clearRect(0, 0, width, height);
    context.font = '12px system-ui, sans-serif';
    drawAxes(context);
    context.save();
    context.beginPath();
    context.rect(LEFT, TOP, width - LEFT - RIGHT, height - BOTTOM - TOP);
    context.clip();
    data.heat.forEach((counts, i) => {
      const left = xOf((data.startMs[i] ?? 0) / 1_000);
      const right = xOf((data.endMs[i] ?? 0) / 1_000);
      counts.forEach((count, at) => {
        if (count === 0) return;
        context.fillStyle = ramp(Math.log1p(count) / Math.log1p(peak));
        const top = yOf(at + 1);
        context.fillRect(left, top, Math.max(1, right - left - 0.5), yOf(at) - top - 0.5);
      });
    });
    drawCursor(context);
    context.restore();
  };
  const drawAxes = (target: CanvasRenderingContext2D) => {
    target.strokeStyle = colours.grid;
    target.fillStyle = colours.text;
    target.lineWidth = 1;
    target.textAlign = 'right';
    target.textBaseline = 'middle';
    for (let edge = firstRow; edge <= lastRow + 1; edge++) {
      const us = edge === 0 ? undefined : data.rowsUs[edge - 1];
      if (us === undefined || Math.abs(Math.log10(us) - Math.round(Math.log10(us))) > 0.01) continue;
      line(target, LEFT, yOf(edge), width - RIGHT, yOf(edge));
      target.fillText(formatTick(us, 'us'), LEFT - 8, yOf(edge));
    }
    target.textAlign = 'center';
    target.textBaseline = 'top';
    const [from, to] = group.range;
    const step = timeStep((to - from) / Math.max(2, Math.floor((width - LEFT) / 90)));
    for (let seconds = Math.ceil(from / step) * step; seconds <= to; seconds += step) {
      line(target, xOf(seconds), TOP, xOf(seconds), height - BOTTOM);
      target.fillText(formatTime(seconds), xOf(seconds), height - BOTTOM + 6);
    }
  };
  const drawCursor = (target: CanvasRenderingContext2D) => {
    if (group.index === null) return;
    const left = xOf((data.startMs[group.index] ?? 0) / 1_000);
    const right = xOf((data.endMs[group.index] ?? 0) / 1_000);
    target.strokeStyle = colours.text;
    target.lineWidth = 1;
    target.setLineDash([4, 3]);
    line(target, (left + right) / 2, TOP, (left + right) / 2, height - BOTTOM);
    target.setLineDash([]);
    if (row !== null) {
      target.lineWidth = 2;
      target.strokeStyle = colours.limit;
      target.strokeRect(left, yOf(row + 1), right - left, yOf(row) - yOf(row + 1));
    }
  };
  const say = () => {
    if (readout === null) return;
    const { index } = group;
    if (index === null) return;
    const counts = data.heat[index] ?? [];
    const total = counts.reduce((sum, count) => sum + count, 0);
    const when = `${formatTime((data.startMs[index] ?? 0) / 1_000)} to ${formatTime((data.endMs[index] ?? 0) / 1_000)}`;
    const where =
      row === null ? '' : `, ${rowName(data, row)}: ${(counts[row] ?? 0).toLocaleString('en-US')}`;
    readout.textContent = `${when}${where} of ${total.toLocaleString('en-US')} responses`;
  };

  const member: TimeMember = {
    setCursor() {
      row = null;
      draw();
      say();
    },
    setRange: draw,
  };
  const leave = group.join(member);
  const onMove = (event: PointerEvent) => {
    const rect = canvas.getBoundingClientRect();
    const [from, to] = group.range;
    const x = event.clientX - rect.left;
    const y = event.clientY - rect.top;
    const seconds = from + ((x - LEFT) / (width - LEFT - RIGHT)) * (to - from);
    const index = data.startMs.findIndex(
      (startMs, i) => seconds * 1_000 >= startMs && seconds * 1_000 < (data.endMs[i] ?? 0),
    );
    const at = firstRow + Math.floor(((height - BOTTOM - y) / (height - BOTTOM - TOP)) * rowCount);
    row = at >= firstRow && at <= lastRow && index !== -1 ? at : null;
    group.point(index === -1 ? null : index, member);
    draw();
    say();
  };
  const onKey = (event: KeyboardEvent) => {
    if (event.key === 'ArrowUp' || event.key === 'ArrowDown') {
      const step = event.key === 'ArrowUp' ? 1 : -1;
      row = Math.min(lastRow, Math.max(firstRow, (row ?? firstRow - step) + step));
      event.preventDefault();
    } else {
      const kept = row;
      group.onKey(event);
      row = kept;
    }
    draw();
    say();
  };
  const onLeave = () => {
    row = null;
    group.point(null, member);
    draw();
  };
  canvas.addEventListener('pointermove', onMove);
  canvas.addEventListener('pointerleave', onLeave);
  box.addEventListener('keydown', onKey);
  draw();
  return () => {
    leave();
    box.removeEventListener('keydown', onKey);
    box.replaceChildren();
  };
}

/** What the colours mean: one response to the most in any cell. */
function scaleKey(peak: number): HTMLElement {
  const key = document.createElement('p');
  key.className = 'scale';
  const stops = Array.from({ length: 11 }, (_, i) => ramp(i / 10)).join(',');
  const bar = document.createElement('i');
  bar.style.background = `linear-gradient(90deg,${stops})`;
  key.append('1 ', bar, ` ${peak.toLocaleString('en-US')} responses a cell`);
  return key;
}

/** First and last row that hold anything, widened by one where there is room. */
function usedRows(data: ChartData): [number, number] {
  let first = data.rowsUs.length - 1;
  let last = 0;
  for (const counts of data.heat) {
    counts.forEach((count, row) => {
      if (count === 0) return;
      first = Math.min(first, row);
      last = Math.max(last, row);
    });
  }
  return [Math.max(0, first - 1), Math.min(data.rowsUs.length - 1, last + 1)];
}

function rowName(data: ChartData, row: number): string {
  const high = formatTick(data.rowsUs[row] ?? 0, 'us');
  if (row === 0) return `up to ${high}`;
  const low = formatTick(data.rowsUs[row - 1] ?? 0, 'us');
  return row === data.rowsUs.length - 1 ? `over ${low}` : `${low} to ${high}`;
}

function ramp(share: number): string {
  const at = share * (RAMP.length - 1);
  const low = RAMP[Math.floor(at)] ?? [0, 0, 0];
  const high = RAMP[Math.ceil(at)] ?? low;
  const mix = [0, 1, 2].map((i) => Math.round((low[i] ?? 0) + (at % 1) * ((high[i] ?? 0) - (low[i] ?? 0))));
  return `rgb(${mix.join(',')})`;
}

function timeStep(wanted: number): number {
  return (
    [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1_800, 3_600, 7_200, 14_400].find(
      (step) => step >= wanted,
    ) ?? 86_400
  );
}

function line(context: CanvasRenderingContext2D, x1: number, y1: number, x2: number, y2: number): void {
  context.beginPath();
  context.moveTo(x1, y1);
  context.lineTo(x2, y2);
  context.stroke();
}
