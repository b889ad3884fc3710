/**
 * What a listed difference is, and how the list is held against what was seen: no difference without an entry, no entry
 * without a difference.
 */
import type { PlayerName } from '../players/player.ts';
import type { Difference } from './compare.ts';

export interface AllowedDifference {
  /** Who differs, and from whom. */
  readonly player: PlayerName;
  readonly from: PlayerName;
  readonly side: Difference['side'];
  /** Matches whole statements: `*` stands for anything. */
  readonly lines: readonly string[];
  /**
   * `always`: the difference must be seen in every performance. `sometimes`: a race or the machine decides; it need only
   * have been seen in a recorded one.
   */
  readonly occurs: 'always' | 'sometimes';
  /** Why it is so, and why it stays. */
  readonly reason: string;
}

export interface ComparisonOutcome {
  /** Differences without an entry. */
  readonly unlisted: readonly Difference[];
  /** Lines of entries that no difference matches though one should. */
  readonly stale: readonly string[];
  /** Differences by the entry that allows them. */
  readonly listed: ReadonlyMap<AllowedDifference, readonly Difference[]>;
}

/** Holds differences against the entries of that pair of players. `seenBefore`: statements of recorded differences. */
export function judgeDifferences(
  differences: readonly Difference[],
  entries: readonly AllowedDifference[],
  seenBefore: ReadonlySet<string>,
): ComparisonOutcome {
  const listed = new Map<AllowedDifference, Difference[]>();
  const unlisted: Difference[] = [];
  for (const difference of differences) {
    const entry = entries.find(
      ({ side, lines }) => side === difference.side && lines.some((line) => matches(line, difference.line)),
    );
    if (entry === undefined) unlisted.push(difference);
    else listed.set(entry, [...(listed.get(entry) ?? []), difference]);
  }
  const stale = entries.flatMap((entry) =>
    entry.lines
      .filter((pattern) => {
        const seen = differences.some(({ side, line }) => side === entry.side && matches(pattern, line));
        if (seen) return false;
        return entry.occurs === 'always' || ![...seenBefore].some((id) => matchesId(entry.side, pattern, id));
      })
      .map((pattern) => `${entry.side} ${pattern}`),
  );
  return { unlisted, stale, listed };
}

/** How a difference is kept in the recording. */
export function differenceId({ side, line }: Difference): string {
  return `${side} ${line}`;
}

function matchesId(side: string, pattern: string, id: string): boolean {
  return id.startsWith(`${side} `) && matches(pattern, id.slice(side.length + 1));
}

function matches(pattern: string, line: string): boolean {
  const escaped = pattern.replace(/[.+?^${}()|[\]\\]/g, '\\$&').replaceAll('*', '.*');
  return new RegExp(`^${escaped}$`).test(line);
}
