import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  exitError,
  isAddressInUse,
  ManagedProcess,
  tailLines,
} from '../../../src/controlplane/process/managed-process.ts';
import { systemClock } from '../../../src/core/index.ts';

let directory: string;
const started: ManagedProcess[] = [];
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-process-'));
});
afterEach(async () => {
  for (const one of started.splice(0)) await one.stop(0);
  rmSync(directory, { recursive: true, force: true });
});

function run(script: string, program = '/bin/sh'): ManagedProcess {
  const spec = {
    name: 'kube-apiserver-0',
    program,
    args: ['-c', script],
    logPath: join(directory, 'out.log'),
  };
  const one = new ManagedProcess(spec, { clock: systemClock });
  started.push(one);
  one.spawn();
  return one;
}
const never = async () => ({ ready: false as const, reason: '/readyz answers 500' });
const options = (timeoutMs = 10_000) => ({ timeoutMs, intervalMs: 10, signal: new AbortController().signal });

describe('waiting for a program to be ready', () => {
  it('ends when it is', async () => {
    let asked = 0;
    await run('sleep 30').ready(
      async () => (++asked === 3 ? { ready: true } : { ready: false, reason: 'x' }),
      options(),
    );
    expect(asked).toBe(3);
  });

  it('fails with exit code and last lines when the program ends', async () => {
    const one = run('for i in $(seq 1 30); do echo line $i >&2; done; echo "unknown flag: --x" >&2; exit 3');
    await expect(one.ready(never, options())).rejects.toMatchObject({
      code: 'HM_COMPONENT_EXITED',
      message: expect.stringMatching(
        /^kube-apiserver-0 ended with exit code 3; it wrote last:\n {2}line 12\n[\s\S]*unknown flag: --x$/,
      ),
    });
  });

  it('names the signal of a program that was killed', async () => {
    await expect(run('kill -9 $$').ready(never, options())).rejects.toMatchObject({
      message: 'kube-apiserver-0 ended with signal SIGKILL; it wrote nothing',
    });
  });

  it('tells a full disk from other ends', async () => {
    const one = run('echo "write /data/wal: no space left on device" >&2; exit 1');
    await expect(one.ready(never, options())).rejects.toMatchObject({ code: 'HM_DISK_FULL' });
  });

  it('fails at once when the program does not exist', async () => {
    await expect(run('', join(directory, 'missing')).ready(never, options())).rejects.toMatchObject({
      code: 'HM_COMPONENT_EXITED',
      message: expect.stringContaining('could not be started: spawn'),
    });
  });

  it('gives up after the time-out and says what was still wrong', async () => {
    await expect(run('echo starting; sleep 30').ready(never, options(300))).rejects.toMatchObject({
      code: 'HM_COMPONENT_NOT_READY',
      message: expect.stringMatching(
        /not ready after 0.3 s: \/readyz answers 500; it wrote last:\n {2}starting/,
      ),
      hint: expect.stringContaining('out.log'),
    });
  });

  it('stops waiting when it is called off', async () => {
    const controller = new AbortController();
    const waiting = run('sleep 30').ready(never, { ...options(), signal: controller.signal });
    controller.abort(new Error('called off'));
    await expect(waiting).rejects.toThrow('called off');
  });
});

describe('stopping a program', () => {
  it('asks first: a program that handles SIGTERM ends in its own way', async () => {
    const one = run('trap "echo bye; exit 0" TERM; echo up; while :; do sleep 0.02; done');
    await one.ready(
      async () =>
        tailLines(one.spec.logPath).includes('up') ? { ready: true } : { ready: false, reason: '' },
      options(),
    );
    await one.stop();
    expect(await one.exited).toEqual({ how: 'exit code 0', lastLines: ['up', 'bye'] });
    expect(one.stopping).toBe(true);
  });

  it('kills what does not listen, after the grace time', async () => {
    const one = run('trap "" TERM; echo up; while :; do sleep 0.02; done');
    await one.ready(
      async () =>
        tailLines(one.spec.logPath).includes('up') ? { ready: true } : { ready: false, reason: '' },
      options(),
    );
    await one.stop(100);
    expect((await one.exited).how).toBe('signal SIGKILL');
  });

  it('may be asked for twice, and of a program that has ended', async () => {
    const one = run('exit 0');
    await one.exited;
    await one.stop();
    await one.stop();
    expect((await one.exited).how).toBe('exit code 0');
  });

  it('leaves a program that can be started again, with its log continued', async () => {
    const one = run('echo once');
    await one.exited;
    one.spawn();
    expect((await one.exited).lastLines).toEqual(['once', 'once']);
  });
});

describe('the last lines of a log', () => {
  it('are twenty, without the empty end', () => {
    const path = join(directory, 'long.log');
    writeFileSync(path, `${Array.from({ length: 50_000 }, (_, i) => `line ${i}`).join('\n')}\n`);
    expect(tailLines(path)).toHaveLength(20);
    expect(tailLines(path).at(-1)).toBe('line 49999');
  });

  it('of a Go program that panicked are those before its stack trace, where the reason is', () => {
    const path = join(directory, 'panic.log');
    const trace = Array.from({ length: 40 }, (_, i) => `main.f${i}(...)`);
    const words = ['starting', 'panic: failed to create WAL: no space left on device', ''];
    writeFileSync(path, [...words, 'goroutine 1 [running]:', ...trace].join('\n'));
    expect(tailLines(path)).toEqual(words);
    expect(exitError('etcd-0', { how: 'exit code 2', lastLines: tailLines(path) }).code).toBe('HM_DISK_FULL');
  });

  it('are none where there is no log', () => expect(tailLines(join(directory, 'none'))).toEqual([]));
});

it('knows a port that was taken by the programs’ own words', () => {
  const exit = { how: 'exit code 1', lastLines: ['listen tcp 127.0.0.1:6443: bind: address already in use'] };
  expect(isAddressInUse(exitError('kube-apiserver-0', exit))).toBe(true);
  expect(
    isAddressInUse(exitError('kube-apiserver-0', { how: 'exit code 1', lastLines: ['unknown flag'] })),
  ).toBe(false);
});
