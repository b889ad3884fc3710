import { mkdir, mkdtemp, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  acceptIntoHistory,
  GATE_FILE,
  historyRecord,
  readHistory,
  renderTerminal,
} from '../../../reports/index.ts';
import { headlineFigures } from '../../../reports/model/headline-metrics.ts';
import { readResult, writeRunResult } from '../../../src/result/index.ts';
import { gateHistory, gateRun } from '../../helpers/gate-runs.ts';
import { sampleRun } from '../../helpers/sample-run.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hollowmark-history-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const history = () => join(folder, 'history');

describe('a history', () => {
  it('is not there before the first run is accepted', async () => {
    expect(await readHistory(history())).toBeUndefined();
    await acceptIntoHistory(history(), gateRun({ day: 1 }));
    expect((await readHistory(history()))?.entries).toHaveLength(1);
  });

  it('takes many runs at once, and each once, from any number of writers', async () => {
    const runs = gateHistory(12);
    const accepted = await Promise.all(
      [...runs, ...runs, ...runs].map((run) => acceptIntoHistory(history(), run)),
    );
    expect(accepted.filter(({ isNew }) => isNew)).toHaveLength(12);
    expect(await readdir(history())).toHaveLength(12);
    const read = await readHistory(history());
    expect(read?.unreadable).toEqual([]);
    expect(read?.entries.map(({ result }) => result.runId).sort()).toEqual(runs.map(({ runId }) => runId));
  });

  it('keeps runs of the same second on two machines apart', async () => {
    const run = gateRun({ day: 1 });
    await acceptIntoHistory(history(), run);
    await acceptIntoHistory(history(), { ...run, machine: { ...run.machine, hostname: 'another' } });
    expect((await readHistory(history()))?.entries).toHaveLength(2);
  });

  it('keeps of a run what gate, compare and report need, without its time series', async () => {
    const run = sampleRun();
    const { path } = await acceptIntoHistory(history(), run);
    const kept = await readResult(path);
    expect(kept).toEqual(historyRecord(run));
    expect(headlineFigures(kept)).toEqual(headlineFigures(run));
    expect(kept.timeline).toEqual([]);
    expect(renderTerminal(kept, { colour: false, files: [] })).toBe(
      renderTerminal(run, { colour: false, files: [] }),
    );
    const whole = join(folder, 'whole');
    await mkdir(whole);
    await writeRunResult(whole, run);
    expect((await stat(join(path, 'result.json'))).size).toBeLessThan(
      (await stat(join(whole, 'result.json'))).size * 0.8,
    );
  });

  it('is any folder of result folders, links among them; runs that are there twice count once', async () => {
    const [one, two] = gateHistory(2);
    if (one === undefined || two === undefined) throw new Error('short');
    for (const run of [one, two]) {
      await mkdir(join(folder, run.runId));
      await writeRunResult(join(folder, run.runId), run);
    }
    await symlink(two.runId, join(folder, 'latest'));
    await writeFile(join(folder, two.runId, GATE_FILE), '{"state":"FAIL"}');
    await mkdir(join(folder, 'no-result'));
    await writeFile(join(folder, 'notes.txt'), 'a note');
    const read = await readHistory(folder);
    expect(read?.entries.map(({ result, gateState }) => [result.runId, gateState])).toEqual([
      [one.runId, undefined],
      [two.runId, 'FAIL'],
    ]);
  });

  it('names what it cannot read and goes on with the rest', async () => {
    await acceptIntoHistory(history(), gateRun({ day: 1 }));
    await mkdir(join(history(), 'torn'));
    await writeFile(join(history(), 'torn', 'result.json'), '{"schema":');
    const read = await readHistory(history());
    expect(read?.entries).toHaveLength(1);
    expect(read?.unreadable.join()).toMatch(/torn.*not whole JSON/);
  });

  it('does not see what is half written', async () => {
    const { path } = await acceptIntoHistory(history(), gateRun({ day: 1 }));
    await mkdir(join(history(), '.20260102-x'));
    await writeFile(join(history(), '.20260102-x', 'result.json'), await readFile(join(path, 'result.json')));
    expect((await readHistory(history()))?.entries).toHaveLength(1);
  });
});
