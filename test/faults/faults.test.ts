/**
 * Every fault of the library, induced for real. Two planes are played at the same time, each by `hollowmark run`: a
 * three-member plane whose members, load balancer and network break, and a smaller one whose nodes, leaders and API
 * servers do. Then each card is asked whether what it saw has the right cause: which component, which errors.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type FaultsRun, playFaults, skipped } from './cards.ts';
import { testNodesFaults } from './nodes-faults.ts';
import { testPlaneFaults } from './plane-faults.ts';
import { neverPlayed, testWholeRun } from './whole-run.ts';

const runs: FaultsRun[] = [];

/** A run that is over; undefined is no test's business: beforeAll has failed then. */
function runOf(index: number): FaultsRun {
  const run = runs[index];
  if (run === undefined) throw new Error('the suites were not played');
  return run;
}

beforeAll(async () => {
  if (skipped) return;
  runs.push(...(await Promise.all(['faults-plane', 'faults-nodes'].map((suite) => playFaults(suite)))));
}, 900_000);

afterAll(async () => {
  for (const { folder } of runs) await folder[Symbol.asyncDispose]();
});

describe.skipIf(skipped)('a plane of three members', () => {
  testWholeRun(() => runOf(0));
  testPlaneFaults(() => runOf(0));
});

describe.skipIf(skipped)('a plane with short leases', () => {
  testWholeRun(() => runOf(1));
  testNodesFaults(() => runOf(1));
});

describe.skipIf(skipped)('the library', () => {
  it('has no fault that was not induced here', () => {
    expect(neverPlayed(runs)).toEqual([]);
  });
});
