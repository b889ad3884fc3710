/** What the actions of a phase did, over all load agents. */
import type { LoadActionOutcome } from '../../loadgen/index.ts';
import type { PhaseResult } from '../result/index.ts';

/** One entry for each action of `outcomes`; rates are over `scheduleMs`, asked by the action's name. */
export function phaseActions(
  outcomes: readonly LoadActionOutcome[],
  scheduleMs: (actionName: string) => number,
): PhaseResult['actions'] {
  const sums = new Map<
    string,
    { outcome: LoadActionOutcome; offered: number; achieved: number; retried: number }
  >();
  for (const outcome of outcomes) {
    const sum = sums.get(outcome.name) ?? { outcome, offered: 0, achieved: 0, retried: 0 };
    sum.retried += outcome.retriedCount;
    sum.offered += outcome.offeredCount;
    sum.achieved += outcome.doneCount + outcome.failedCount;
    sums.set(outcome.name, sum);
  }
  return [...sums.values()].map(({ outcome, offered, achieved, retried }) => ({
    action: outcome.action,
    description: outcome.description,
    offeredPerSecond: perSecond(offered, scheduleMs(outcome.name)),
    achievedPerSecond: perSecond(achieved, scheduleMs(outcome.name)),
    ...(retried === 0 ? {} : { retriedCount: retried }),
  }));
}

function perSecond(count: number, durationMs: number): number {
  return durationMs > 0 ? count / (durationMs / 1_000) : 0;
}
