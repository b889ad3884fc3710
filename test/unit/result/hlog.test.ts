import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, truncate } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type HlogWindow, HlogWriter, parseHlog, readHlog } from '../../../src/result/index.ts';
import { histogramOf } from '../../helpers/results.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hollowmark-hlog-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const startedAtMs = Date.UTC(2026, 10, 22, 12);
const windowAt = (index: number): HlogWindow => ({
  startMs: index * 10_000,
  endMs: (index + 1) * 10_000,
  intervals: [
    { tag: 'churn/load/get/response', histogram: histogramOf({ us: 1_000 + index, count: 3 }).toWire() },
    { tag: 'churn/load/get/service', histogram: histogramOf({ us: 123_456, count: 1 }).toWire() },
  ],
});

async function writeLog(name: string, count: number): Promise<string> {
  const path = join(folder, name);
  await using writer = await HlogWriter.create(path, { startedAtMs, comment: 'hollowmark run x' });
  for (let index = 0; index < count; index++) await writer.append(windowAt(index));
  expect(writer.windowCount).toBe(count);
  return path;
}

describe.each(['calls.hlog', 'calls.hlog.gz'])('%s', (name) => {
  it('gives back every window with its tags, times and figures', async () => {
    const log = await readHlog(await writeLog(name, 3));
    expect(log).toEqual({
      startedAtMs,
      torn: false,
      windows: [0, 1, 2].map((index) => ({
        ...windowAt(index),
        intervals: windowAt(index).intervals.map(({ tag, histogram }) => ({
          tag,
          histogram: { ...histogram, minUs: expect.any(Number), sumUs: expect.any(Number) },
        })),
      })),
    });
  });

  it('keeps a window in which nothing happened', async () => {
    const path = join(folder, name);
    await using writer = await HlogWriter.create(path, { startedAtMs, comment: '' });
    await writer.append({ startMs: 0, endMs: 10_000, intervals: [] });
    expect((await readHlog(path)).windows).toEqual([{ startMs: 0, endMs: 10_000, intervals: [] }]);
  });

  it('loses at most the last window, wherever the file is cut', async () => {
    const path = await writeLog(name, 3);
    const twoWindows = (await stat(await writeLog(`two-${name}`, 2))).size;
    const size = (await stat(path)).size;
    for (let cut = size - 1; cut >= twoWindows; cut -= name.endsWith('.gz') ? 1 : 7) {
      await truncate(path, cut);
      const log = await readHlog(path);
      // A compressed member whose text is all there may lack its checksum only: whole, and yet torn.
      expect(log.windows.length).toBeGreaterThanOrEqual(2);
      expect(log.windows.slice(0, 2).map(({ startMs }) => startMs)).toEqual([0, 10_000]);
      if (cut > twoWindows + 20) expect(log.torn).toBe(true);
    }
  });

  it('loses at most one window when its writer is killed', async () => {
    const script = join(folder, 'writer.mjs');
    buildSync({
      entryPoints: ['test/helpers/hlog-writer-main.ts'],
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: script,
      banner: {
        js: "import { createRequire } from 'node:module';const require = createRequire(import.meta.url);",
      },
    });
    const path = join(folder, name);
    const child = spawn(process.execPath, [script, path], { stdio: ['ignore', 'pipe', 'inherit'] });
    let acknowledged = -1;
    const exited = new Promise((resolve) => child.once('exit', (_code, signal) => resolve(signal)));
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      acknowledged = Number(text.trim().split('\n').at(-1));
      if (acknowledged >= 20) child.kill('SIGKILL');
    });
    expect(await exited).toBe('SIGKILL');
    const { windows } = await readHlog(path);
    expect(windows.length).toBeGreaterThanOrEqual(acknowledged + 1);
    expect(windows.map(({ startMs }) => startMs)).toEqual(windows.map((_, index) => index * 10_000));
    expect(windows.every(({ intervals }) => intervals.length === 2)).toBe(true);
  });
});

describe('HistogramLog format', () => {
  it("is read by the library's own reader", async () => {
    const { HistogramLogReader, listTags } = createRequire(import.meta.url)('hdr-histogram-js');
    const text = await readFile(await writeLog('calls.hlog', 2), 'utf8');
    expect(listTags(text)).toEqual(['churn/load/get/response', 'churn/load/get/service']);
    const reader = new HistogramLogReader(text);
    const first = reader.nextIntervalHistogram();
    expect(first.tag).toBe('churn/load/get/response');
    expect(first.totalCount).toBe(3);
    expect(first.startTimeStampMsec).toBe(startedAtMs);
    expect(first.endTimeStampMsec).toBe(startedAtMs + 10_000);
    reader.nextIntervalHistogram();
    expect(reader.nextIntervalHistogram().startTimeStampMsec).toBe(startedAtMs + 10_000);
  });

  it('refuses a tag that would break the line', async () => {
    await using writer = await HlogWriter.create(join(folder, 'x.hlog'), { startedAtMs, comment: 'x' });
    const window = { ...windowAt(0), intervals: [{ tag: 'a,b', histogram: histogramOf().toWire() }] };
    expect(() => writer.append(window)).toThrow('has a blank');
  });

  it('refuses what is no histogram log', async () => {
    expect(() => parseHlog('{"schema":1}')).toThrow(
      expect.objectContaining({ code: 'HM_RESULT_UNREADABLE' }),
    );
    await expect(readHlog(join(folder, 'absent.hlog'))).rejects.toMatchObject({
      code: 'HM_RESULT_UNREADABLE',
    });
  });
});
