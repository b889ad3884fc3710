/** The command line as a user runs it: the built program in a process of its own, in a folder of its own. */
import { mkdtempSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execa } from 'execa';
import { packageRoot } from '../../src/core/index.ts';
import type { RunResult } from '../../src/result/index.ts';

export const SMALL_SUITE = join(packageRoot(), 'test', 'fixtures', 'suites', 'small.yaml');

/** A folder that is removed by `await using`. */
export function workFolder(): AsyncDisposable & { path: string } {
  const path = mkdtempSync(join(tmpdir(), 'hollowmark-e2e-'));
  return {
    path,
    [Symbol.asyncDispose]: async () => rmSync(path, { recursive: true, force: true, maxRetries: 5 }),
  };
}

export interface CliOptions {
  cwd: string;
  env?: Record<string, string>;
  timeoutMs?: number;
}

/** Starts `hollowmark ARGS`; never rejects for an exit code. Standard error is no terminal: one line each 10 s. */
export function hollowmark(args: readonly string[], options: CliOptions) {
  return execa(process.execPath, [join(packageRoot(), 'bin', 'hollowmark.js'), ...args], {
    cwd: options.cwd,
    env: options.env ?? {},
    reject: false,
    all: true,
    timeout: options.timeoutMs ?? 240_000,
    forceKillAfterDelay: 10_000,
  });
}

/** The newest result under `cwd`. */
export async function latestResult(cwd: string): Promise<RunResult> {
  return JSON.parse(await readFile(join(cwd, 'results', 'latest', 'result.json'), 'utf8'));
}

export type RunningCli = ReturnType<typeof hollowmark>;

/** Resolves when the text of `running` matches; fails if it ends before. */
export function untilOutput(running: RunningCli, pattern: RegExp): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    running.all.on('data', (chunk: Buffer | string) => {
      text += chunk.toString();
      if (pattern.test(text)) resolve(text);
    });
    void running.then(() => reject(new Error(`ended before ${pattern}:\n${text}`)));
  });
}

/** Pids of processes whose command line contains `part`: for looking for orphans. Linux. */
export async function processesWith(part: string): Promise<number[]> {
  const { stdout } = await execa('ps', ['-eo', 'pid=,args='], { reject: false });
  return stdout
    .split('\n')
    .filter((line) => line.includes(part) && !line.includes(' ps -eo'))
    .map((line) => Number.parseInt(line, 10))
    .filter((pid) => pid !== process.pid);
}
