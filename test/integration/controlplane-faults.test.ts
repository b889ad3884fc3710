/**
 * Faults of a local control plane, on the real programs: each must end in a clear error and leave no process behind.
 */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { startLocalControlPlane } from '../../src/controlplane/index.ts';
import { compiledScriptPath, silentLogger, systemClock } from '../../src/core/index.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-fault-'));
});
afterEach(() => {
  expect(processesOf(directory)).toEqual([]);
  rmSync(directory, { recursive: true, force: true });
});

const contextWith = (signal = new AbortController().signal) => ({
  signal,
  clock: systemClock,
  log: silentLogger(),
  env: process.env,
});

/** Pids of processes that have `directory` in their command line. */
function processesOf(wanted: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    try {
      return /^\d+$/.test(name) && readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(wanted)
        ? [Number(name)]
        : [];
    } catch {
      return [];
    }
  });
}

async function until(condition: () => boolean, timeoutMs: number, what: string): Promise<void> {
  const deadline = performance.now() + timeoutMs;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not within ${timeoutMs} ms: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}

describe('a control plane that cannot start', () => {
  it('says which component ended, how, and its last words, and stops the others', async () => {
    const flags = { 'kube-apiserver': { 'no-such-flag': 'x' } };
    await expect(
      startLocalControlPlane({ directory, profile: 'fast', flags }, contextWith()),
    ).rejects.toMatchObject({
      code: 'HM_COMPONENT_EXITED',
      message: expect.stringMatching(
        /^kube-apiserver-0 ended with exit code 1; it wrote last:[\s\S]*unknown flag: --no-such-flag/,
      ),
    });
  });

  it('starts nothing for a flag that hollowmark owns', async () => {
    const flags = { etcd: { 'data-dir': '/elsewhere' } };
    await expect(startLocalControlPlane({ directory, flags }, contextWith())).rejects.toMatchObject({
      code: 'HM_CONFIG_INVALID',
    });
    expect(existsSync(join(directory, 'logs'))).toBe(false);
  });

  it('starts nothing without its programs', async () => {
    const binaries = { directory: join(directory, 'nowhere') };
    await expect(startLocalControlPlane({ directory, binaries }, contextWith())).rejects.toMatchObject({
      code: 'HM_BINARIES_UNAVAILABLE',
    });
  });

  it('refuses a port that the user fixed and somebody has', async () => {
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    const apiserverPort = typeof address === 'object' && address !== null ? address.port : 0;
    await expect(startLocalControlPlane({ directory, apiserverPort }, contextWith())).rejects.toMatchObject({
      code: 'HM_PORT_UNAVAILABLE',
      message: expect.stringContaining(String(apiserverPort)),
    });
    server.close();
  });

  it('stops everything when it is interrupted', async () => {
    const controller = new AbortController();
    const starting = startLocalControlPlane({ directory, profile: 'fast' }, contextWith(controller.signal));
    const settled = starting.then(
      () => 'started',
      (error: unknown) => error,
    );
    await until(
      () => existsSync(join(directory, 'logs', 'kube-apiserver-0.log')),
      60_000,
      'the API server starts',
    );
    const reason = new Error('Ctrl-C');
    controller.abort(reason);
    expect(await settled).toBe(reason);
  });

  it('says that the disk is full', async (test) => {
    // Smaller than the 64 MB that etcd reserves for its log: the first write finds the disk full.
    const small = join(directory, 'small');
    mkdirSync(small);
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=24m', 'tmpfs', small], { stdio: 'ignore' });
    } catch {
      test.skip('needs the right to mount a small file system (root)');
    }
    try {
      await expect(
        startLocalControlPlane({ directory: join(small, 'run'), profile: 'fast' }, contextWith()),
      ).rejects.toMatchObject({ code: 'HM_DISK_FULL', message: expect.stringContaining('etcd-0') });
    } finally {
      execFileSync('umount', [small]);
    }
  });
});

describe('a control plane that runs', () => {
  it('tells when a component ends by itself, and still stops in order', async () => {
    const plane = await startLocalControlPlane({ directory, profile: 'fast' }, contextWith());
    const apiserver = plane.components.find(({ component }) => component === 'kube-apiserver');
    process.kill(apiserver?.pid ?? 0, 'SIGKILL');
    expect(await plane.failed).toMatchObject({
      name: 'kube-apiserver-0',
      message: expect.stringMatching(/^kube-apiserver-0 ended with signal SIGKILL/),
    });
    await plane.stop();
    await plane.stop();
    expect(existsSync(join(directory, 'data'))).toBe(false);
    expect(readdirSync(join(directory, 'logs'))).toContain('etcd-0.log');
  });

  it.each([
    { moment: 'while it starts', awaited: 'kube-apiserver-0.log' },
    { moment: 'when it is ready', awaited: 'ready' },
  ])('does not outlive a hollowmark that is killed with SIGKILL $moment', async ({ awaited }) => {
    const script = `
      const { startLocalControlPlane } = await import(${JSON.stringify(compiledScriptPath('src/controlplane/index'))});
      const { systemClock, silentLogger } = await import(${JSON.stringify(compiledScriptPath('src/core/index'))});
      const directory = ${JSON.stringify(join(directory, 'run'))};
      await startLocalControlPlane({ directory, profile: 'fast' },
        { signal: new AbortController().signal, clock: systemClock, log: silentLogger(), env: process.env });
      console.log('ready');
      setInterval(() => {}, 1000);`;
    const parent = spawn(process.execPath, ['--input-type=module', '-e', script], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let output = '';
    parent.stdout.on('data', (chunk: Buffer) => {
      output += chunk.toString();
    });
    const logs = join(directory, 'run', 'logs');
    await until(() => output.includes(awaited) || existsSync(join(logs, awaited)), 90_000, awaited);
    const components = processesOf(join(directory, 'run')).filter((pid) => pid !== parent.pid);
    expect(components.length).toBeGreaterThanOrEqual(awaited === 'ready' ? 4 : 1);
    parent.kill('SIGKILL');
    await until(() => processesOf(directory).length === 0, 15_000, 'all components gone');
  });
});
