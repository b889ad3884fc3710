import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PodMachine } from '../../../hollow/kubelet/pods/pod-state.ts';
import {
  type ContainerLog,
  findLog,
  LOG_LINES_KEPT,
  type LogOptions,
  lineRange,
  lineTimeMs,
  logLine,
  readLogOptions,
} from '../../../hollow/kubelet/server/container-log.ts';
import { streamLog } from '../../../hollow/kubelet/server/log-stream.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';
import { boundPod, machineOf } from './pod-fixtures.ts';

const START_MS = Date.UTC(2026, 0, 1);
const log: ContainerLog = { seed: 's', container: 'c', startMs: START_MS, endMs: Number.POSITIVE_INFINITY };
const PLAIN: LogOptions = { follow: false, timestamps: false, previous: false };

/** Everything that a stream has at `ms` after the start. */
async function textAt(ms: number, options: Partial<LogOptions> = {}, of = log): Promise<string> {
  const clock = virtualClock(START_MS + ms);
  let text = '';
  const stream = streamLog(
    { log: of, endMs: () => of.endMs },
    { ...PLAIN, ...options },
    { clock, signal: new AbortController().signal },
  );
  for await (const piece of stream) text += piece;
  return text;
}

describe('the log of a hollow container', () => {
  it('has its first line at once, then one in each second, the same each time it is read', async () => {
    expect(await textAt(0)).toBe('container c started\n');
    const text = await textAt(60_000);
    expect(await textAt(60_000)).toBe(text);
    const count = text.split('\n').length - 1;
    expect(count).toBeGreaterThanOrEqual(59);
    expect(count).toBeLessThanOrEqual(61);
    expect(logLine({ ...log, seed: 'other' }, 1, false)).not.toBe(logLine(log, 1, false));
  });

  it('is in order, and any part of it is a part of the whole', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 0, max: 200_000 }),
        fc.integer({ min: 0, max: 300 }),
        fc.integer({ min: -10_000, max: 210_000 }),
        (nowMs, tailLines, sinceMs) => {
          const now = START_MS + nowMs;
          const { end } = lineRange(log, {}, now);
          expect(lineTimeMs(log, end - 1)).toBeLessThanOrEqual(now);
          expect(lineTimeMs(log, end)).toBeGreaterThan(now);
          expect(lineRange(log, { tailLines }, now)).toEqual({ first: Math.max(0, end - tailLines), end });
          const { first } = lineRange(log, { sinceMs: START_MS + sinceMs }, now);
          if (first < end) expect(lineTimeMs(log, first)).toBeGreaterThanOrEqual(START_MS + sinceMs);
          if (first > 0) expect(lineTimeMs(log, first - 1)).toBeLessThan(START_MS + sinceMs);
        },
      ),
    );
    const { first, end } = lineRange(log, {}, START_MS + 2 * LOG_LINES_KEPT * 1_000);
    expect(end - first).toBe(LOG_LINES_KEPT);
  });

  it('obeys tailLines, limitBytes and timestamps', async () => {
    const all = await textAt(30_000);
    expect(await textAt(30_000, { tailLines: 2 })).toBe(
      `${all.trimEnd().split('\n').slice(-2).join('\n')}\n`,
    );
    expect(await textAt(30_000, { tailLines: 0 })).toBe('');
    expect(await textAt(30_000, { limitBytes: 25 })).toBe(all.slice(0, 25));
    for (const line of (await textAt(3_000, { timestamps: true })).trimEnd().split('\n'))
      expect(line).toMatch(/^2026-01-01T00:00:0\d\.\d{9}Z \S/);
  });

  it('is followed line by line until the container ends', async () => {
    const clock = virtualClock(START_MS + 2_000);
    let endMs = Number.POSITIVE_INFINITY;
    let text = '';
    let ended = false;
    const stream = streamLog(
      { log, endMs: () => endMs },
      { ...PLAIN, follow: true, tailLines: 0 },
      { clock, signal: new AbortController().signal },
    );
    const reading = (async () => {
      for await (const piece of stream) text += piece;
      ended = true;
    })();
    await clock.advance(5_000);
    expect(text.split('\n').length - 1).toBeGreaterThanOrEqual(4);
    expect(ended).toBe(false);
    endMs = clock.wallMs();
    await clock.advance(1_000);
    await reading;
    expect(ended).toBe(true);
    expect(clock.pending()).toBe(0);
  });

  it('is no longer followed once the caller is gone', async () => {
    const clock = virtualClock(START_MS);
    const gone = new AbortController();
    const options = { ...PLAIN, follow: true };
    const stream = streamLog({ log, endMs: () => log.endMs }, options, { clock, signal: gone.signal });
    await stream.next();
    const next = stream.next();
    gone.abort();
    expect((await next).done).toBe(true);
    expect(clock.pending()).toBe(0);
  });
});

describe('which log is meant', () => {
  function machine(change: (run: PodMachine['runs'][number]) => void): PodMachine {
    const { pod } = machineOf(boundPod());
    const [run] = pod.runs;
    if (run !== undefined) change(run);
    return pod;
  }
  const NAME = 'web-847f49cc4d-7j768';
  const exit = { exitCode: 1, reason: 'Error', startedAtMs: 5_000, finishedAtMs: 9_000 };

  it('is that of the run that goes on, else the one that ended, else the one before', () => {
    const running = machine((run) => Object.assign(run, { state: 'running', startedAtMs: 7_000 }));
    expect(findLog('s', running, 'pause', false)).toMatchObject({ startMs: 7_000, endMs: Infinity });
    const over = machine((run) => Object.assign(run, { state: 'terminated', termination: exit }));
    expect(findLog('s', over, 'pause', false)).toMatchObject({ startMs: 5_000, endMs: 9_000 });
    const again = machine((run) =>
      Object.assign(run, { state: 'waiting', termination: exit, restartCount: 1 }),
    );
    expect(findLog('s', again, 'pause', false)).toMatchObject({
      startMs: 5_000,
      seed: expect.stringMatching(/\/1$/),
    });
    expect(findLog('s', again, 'pause', true)).toMatchObject({ startMs: 5_000 });
  });

  it('is refused as a kubelet refuses it', () => {
    const waiting = machine((run) => Object.assign(run, { state: 'waiting', termination: undefined }));
    expect(findLog('s', waiting, 'nginx', false)).toEqual({
      status: 404,
      message: `container "nginx" not found in pod "${NAME}"`,
    });
    expect(findLog('s', waiting, 'pause', false)).toEqual({
      status: 400,
      message: `container "pause" in pod "${NAME}" is waiting to start: ContainerCreating`,
    });
    expect(findLog('s', waiting, 'pause', true)).toEqual({
      status: 400,
      message: `previous terminated container "pause" in pod "${NAME}" not found`,
    });
  });

  it('depends on options, of which the wrong ones are refused', () => {
    const read = (query: Record<string, string>) => readLogOptions(query, START_MS);
    expect(read({ follow: 'true', timestamps: '', previous: 'false' })).toEqual({
      follow: true,
      timestamps: true,
      previous: false,
    });
    expect(read({ tailLines: '5', limitBytes: '10', sinceSeconds: '60' })).toMatchObject({
      tailLines: 5,
      limitBytes: 10,
      sinceMs: START_MS - 60_000,
    });
    expect(read({ tail: 'all', tailLines: '5' })).not.toHaveProperty('tailLines');
    for (const [query, status] of [
      [{ tailLines: 'x' }, 400],
      [{ tailLines: '-1' }, 422],
      [{ limitBytes: '0' }, 422],
      [{ sinceTime: 'yesterday' }, 400],
      [{ sinceTime: '2026-01-01T00:00:00Z', sinceSeconds: '5' }, 422],
    ] as const)
      expect(read(query)).toMatchObject({ status });
  });
});
