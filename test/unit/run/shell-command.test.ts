import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/index.ts';
import { runShellCommand } from '../../../src/run/shell-command.ts';

describe('a command of the user', () => {
  let folder = '';
  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'hollowmark-command-'));
  });
  afterAll(() => rmSync(folder, { recursive: true, force: true }));

  const run = (command: string, signal = new AbortController().signal) =>
    runShellCommand(command, {
      env: { PATH: process.env['PATH'], FOLDER: folder },
      signal,
      clock: systemClock,
    });

  it('is run by a shell with the given environment', async () => {
    await run('echo mended > "$FOLDER/state"');
    expect(readFileSync(join(folder, 'state'), 'utf8')).toBe('mended\n');
  });

  it('that fails is quoted with what it said', async () => {
    await expect(run('echo no such unit >&2; exit 4')).rejects.toThrow(/exit code 4: no such unit/);
  });

  it('is over when it exits, whatever it left in the background', async () => {
    await run('sleep 30 & echo $! > "$FOLDER/background"');
    const pid = Number(readFileSync(join(folder, 'background'), 'utf8'));
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
  });

  it('that is called off ends with everything it started', async () => {
    const stop = new AbortController();
    const running = run('sleep 30 & echo $! > "$FOLDER/child"; wait', stop.signal);
    const pid = await pidIn(join(folder, 'child'));
    stop.abort(new Error('interrupted'));
    await expect(running).rejects.toThrow('interrupted');
    for (let turn = 0; turn < 100 && isAlive(pid); turn++) await sleep(20);
    expect(isAlive(pid)).toBe(false);
  });
});

async function pidIn(path: string): Promise<number> {
  for (let turn = 0; turn < 250; turn++) {
    await sleep(20);
    try {
      const pid = Number(readFileSync(path, 'utf8'));
      if (pid > 0) return pid;
    } catch {
      // Not written yet.
    }
  }
  throw new Error(`nothing in ${path}`);
}

/** A zombie nobody has waited for counts as gone. */
function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
