/**
 * The leaves of the suite's schema: quantities with units, sizes relative to the fleet, choices. Each says in one
 * phrase what it expects, which is the error message, and carries a pattern and an example for the JSON Schema.
 */
import { z } from 'zod';
import { parseBytes, parseDurationMs, parseRatePerSecond } from '../core/index.ts';

/** `1,000` or `10/node`: a number of things, as such or for each node of the fleet, there with an end if need be. */
export interface Size {
  amount: number;
  perNode: boolean;
  atLeast?: number;
  atMost?: number;
}

/** The size on a fleet of `nodeCount` nodes, a whole number; 0 where it is less than half of one. */
export function amountOf(size: Size, nodeCount: number): number {
  if (!size.perNode) return size.amount;
  const count = Math.round(size.amount * nodeCount);
  return Math.min(size.atMost ?? Number.POSITIVE_INFINITY, Math.max(size.atLeast ?? 0, count));
}

/** A span that a seeded value is drawn from, uniformly, in milliseconds; `low` = `high` for a fixed one. */
export interface DurationRange {
  low: number;
  high: number;
}

// Longer timers wrap around in Node (2^31 ms are 24.8 days); nothing real comes near.
const MAX_DURATION_MS = 7 * 86_400_000;
const MAX_RATE_PER_SECOND = 1e6;
const MAX_COUNT = 1e8;

const DURATION_PATTERN = '(\\d+(\\.\\d+)?(us|ms|s|m|h|d))+';

/** Milliseconds, written `250ms`, `60s`, `1m30s`; up to 7 days. */
export function duration(options: { zero?: boolean } = {}) {
  const expected = `expected a duration such as 60s or 1m30s${options.zero === true ? '' : ' above 0s'}, up to 7d`;
  return parsed('duration', expected, `^${DURATION_PATTERN}$`, '60s', (text) => {
    const ms = parseDurationMs(text);
    return ms === undefined || ms > MAX_DURATION_MS || (ms === 0 && options.zero !== true) ? undefined : ms;
  });
}

/** A span of durations, written `100ms..300ms`, or one duration. */
export function durationRange() {
  const expected = 'expected a duration such as 200ms, or a range of them such as 100ms..300ms';
  return parsed(
    'range of durations',
    expected,
    `^${DURATION_PATTERN}(\\.\\.${DURATION_PATTERN})?$`,
    '100ms..300ms',
    parseDurationRange,
  );
}

/** Milliseconds of `200ms` or `100ms..300ms`, or undefined for anything else. */
export function parseDurationRange(text: string): DurationRange | undefined {
  const [lowText, highText, ...more] = text.split('..');
  const low = parseDurationMs(lowText ?? '');
  const high = highText === undefined ? low : parseDurationMs(highText);
  if (low === undefined || high === undefined || more.length > 0 || low > high || high > MAX_DURATION_MS)
    return undefined;
  return { low, high };
}

/** Events per second, written `20/s`, `90/m`; above 0. */
export function rate() {
  return parsed(
    'rate',
    'expected a rate such as 20/s or 90/m, above 0',
    '^\\d+(\\.\\d+)?/(s|m|h)$',
    '20/s',
    (text) => {
      const perSecond = parseRatePerSecond(text);
      return perSecond === undefined || perSecond <= 0 || perSecond > MAX_RATE_PER_SECOND
        ? undefined
        : perSecond;
    },
  );
}

/** Bytes, written `10KiB`, `1.5MB`; 0 as `0B`. */
export function bytes(maxBytes: number) {
  return parsed(
    'bytes',
    `expected a size such as 15KiB, up to ${maxBytes} bytes`,
    '^\\d+(\\.\\d+)?(B|KB|MB|GB|KiB|MiB|GiB)$',
    '15KiB',
    (text) => {
      const value = parseBytes(text);
      return value === undefined || value > maxBytes ? undefined : value;
    },
  );
}

/** A number of things: `1000`, or for each node of the fleet: `10/node`, `0.01/node, at least 1`. */
export function size(what: string) {
  const expected = `expected a number of ${what} such as 1000 or 10/node, above 0`;
  return z
    .union([z.int(), z.string()], { error: expected })
    .transform((value, context): Size => {
      const found = typeof value === 'number' ? { amount: value, perNode: false } : parseSize(value);
      if (found !== undefined && found.amount > 0 && found.amount <= MAX_COUNT) return found;
      context.issues.push({ code: 'custom', input: value, message: expected });
      return z.NEVER;
    })
    .meta({
      title: 'size',
      anyOf: [
        { type: 'integer', minimum: 1 },
        { type: 'string', pattern: '^\\d+(\\.\\d+)?/node(, at (least|most) \\d+)?$' },
      ],
      inputExamples: ['10/node', 1000],
    });
}

/** A share, written `10%` or 0.1; above 0, at most 1. */
export function ratio() {
  const expected = 'expected a share above 0% and up to 100%, such as 10%';
  return z
    .union([z.number(), z.string()], { error: expected })
    .transform((value, context): number => {
      const match = typeof value === 'string' ? /^(\d+(?:\.\d+)?)%$/.exec(value.trim()) : null;
      const found = typeof value === 'number' ? value : match === null ? Number.NaN : Number(match[1]) / 100;
      if (found > 0 && found <= 1) return found;
      context.issues.push({ code: 'custom', input: value, message: expected });
      return z.NEVER;
    })
    .meta({
      title: 'share',
      anyOf: [
        { type: 'number', exclusiveMinimum: 0, maximum: 1 },
        { type: 'string', pattern: '^\\d+(\\.\\d+)?%$' },
      ],
      inputExamples: ['10%', 0.1],
    });
}

/** Kubernetes' quantities: `500m`, `32`, `256Gi`. */
export function resourceQuantity() {
  const expected = 'expected a Kubernetes quantity such as "4", 500m or 16Gi';
  return z
    .union([z.string(), z.number()], { error: expected })
    .transform((value, context): string => {
      const text = String(value);
      if (parseResourceQuantity(text) !== undefined) return text;
      context.issues.push({ code: 'custom', input: value, message: expected });
      return z.NEVER;
    })
    .meta({ title: 'quantity', inputExamples: ['16Gi'] });
}

const QUANTITY_FACTORS: Readonly<Record<string, number>> = {
  '': 1,
  n: 1e-9,
  u: 1e-6,
  m: 1e-3,
  k: 1e3,
  M: 1e6,
  G: 1e9,
  T: 1e12,
  P: 1e15,
  Ki: 2 ** 10,
  Mi: 2 ** 20,
  Gi: 2 ** 30,
  Ti: 2 ** 40,
  Pi: 2 ** 50,
};

/** The value of a Kubernetes quantity (cores, bytes, …), or undefined. Source: apimachinery pkg/api/resource. */
export function parseResourceQuantity(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?(?:[eE][+-]?\d+)?)(n|u|m|k|M|G|T|P|Ki|Mi|Gi|Ti|Pi)?$/.exec(text.trim());
  if (match === null) return undefined;
  return Number(match[1]) * (QUANTITY_FACTORS[match[2] ?? ''] ?? Number.NaN);
}

/** A whole number within `low..high`. */
export function integer(low: number, high: number) {
  return z
    .int({ error: `expected a whole number from ${low} to ${high}` })
    .min(low, { error: `expected a whole number from ${low} to ${high}` })
    .max(high, { error: `expected a whole number from ${low} to ${high}` });
}

/** true or false. */
export function flag() {
  return z.boolean({ error: 'expected true or false' });
}

/** One of some words. */
export function choice<const T extends readonly string[]>(words: T) {
  return z.enum(words, { error: `expected ${alternatives(words)}` });
}

/** `a`, `a or b`, `one of a, b, c`: for messages. */
export function alternatives(words: readonly string[]): string {
  return words.length > 2 ? `one of ${words.join(', ')}` : words.join(' or ');
}

/** Free text on a line of its own. */
export function text(what: string) {
  return z.string({ error: `expected ${what}` });
}

/** A name that may become part of object names: a DNS label of at most 40 characters. */
export function label(what: string) {
  const error = `expected ${what} of lower-case letters, digits and dashes, at most 40, starting with a letter`;
  return z
    .string({ error })
    .regex(/^[a-z]([a-z0-9-]{0,38}[a-z0-9])?$/, { error })
    .meta({ title: 'name' });
}

function parseSize(value: string): Size | undefined {
  const match = /^(\d+(?:\.\d+)?)\/node(?:, at (least|most) (\d+))?$/.exec(value.trim());
  if (match === null) return undefined;
  const size = { amount: Number(match[1]), perNode: true };
  const bound = Number(match[3]);
  if (match[2] === undefined) return size;
  if (bound < 1 || bound > MAX_COUNT) return undefined;
  return match[2] === 'least' ? { ...size, atLeast: bound } : { ...size, atMost: bound };
}

function parsed<T>(
  title: string,
  expected: string,
  pattern: string,
  example: string,
  parse: (value: string) => T | undefined,
) {
  return z
    .string({ error: expected })
    .transform((value, context): T => {
      const found = parse(value);
      if (found !== undefined) return found;
      context.issues.push({ code: 'custom', input: value, message: expected });
      return z.NEVER;
    })
    .meta({ title, pattern, inputExamples: [example] });
}
