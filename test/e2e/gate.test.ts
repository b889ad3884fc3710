import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { acceptIntoHistory } from '../../reports/index.ts';
import { readResult } from '../../src/result/index.ts';
import { hollowmark, latestResult, processesWith, SMALL_SUITE, workFolder } from '../helpers/cli.ts';

describe('hollowmark run with a threshold that has abortOnFail', () => {
  it('ends in mid-run with exit code 1, says which threshold, and keeps what was recorded', async () => {
    await using folder = workFolder();
    const missed = 'pod_startup{kind:stateless}.p50 < 1ms';
    const thresholds = `thresholds=[{expr: "${missed}", abortOnFail: true, grace: 2s}, "errors.ratio < 5%"]`;
    const longer = [0, 1].flatMap((action) => ['--set', `load.phases[1].actions[${action}].duration=120s`]);
    const run = await hollowmark(['run', SMALL_SUITE, '--set', thresholds, ...longer], { cwd: folder.path });
    const result = await latestResult(folder.path);
    expect(run.exitCode, run.all).toBe(1);
    expect(run.all).toContain(`threshold missed in mid-run: ${missed}: `);
    expect(result).toMatchObject({ state: 'failed', cleanup: { state: 'clean' }, verdicts: { exitCode: 1 } });
    expect(result.reason).toContain(missed);
    expect(result.durationMs).toBeLessThan(100_000);
    const verdict = result.verdicts.slo.find(({ kind }) => kind === 'threshold');
    expect(verdict?.checks.map(({ state }) => state)).toEqual(['fail', 'pass']);
    expect(await processesWith(folder.path)).toEqual([]);
  });
});

describe('hollowmark run --gate', () => {
  it('begins a history, and repeats a run that is slower than its history until three agree', async () => {
    await using folder = workFolder();
    const history = join(folder.path, 'history');
    const args = ['run', SMALL_SUITE, '--gate', 'history', '--accept'];
    // A machine that stutters makes a run INVALID, rightly; the history begins with the first that is not.
    let first = await hollowmark(args, { cwd: folder.path });
    for (let attempt = 1; attempt < 3 && first.exitCode === 3; attempt++) {
      first = await hollowmark(args, { cwd: folder.path });
    }
    expect(first.exitCode, first.all).toBe(0);
    const before = (await readdir(join(folder.path, 'results'))).length;
    expect(first.all).toContain('GATE NOT GATED');
    const [name = ''] = await readdir(history);

    // Eleven earlier runs in which the scheduler was three times as fast.
    const run = await readResult(join(history, name));
    const meanPerSecond = (run.scheduling?.meanPerSecond ?? 0) * 3;
    for (let day = 10; day < 21; day++) {
      await acceptIntoHistory(history, {
        ...run,
        runId: `202601${day}-020000-small`,
        startedAt: `2026-01-${day}T02:00:00.000Z`,
        scheduling: { boundCount: 88, maxPerSecond: meanPerSecond, meanPerSecond },
      });
    }
    const slower = await hollowmark(args, { cwd: folder.path, timeoutMs: 400_000 });
    if (slower.exitCode === 3) {
      // The machine stuttered in the gated run itself: it says so and is neither passed nor failed.
      expect(slower.all).toContain('INVALID');
      return;
    }
    // All earlier runs are copies of one: other figures may be suspect beside it, their noise being nothing.
    expect(slower.all).toMatch(/GATE SUSPECT .*/);
    expect(slower.all).toMatch(/^pods bound per second of waiti.* suspect$/m);
    expect(slower.all).toContain('re-run 2 of 2');
    if (slower.exitCode === 4) {
      // It stuttered in a re-run: the suspicion is neither confirmed nor cleared.
      expect(slower.all).toContain('is not to be relied on');
    } else {
      expect(slower.exitCode, slower.all).toBe(1);
      expect(slower.all).toMatch(/GATE FAIL/);
      expect(slower.all).toMatch(/pods bound per second of waiting: median \d/);
    }
    const runs = (await readdir(join(folder.path, 'results'))).filter((one) => one !== 'latest');
    expect(runs).toHaveLength(before - 1 + 3);
    expect(await readdir(history)).toHaveLength(12);
  });
});
