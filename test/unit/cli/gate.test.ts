import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { acceptIntoHistory } from '../../../reports/index.ts';
import { registerGateCommand } from '../../../src/cli/gate.ts';
import { type FinishedRun, runGated } from '../../../src/cli/gate-runs.ts';
import { HarnessError, type Host } from '../../../src/core/index.ts';
import { type RunResult, writeRunResult } from '../../../src/result/index.ts';
import { gateHistory, gateRun } from '../../helpers/gate-runs.ts';
import { sampleRun } from '../../helpers/sample-run.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

let folder = '';
let out = '';
let err = '';
let interrupts: (() => void)[] = [];
const host = (): Host => ({
  argv: [],
  env: {},
  cwd: folder,
  stdout: { write: (text) => (out += text) },
  stderr: { write: (text) => (err += text) },
  clock: virtualClock(),
  onInterrupt: (listener) => {
    const call = () => listener('SIGINT');
    interrupts.push(call);
    return () => {
      interrupts = interrupts.filter((other) => other !== call);
    };
  },
});

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hollowmark-gate-'));
  out = '';
  err = '';
  interrupts = [];
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function save(name: string, run: RunResult): Promise<string> {
  await mkdir(join(folder, name));
  await writeRunResult(join(folder, name), run);
  return name;
}

async function fillHistory(count: number): Promise<void> {
  for (const run of gateHistory(count)) await acceptIntoHistory(join(folder, 'history'), run);
}

const records = () => readdir(join(folder, 'history'));
const gateJson = async (name: string) => JSON.parse(await readFile(join(folder, name, 'gate.json'), 'utf8'));

async function gate(...words: string[]): Promise<number> {
  const program = new Command().exitOverride();
  let exitCode = -1;
  registerGateCommand(program, host(), (code) => {
    exitCode = code;
  });
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  await program.parseAsync(['gate', ...words], { from: 'user' });
  return exitCode;
}

describe('hollowmark gate', () => {
  it('passes, prints, keeps its verdict beside the run, and accepts where asked', async () => {
    await fillHistory(20);
    await save('run', gateRun({ day: 40 }));
    expect(await gate('run', '--history', 'history')).toBe(0);
    expect(out).toMatch(/^GATE PASS {2}5 metrics within/);
    expect(await gateJson('run')).toMatchObject({
      schema: 'hollowmark.dev/gate/v1',
      state: 'PASS',
      exitCode: 0,
    });
    expect(await readFile(join(folder, 'run', 'gate.md'), 'utf8')).toMatch(/^### ✅ Gate: PASS/);
    expect(await records()).toHaveLength(20);
    expect(await gate('run', '--history', 'history', '--accept')).toBe(0);
    expect(err).toContain('accepted into history/20260209-020000-nightly-');
    expect(await records()).toHaveLength(21);
    await gate('run', '--history', 'history', '--accept');
    expect(await records()).toHaveLength(21);
  });

  it.each([
    { code: 4, state: 'SUSPECT', run: gateRun({ day: 40, startupMs: 1_400 }) },
    { code: 1, state: 'FAIL', run: sampleRun('slo-failure') },
    { code: 3, state: 'INVALID', run: sampleRun('invalid') },
  ])('ends with $code for $state, which enters no history', async ({ code, state, run }) => {
    await fillHistory(12);
    await save('run', run);
    expect(await gate('run', '--history', 'history', '--accept')).toBe(code);
    expect(err).toContain(`not accepted into history: ${state}`);
    expect(await records()).toHaveLength(12);
  });

  it('takes the two re-runs of a suspect run', async () => {
    await fillHistory(12);
    await save('a', gateRun({ day: 40, startupMs: 1_400 }));
    await save('b', gateRun({ day: 41, startupMs: 1_000 }));
    await save('c', gateRun({ day: 42, startupMs: 1_350 }));
    await save('d', gateRun({ day: 43, startupMs: 1_010 }));
    expect(await gate('a', 'b', 'c', '--history', 'history')).toBe(1);
    expect(await gate('a', 'b', 'd', '--history', 'history')).toBe(0);
  });

  it('prints JSON and Markdown on request', async () => {
    await fillHistory(1);
    await save('run', gateRun({ day: 40 }));
    await gate('run', '--history', 'history', '--format', 'json', '--out', 'elsewhere');
    expect(JSON.parse(out)).toMatchObject({
      state: 'NOT GATED',
      baseline: { runIds: ['20260101-020000-nightly'] },
    });
    expect(JSON.parse(out)).toEqual(await gateJson('elsewhere'));
    out = '';
    await gate('run', '--history', 'history', '--format', 'markdown');
    expect(out).toContain('1 of the 10 accepted runs that it takes');
  });

  it('refuses a history that is not there, unless it is to begin', async () => {
    await save('run', gateRun({ day: 40 }));
    await expect(gate('run', '--history', 'histroy')).rejects.toMatchObject({
      code: 'HM_USAGE',
      exitCode: 2,
    });
    expect(await gate('run', '--history', 'history', '--accept')).toBe(0);
    expect(await records()).toHaveLength(1);
  });

  it('refuses one re-run, and one run named three times', async () => {
    await fillHistory(1);
    await save('run', gateRun({ day: 40 }));
    await save('other', gateRun({ day: 41 }));
    await expect(gate('run', 'other', '--history', 'history')).rejects.toMatchObject({ code: 'HM_USAGE' });
    await expect(gate('run', 'run', 'run', '--history', 'history')).rejects.toMatchObject({
      code: 'HM_USAGE',
    });
    await expect(gate('nowhere', '--history', 'history')).rejects.toMatchObject({
      code: 'HM_RESULT_UNREADABLE',
    });
  });
});

describe('hollowmark run --gate', () => {
  /** Plays the given runs one after the other; each may act while it "runs". */
  function script(...runs: { result?: RunResult; exitCode?: number; during?: () => void }[]) {
    const state = { startedCount: 0 };
    const runOnce = async (): Promise<FinishedRun> => {
      const name = `results/${state.startedCount}`;
      const run = runs[state.startedCount++];
      if (run === undefined) throw new Error('one run too many');
      run.during?.();
      if (run.result === undefined) return { exitCode: run.exitCode ?? 130, directory: join(folder, name) };
      await mkdir(join(folder, name), { recursive: true });
      return {
        exitCode: run.exitCode ?? run.result.verdicts.exitCode,
        directory: join(folder, name),
        result: run.result,
      };
    };
    return { state, go: (accept = false) => runGated({ historyPath: 'history', accept, runOnce }, host()) };
  }
  const slow = (day: number, startupMs = 1_400) => ({ result: gateRun({ day, startupMs }) });

  beforeEach(() => fillHistory(12));

  it('runs once where the run passes, and accepts it', async () => {
    const { go, state } = script({ result: gateRun({ day: 40 }) });
    expect(await go(true)).toBe(0);
    expect(state.startedCount).toBe(1);
    expect(await records()).toHaveLength(13);
    expect(interrupts).toEqual([]);
  });

  it('runs twice more where it is suspect, and fails on the median of three', async () => {
    const { go, state } = script(slow(40), slow(41, 1_300), slow(42, 1_000));
    expect(await go(true)).toBe(1);
    expect(state.startedCount).toBe(3);
    expect(err).toContain('re-run 1 of 2');
    expect(err).toContain('re-run 2 of 2');
    expect(await gateJson('results/0')).toMatchObject({
      state: 'FAIL',
      medianOfThree: [{ values: [1_400_000, 1_300_000, 1_000_000].map((us) => expect.closeTo(us, -4)) }, {}],
    });
    expect(await records()).toHaveLength(12);
  });

  it('passes where the re-runs clear it, and then accepts the first run', async () => {
    const { go } = script(slow(40), slow(41, 1_010), slow(42, 990));
    expect(await go(true)).toBe(0);
    expect((await records()).filter((name) => name.startsWith('20260209-'))).toHaveLength(1);
    expect(await records()).toHaveLength(13);
  });

  it('stops after a re-run that cannot be used, and stays suspect', async () => {
    const { go, state } = script(slow(40), { result: sampleRun('invalid') });
    expect(await go()).toBe(4);
    expect(state.startedCount).toBe(2);
  });

  it.each([5, 70, 130])('hands on exit code %i: there is nothing to gate', async (exitCode) => {
    const { go } = script({ exitCode });
    expect(await go()).toBe(exitCode);
  });

  it('gates an invalid and a failed run without repeating it', async () => {
    expect(await script({ result: sampleRun('invalid') }).go()).toBe(3);
    expect(await script({ result: sampleRun('slo-failure') }).go()).toBe(1);
  });

  it('honours Ctrl-C during a re-run and between runs', async () => {
    const press = () => {
      for (const interrupt of interrupts) interrupt();
    };
    const during = script(slow(40), { exitCode: 130, during: press });
    expect(await during.go()).toBe(130);
    expect(during.state.startedCount).toBe(2);
    expect(await gateJson('results/0')).toMatchObject({ state: 'SUSPECT' });
    // The run had ended when the key was pressed: what it said stands, and no further one starts.
    const between = script({ ...slow(40), during: press });
    expect(await between.go()).toBe(130);
    expect(between.state.startedCount).toBe(1);
    expect(interrupts).toEqual([]);
  });

  it('looks at the history before it runs anything', async () => {
    const { state } = script(slow(40));
    const refused = runGated(
      { historyPath: 'histroy', accept: false, runOnce: () => Promise.reject(new Error('ran')) },
      host(),
    );
    await expect(refused).rejects.toBeInstanceOf(HarnessError);
    expect(state.startedCount).toBe(0);
  });
});
