/**
 * The folder that a run leaves behind: result.json (replaced in one step, as often as there is more to say) and the
 * `latest` link beside it. What is streamed into it while the run goes on: hlog.ts, pod-stream.ts.
 */
import { mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { HarnessError } from '../core/index.ts';
import { diskError, writeAtomically } from './durable-file.ts';
import { RUN_RESULT_SCHEMA, type RunResult } from './run-result.ts';

export const RESULT_FILE = 'result.json';
export const CALLS_FILE = 'calls.hlog';
export const LATEST_LINK = 'latest';

/** `20261122-120400-quickstart`, in UTC; the suite's name is reduced to letters, digits and dashes. */
export function makeRunId(startedAtMs: number, suiteName: string): string {
  const stamp = new Date(startedAtMs).toISOString();
  const slug = suiteName
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .replaceAll(/^-+|-+$/g, '');
  return `${stamp.slice(0, 10).replaceAll('-', '')}-${stamp.slice(11, 19).replaceAll(':', '')}-${slug || 'run'}`;
}

/**
 * Makes the folder of a run under `root` and returns its path; a run of the same second gets `-2`, `-3`, ….
 * @throws HM_DISK_FULL
 */
export async function createResultFolder(root: string, runId: string): Promise<string> {
  try {
    await mkdir(root, { recursive: true });
    for (let attempt = 1; ; attempt++) {
      const path = join(root, attempt === 1 ? runId : `${runId}-${attempt}`);
      try {
        await mkdir(path);
        return path;
      } catch (error) {
        if (!hasCode(error, 'EEXIST')) throw error;
      }
    }
  } catch (error) {
    throw diskError(error, root, 'nothing was written');
  }
}

/** Points `latest` under `root` to the folder named `folderName`, in one step. */
export async function linkLatest(root: string, folderName: string): Promise<void> {
  const link = join(root, LATEST_LINK);
  const temporary = `${link}.partial`;
  await rm(temporary, { force: true });
  await symlink(folderName, temporary, 'dir');
  await rename(temporary, link);
}

/**
 * Writes result.json into `folder`, replacing an earlier (partial) one in one step.
 * @throws HM_DISK_FULL; the earlier one is then still there
 */
export async function writeRunResult(folder: string, result: RunResult): Promise<void> {
  await writeAtomically(join(folder, RESULT_FILE), `${JSON.stringify(result, undefined, 1)}\n`);
}

/**
 * Reads the result at `path`: a folder, or the file itself.
 * @throws HM_RESULT_UNREADABLE with the reason: not there, not JSON, not a result, another version of the schema
 */
export async function readResult(path: string): Promise<RunResult> {
  const file = (await isFolder(path)) ? join(path, RESULT_FILE) : path;
  const text = await readFile(file, 'utf8').catch((error: unknown) => {
    const why = hasCode(error, 'ENOENT') ? 'there is no such file' : 'it cannot be read';
    throw unreadable(file, why, error);
  });
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw unreadable(file, 'it is not whole JSON', error);
  }
  return checkResult(value, file);
}

const REQUIRED_LISTS = ['phases', 'series', 'podStartup', 'timeline', 'server', 'agents'] as const;
const REQUIRED_OBJECTS = ['suite', 'machine', 'controlPlane', 'fingerprint', 'fleet', 'verdicts'] as const;

function checkResult(value: unknown, file: string): RunResult {
  if (typeof value !== 'object' || value === null || !('schema' in value)) {
    throw unreadable(file, 'it is not a result of hollowmark');
  }
  if (value.schema !== RUN_RESULT_SCHEMA) {
    const found = JSON.stringify(value.schema);
    throw unreadable(file, `its schema is ${found}, this version reads "${RUN_RESULT_SCHEMA}"`);
  }
  const fields = value as Record<string, unknown>;
  const missing = [
    ...REQUIRED_LISTS.filter((name) => !Array.isArray(fields[name])),
    ...REQUIRED_OBJECTS.filter((name) => typeof fields[name] !== 'object' || fields[name] === null),
  ];
  if (missing.length > 0) throw unreadable(file, `it lacks ${missing.join(', ')}`);
  return value as RunResult;
}

/** HM_RESULT_UNREADABLE of the file at `path`. */
export function unreadable(path: string, why: string, cause?: unknown): HarnessError {
  return new HarnessError('HM_RESULT_UNREADABLE', `read ${path} failed: ${why}`, {
    hint: 'name a folder under results/ or its result.json',
    ...(cause === undefined ? {} : { cause }),
  });
}

async function isFolder(path: string): Promise<boolean> {
  return stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  );
}

function hasCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
