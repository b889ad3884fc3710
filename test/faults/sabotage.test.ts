/** The checker itself, on a real cluster: what somebody else does to the probe objects is found out, and by its name. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { packageRoot } from '../../src/core/index.ts';
import { playFaults } from './cards.ts';

const SABOTEUR = join(packageRoot(), 'test', 'helpers', 'probe-saboteur.mjs');

it('an object removed behind the back of the run, and one that is there twice, are found', async () => {
  const { result, output, folder } = await playFaults('faults-sabotage', [
    '--set',
    `parameters.saboteur=${SABOTEUR}`,
  ]);
  await using _folder = folder;
  const { cards = [], invariants = [], writes } = result.faults ?? {};
  const violated = cards.map(({ invariants: own }) =>
    own.filter(({ state }) => state === 'violated').map(({ name }) => name),
  );
  // What was done stays done, so that the last card shows both.
  expect(violated, output).toEqual([[], ['acknowledged-writes'], ['acknowledged-writes', 'no-duplicate']]);
  expect(invariants.filter(({ state }) => state === 'violated').map(({ name }) => name)).toEqual([
    'acknowledged-writes',
    'no-duplicate',
  ]);
  expect(writes?.lostCount).toBe(1);
  expect(invariants.find(({ name }) => name === 'no-duplicate')?.violations[0]).toContain('zz-second-one');
});
