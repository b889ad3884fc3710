/** Figures on axes and at cursors, in the words of the tables. */
import { formatBytes, formatRate, formatUs } from '../../../src/core/units.ts';
import type { TimeUnit } from '../chart-types.ts';

/** Value at the cursor, with its unit. */
export function formatValue(value: number | null | undefined, unit: TimeUnit): string {
  if (value === null || value === undefined) return '–';
  switch (unit) {
    case 'us':
      return formatUs(value);
    case 'rate':
      return formatRate(value);
    case 'bytes':
      return formatBytes(value);
    case 'cores':
      return value.toFixed(2);
    case 'count':
      return Math.round(value).toLocaleString('en-US');
  }
}

/** Value on an axis: as short as it can be. */
export function formatTick(value: number | null, unit: TimeUnit): string {
  if (value === null) return '';
  if (unit === 'us') {
    if (value >= 1e6) return `${trim(value / 1e6)} s`;
    if (value >= 1e3) return `${trim(value / 1e3)} ms`;
    return `${trim(value)} µs`;
  }
  if (unit === 'bytes') {
    const size = value >= 1024 ** 3 ? 1024 ** 3 : 1024 ** 2;
    return `${trim(value / size)} ${size === 1024 ** 3 ? 'GiB' : 'MiB'}`;
  }
  return value.toLocaleString('en-US', { maximumFractionDigits: 2 });
}

/** Seconds since the start of the run: `1:30`, `1:05:00`. */
export function formatTime(seconds: number): string {
  const whole = Math.round(seconds);
  const two = (part: number) => String(part).padStart(2, '0');
  const hours = Math.floor(whole / 3_600);
  const minutes = Math.floor((whole % 3_600) / 60);
  return hours > 0 ? `${hours}:${two(minutes)}:${two(whole % 60)}` : `${minutes}:${two(whole % 60)}`;
}

function trim(value: number): string {
  return String(Number(value.toPrecision(3)));
}
