import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { gateSimulationTables, SIMULATED_NOISE, simulateGate } from '../../../bench/gate-simulation.ts';
import { packageRoot } from '../../../src/core/index.ts';

const TRIALS = 3_000;

describe('the gate over thousands of simulated histories', () => {
  it.each(SIMULATED_NOISE)(
    'rarely suspects and hardly ever fails a run that is not slower, noise %f',
    (noise) => {
      // A tenth of a per cent of 3,000 is three histories: bounds leave room for the seed.
      const short = simulateGate(noise, 10, 0, TRIALS);
      expect(short.suspectRatio).toBeLessThan(0.035);
      expect(short.failRatio).toBeLessThan(0.012);
      const full = simulateGate(noise, 20, 0, TRIALS);
      expect(full.suspectRatio).toBeLessThan(0.018);
      expect(full.failRatio).toBeLessThan(0.005);
    },
  );

  it.each([
    { noise: 0.05, effect: 0.2, suspect: 0.65, fail: 0.6 },
    { noise: 0.05, effect: 0.3, suspect: 0.94, fail: 0.92 },
    { noise: 0.1, effect: 0.3, suspect: 0.35, fail: 0.26 },
    { noise: 0.1, effect: 0.5, suspect: 0.76, fail: 0.72 },
    { noise: 0.15, effect: 0.5, suspect: 0.38, fail: 0.3 },
  ])('finds a run that is slower: %o', ({ noise, effect, suspect, fail }) => {
    const found = simulateGate(noise, 20, effect, TRIALS);
    expect(found.suspectRatio).toBeGreaterThan(suspect);
    expect(found.failRatio).toBeGreaterThan(fail);
    expect(found.failRatio).toBeLessThanOrEqual(found.suspectRatio);
  });

  it('is far from the naive rule, a fifth above last night, which cries wolf one night in ten at 10 % noise', () => {
    expect(simulateGate(0.1, 20, 0, TRIALS).failRatio).toBeLessThan(0.096 / 10);
  });

  it('is what docs/gate.md says (else: npm run generate)', () => {
    const page = readFileSync(join(packageRoot(), 'docs', 'gate.md'), 'utf8');
    const written = /<!-- gate-simulation:.*?-->\n(.*?)\n<!-- \/gate-simulation -->/s.exec(page)?.[1];
    expect(written).toBe(gateSimulationTables());
  }, 60_000);
});
