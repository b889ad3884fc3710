/**
 * The Prometheus text format (version 0.0.4, and what OpenMetrics adds to its lines), read sample by sample: an API
 * server's page has 60,000 lines of which a few thousand are wanted, so labels are left as text until somebody asks.
 *
 * Source: prometheus/docs content/docs/instrumenting/exposition_formats.md.
 */

/** Called for each wanted sample, in the order of the page. `labels` is the text between the braces, or empty. */
export type SampleSink = (name: string, labels: string, value: number) => void;

const NEWLINE = 10;
const SPACE = 32;
const TAB = 9;
const QUOTE = 34;
const HASH = 35;
const BACKSLASH = 92;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;

/**
 * Reads `text` and returns the number of lines that are neither samples nor comments; those are left out. `isWanted`
 * is asked once per run of lines with one name.
 */
export function parsePrometheusText(
  text: string,
  isWanted: (name: string) => boolean,
  onSample: SampleSink,
): { malformedCount: number } {
  let malformedCount = 0;
  let name = '';
  let wanted = false;
  for (let start = 0; start < text.length; ) {
    const newline = text.indexOf('\n', start);
    const end = newline === -1 ? text.length : newline;
    const line = start;
    start = end + 1;
    const first = text.charCodeAt(line);
    if (line === end || first === HASH) continue;
    if (first === SPACE || first === TAB || first === 13) {
      if (text.slice(line, end).trim() !== '') malformedCount++;
      continue;
    }
    let nameEnd = line + name.length;
    if (name === '' || !text.startsWith(name, line) || !endsName(text.charCodeAt(nameEnd))) {
      nameEnd = line;
      while (nameEnd < end && !endsName(text.charCodeAt(nameEnd))) nameEnd++;
      name = text.slice(line, nameEnd);
      wanted = isWanted(name);
    }
    if (!wanted) continue;
    let valueStart = nameEnd;
    let labels = '';
    if (text.charCodeAt(nameEnd) === OPEN_BRACE) {
      const close = closingBrace(text, nameEnd + 1, end);
      if (close === -1) {
        malformedCount++;
        continue;
      }
      labels = text.slice(nameEnd + 1, close);
      valueStart = close + 1;
    }
    const value = valueAt(text, valueStart, end);
    if (value === undefined) malformedCount++;
    else onSample(name, labels, value);
  }
  return { malformedCount };
}

/** Labels of a sample by name, with escapes resolved; what is not of the form `name="value"` ends the reading. */
export function parseLabels(labels: string): Record<string, string> {
  const result: Record<string, string> = {};
  for (let at = 0; at < labels.length; ) {
    const equals = labels.indexOf('="', at);
    if (equals === -1) break;
    const name = labels.slice(at, equals).trim();
    let end = equals + 2;
    let escaped = false;
    while (end < labels.length && labels.charCodeAt(end) !== QUOTE) {
      if (labels.charCodeAt(end) === BACKSLASH) {
        escaped = true;
        end++;
      }
      end++;
    }
    const raw = labels.slice(equals + 2, end);
    // A page must not reach the prototype of what is made from it.
    if (name !== '__proto__') result[name] = escaped ? resolveEscapes(raw) : raw;
    at = end + 1;
    while (at < labels.length && (labels[at] === ',' || labels[at] === ' ')) at++;
  }
  return result;
}

function resolveEscapes(text: string): string {
  return text.replace(/\\(.)/g, (_whole, char: string) => (char === 'n' ? '\n' : char));
}

function endsName(code: number): boolean {
  return code === OPEN_BRACE || code === SPACE || code === TAB || code === NEWLINE || Number.isNaN(code);
}

/** Index of the brace that closes the labels: not one inside a quoted value. */
function closingBrace(text: string, from: number, end: number): number {
  for (let at = from; at < end; at++) {
    const code = text.charCodeAt(at);
    if (code === CLOSE_BRACE) return at;
    if (code !== QUOTE) continue;
    for (at++; at < end && text.charCodeAt(at) !== QUOTE; at++) {
      if (text.charCodeAt(at) === BACKSLASH) at++;
    }
    if (at >= end) return -1;
  }
  return -1;
}

/** The number after the labels; a timestamp or an exemplar behind it is passed over. */
function valueAt(text: string, from: number, end: number): number | undefined {
  let start = from;
  while (start < end && isBlank(text.charCodeAt(start))) start++;
  let stop = start;
  while (stop < end && !isBlank(text.charCodeAt(stop))) stop++;
  const word = text.slice(start, stop);
  if (word === '') return undefined;
  const value = Number(word);
  if (!Number.isNaN(value)) return value;
  if (word === '+Inf' || word === 'Inf') return Number.POSITIVE_INFINITY;
  if (word === '-Inf') return Number.NEGATIVE_INFINITY;
  return /^nan$/i.test(word) ? Number.NaN : undefined;
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB || code === 13;
}
