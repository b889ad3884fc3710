/**
 * Holds one player's statements against another's. What the other did in every performance is expected; what it did in
 * any is allowed; counts must lie within the range of its performances.
 */
import type { Facts } from './facts.ts';
import { countRange, type PlayerRecord } from './record.ts';

export interface Difference {
  /** `extra`: only the one under test does it. `missing`: only the other does. `count`: both, but not as often. */
  readonly side: 'extra' | 'missing' | 'count';
  /** The statement; for counts `count | scenario | kind`. */
  readonly line: string;
  /** For counts: what was seen and what was expected. */
  readonly figures?: string;
}

/**
 * Counts may leave the range by this much before they count as different: three performances do not show all that races
 * can do, and whether a tick falls into a window is chance.
 */
const COUNT_SLACK_RATIO = 0.15;
const COUNT_SLACK_LEAST = 1;
/** Writes that come close together coalesce, and each spares a read: how many do is a matter of the machine's load. */
const COALESCING = /kubelet (get pods|get nodes|patch pods\/status|patch events)$/;
const COALESCING_SLACK_RATIO = 0.5;
const COALESCING_SLACK_LEAST = 2;

/**
 * Differences of `own` from the other player's record over `performanceCount` performances. Only statements about
 * `components` are looked at.
 */
export function compareFacts(
  own: Facts,
  other: PlayerRecord,
  performanceCount: number,
  components: readonly string[],
): Difference[] {
  const concerns = (line: string) => components.some((component) => line.includes(`| ${component}`));
  const differences: Difference[] = [];
  // How a request looks that the other never makes is no difference beside that it is made.
  const ownKinds = kindsOf(own.statements);
  const otherKinds = kindsOf(Object.keys(other.statements));
  const comparable = (line: string) =>
    isCompared(line, concerns) &&
    (!FORMS.test(line) || (ownKinds.has(partsOf(line)[1] ?? '') && otherKinds.has(partsOf(line)[1] ?? '')));
  for (const line of own.statements) {
    const known = () => other.statements[line] !== undefined || isToldIn(line, Object.keys(other.statements));
    // An order that the other does not keep is none.
    if (comparable(line) && !line.startsWith('order |') && !known()) {
      differences.push({ side: 'extra', line });
    }
  }
  for (const [line, times] of Object.entries(other.statements)) {
    if (comparable(line) && times === performanceCount && !isMadeIn(line, own.statements)) {
      differences.push({ side: 'missing', line });
    }
  }
  const requested = (key: string) =>
    own.statements.has(`request | ${key}`) && other.statements[`request | ${key}`] !== undefined;
  for (const [key, count] of Object.entries(own.counts)) {
    if (!concerns(`| ${key}`) || !requested(key)) continue;
    const [least, most] = countRange(other, key, performanceCount);
    const slack = slackOf(key, most);
    if (count >= least - slack && count <= most + slack) continue;
    differences.push({ side: 'count', line: `count | ${key}`, figures: `${count}, not ${least} to ${most}` });
  }
  return differences.sort((a, b) => (a.line < b.line ? -1 : 1));
}

/** Statements about the form of a kind of request. */
const FORMS = /^(answer|body|flow|message|query) \|/;

const partsOf = (line: string) => line.split(' | ');

function kindsOf(statements: Iterable<string>): Set<string> {
  const kinds = new Set<string>();
  for (const line of statements) if (line.startsWith('request |')) kinds.add(partsOf(line)[2] ?? '');
  return kinds;
}

function slackOf(key: string, most: number): number {
  return COALESCING.test(key)
    ? Math.max(COALESCING_SLACK_LEAST, COALESCING_SLACK_RATIO * most)
    : Math.max(COUNT_SLACK_LEAST, COUNT_SLACK_RATIO * most);
}

function isMadeIn(line: string, statements: ReadonlySet<string>): boolean {
  return statements.has(line) || isToldIn(line, statements);
}

/**
 * True if one of the stories tells the same of the same thing, but for states that one of the two passed over: a state
 * that lasts no longer than a write takes may never be written. Both must come to the same end.
 */
function isToldIn(line: string, statements: Iterable<string>): boolean {
  if (!line.startsWith('story |')) return false;
  const own = toldIn(line);
  for (const other of statements) {
    if (!other.startsWith(own.head)) continue;
    const { values } = toldIn(other);
    const [short, long] = values.length < own.values.length ? [values, own.values] : [own.values, values];
    if (short.at(-1) === long.at(-1) && isSubsequence(short, long)) return true;
  }
  return false;
}

/** `story | lives, sick | main: a → b` as what it is about and its values. */
function toldIn(line: string): { head: string; values: string[] } {
  const at = line.indexOf(': ');
  return { head: line.slice(0, at + 2), values: line.slice(at + 2).split(' → ') };
}

function isSubsequence(short: readonly string[], long: readonly string[]): boolean {
  let matched = 0;
  for (const value of long) if (value === short[matched]) matched++;
  return matched === short.length;
}

/** Stories are the kubelet's; everything else names its component. */
function isCompared(line: string, concerns: (line: string) => boolean): boolean {
  return !line.startsWith('patches |') && (line.startsWith('story |') || concerns(line));
}

/** True if the real kubelet differs from the other in the same way: it does what `own` does, or leaves out what it does. */
export function isAsReal(
  difference: Difference,
  real: PlayerRecord,
  own: Facts,
  performanceCount: number,
): boolean {
  const { line } = difference;
  if (difference.side === 'extra') {
    return real.statements[line] !== undefined || isToldIn(line, Object.keys(real.statements));
  }
  if (difference.side === 'missing') return real.statements[line] !== performanceCount;
  const key = difference.line.replace('count | ', '');
  const [least, most] = countRange(real, key, performanceCount);
  const count = own.counts[key] ?? 0;
  const slack = slackOf(key, most);
  return count >= least - slack && count <= most + slack;
}
