import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/core/index.ts';
import { hollowmark, latestResult, processesWith, untilOutput, workFolder } from '../helpers/cli.ts';

const HANG_SUITE = join(packageRoot(), 'test', 'fixtures', 'suites', 'hang.yaml');
const HUNG = /phase 1\/1 faults \(apiserver-hang\)/;
/** Processes are gone at the latest this long after the program: SIGTERM, grace, SIGKILL. */
const ORPHAN_GRACE_MS = 15_000;

async function noProcessLeft(folder: string): Promise<number[]> {
  const untilMs = Date.now() + ORPHAN_GRACE_MS;
  let left = await processesWith(folder);
  while (left.length > 0 && Date.now() < untilMs) {
    await sleep(250);
    left = await processesWith(folder);
  }
  return left;
}

/** Processes of the run that are stopped, as SIGSTOP leaves them. */
async function stoppedOf(folder: string): Promise<number[]> {
  const { stdout } = await execa('ps', ['-eo', 'pid=,stat=']);
  const stopped = stdout.split('\n').filter((line) => /^\s*\d+ T/.test(line));
  const own = await processesWith(folder);
  return stopped.map((line) => Number.parseInt(line, 10)).filter((pid) => own.includes(pid));
}

function isAlive(pid: number): boolean {
  const path = `/proc/${pid}/stat`;
  return existsSync(path) && !/\) Z /.test(readFileSync(path, 'utf8'));
}

describe('a run that is broken off in the midst of a fault', () => {
  it('heals it on the first Ctrl-C, cleans up, says so on its card, and leaves no process', async () => {
    await using folder = workFolder();
    const run = hollowmark(['run', HANG_SUITE], { cwd: folder.path });
    await untilOutput(run, HUNG);
    const hung = await stoppedOf(folder.path);
    expect(hung).toHaveLength(1);
    run.kill('SIGINT');
    const { exitCode, all } = await run;
    expect(exitCode, all).toBe(130);
    const result = await latestResult(folder.path);
    const [card] = result.faults?.cards ?? [];
    expect(card).toMatchObject({
      fault: 'apiserver-hang',
      state: 'completed',
      verdict: { state: 'no-data' },
    });
    expect(card?.healedMs ?? 0).toBeGreaterThan(card?.inducedMs ?? Number.POSITIVE_INFINITY);
    // The API server that hung has answered again before the cluster was cleaned through both of them.
    expect(result.cleanup.state, result.cleanup.text).toBe('clean');
    expect(result.faults?.invariants.find(({ name }) => name === 'acknowledged-writes')?.state).toBe('held');
    expect(await noProcessLeft(folder.path)).toEqual([]);
  });

  it('tears it down on the second Ctrl-C, and leaves no process, stopped ones included', async () => {
    await using folder = workFolder();
    const run = hollowmark(['run', HANG_SUITE], { cwd: folder.path });
    await untilOutput(run, HUNG);
    run.kill('SIGINT');
    run.kill('SIGTERM');
    const { exitCode, all } = await run;
    expect(exitCode, all).toBe(130);
    const result = await latestResult(folder.path);
    expect(result.state).toBe('interrupted');
    expect(result.cleanup.state).toBe('skipped');
    expect(existsSync(join(folder.path, 'results', 'latest', 'report.html'))).toBe(true);
    expect(await noProcessLeft(folder.path)).toEqual([]);
  });

  it('leaves no stopped process behind when the program itself is killed with SIGKILL', async () => {
    await using folder = workFolder();
    const run = hollowmark(['run', HANG_SUITE], { cwd: folder.path });
    await untilOutput(run, HUNG);
    const hung = await stoppedOf(folder.path);
    expect(hung).toHaveLength(1);
    run.kill('SIGKILL');
    await run;
    expect(await noProcessLeft(folder.path)).toEqual([]);
    // Where nobody waits for it, a process that is dead remains as a zombie.
    expect(hung.filter(isAlive)).toEqual([]);
  });
});
