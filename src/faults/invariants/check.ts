/** The form of an invariant's answer: how much was looked at, and every violation found, in words. */
import type { InvariantCheck, InvariantName } from '../../result/index.ts';

/** Violations that are told one by one; the rest is counted. */
const TOLD_COUNT = 10;

/** The check's result; without anything looked at it is no pass but `no-data`. */
export function invariantCheck(
  name: InvariantName,
  examinedCount: number,
  violations: readonly string[],
  examined: string,
): InvariantCheck {
  const state = violations.length > 0 ? 'violated' : examinedCount === 0 ? 'no-data' : 'held';
  return {
    name,
    state,
    examinedCount,
    violationCount: violations.length,
    violations: violations.slice(0, TOLD_COUNT),
    text:
      state === 'violated'
        ? `${violations.length} of ${examinedCount} ${examined}: ${violations[0]}`
        : state === 'held'
          ? `${examinedCount} ${examined}`
          : `nothing to look at: no ${examined}`,
  };
}
