import { mkdir, mkdtemp, readdir, readFile, rm, symlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { runCli } from '../../../src/cli/program.ts';
import { systemClock } from '../../../src/core/index.ts';
import { type RunResult, writeRunResult } from '../../../src/result/index.ts';
import { newExperiment, writeExperiment } from '../../../src/run/index.ts';
import { buildReportClient } from '../../helpers/report-client.ts';
import { runResult } from '../../helpers/results.ts';
import { syntheticPairs } from '../../helpers/sample-comparison.ts';

let folder = '';
beforeAll(buildReportClient);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hollowmark-compare-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function cli(...argv: string[]): Promise<{ code: number; out: string; err: string }> {
  let out = '';
  let err = '';
  const code = await runCli({
    argv,
    env: {},
    cwd: folder,
    stdout: { write: (text) => (out += text) },
    stderr: { write: (text) => (err += text) },
    clock: systemClock,
    onInterrupt: () => () => {},
  });
  return { code, out, err };
}

async function save(path: string, runs: readonly RunResult[]): Promise<void> {
  for (const run of runs) {
    const directory = join(folder, path, run.runId);
    await mkdir(directory, { recursive: true });
    await writeRunResult(directory, run);
  }
}

describe('hollowmark compare', () => {
  it('compares two folders of runs, prints the table and exits 1 for a regression', async () => {
    const { a, b } = syntheticPairs(7, 'cli', { pods: 2 }, { sharedNoise: 0.02 });
    await save('old', a);
    await save('new', b);
    // A run that was killed, and the link that `run` leaves: neither is another run.
    await mkdir(join(folder, 'old', 'killed'));
    await symlink('a-1', join(folder, 'old', 'latest'));
    const { code, out } = await cli('compare', 'old', 'new', '--out', 'comparison');
    expect(code).toBe(1);
    expect(out).toMatch(/^REGRESSION: B is worse in startup of stateless pods/);
    expect(out).toContain('A  old: 7 runs');
    expect(out).toContain('left out: A killed: it has no result.json');
    expect((await readdir(join(folder, 'comparison'))).sort()).toEqual([
      'comparison.html',
      'comparison.json',
      'comparison.md',
    ]);
  });

  it('takes lists of runs with --a and --b, and prints JSON', async () => {
    const { a, b } = syntheticPairs(2, 'lists', {});
    await save('runs', [...a, ...b]);
    const { code, out } = await cli(
      'compare',
      '--a',
      'runs/a-1',
      'runs/a-2',
      '--b',
      'runs/b-1',
      'runs/b-2/result.json',
      '--json',
    );
    expect(code).toBe(4);
    expect(JSON.parse(out)).toMatchObject({ design: 'independent', verdict: 'INCONCLUSIVE', exitCode: 4 });
  });

  it('refuses runs of two versions with exit 2 and compares them with --across version', async () => {
    const { a, b } = syntheticPairs(
      1,
      'across',
      {},
      {
        restB: { fingerprint: { ...runResult().fingerprint, kubernetesVersion: 'v1.35.4' } },
      },
    );
    await save('runs', [...a, ...b]);
    const refused = await cli('compare', 'runs/a-1', 'runs/b-1');
    expect(refused.code).toBe(2);
    expect(refused.err).toContain('A and B differ in Kubernetes version (v1.36.3 and v1.35.4)');
    expect(refused.err).toContain('--across version');
    const { code, out } = await cli('compare', '--across', 'version', 'runs/a-1', 'runs/b-1');
    expect(code).toBe(4);
    expect(out).toContain('Kubernetes version: v1.36.3 in A, v1.35.4 in B');
  });

  it.each([
    { argv: ['one'], why: 'one that is no experiment' },
    { argv: ['one', 'two', 'three'], why: 'three' },
    { argv: ['one', '--a', 'two', '--b', 'three'], why: 'both ways at once' },
    { argv: ['--a', 'one'], why: 'no B' },
    { argv: ['one', 'two', '--margin', 'wide'], why: 'a margin that is no number' },
    { argv: ['one', 'two', '--across', 'weather'], why: 'an unknown difference' },
    { argv: ['one', 'two'], why: 'folders that are not there' },
  ])('ends with exit 2 and says what it takes: $why', async ({ argv }) => {
    const { code, err } = await cli('compare', ...argv);
    expect(code).toBe(2);
    expect(err).toMatch(/compare takes|expected|there is no such file/);
  });

  it('compares an experiment by its pairs, with the margin it was begun with', async () => {
    const { a, b } = syntheticPairs(9, 'experiment', { mutating: 1.3 });
    await save('exp/runs', [...a, ...b]);
    const record = newExperiment({
      tool: { name: 'hollowmark', version: '0.1.0' },
      startedAt: '2026-01-01T00:00:00.000Z',
      suite: 'quickstart',
      set: [],
      a: { set: [], sha256: '0', version: 'v1.36.3', profile: 'fast' },
      b: { set: ['seed=2'], sha256: '0', version: 'v1.36.3', profile: 'fast' },
      pairCount: 10,
      seed: 'x',
      marginRatio: 0.5,
      metrics: ['mutating.p99'],
    });
    record.attempts = a.flatMap((run, i) => [
      { pair: i + 1, side: 'a' as const, folder: run.runId },
      { pair: i + 1, side: 'b' as const, folder: b[i]?.runId ?? '' },
    ]);
    record.attempts.push({ pair: 10, side: 'a', folder: 'a-10', invalid: 'INVALID (slip)' });
    await writeExperiment(join(folder, 'exp'), record);

    const { code, out } = await cli('compare', 'exp', '--out', 'exp');
    // +30 % is within a margin of 50 %.
    expect(out).toMatch(/^EQUIVALENT: all 1 figures/);
    expect(code).toBe(0);
    expect(out).toContain('left out: A a-10: INVALID (slip)');
    expect(out).toContain('9 of 10 pairs have been run');
    const narrow = await cli('compare', 'exp', '--margin', '10%');
    expect(narrow.code).toBe(1);
    expect(JSON.parse(await readFile(join(folder, 'exp/comparison.json'), 'utf8'))).toMatchObject({
      design: 'paired',
      pairCount: 9,
    });
  });
});

describe('hollowmark experiment', () => {
  it.each([
    { argv: [], text: 'takes a suite' },
    { argv: ['quickstart'], text: 'needs what the sides set' },
    { argv: ['quickstart', '--b', 'fleet.nodez=5'], text: 'nodez' },
    { argv: ['quickstart', '--b', 'seed=2', '--pairs', '0'], text: 'expected a number of pairs' },
    { argv: ['quickstart', '--b', 'seed=2', '--metrics', 'speed'], text: 'unknown metric "speed"' },
    { argv: ['quickstart', '--b', 'controlPlane.provider=kubeconfig'], text: 'fresh control plane' },
    { argv: ['--resume', '.'], text: 'it has no experiment.json' },
    { argv: ['--resume', '.', '--pairs', '5'], text: 'got --pairs as well' },
  ])('refuses $argv with exit 2 and makes no folder', async ({ argv, text }) => {
    const { code, err } = await cli('experiment', ...argv);
    expect(code).toBe(2);
    expect(err).toContain(text);
    expect(await readdir(folder)).toEqual([]);
  });
});
