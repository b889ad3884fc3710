/**
 * `hollowmark up | status | down`, as a user runs them, on the real programs.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerDownCommand } from '../../src/cli/down.ts';
import { registerStatusCommand } from '../../src/cli/status.ts';
import { registerUpCommand } from '../../src/cli/up.ts';
import { keptPlaneDirectory, readKeptPlane } from '../../src/controlplane/index.ts';
import { identifyProcess, isAlive } from '../../src/controlplane/process/identity.ts';
import { systemClock } from '../../src/core/index.ts';

let home: string;
beforeAll(() => {
  home = mkdtempSync(join(tmpdir(), 'hollowmark-kept-'));
});
afterAll(async () => {
  await hollowmark('down');
  rmSync(home, { recursive: true, force: true });
}, 60_000);

const env = () => ({ ...process.env, XDG_STATE_HOME: home });
const state = () => readKeptPlane(keptPlaneDirectory(env(), 'default'));

async function hollowmark(...argv: string[]): Promise<{ stdout: string; stderr: string }> {
  const written = { stdout: '', stderr: '' };
  const sink = (stream: 'stdout' | 'stderr') => ({
    write: (text: string) => {
      written[stream] += text;
    },
  });
  const host = {
    argv,
    env: env(),
    cwd: home,
    stdout: sink('stdout'),
    stderr: sink('stderr'),
    clock: systemClock,
    onInterrupt: () => () => {},
  };
  const program = new Command('hollowmark');
  for (const register of [registerUpCommand, registerDownCommand, registerStatusCommand])
    register(program, host);
  await program.parseAsync(argv, { from: 'user' });
  return written;
}

describe('a plane to keep', () => {
  it('is started once, however often it is asked for, and prints how to reach it', async () => {
    const first = await hollowmark(
      'up',
      '--profile',
      'fast',
      '--flag',
      'kube-apiserver:max-requests-inflight=777',
    );
    const kubeconfig = join(home, 'hollowmark', 'default', 'pki', 'admin.kubeconfig');
    expect(first.stdout).toBe(`export KUBECONFIG=${kubeconfig}\n`);
    const before = state();
    expect(before?.stages.flat().find(({ name }) => name === 'kube-apiserver-0')?.args).toContain(
      '--max-requests-inflight=777',
    );
    const second = await hollowmark('up');
    expect(second.stdout).toBe(first.stdout);
    expect(second.stderr).toContain('it runs already');
    expect(state()).toEqual(before);
  });

  it('is refused under the same name with another profile', async () => {
    await expect(hollowmark('up', '--profile', 'production-like')).rejects.toMatchObject({
      code: 'HM_USAGE',
    });
  });

  it('shows its health component by component', async () => {
    const { components } = JSON.parse((await hollowmark('status', '--json')).stdout);
    expect(components.map((one: { name: string; state: string }) => `${one.name} ${one.state}`)).toEqual([
      'etcd-0 ready',
      'kube-apiserver-0 ready',
      'kube-controller-manager-0 ready',
      'kube-scheduler-0 ready',
    ]);
  });

  it('is unwell without a component, and mended by another `up`, with the same identity', async () => {
    const before = state();
    process.kill(before?.processes['kube-apiserver-0']?.pid ?? 0, 'SIGKILL');
    await expect(hollowmark('status')).rejects.toMatchObject({
      code: 'HM_CLUSTER_STATE',
      exitCode: 5,
      message: expect.stringContaining('kube-apiserver-0'),
    });
    expect((await hollowmark('up')).stderr).toContain('started the components that had ended');
    const after = state();
    expect(after?.clusterUid).toBe(before?.clusterUid);
    expect(after?.processes['etcd-0']).toEqual(before?.processes['etcd-0']);
    await hollowmark('status');
  });

  it('is ended by `down`, which never touches a process that has taken over a pid', async () => {
    const plane = state();
    if (plane === undefined) throw new Error('no plane');
    // As if the scheduler had died and its pid had come to this very process.
    const scheduler = plane.processes['kube-scheduler-0'];
    const forged = {
      ...plane,
      processes: { ...plane.processes, foreign: { pid: process.pid, beganAt: 'before' } },
    };
    const foreign = { ...plane.stages.flat()[0], name: 'foreign' };
    writeFileSync(
      join(plane.directory, 'state.json'),
      JSON.stringify({ ...forged, stages: [...plane.stages, [foreign]] }),
    );
    const { stderr } = await hollowmark('down');
    expect(stderr).toContain('ended etcd-0, kube-apiserver-0, kube-controller-manager-0, kube-scheduler-0;');
    expect(identifyProcess(process.pid)).toBeDefined();
    for (const identity of Object.values(plane.processes)) expect(isAlive(identity)).toBe(false);
    expect(scheduler).toBeDefined();
    expect(state()).toBeUndefined();
    expect((await hollowmark('down')).stderr).toContain('there is none');
    await expect(hollowmark('status')).rejects.toMatchObject({ code: 'HM_CLUSTER_STATE' });
  });

  it('leaves the keys for docker-compose.yml where it is told to', async () => {
    const { stdout } = await hollowmark('up', '--write-pki', 'compose');
    const path = join(home, 'compose', 'admin.kubeconfig');
    expect(stdout).toBe(`export KUBECONFIG=${path}\n`);
    expect(readFileSync(path, 'utf8')).toContain('server: https://127.0.0.1:6443');
  });

  it('has a name that is safe as a folder’s', async () => {
    await expect(hollowmark('up', '--name', '../elsewhere')).rejects.toMatchObject({ code: 'HM_USAGE' });
  });
});
