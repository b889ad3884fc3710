import { readdirSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hollowmark, processesWith, SMALL_SUITE, untilOutput, workFolder } from '../helpers/cli.ts';

/** The small suite in a few seconds of load. */
const SHORT = [
  'load.phases[0].actions[0].count=1/node',
  'load.phases[1].actions[0].duration=3s',
  'load.phases[1].actions[0].lifetime=2s',
  'load.phases[1].actions[1].duration=3s',
].flatMap((text) => ['--set', text]);

describe('hollowmark experiment', () => {
  it('runs one pair of two settings on planes of their own, and says that one pair decides nothing', async () => {
    await using folder = workFolder();
    const setting = 'load.phases[1].actions[1].rate=30/s';
    const attempt = () =>
      hollowmark(['experiment', SMALL_SUITE, '--pairs', '1', ...SHORT, '--b', setting], { cwd: folder.path });
    let run = await attempt();
    for (let again = 1; again < 3 && run.exitCode === 3; again++) {
      // A machine that stutters makes runs INVALID and drops their pair, rightly: another experiment, then.
      expect(run.all).toContain('every pair was dropped');
      rmSync(join(folder.path, 'experiments'), { recursive: true });
      run = await attempt();
    }
    expect(run.exitCode, run.all).toBe(4);
    expect(run.stderr).toContain('1 pair can decide nothing');
    expect(run.stderr).toMatch(/2 of 2 runs to go, about \d/);
    expect(run.stdout).toMatch(/^INCONCLUSIVE: 1 pair, and \d+ figures need at least \d pairs/);
    expect(run.stdout).toContain('ratePerSecond: 20 in A, 30 in B');

    const [name = ''] = readdirSync(join(folder.path, 'experiments'));
    const directory = join(folder.path, 'experiments', name);
    const comparison = JSON.parse(await readFile(join(directory, 'comparison.json'), 'utf8'));
    expect(comparison).toMatchObject({ design: 'paired', pairCount: 1, exitCode: 4 });
    // Both runs were made on a control plane of their own, by the code that `run` uses.
    const runs = readdirSync(join(directory, 'runs'), { withFileTypes: true }).filter((one) =>
      one.isDirectory(),
    );
    const results = await Promise.all(
      runs.map(async (one) =>
        JSON.parse(await readFile(join(directory, 'runs', one.name, 'result.json'), 'utf8')),
      ),
    );
    expect(new Set(results.map((result) => result.controlPlane.clusterUid)).size).toBe(results.length);
    expect(await readFile(join(directory, 'comparison.md'), 'utf8')).toContain('## hollowmark: comparison');
    expect(await readFile(join(directory, 'comparison.html'), 'utf8')).toContain('id="percentile-chart"');
    expect(await processesWith(folder.path)).toEqual([]);

    // What is complete is only compared again.
    const again = await hollowmark(['experiment', '--resume', join('experiments', name)], {
      cwd: folder.path,
    });
    expect(again.exitCode, again.all).toBe(4);
    expect(again.stderr).toContain('0 of 2 runs to go');
    const compared = await hollowmark(['compare', join('experiments', name)], { cwd: folder.path });
    expect(compared.exitCode).toBe(4);
  });

  // Once more where the machine stuttered and made runs INVALID, whose pairs are dropped.
  it('on Ctrl-C compares the pairs that are whole, names how to go on, and goes on', {
    retry: 1,
  }, async () => {
    await using folder = workFolder();
    const setting = 'load.phases[1].actions[1].rate=30/s';
    const experiment = hollowmark(['experiment', SMALL_SUITE, '--pairs', '2', ...SHORT, '--b', setting], {
      cwd: folder.path,
      timeoutMs: 480_000,
    });
    await untilOutput(experiment, /pair 2 of 2, side [AB]\b[\s\S]*registering nodes/);
    experiment.kill('SIGINT');
    const { exitCode, all, stderr } = await experiment;
    expect(exitCode, all).toBe(130);
    expect(await processesWith(folder.path)).toEqual([]);
    const [name = ''] = readdirSync(join(folder.path, 'experiments'));
    const resume = ['experiment', '--resume', join('experiments', name)];
    expect(stderr).toContain(`go on with it: hollowmark ${resume.join(' ')}`);
    const directory = join(folder.path, 'experiments', name);
    const comparisonOf = async () => JSON.parse(await readFile(join(directory, 'comparison.json'), 'utf8'));
    expect(await comparisonOf()).toMatchObject({ design: 'paired', pairCount: 1 });

    const resumed = await hollowmark(resume, { cwd: folder.path, timeoutMs: 480_000 });
    expect(resumed.exitCode, resumed.all).toBe(4);
    expect(resumed.stderr).toContain('2 of 4 runs to go');
    expect(await comparisonOf()).toMatchObject({ design: 'paired', pairCount: 2, exitCode: 4 });
  });
});
