/**
 * Quantities as people write them, turned into numbers whose names carry the unit, and back.
 * A parser returns undefined for text that is not of its form: the caller knows the place and says so.
 */

const DURATION_UNITS_MS: Record<string, number> = {
  us: 0.001,
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};
const BYTE_UNITS: Record<string, number> = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 1024,
  MiB: 1024 ** 2,
  GiB: 1024 ** 3,
};

/** Milliseconds of `250ms`, `10s`, `1m30s`, `2h`; 0 only as `0s`. */
export function parseDurationMs(text: string): number | undefined {
  const trimmed = text.trim();
  if (!/^(\d+(\.\d+)?(us|ms|s|m|h|d))+$/.test(trimmed)) return undefined;
  let totalMs = 0;
  for (const [, amount, , unit] of trimmed.matchAll(/(\d+(\.\d+)?)(us|ms|s|m|h|d)/g)) {
    totalMs += Number(amount) * (DURATION_UNITS_MS[unit ?? ''] ?? Number.NaN);
  }
  return totalMs;
}

/** Events per second of `20/s`, `90/m`, `0.5/s`. */
export function parseRatePerSecond(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\/(s|m|h)$/.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) / ((DURATION_UNITS_MS[match[2] ?? ''] ?? Number.NaN) / 1_000);
}

/** Bytes of `512B`, `10KiB`, `1.5MB`. */
export function parseBytes(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)(B|KB|MB|GB|KiB|MiB|GiB)$/.exec(text.trim());
  if (match === null) return undefined;
  return Math.round(Number(match[1]) * (BYTE_UNITS[match[2] ?? ''] ?? Number.NaN));
}

/** `850 µs`, `12.3 ms`, `1.20 s`, `2m 05s`: three significant digits, for people. */
export function formatUs(us: number): string {
  if (!Number.isFinite(us)) return '–';
  if (us < 1_000) return `${Math.round(us)} µs`;
  if (us < 1_000_000) return `${significant(us / 1_000)} ms`;
  if (us < 120_000_000) return `${significant(us / 1_000_000)} s`;
  const seconds = Math.round(us / 1_000_000);
  return `${Math.floor(seconds / 60)}m ${String(seconds % 60).padStart(2, '0')}s`;
}

/** As formatUs, from milliseconds. */
export function formatMs(ms: number): string {
  return formatUs(ms * 1_000);
}

/** `512 B`, `15.0 KiB`, `3.20 GiB`. */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '–';
  for (const unit of ['GiB', 'MiB', 'KiB'] as const) {
    const size = BYTE_UNITS[unit] ?? 1;
    if (bytes >= size) return `${significant(bytes / size)} ${unit}`;
  }
  return `${Math.round(bytes)} B`;
}

/** `12.3 %` of a ratio in 0..1. */
export function formatRatio(ratio: number): string {
  if (!Number.isFinite(ratio)) return '–';
  return `${significant(ratio * 100)} %`;
}

/** `20/s`, with at most three significant digits. */
export function formatRate(perSecond: number): string {
  return Number.isFinite(perSecond) ? `${significant(perSecond)}/s` : '–';
}

function significant(value: number): string {
  const size = Math.abs(value);
  if (size >= 99.95 || value === 0) return String(Math.round(value));
  if (size >= 9.995) return value.toFixed(1);
  if (size >= 0.01) return value.toFixed(2);
  return value.toPrecision(2);
}
