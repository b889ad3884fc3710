import { existsSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { describe, expect, it } from 'vitest';
import { packageRoot } from '../../src/core/index.ts';
import { CALLS_FILE, type PodRecord, RESULT_FILE, readHlog, readPods } from '../../src/result/index.ts';
import {
  hollowmark,
  latestResult,
  processesWith,
  SMALL_SUITE,
  untilOutput,
  workFolder,
} from '../helpers/cli.ts';

/** Processes are gone at the latest this long after the program: SIGTERM, grace, SIGKILL. */
const ORPHAN_GRACE_MS = 15_000;
/** The rest of a window is on disk at the latest this long after its figures. */
const FLUSH_GRACE_MS = 5_000;

async function noProcessLeft(folder: string): Promise<number[]> {
  const untilMs = Date.now() + ORPHAN_GRACE_MS;
  let left = await processesWith(folder);
  while (left.length > 0 && Date.now() < untilMs) {
    await sleep(250);
    left = await processesWith(folder);
  }
  return left;
}

/** The one process of the run whose command line has all of `parts`. */
async function processOf(folder: string, part: string): Promise<number> {
  const candidates = await processesWith(part);
  const inFolder = await Promise.all(
    candidates.map(async (pid) => ((await processesWith(folder)).includes(pid) ? pid : undefined)),
  );
  const pid = inFolder.find((one) => one !== undefined) ?? candidates[0];
  if (pid === undefined) throw new Error(`no process with ${part}`);
  return pid;
}

describe('a run that is broken off', () => {
  it('on the first Ctrl-C cleans up, keeps what was recorded and exits 130', async () => {
    await using folder = workFolder();
    const run = hollowmark(['run', SMALL_SUITE], { cwd: folder.path });
    await untilOutput(run, /phase 2\/2 churn/);
    await sleep(3_000);
    run.kill('SIGINT');
    const { exitCode, all } = await run;
    const result = await latestResult(folder.path);
    expect(exitCode, all).toBe(130);
    expect(result.state).toBe('interrupted');
    expect(result.verdicts.trust.state).toBe('INVALID');
    expect(result.phases.map((phase) => phase.state)).toEqual(['completed', 'interrupted']);
    expect(result.series.some(({ key, doneCount }) => key.phase === 'churn' && doneCount > 0)).toBe(true);
    expect(result.cleanup.state, result.cleanup.text).toBe('clean');
    expect(existsSync(join(folder.path, 'results', 'latest', 'report.html'))).toBe(true);
    expect(await noProcessLeft(folder.path)).toEqual([]);
  });

  it('on the second Ctrl-C stops at once and still writes what it has', async () => {
    await using folder = workFolder();
    const run = hollowmark(['run', SMALL_SUITE], { cwd: folder.path });
    await untilOutput(run, /phase 2\/2 churn/);
    run.kill('SIGINT');
    await sleep(300);
    run.kill('SIGINT');
    const { exitCode, all } = await run;
    expect(exitCode, all).toBe(130);
    const result = await latestResult(folder.path);
    expect(result.state).toBe('interrupted');
    expect(result.cleanup.state).toBe('skipped');
    expect(await noProcessLeft(folder.path)).toEqual([]);
  });

  it('while the control plane starts, exits 130 and leaves no process', async () => {
    await using folder = workFolder();
    const run = hollowmark(['run', SMALL_SUITE], { cwd: folder.path });
    await untilOutput(run, /starting control plane/);
    await sleep(700);
    run.kill('SIGINT');
    const { exitCode, all } = await run;
    expect(exitCode, all).toBe(130);
    expect(await noProcessLeft(folder.path)).toEqual([]);
  });

  it('is INVALID with the reason when an agent is killed, and keeps the rest', async () => {
    await using folder = workFolder();
    const run = hollowmark(['run', SMALL_SUITE], { cwd: folder.path });
    await untilOutput(run, /phase 2\/2 churn/);
    process.kill(await processOf(folder.path, '--id load-0'), 'SIGKILL');
    const { exitCode, all } = await run;
    const result = await latestResult(folder.path);
    expect(exitCode, all).toBe(3);
    expect(result.verdicts.trust.state).toBe('INVALID');
    expect(result.agents.find((agent) => agent.id === 'load-0')).toMatchObject({ state: 'lost' });
    expect(all).toMatch(/agent load-0 lost: its process was ended by SIGKILL/);
    expect(result.phases[0]?.state).toBe('completed');
    expect(result.cleanup.state, result.cleanup.text).toBe('clean');
    expect(await noProcessLeft(folder.path)).toEqual([]);
  });

  it('says which component died when the API server is killed in mid-run, and exits 5', async () => {
    await using folder = workFolder();
    const run = hollowmark(['run', SMALL_SUITE], { cwd: folder.path });
    await untilOutput(run, /phase 2\/2 churn/);
    const apiserver =
      (await processesWith(folder.path)).length > 0 ? await apiserverOf(folder.path) : undefined;
    if (apiserver === undefined) throw new Error('no kube-apiserver of this run');
    process.kill(apiserver, 'SIGKILL');
    const { exitCode, all } = await run;
    const result = await latestResult(folder.path);
    expect(exitCode, all).toBe(5);
    expect(all).toMatch(/kube-apiserver-0 died in mid-run/);
    expect(result.state).toBe('failed');
    expect(result.verdicts.trust.state).toBe('INVALID');
    expect(result.series.some(({ key, doneCount }) => key.source === 'load' && doneCount > 0)).toBe(true);
    expect(await noProcessLeft(folder.path)).toEqual([]);
  });

  it('that is killed with SIGKILL leaves no orphan, and a result that can be reported', async () => {
    await using folder = workFolder();
    const run = hollowmark(['run', SMALL_SUITE], { cwd: folder.path });
    await untilOutput(run, /phase 2\/2 churn/);
    const [name = ''] = await readdir(join(folder.path, 'results'));
    const result = join(folder.path, 'results', name);
    // A window after the pods of the first phase ran: they are on disk, and so are the figures up to then.
    const before = (await readHlog(join(result, CALLS_FILE))).windows.length;
    while ((await readHlog(join(result, CALLS_FILE))).windows.length <= before) await sleep(100);
    while (!existsSync(join(result, RESULT_FILE))) await sleep(20);
    // Its pods follow a moment after its figures; the kill may lose the window that is open, not this one.
    const untilMs = Date.now() + FLUSH_GRACE_MS;
    while ((await saturatedPods(result)).length < 40 && Date.now() < untilMs) await sleep(50);
    run.kill('SIGKILL');
    await run;
    expect(await noProcessLeft(folder.path)).toEqual([]);
    expect(await noProcessLeft(`--coordinator http`)).toEqual([]);

    expect((await readHlog(join(result, CALLS_FILE))).windows.length).toBeGreaterThan(before);
    const saturated = await saturatedPods(result);
    expect(saturated).toHaveLength(40);
    expect(saturated.every(({ runningSeenMs }) => runningSeenMs !== undefined)).toBe(true);
    const report = await hollowmark(['report', result], { cwd: folder.path });
    expect(report.exitCode, report.all).toBe(0);
    expect(report.all).toMatch(/hollowmark ended before the run did/);
    expect(existsSync(join(result, 'report.html'))).toBe(true);
  });
});

async function saturatedPods(result: string): Promise<PodRecord[]> {
  const pods: PodRecord[] = [];
  for await (const pod of readPods(result)) if (pod.phase === 'saturate') pods.push(pod);
  return pods;
}

async function apiserverOf(folder: string): Promise<number | undefined> {
  const [own, all] = await Promise.all([processesWith(folder), processesWith('kube-apiserver')]);
  return own.find((pid) => all.includes(pid));
}

describe('a run that cannot start', () => {
  it('quotes what the API server said when it dies at its start, and exits 5', async () => {
    await using folder = workFolder();
    const run = await hollowmark(
      ['run', SMALL_SUITE, '--set', 'controlPlane.flags.kube-apiserver.no-such-flag=1'],
      { cwd: folder.path },
    );
    expect(run.exitCode, run.all).toBe(5);
    expect(run.stderr).toContain('unknown flag: --no-such-flag');
    expect(await noProcessLeft(folder.path)).toEqual([]);
  });

  it('refuses to begin where there is no room for a result', async () => {
    await using folder = workFolder();
    const run = await onSmallDisk(folder.path, '400k', '');
    expect(run.exitCode, run.all).toBe(5);
    expect(run.all).toMatch(/this machine cannot carry it: .* free for results/);
    expect(await noProcessLeft(folder.path)).toEqual([]);
  });

  it('says that the disk is full when it fills up in mid-run, exits 5 and leaves no process', async () => {
    await using folder = workFolder();
    const run = await onSmallDisk(
      folder.path,
      '1500m',
      // As soon as the first window is on disk, something else takes all the room that is left.
      '(until [ -s results/*/calls.hlog ]; do sleep 0.2; done; sleep 12; dd if=/dev/zero of=results/filler bs=1M) >/dev/null 2>&1 &',
    );
    expect(run.exitCode, run.all).toBe(5);
    expect(run.all).toMatch(/no space left|disk is full/i);
    expect(run.all).not.toMatch(/internal error|Unhandled|node:internal/);
    expect(await noProcessLeft(folder.path)).toEqual([]);
  });
});

/** Runs the small suite with `results` on a file system of its own, of `size`, after `prepare` (shell). */
function onSmallDisk(folder: string, size: string, prepare: string) {
  const script = `mkdir -p results && mount -t tmpfs -o size=${size} none results && ${prepare === '' ? '' : `{ ${prepare} } &&`} exec "$0" "$@"`;
  const program = join(packageRoot(), 'bin', 'hollowmark.js');
  return execa(
    'unshare',
    ['--mount', '--map-root-user', 'sh', '-c', script, process.execPath, program, 'run', SMALL_SUITE],
    { cwd: folder, reject: false, all: true, timeout: 240_000 },
  );
}
