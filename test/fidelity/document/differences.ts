/**
 * The part of the page that lists differences: what each player does otherwise, and why that is so.
 */
import { judgeDifferences } from '../comparison/allowed-difference.ts';
import { type Difference, isAsReal } from '../comparison/compare.ts';
import { ALLOWED, COMPARISONS, type Comparison } from '../comparison/comparisons.ts';
import type { Facts } from '../comparison/facts.ts';
import type { Recording } from '../comparison/record.ts';

const TITLES: Readonly<Record<string, string>> = {
  'hollowmark from kubelet': 'Differences from a real kubelet',
  'hollowmark from kubemark': "Differences from upstream's hollow node",
  'compat from kubemark': "Differences of `compat: kubemark` from upstream's hollow node",
};
const SIDES = { extra: 'only here', missing: 'only there', count: 'more or less often' } as const;

export function differenceSections(recording: Recording): string {
  return COMPARISONS.map((comparison) => section(comparison, recording)).join('\n\n');
}

function section(comparison: Comparison, recording: Recording): string {
  const { player, from, realExplains } = comparison;
  const key = `${player} from ${from}`;
  const differences = (recording.differences[key] ?? []).map(parseDifference);
  const explained = realExplains ? differences.filter((one) => isExplained(one, recording)) : [];
  const rest = differences.filter((one) => !explained.includes(one));
  const entries = ALLOWED.filter((one) => one.player === player && one.from === from);
  const { listed } = judgeDifferences(rest, entries, new Set());
  const blocks = entries.map((entry) => {
    const lines = (listed.get(entry) ?? []).map(({ line }) => `  - \`${line}\``);
    const shown =
      lines.length > MAX_SHOWN
        ? [...lines.slice(0, MAX_SHOWN), `  - … ${lines.length - MAX_SHOWN} more`]
        : lines;
    const when = entry.occurs === 'sometimes' ? ', at times' : '';
    return [`- **${SIDES[entry.side]}${when}**: ${entry.reason}`, ...shown].join('\n');
  });
  const real =
    explained.length === 0
      ? ''
      : `\n\nIn ${explained.length} more statements hollowmark does as the real kubelet does and upstream's hollow node does not:\n\n${summary(explained)}`;
  return `## ${TITLES[key]}\n\n${blocks.join('\n')}${real}`;
}

/** Lines of one entry that are shown; the test file has the rest. */
const MAX_SHOWN = 12;

/** Differences by facet and request, so that hundreds of body paths are a few lines. */
function summary(differences: readonly Difference[]): string {
  const groups = new Map<string, number>();
  for (const { side, line } of differences) {
    const [facet = '', subject = ''] = line.split(' | ');
    const key = `${SIDES[side]}: ${facet} of \`${facet === 'request' ? line.split(' | ').slice(1).join(': ') : subject}\``;
    groups.set(key, (groups.get(key) ?? 0) + 1);
  }
  return [...groups].map(([key, count]) => `- ${key}${count === 1 ? '' : ` (${count})`}`).join('\n');
}

/** A difference as the recording keeps it. */
export function parseDifference(id: string): Difference {
  const [side, ...rest] = id.split(' ');
  return { side: side as Difference['side'], line: rest.join(' ') };
}

/** Counts are judged when the player plays; everything else by what is recorded of the real kubelet. */
function isExplained(difference: Difference, recording: Recording): boolean {
  const { kubelet } = recording.players;
  if (kubelet === undefined || difference.side === 'count' || difference.line.includes('| kube-proxy'))
    return false;
  return isAsReal(difference, kubelet, NOTHING, recording.performanceCount);
}

const NOTHING: Facts = { statements: new Set(), counts: {} };
