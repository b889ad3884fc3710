/**
 * What earlier performances showed: how often each statement held and each count was seen, by player. Races make some
 * statements come and go; a player is held to what another one did every time, and may do what it did at any time.
 */
import type { PlayerName } from '../players/player.ts';
import type { Facts } from './facts.ts';
import type { PhaseTimes } from './pod-phases.ts';

export interface PlayerRecord {
  /** In how many performances each statement held. */
  statements: Record<string, number>;
  /** Count of requests in each performance, by `scenario | kind`; where it is shorter, the others had none. */
  counts: Record<string, number[]>;
  /** Pod start, ms, pods of all performances. */
  phases: PhaseTimes;
}

export interface Recording {
  kubernetesVersion: string;
  performanceCount: number;
  players: Partial<Record<PlayerName, PlayerRecord>>;
  /** By `player from other`: differences that were seen in any performance, listed or not. */
  differences: Record<string, string[]>;
}

export function emptyRecording(kubernetesVersion: string): Recording {
  return { kubernetesVersion, performanceCount: 0, players: {}, differences: {} };
}

/** `recording` with one performance more. */
export function withPerformance(
  recording: Recording,
  facts: ReadonlyMap<PlayerName, Facts>,
  phases: ReadonlyMap<PlayerName, PhaseTimes>,
): Recording {
  const players: Recording['players'] = {};
  for (const [name, { statements, counts }] of facts) {
    const known = recording.players[name] ?? { statements: {}, counts: {}, phases: {} };
    const merged: PlayerRecord = { statements: {}, counts: {}, phases: {} };
    for (const line of union(Object.keys(known.statements), statements)) {
      merged.statements[line] = (known.statements[line] ?? 0) + (statements.has(line) ? 1 : 0);
    }
    for (const key of union(Object.keys(known.counts), Object.keys(counts))) {
      const count = counts[key];
      merged.counts[key] = [...(known.counts[key] ?? []), ...(count === undefined ? [] : [count])];
    }
    const own = phases.get(name) ?? {};
    for (const phase of union(Object.keys(known.phases), Object.keys(own))) {
      merged.phases[phase] = [...(known.phases[phase] ?? []), ...(own[phase] ?? [])];
    }
    players[name] = merged;
  }
  return { ...recording, performanceCount: recording.performanceCount + 1, players };
}

/** Least and most requests of a kind over all performances; where one had none, from 0. */
export function countRange(record: PlayerRecord, key: string, performanceCount: number): [number, number] {
  const seen = record.counts[key] ?? [];
  const least = seen.length < performanceCount ? 0 : Math.min(...seen);
  return [least, Math.max(0, ...seen)];
}

function union(a: Iterable<string>, b: Iterable<string>): string[] {
  return [...new Set([...a, ...b])].sort();
}
