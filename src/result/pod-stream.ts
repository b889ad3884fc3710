/**
 * Timelines of pods on disk, streamed while the run goes on, a gzip member per piece:
 *
 * - `pods.ndjson.gz`: each pod once, when its story is over;
 * - `pods-alive.ndjson.gz`: pods that run and still live, as they stood when the window closed in which they were seen
 *   Running. A run that ends by itself has them all in the first file and removes this one; of a run that was killed
 *   it keeps the startup of pods whose story had no end.
 */
import { createReadStream, existsSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { constants, createGunzip } from 'node:zlib';
import { DurableFile } from './durable-file.ts';
import { unreadable } from './files.ts';
import type { PodRecord } from './pod-result.ts';

export const PODS_FILE = 'pods.ndjson.gz';
export const ALIVE_PODS_FILE = 'pods-alive.ndjson.gz';
/** Text of pods kept before it is compressed and written in between flushes. */
const PIECE_BYTES = 512 * 1024;

/** Streams the pods of a run into its folder. */
export class PodStream implements AsyncDisposable {
  readonly #finished: RecordFile;
  readonly #alive: RecordFile;

  private constructor(finished: RecordFile, alive: RecordFile) {
    this.#finished = finished;
    this.#alive = alive;
  }

  /** @throws HM_DISK_FULL */
  static async create(folder: string): Promise<PodStream> {
    const finished = new RecordFile(await DurableFile.create(join(folder, PODS_FILE)));
    return new PodStream(finished, new RecordFile(await DurableFile.create(join(folder, ALIVE_PODS_FILE))));
  }

  /** Finished pods handed in. */
  get podCount(): number {
    return this.#finished.recordCount;
  }

  /**
   * Takes one pod whose story is over; it is on disk after the next flush() at the latest. Never throws: failures come
   * with flush().
   */
  write(pod: PodRecord): void {
    this.#finished.write(pod);
  }

  /** Takes one pod that runs and lives on; as write(). */
  writeAlive(pod: PodRecord): void {
    this.#alive.write(pod);
  }

  /**
   * Waits until every pod handed in so far is on disk.
   * @throws HM_DISK_FULL, once per failure
   */
  async flush(): Promise<void> {
    await this.#finished.flush();
    await this.#alive.flush();
  }

  /** Flushes and closes; every pod is in the file of the finished ones by now. Idempotent. */
  async close(): Promise<void> {
    try {
      await this.flush();
    } finally {
      await this.#finished.close();
      await this.#alive.close();
    }
    await rm(this.#alive.path, { force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

/** One file of records, written in pieces. */
class RecordFile {
  readonly #file: DurableFile;
  #lines: string[] = [];
  #bufferedBytes = 0;
  #failure: unknown;
  recordCount = 0;

  constructor(file: DurableFile) {
    this.#file = file;
  }

  get path(): string {
    return this.#file.path;
  }

  write(pod: PodRecord): void {
    const line = JSON.stringify(pod);
    this.#lines.push(line);
    this.recordCount++;
    this.#bufferedBytes += line.length;
    if (this.#bufferedBytes >= PIECE_BYTES) {
      this.#writeOut().catch((error: unknown) => {
        this.#failure ??= error;
      });
    }
  }

  async flush(): Promise<void> {
    await this.#writeOut();
    const failure = this.#failure;
    this.#failure = undefined;
    if (failure !== undefined) throw failure;
  }

  close(): Promise<void> {
    return this.#file.close();
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
 * The pods of a result folder, in the order they finished; of a run that was killed then those that lived on, in the
 * order they were seen Running. Ends quietly at a torn end.
 * @throws HM_RESULT_UNREADABLE if the file is not there or is something else
 */
export async function* readPods(folder: string): AsyncGenerator<PodRecord> {
  const alivePath = join(folder, ALIVE_PODS_FILE);
  if (!existsSync(alivePath)) {
    yield* readRecords(join(folder, PODS_FILE));
    return;
  }
  const finished = new Set<string>();
  for await (const pod of readRecords(join(folder, PODS_FILE))) {
    finished.add(keyOf(pod));
    yield pod;
  }
  for await (const pod of readRecords(alivePath)) if (!finished.has(keyOf(pod))) yield pod;
}

// Names come again (StatefulSets); one that runs has an instant of its own.
function keyOf({ namespace, name, runningSeenMs }: PodRecord): string {
  return `${namespace}/${name}/${runningSeenMs}`;
}

async function* readRecords(path: string): AsyncGenerator<PodRecord> {
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
