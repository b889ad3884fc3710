/** Where Priority & Fairness put the load, in one sentence. */
import { formatRatio } from '../../src/core/index.ts';
import { type FlowPlacement, formatCount, type RunResult } from '../../src/result/index.ts';

/** The level that Priority & Fairness never queues or refuses. */
const EXEMPT = 'exempt';
const SHOWN_COUNT = 3;

/** `level workload-low by schema service-accounts (5,000 calls)`; undefined for results that do not say. */
export function flowText(result: Pick<RunResult, 'phases'>): string | undefined {
  const placements = sums(result.phases.flatMap(({ flowPlacements = [] }) => flowPlacements));
  const total = placements.reduce((sum, { callCount }) => sum + callCount, 0);
  if (total === 0) return undefined;
  const parts = placements.slice(0, SHOWN_COUNT).map(({ flowSchema, priorityLevel, callCount }) => {
    const share = callCount === total ? `${formatCount(total)} calls` : formatRatio(callCount / total);
    if (flowSchema === '') return `no level named by the server (${share})`;
    const exempt = priorityLevel === EXEMPT ? ', where nothing is queued' : '';
    return `level ${priorityLevel} by schema ${flowSchema}${exempt} (${share})`;
  });
  const rest = placements.length > SHOWN_COUNT ? `, ${placements.length - SHOWN_COUNT} more` : '';
  return `load in Priority & Fairness: ${parts.join(', ')}${rest}`;
}

function sums(placements: readonly FlowPlacement[]): FlowPlacement[] {
  const merged = new Map<string, FlowPlacement>();
  for (const placement of placements) {
    const key = `${placement.flowSchema}/${placement.priorityLevel}`;
    const sum = merged.get(key);
    merged.set(key, { ...placement, callCount: placement.callCount + (sum?.callCount ?? 0) });
  }
  return [...merged.values()].sort((a, b) => b.callCount - a.callCount);
}
