import { readdirSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { hollowmark, latestResult, processesWith, SMALL_SUITE, workFolder } from '../helpers/cli.ts';

describe('hollowmark run', () => {
  it('brings up a control plane, nodes and load, prints verdicts, and leaves a result and no process', async () => {
    await using folder = workFolder();
    const run = await hollowmark(['run', SMALL_SUITE], { cwd: folder.path });
    const result = await latestResult(folder.path);

    expect(run.all).toContain('client-slo');
    expect(run.all).toContain('official-sli');
    expect(result.state, run.all).toBe('completed');
    expect(result.fleet).toMatchObject({ nodeCount: 10, readyCount: 10, lostCount: 0 });
    expect(run.exitCode).toBe(result.verdicts.exitCode);

    // Conservation: what the schedule asked for is accounted for to the last arrival.
    for (const series of result.series.filter(({ key }) => key.source === 'load')) {
      const { offeredCount, doneCount, failedCount, droppedCount, inFlightAtEndCount } = series;
      expect(offeredCount, JSON.stringify(series.key)).toBe(
        doneCount + failedCount + droppedCount + inFlightAtEndCount,
      );
      expect(series.response.summary.count).toBe(doneCount + failedCount);
    }
    const creates = result.series.filter(({ key }) => key.source === 'load' && key.verb === 'create');
    // 40 saturated, 4/s for 12 s of churn.
    expect(creates.reduce((sum, series) => sum + series.doneCount, 0)).toBe(40 + 48);
    const started = result.podStartup.reduce((sum, startup) => sum + startup.startedCount, 0);
    expect(started).toBe(88);
    for (const startup of result.podStartup) {
      expect(Object.keys(startup.phases).sort()).toEqual([
        'create_to_run',
        'create_to_schedule',
        'kubelet_to_run',
        'pod_startup',
        'run_to_watch',
        'schedule_to_kubelet',
        'schedule_to_run',
        'schedule_to_watch',
      ]);
    }
    expect(result.watches[0]).toMatchObject({ watcherCount: 4 });
    expect(result.watches[0]?.eventCount).toBeGreaterThan(4 * 48);
    expect(
      result.server.find((component) => component.component === 'kube-apiserver')?.sli?.length,
    ).toBeGreaterThan(5);
    expect(result.cleanup.state, result.cleanup.text).toBe('clean');

    const files = readdirSync(`${folder.path}/results/latest`);
    for (const file of [
      'result.json',
      'calls.hlog',
      'pods.ndjson.gz',
      'report.html',
      'summary.md',
      'junit.xml',
    ]) {
      expect(files).toContain(file);
    }
    expect(await processesWith(folder.path)).toEqual([]);
  });

  it('refuses a suite with problems: all of them with their places, exit 2, nothing started', async () => {
    await using folder = workFolder();
    const run = await hollowmark(
      ['run', SMALL_SUITE, '--set', 'fleet.nodez=5', '--set', 'load.phases[1].actions[0].rate=20x'],
      {
        cwd: folder.path,
      },
    );
    expect(run.exitCode).toBe(2);
    expect(run.stderr).toContain('nodez');
    expect(run.stderr).toMatch(
      /load\.phases\[1\]\.actions\[0\]\.rate: expected a rate such as 20\/s.*, got "20x"/,
    );
    expect(readdirSync(folder.path)).toEqual([]);
  });
});
