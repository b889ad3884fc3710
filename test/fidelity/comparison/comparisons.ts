/**
 * Who is held against whom, and everything that is listed about it.
 */
import type { PlayerName } from '../players/player.ts';
import {
  type AllowedDifference,
  type ComparisonOutcome,
  differenceId,
  judgeDifferences,
} from './allowed-difference.ts';
import { FROM_KUBELET } from './allowed-from-kubelet.ts';
import { FROM_KUBEMARK } from './allowed-from-kubemark.ts';
import { compareFacts, type Difference, isAsReal } from './compare.ts';
import type { Facts } from './facts.ts';
import type { Recording } from './record.ts';

export interface Comparison {
  readonly player: PlayerName;
  readonly from: PlayerName;
  /** What is compared: a real kubelet comes without a kube-proxy, which would write to the machine's own packet filter. */
  readonly components: readonly string[];
  /** What the real kubelet does in the same way needs no entry: the other one is the exception. */
  readonly realExplains: boolean;
}

export const COMPARISONS: readonly Comparison[] = [
  { player: 'hollowmark', from: 'kubelet', components: ['kubelet'], realExplains: false },
  { player: 'hollowmark', from: 'kubemark', components: ['kubelet', 'kube-proxy'], realExplains: true },
  { player: 'compat', from: 'kubemark', components: ['kubelet', 'kube-proxy'], realExplains: false },
];

export const ALLOWED: readonly AllowedDifference[] = [...FROM_KUBELET, ...FROM_KUBEMARK];

export interface Judgement extends ComparisonOutcome {
  /** Differences in which the player does as the real kubelet does. */
  readonly explained: readonly Difference[];
}

/** Holds `own` against what is recorded of `comparison.from`. @throws Error if nothing is */
export function judgeComparison(comparison: Comparison, own: Facts, recording: Recording): Judgement {
  const { player, from } = comparison;
  const all = differencesOf(comparison, own, recording);
  const real = recording.players.kubelet;
  const explained = all.filter(
    (one) =>
      comparison.realExplains &&
      real !== undefined &&
      !one.line.includes('| kube-proxy') &&
      isAsReal(one, real, own, recording.performanceCount),
  );
  const rest = all.filter((one) => !explained.includes(one));
  const entries = ALLOWED.filter((one) => one.player === player && one.from === from);
  const seenBefore = new Set(recording.differences[`${player} from ${from}`] ?? []);
  return { ...judgeDifferences(rest, entries, seenBefore), explained };
}

/** Every difference of one performance, as they are kept in the recording. */
export function differenceIds(comparison: Comparison, own: Facts, recording: Recording): string[] {
  return differencesOf(comparison, own, recording).map(differenceId);
}

function differencesOf(comparison: Comparison, own: Facts, recording: Recording): Difference[] {
  const other = recording.players[comparison.from];
  if (other === undefined) throw new Error(`nothing is recorded of ${comparison.from}`);
  return compareFacts(own, other, recording.performanceCount, comparison.components);
}
