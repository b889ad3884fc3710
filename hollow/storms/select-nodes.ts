/**
 * Which nodes a storm hits: worked out over the whole fleet by seed alone, so that every shard, on its own, comes to
 * the same choice. Pure.
 */
import type { NodeSelection } from '../../src/config/index.ts';
import { hash32 } from '../../src/core/index.ts';

/** The fleet as a selection sees it. */
export interface SelectableFleet {
  /** Of the whole fleet, over all shards. */
  readonly nodeCount: number;
  nameOf(index: number): string;
  zoneOf(index: number): string | undefined;
}

/**
 * Numbers of the chosen nodes, ascending: of the eligible ones the first by a seeded order, so that with one seed 10 %
 * are part of 20 %. A share is rounded to the nearest node, up to one at least where any is eligible.
 */
export function selectNodes(selection: NodeSelection, fleet: SelectableFleet): number[] {
  const names = selection.names === undefined ? undefined : new Set(selection.names);
  const eligible: number[] = [];
  for (let index = 0; index < fleet.nodeCount; index++) {
    if (selection.zone !== undefined && fleet.zoneOf(index) !== selection.zone) continue;
    if (names !== undefined && !names.has(fleet.nameOf(index))) continue;
    eligible.push(index);
  }
  const wanted = selection.nodeCount ?? Math.max(1, Math.round(eligible.length * selection.ratio));
  if (wanted >= eligible.length) return eligible;
  return eligible
    .map((index) => ({ index, rank: hash32(`${selection.seed}/storm/${index}`) }))
    .sort((a, b) => a.rank - b.rank || a.index - b.index)
    .slice(0, wanted)
    .map(({ index }) => index)
    .sort((a, b) => a - b);
}
