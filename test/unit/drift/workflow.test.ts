import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { execaSync } from 'execa';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { buildProgram } from '../../../src/cli/program.ts';
import { loadSuite, readSuiteSource } from '../../../src/config/index.ts';
import { packageRoot, systemClock } from '../../../src/core/index.ts';

interface Step {
  name?: string;
  id?: string;
  if?: string;
  uses?: string;
  run?: string;
  with?: Record<string, unknown>;
}

const text = readFileSync(join(packageRoot(), 'docs', 'ci', 'github-actions.yml'), 'utf8');
const workflow: {
  on: Record<string, unknown>;
  env: Record<string, string>;
  jobs: Record<string, { steps: Step[] }>;
} = parse(text, { uniqueKeys: true });
const steps = workflow.jobs['gate']?.steps ?? [];
const step = (name: string): Step => steps.find((one) => one.name === name) ?? {};

const program = buildProgram(
  {
    argv: [],
    env: {},
    cwd: '.',
    stdout: { write: () => true },
    stderr: { write: () => true },
    clock: systemClock,
    onInterrupt: () => () => {},
  },
  () => {},
);

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'hollowmark-workflow-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a step's script as the runner does, with a `hollowmark` that ends with the given codes one after the other. */
function play(script: string, env: Record<string, string>, codes: readonly number[] = []) {
  rmSync(join(folder, 'calls'), { force: true });
  writeFileSync(join(folder, 'output'), '');
  writeFileSync(
    join(folder, 'hollowmark'),
    `#!/bin/bash\necho "$@" >> ${folder}/calls\ncodes=(${codes.join(' ')})\nexit "\${codes[$(($(wc -l < ${folder}/calls) - 1))]}"\n`,
    { mode: 0o755 },
  );
  const run = execaSync('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '-c', script], {
    cwd: folder,
    env: { PATH: `${folder}:${process.env['PATH'] ?? ''}`, GITHUB_OUTPUT: join(folder, 'output'), ...env },
    extendEnv: false,
    reject: false,
  });
  const calls = readFileSync(join(folder, 'calls'), { encoding: 'utf8', flag: 'a+' });
  return {
    exitCode: run.exitCode,
    out: run.stdout,
    output: readFileSync(join(folder, 'output'), 'utf8'),
    calls,
  };
}

describe('the workflow to copy', () => {
  it('is a workflow: triggers, and steps that each use an action or run a script', () => {
    expect(Object.keys(workflow.on)).toEqual(['schedule', 'workflow_dispatch']);
    expect(steps.length).toBeGreaterThan(8);
    for (const one of steps) expect([one.uses, one.run].filter((part) => part !== undefined)).toHaveLength(1);
    for (const { uses } of steps) if (uses !== undefined) expect(uses).toMatch(/^[\w-]+\/[\w/-]+@v\d+$/);
  });

  it('has scripts that a shell can read', () => {
    for (const { run, name } of steps.filter((one) => one.run !== undefined)) {
      const { exitCode, stderr } = execaSync('bash', ['-n', '-c', run ?? ''], { reject: false });
      expect(exitCode, `${name}: ${stderr}`).toBe(0);
    }
  });

  it('uses commands and options that there are', () => {
    const scripts = steps.map(({ run }) => run ?? '').join('\n');
    const calls = [...scripts.matchAll(/\bhollowmark ([a-z]+)([^\n;}]*)/g)].map(
      ([, name = '', rest = '']) => ({
        name,
        options: [...rest.matchAll(/(?<=\s)--[a-z-]+/g)].map(([option]) => option),
      }),
    );
    expect(calls.map(({ name }) => name)).toEqual(['validate', 'plan', 'binaries', 'doctor', 'run']);
    for (const { name, options } of calls) {
      const command = program.commands.find((one) => one.name() === name);
      const known = command?.options.map(({ long }) => long) ?? [];
      expect(known, name).toEqual(expect.arrayContaining(options));
    }
    const binaries = program.commands.find((one) => one.name() === 'binaries');
    expect(binaries?.commands.map((one) => one.name())).toContain('fetch');
  });

  it('names a suite that there is', () => {
    const suite = workflow.env['SUITE'] ?? '';
    expect(loadSuite(readSuiteSource(suite, { cwd: packageRoot() })).suite.name).toBe(suite);
  });

  it.each([
    { codes: [0], code: 0, runs: 1 },
    { codes: [1], code: 1, runs: 1 },
    { codes: [4], code: 4, runs: 1 },
    { codes: [5], code: 5, runs: 1 },
    { codes: [3, 0], code: 0, runs: 2 },
    { codes: [3, 3], code: 3, runs: 2 },
  ])('runs once, and once more only after an INVALID run: $codes', ({ codes, code, runs }) => {
    const env = { SUITE: 'quickstart', NODES: '', HISTORY: 'history' };
    const played = play(step('Run and gate').run ?? '', env, codes);
    expect(played.exitCode).toBe(0);
    expect(played.output).toBe(`code=${code}\n`);
    expect(played.calls).toBe('run quickstart --gate history --accept\n'.repeat(runs));
  });

  it('passes the number of nodes on', () => {
    const env = { SUITE: 'quickstart', NODES: '500', HISTORY: 'history' };
    expect(play(step('Run and gate').run ?? '', env, [0]).calls).toBe(
      'run quickstart --nodes 500 --gate history --accept\n',
    );
  });

  it.each([
    { code: '0', exitCode: 0, word: 'passed' },
    { code: '1', exitCode: 1, word: '::error' },
    { code: '3', exitCode: 1, word: '::error' },
    { code: '4', exitCode: 0, word: '::warning' },
    { code: '5', exitCode: 1, word: '::error' },
    { code: '', exitCode: 1, word: '::error' },
  ])('turns exit code "$code" into $word', ({ code, exitCode, word }) => {
    const played = play(step('Verdict').run ?? '', { CODE: code });
    expect(played.exitCode).toBe(exitCode);
    expect(played.out).toContain(word);
  });

  it('keeps the history only when the run joined it', () => {
    expect(step('Save the history').if).toBe("steps.gate.outputs.code == '0'");
    expect(step('Save the history').with?.['path']).toBe(step('Restore the history').with?.['path']);
  });
});
