/**
 * A history: a folder with a folder per run, each with a result.json, in any CI cache or bucket. Result folders of
 * `hollowmark run` can be copied there as they are; accepting a run puts a reduced record there: the whole RunResult
 * without its time series and its slowest pods, so that `compare` and `report` still work on it.
 *
 * Accepting is safe beside other processes that accept or read: a record is written aside and renamed into place, and
 * its name is the run's own, so that accepting it again changes nothing.
 */
import { createHash, randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { isHarnessError } from '../../src/core/index.ts';
import { RESULT_FILE, type RunResult, readResult, writeAtomically } from '../../src/result/index.ts';
import type { HistoryEntry } from './baseline.ts';

/** The gate's verdict, beside the result that it is on. */
export const GATE_FILE = 'gate.json';

export interface History {
  entries: HistoryEntry[];
  /** Why a folder with a result could not be read, one line each. */
  unreadable: string[];
}

/** Every run in `folder`, each once; undefined where there is no such folder. */
export async function readHistory(folder: string): Promise<History | undefined> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (isMissing(error)) return undefined;
    throw error;
  });
  if (names === undefined) return undefined;
  const byRun = new Map<string, HistoryEntry>();
  const unreadable: string[] = [];
  // What begins with a dot is being written, or was when its writer died.
  for (const name of names.filter((one) => !one.startsWith('.')).sort()) {
    const path = join(folder, name);
    if (!(await exists(join(path, RESULT_FILE)))) continue;
    try {
      const result = await readResult(path);
      const key = recordName(result);
      const gateState = await readGateState(path);
      if (!byRun.has(key) || gateState !== undefined)
        byRun.set(key, { result, ...(gateState === undefined ? {} : { gateState }) });
    } catch (error) {
      if (!isHarnessError(error) || error.code !== 'HM_RESULT_UNREADABLE') throw error;
      unreadable.push(error.message);
    }
  }
  return { entries: [...byRun.values()], unreadable };
}

/**
 * Puts `result` into the history at `folder`, which is made if need be, and returns the path of its record.
 * `isNew` is false where it was there already.
 * @throws HM_DISK_FULL
 */
export async function acceptIntoHistory(
  folder: string,
  result: RunResult,
): Promise<{ path: string; isNew: boolean }> {
  const path = join(folder, recordName(result));
  if (await exists(join(path, RESULT_FILE))) return { path, isNew: false };
  const aside = join(folder, `.${recordName(result)}.${randomUUID()}`);
  await mkdir(aside, { recursive: true });
  try {
    await writeAtomically(join(aside, RESULT_FILE), `${JSON.stringify(historyRecord(result))}\n`);
    await rename(aside, path);
    return { path, isNew: true };
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    // Another process accepted the same run between the look and the rename.
    if (await exists(join(path, RESULT_FILE))) return { path, isNew: false };
    throw error;
  }
}

/** What of a result a history keeps. */
export function historyRecord(result: RunResult): RunResult {
  return {
    ...result,
    timeline: [],
    podStartup: result.podStartup.map((startup) => ({ ...startup, slowest: [] })),
  };
}

/** Run ids have whole seconds; two machines may start a run in the same one. */
function recordName(result: RunResult): string {
  const { runId, startedAt, machine, controlPlane } = result;
  const digest = createHash('sha256')
    .update(JSON.stringify([runId, startedAt, machine.hostname, controlPlane.clusterUid]))
    .digest('hex');
  return `${runId}-${digest.slice(0, 8)}`;
}

async function readGateState(path: string): Promise<string | undefined> {
  const text = await readFile(join(path, GATE_FILE), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && 'state' in value ? String(value.state) : undefined;
  } catch {
    // A verdict that cannot be read says nothing; the result beside it does.
    return undefined;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && (error.code === 'ENOENT' || error.code === 'ENOTDIR');
}
