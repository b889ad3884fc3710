/**
 * A Poisson process: independent exponential gaps, as independent users make them. Gaps are drawn in blocks that have
 * a random stream each, so that the plan needs no memory and every shard draws the same ones.
 */
import { type Random, seededRandom } from '../../../src/core/index.ts';
import type { ArrivalPlan, ArrivalSpec } from '../arrival-plan.ts';

const BLOCK_LENGTH = 4_096;

export function poissonPlan(spec: ArrivalSpec): ArrivalPlan {
  const { limit } = spec;
  const cursor = gapCursor(spec);
  return {
    count: 'objectCount' in limit ? limit.objectCount : countUntil(limit.durationMs * 1_000, gapCursor(spec)),
    dueUs: cursor,
  };
}

function gapCursor(spec: ArrivalSpec): (index: number) => number {
  const meanGapUs = 1_000_000 / spec.ratePerSecond;
  let nextIndex = 0;
  let dueUs = 0;
  let random: Random = seededRandom(`${spec.seed}/0`);
  return (index) => {
    if (index < nextIndex - 1) {
      nextIndex = 0;
      dueUs = 0;
    }
    while (nextIndex <= index) {
      if (nextIndex % BLOCK_LENGTH === 0) random = seededRandom(`${spec.seed}/${nextIndex / BLOCK_LENGTH}`);
      dueUs += random.exponential(meanGapUs);
      nextIndex++;
    }
    return dueUs;
  };
}

function countUntil(endUs: number, dueUs: (index: number) => number): number {
  let count = 0;
  while (dueUs(count) < endUs) count++;
  return count;
}
