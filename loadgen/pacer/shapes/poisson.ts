/**
 * A Poisson process: independent users. Gaps of mean 1 are drawn in blocks that have a random stream each, so that the
 * plan needs no memory and every shard draws the same ones; the intensity turns their sum into time.
 */
import { type Random, seededRandom } from '../../../src/core/index.ts';
import type { ArrivalPlan, ArrivalSpec } from '../arrival-plan.ts';
import { intensityOf } from '../intensity.ts';

const BLOCK_LENGTH = 4_096;

export function poissonPlan(spec: ArrivalSpec): ArrivalPlan {
  const { limit } = spec;
  const cursor = dueCursor(spec);
  return {
    count: 'objectCount' in limit ? limit.objectCount : countUntil(limit.durationMs * 1_000, dueCursor(spec)),
    dueUs: cursor,
  };
}

function dueCursor(spec: ArrivalSpec): (index: number) => number {
  const intensity = intensityOf(spec);
  let nextIndex = 0;
  let gapSum = 0;
  let random: Random = seededRandom(`${spec.seed}/0`);
  return (index) => {
    if (index < nextIndex - 1) {
      nextIndex = 0;
      gapSum = 0;
    }
    while (nextIndex <= index) {
      if (nextIndex % BLOCK_LENGTH === 0) random = seededRandom(`${spec.seed}/${nextIndex / BLOCK_LENGTH}`);
      gapSum += random.exponential(1);
      nextIndex++;
    }
    return intensity.usAt(gapSum);
  };
}

function countUntil(endUs: number, dueUs: (index: number) => number): number {
  let count = 0;
  while (dueUs(count) < endUs) count++;
  return count;
}
