/** What is worth knowing of a suite's faults before they are induced. */
import type { Suite } from '../config/index.ts';
import { formatMs } from '../core/index.ts';
import { plannedFaultsMs } from '../faults/index.ts';
import type { PlanWarning } from './plan-limits.ts';
import type { PlannedPhase } from './plan-phases.ts';

/** Warns of a schedule that lasts longer than the load beside which it is to be seen. */
export function faultWarnings(suite: Suite, phases: readonly PlannedPhase[]): PlanWarning[] {
  const { faults } = suite;
  const phase = phases.find(({ name }) => name === faults?.phase);
  if (faults === undefined || phase === undefined) return [];
  const takesMs = plannedFaultsMs(faults, suite.seed);
  if (takesMs <= phase.durationMs) return [];
  return [
    {
      kind: 'figures',
      text: `the faults take at least ${formatMs(takesMs)} and the load of phase ${phase.name} lasts ${formatMs(phase.durationMs)}: the last of them are seen without load (each is waited for and healed)`,
    },
  ];
}
