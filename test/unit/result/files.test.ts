import { existsSync } from 'node:fs';
import { mkdtemp, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createResultFolder,
  DurableFile,
  HlogWriter,
  linkLatest,
  makeRunId,
  RESULT_FILE,
  readResult,
  writeRunResult,
} from '../../../src/result/index.ts';
import { runResult } from '../../helpers/results.ts';

let root = '';
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'hollowmark-files-'));
});
afterEach(() => rm(root, { recursive: true, force: true }));

describe('result folder', () => {
  it('is named after the UTC second and the suite', () => {
    expect(makeRunId(Date.UTC(2026, 10, 22, 12, 4, 0), 'Quick Start!')).toBe('20261122-120400-quick-start');
    expect(makeRunId(0, '***')).toBe('19700101-000000-run');
  });

  it('gets a number when two runs start in one second', async () => {
    expect(await createResultFolder(join(root, 'results'), 'a')).toBe(join(root, 'results', 'a'));
    expect(await createResultFolder(join(root, 'results'), 'a')).toBe(join(root, 'results', 'a-2'));
  });

  it('is what latest points to, again and again', async () => {
    await linkLatest(root, 'first');
    await linkLatest(root, 'second');
    expect(await readlink(join(root, 'latest'))).toBe('second');
    expect(await readdir(root)).toEqual(['latest']);
  });
});

describe('result.json', () => {
  it('is read back as it was written, by folder, by file and through a link', async () => {
    const folder = await createResultFolder(root, 'run');
    await writeRunResult(folder, runResult({ state: 'interrupted' }));
    await writeRunResult(folder, runResult());
    await linkLatest(root, 'run');
    for (const path of [folder, join(folder, RESULT_FILE), join(root, 'latest')]) {
      expect(await readResult(path)).toEqual(runResult());
    }
    expect(await readdir(folder)).toEqual([RESULT_FILE]);
  });

  it.each([
    { text: '', reason: 'not whole JSON' },
    { text: '{"schema":"hollowmark.dev/run-result/v1","runId":', reason: 'not whole JSON' },
    { text: '[]', reason: 'not a result' },
    { text: 'null', reason: 'not a result' },
    {
      text: '{"schema":"hollowmark.dev/run-result/v9"}',
      reason: 'its schema is "hollowmark.dev/run-result/v9"',
    },
    { text: '{"schema":"hollowmark.dev/run-result/v1","series":{}}', reason: 'it lacks phases, series' },
  ])('is refused with the reason: $reason', async ({ text, reason }) => {
    await writeFile(join(root, RESULT_FILE), text);
    await expect(readResult(root)).rejects.toMatchObject({
      code: 'HM_RESULT_UNREADABLE',
      exitCode: 2,
      message: expect.stringContaining(reason),
    });
  });

  it('is missed by name', async () => {
    await expect(readResult(join(root, 'nowhere'))).rejects.toThrow('there is no such file');
  });

  it.skipIf(!existsSync('/dev/full'))('keeps the earlier result when the disk is full', async () => {
    await writeRunResult(root, runResult());
    await symlink('/dev/full', join(root, `${RESULT_FILE}.partial`));
    await expect(writeRunResult(root, runResult({ state: 'failed' }))).rejects.toMatchObject({
      code: 'HM_DISK_FULL',
      exitCode: 5,
      message: expect.stringContaining('what was there before was kept'),
    });
    expect(await readResult(root)).toEqual(runResult());
  });
});

describe('durable file', () => {
  it('keeps the order of appends that nobody waited for', async () => {
    const path = join(root, 'a.gz');
    const file = await DurableFile.create(path);
    const appended = ['a', 'b', 'c'].map((text) => file.append(text));
    await Promise.all(appended);
    await file.close();
    await file.close();
    expect(file.pieceCount).toBe(3);
    expect((await readFile(path)).filter((byte) => byte === 0x1f).length).toBeGreaterThanOrEqual(3);
  });

  it.skipIf(!existsSync('/dev/full'))('says what was kept when the disk is full', async () => {
    const writer = HlogWriter.create('/dev/full', { startedAtMs: 0, comment: '' });
    await expect(writer).rejects.toMatchObject({
      code: 'HM_DISK_FULL',
      message: expect.stringContaining('no space left; the 0 pieces before it were kept'),
    });
  });
});
