import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Command } from 'commander';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { registerReportCommand } from '../../../src/cli/report.ts';
import type { Host } from '../../../src/core/index.ts';
import { writeRunResult } from '../../../src/result/index.ts';
import { buildReportClient } from '../../helpers/report-client.ts';
import { sampleRun } from '../../helpers/sample-run.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

let folder = '';
let output = '';

async function report(...words: string[]): Promise<void> {
  const program = new Command().exitOverride();
  output = '';
  const host: Host = {
    argv: [],
    env: {},
    cwd: folder,
    stdout: { write: (text) => (output += text) },
    stderr: { write: () => true },
    clock: virtualClock(),
    onInterrupt: () => () => {},
  };
  registerReportCommand(program, host);
  for (const command of program.commands) command.exitOverride().configureOutput({ writeErr: () => {} });
  await program.parseAsync(['report', ...words], { from: 'user' });
}

beforeAll(buildReportClient);
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hollowmark-report-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

describe('hollowmark report', () => {
  it('writes every report of a saved run beside it and prints the summary', async () => {
    await writeRunResult(folder, sampleRun());
    await report('.');
    expect((await readdir(folder)).sort()).toEqual([
      'junit.xml',
      'perf-data',
      'report.html',
      'result.json',
      'summary.md',
    ]);
    expect(await readdir(join(folder, 'perf-data'))).toHaveLength(9);
    expect(output).toMatch(/^SLO {3}PASS/);
    expect(output).toContain('Written: report.html');
  });

  it('writes the same bytes again', async () => {
    await writeRunResult(folder, sampleRun('slo-failure'));
    await report('.');
    const first = await readFile(join(folder, 'report.html'), 'utf8');
    await report('result.json');
    expect(await readFile(join(folder, 'report.html'), 'utf8')).toBe(first);
    expect(first.length).toBeLessThan(300 * 1024);
  });

  it('writes the formats asked for, to the folder asked for', async () => {
    await writeRunResult(folder, sampleRun());
    await report('.', '--out', 'other/place', '--format', 'junit', 'markdown');
    expect((await readdir(join(folder, 'other/place'))).sort()).toEqual(['junit.xml', 'summary.md']);
  });

  it('leaves no perf-data of an earlier report behind', async () => {
    await writeRunResult(folder, sampleRun());
    await report('.');
    await writeFile(join(folder, 'perf-data', 'APIResponsiveness_old.json'), '{}');
    await report('.');
    expect(await readdir(join(folder, 'perf-data'))).not.toContain('APIResponsiveness_old.json');
  });

  it.each([
    { why: 'nothing is there', text: undefined },
    { why: 'not JSON', text: '{"schema":' },
    { why: 'another tool', text: '{"metrics":{}}' },
    { why: 'another version', text: '{"schema":"hollowmark.dev/run-result/v99"}' },
    {
      why: 'parts of another shape',
      text: JSON.stringify({ ...sampleRun(), series: [{ nonsense: true }] }),
    },
  ])('refuses what it cannot read with HM_RESULT_UNREADABLE: $why', async ({ text }) => {
    if (text !== undefined) await writeFile(join(folder, 'result.json'), text);
    await expect(report('.')).rejects.toMatchObject({ code: 'HM_RESULT_UNREADABLE', exitCode: 2 });
  });

  it('refuses a format that there is not', async () => {
    await writeRunResult(folder, sampleRun());
    await expect(report('.', '--format', 'pdf')).rejects.toThrow(/pdf/);
  });
});
