/**
 * The folder that a run leaves behind: result.json (replaced in one step, as often as there is more to say),
 * pods.ndjson.gz (streamed while the run goes on) and the `latest` link beside it.
 */
import { createReadStream } from 'node:fs';
import { mkdir, readFile, rename, rm, stat, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { constants, createGunzip } from 'node:zlib';
import { HarnessError } from '../core/index.ts';
import { DurableFile, diskError, writeAtomically } from './durable-file.ts';
import type { PodRecord } from './pod-result.ts';
import { RUN_RESULT_SCHEMA, type RunResult } from './run-result.ts';

export const RESULT_FILE = 'result.json';
export const CALLS_FILE = 'calls.hlog';
export const PODS_FILE = 'pods.ndjson.gz';
export const LATEST_LINK = 'latest';
/** Text of pods kept before it is compressed and written in between flushes. */
const POD_PIECE_BYTES = 512 * 1024;

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

/** Streams finished pods to pods.ndjson.gz, a gzip member per piece. */
export class PodStream implements AsyncDisposable {
  readonly #file: DurableFile;
  #lines: string[] = [];
  #bufferedBytes = 0;
  #failure: unknown;
  #podCount = 0;

  private constructor(file: DurableFile) {
    this.#file = file;
  }

  /** @throws HM_DISK_FULL */
  static async create(folder: string): Promise<PodStream> {
    return new PodStream(await DurableFile.create(join(folder, PODS_FILE)));
  }

  /** Pods handed in. */
  get podCount(): number {
    return this.#podCount;
  }

  /** Takes one pod; it is on disk after the next flush() at the latest. Never throws: failures come with flush(). */
  write(pod: PodRecord): void {
    const line = JSON.stringify(pod);
    this.#lines.push(line);
    this.#podCount++;
    this.#bufferedBytes += line.length;
    if (this.#bufferedBytes >= POD_PIECE_BYTES) {
      this.#writeOut().catch((error: unknown) => {
        this.#failure ??= error;
      });
    }
  }

  /**
   * Waits until every pod handed in so far is on disk.
   * @throws HM_DISK_FULL, once per failure
   */
  async flush(): Promise<void> {
    await this.#writeOut();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  /** Flushes and closes. Idempotent. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#file.close();
    }
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #writeOut(): Promise<void> {
    if (this.#lines.length === 0) return;
    const text = `${this.#lines.join('\n')}\n`;
    this.#lines = [];
    this.#bufferedBytes = 0;
    await this.#file.append(text);
  }
}

/**
 * The pods of a result folder, in the order they finished; ends quietly at a torn end.
 * @throws HM_RESULT_UNREADABLE if the file is not there or is something else
 */
export async function* readPods(folder: string): AsyncGenerator<PodRecord> {
  const path = join(folder, PODS_FILE);
  const source = createReadStream(path);
  const text = createGunzip({ finishFlush: constants.Z_SYNC_FLUSH });
  source.on('error', (error) => text.destroy(error));
  source.pipe(text);
  let torn = false;
  try {
    for await (const line of createInterface({ input: text, crlfDelay: Number.POSITIVE_INFINITY })) {
      // Only the last line can be half a line.
      if (torn) throw new Error('a line in the middle is not JSON');
      const pod = parsePod(line);
      if (pod === undefined) torn = true;
      else yield pod;
    }
  } catch (error) {
    throw unreadable(path, 'it is no stream of pods', error);
  } finally {
    source.destroy();
    text.destroy();
  }
}

function parsePod(line: string): PodRecord | undefined {
  try {
    return JSON.parse(line) as PodRecord;
  } catch {
    // Torn: the caller decides what that means here.
    return undefined;
  }
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

function unreadable(path: string, why: string, cause?: unknown): HarnessError {
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
