import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { identifyProcess, isAlive, signalProcess } from '../../../src/controlplane/process/identity.ts';
import { tryLock } from '../../../src/controlplane/process/lock-file.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-lock-'));
  path = join(directory, 'sub', 'cache.lock');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function take() {
  const attempt = tryLock(path);
  if (attempt.state !== 'taken') throw new Error(`held by ${attempt.owner.pid}`);
  return attempt.lock;
}

describe('a lock file', () => {
  it('is held by one at a time and names its owner', () => {
    using _lock = take();
    expect(tryLock(path)).toEqual({ state: 'held', owner: identifyProcess(process.pid) });
  });

  it('is free again after it is given up, twice if need be, and leaves nothing behind', () => {
    const lock = take();
    lock[Symbol.dispose]();
    lock[Symbol.dispose]();
    expect(readdirSync(join(directory, 'sub'))).toEqual([]);
    take()[Symbol.dispose]();
  });

  it('is taken over from an owner that is gone', async () => {
    take()[Symbol.dispose]();
    const child = spawn('/bin/true');
    await new Promise((resolve) => child.once('exit', resolve));
    writeFileSync(path, JSON.stringify({ pid: child.pid, beganAt: 'whenever' }));
    using _lock = take();
    expect(existsSync(path)).toBe(true);
  });

  it('is taken over when its owner’s pid belongs to another process by now', () => {
    take()[Symbol.dispose]();
    writeFileSync(path, JSON.stringify({ pid: process.pid, beganAt: 'long ago' }));
    using _lock = take();
    expect(tryLock(path).state).toBe('held');
  });

  it('is taken over when a crash left it unreadable', () => {
    take()[Symbol.dispose]();
    writeFileSync(path, '');
    using _lock = take();
    expect(tryLock(path).state).toBe('held');
  });

  it('is not removed by a former owner whose lock was taken over', () => {
    const lock = take();
    writeFileSync(path, JSON.stringify({ pid: 1, beganAt: identifyProcess(1)?.beganAt }));
    lock[Symbol.dispose]();
    expect(existsSync(path)).toBe(true);
  });
});

describe('a process’s identity', () => {
  it('is lost with the process, and never passes to another with its pid', async () => {
    const child = spawn('/bin/sleep', ['30']);
    const pid = child.pid ?? 0;
    const identity = identifyProcess(pid);
    expect(identity !== undefined && isAlive(identity)).toBe(true);
    expect(signalProcess({ pid, beganAt: 'before' }, 'SIGKILL')).toBe(false);
    expect(child.exitCode).toBeNull();
    if (identity !== undefined) expect(signalProcess(identity, 'SIGKILL')).toBe(true);
    await new Promise((resolve) => child.once('exit', resolve));
    expect(identifyProcess(pid)).toBeUndefined();
  });
});
