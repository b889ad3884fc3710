import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { registerPlanCommand } from '../../../src/cli/plan.ts';
import { registerValidateCommand } from '../../../src/cli/validate.ts';
import { type HarnessError, type Host, isHarnessError, systemClock } from '../../../src/core/index.ts';
import { plainSuite, readsAction, suiteText } from '../config/suite-text.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hollowmark-cli-'));
  writeFileSync(
    join(folder, 'good.yaml'),
    suiteText(plainSuite([{ ...readsAction('nodes'), rate: '10/s' }])),
  );
  writeFileSync(
    join(folder, 'bad.yaml'),
    suiteText(plainSuite(undefined, { fleet: { nodes: -1, ramp: '20' } })),
  );
  writeFileSync(join(folder, 'worse.yaml'), 'a: [');
});
afterAll(() => rmSync(folder, { recursive: true }));

async function cli(...argv: string[]): Promise<{ out: string; error: HarnessError | undefined }> {
  let out = '';
  const write = (text: string) => {
    out += text;
  };
  const host: Host = {
    argv,
    env: {},
    cwd: folder,
    stdout: { write },
    stderr: { write },
    clock: systemClock,
    onInterrupt: () => () => {},
  };
  const program = new Command('hollowmark').exitOverride();
  registerValidateCommand(program, host);
  registerPlanCommand(program, host);
  try {
    await program.parseAsync(argv, { from: 'user' });
    return { out, error: undefined };
  } catch (error) {
    if (isHarnessError(error)) return { out, error };
    throw error;
  }
}

describe('hollowmark validate', () => {
  it('says in one line that a suite is fine and what it amounts to', async () => {
    const { out, error } = await cli('validate', 'good.yaml');
    expect(error).toBeUndefined();
    expect(out).toBe(
      'ok: small (good.yaml): 10 nodes, 1 phase (only), 0 objects, 600 requests, 0 watches, about 66.6 s\n',
    );
  });

  it('takes overrides into account', async () => {
    expect((await cli('validate', 'good.yaml', '--nodes', '20', '--set', 'name=other')).out).toMatch(
      /^ok: other .*: 20 nodes/,
    );
    expect((await cli('validate', 'good.yaml', '--set', 'nonsense')).error?.message).toMatch(
      /^--set: expected path=value/,
    );
  });

  it('lists every problem of one suite, and exits with 2', async () => {
    const { out, error } = await cli('validate', 'bad.yaml');
    expect(out).toBe('');
    expect(error?.exitCode).toBe(2);
    expect(error?.message.split('\n')).toEqual([
      'bad.yaml:5:10 fleet.nodes: expected a whole number from 0 to 100000, got -1',
      'bad.yaml:6:9 fleet.ramp: expected a rate such as 20/s or 90/m, above 0, got "20"',
    ]);
    expect(error?.hint).toMatch(/^2 problems; nothing was started/);
  });

  it('refuses flags that hollowmark sets itself, at their place', async () => {
    const flag = 'controlPlane.flags.kube-apiserver.etcd-servers=x';
    expect((await cli('validate', 'good.yaml', '--set', flag)).error?.message).toMatch(
      /^--set controlPlane\.flags\.kube-apiserver\.etcd-servers: /,
    );
    const fine = 'controlPlane.flags.kube-apiserver.max-requests-inflight=800';
    expect((await cli('validate', 'good.yaml', '--set', fine)).error).toBeUndefined();
  });

  it('goes through all suites before it ends', async () => {
    const { out, error } = await cli(
      'validate',
      'worse.yaml',
      'good.yaml',
      'bad.yaml',
      'nowhere.yaml',
      'quickstart',
    );
    expect(out.match(/^ok: /gm)).toHaveLength(2);
    expect(error?.exitCode).toBe(2);
    expect(error?.message).toMatch(/^worse\.yaml:1:/);
    expect(error?.message).toMatch(/bad\.yaml:5:10 fleet\.nodes/);
    expect(error?.message).toMatch(/cannot read suite nowhere\.yaml: no such file/);
    expect(error?.hint).toMatch(/in 3 of 5 suites; nothing was started$/);
  });
});

describe('hollowmark plan', () => {
  it('shows calls, watches, memory, time and limits before anything runs', async () => {
    const { out } = await cli('plan', 'quickstart');
    expect(out).toMatch(/^fleet {5}100 nodes: 200 connections, 1,400 watches, 9\.8\/s lease renewals/m);
    expect(out).toMatch(/^ {4}create pods \(resource\) +1,000 +20\/s$/m);
    expect(out).toMatch(/^ {4}list nodes \(cluster, paged\) +384 +6\.4\/s$/m);
    expect(out).toMatch(/^ {4}watch pods \(namespace\) +20$/m);
    expect(out).toMatch(/^memory {4}about .* kube-apiserver .*, etcd /m);
    expect(out).toMatch(/^time {6}about 2m \d\ds: start /m);
    expect(out).toMatch(/^beyond {4}60\/s cluster churn in phase churn/m);
  });

  it('says so when a suite is within every limit', async () => {
    expect((await cli('plan', 'good.yaml')).out).toMatch(
      /^limits {4}within every published limit of Kubernetes$/m,
    );
  });

  it('is JSON for other tools', async () => {
    const plan: unknown = JSON.parse((await cli('plan', 'good.yaml', '--json')).out);
    expect(plan).toMatchObject({ suite: 'small', nodeCount: 10, totals: { callCount: 600 } });
  });

  it('refuses a suite with problems, and one that is not there', async () => {
    expect((await cli('plan', 'bad.yaml')).error?.code).toBe('HM_CONFIG_INVALID');
    expect((await cli('plan', 'quikstart')).error).toMatchObject({
      code: 'HM_CONFIG_UNREADABLE',
      exitCode: 2,
    });
  });
});
