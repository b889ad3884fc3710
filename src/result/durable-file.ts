/**
 * Files that survive the end of their writer: appended piece by piece and synced, so that a kill loses at most the
 * piece in hand, or replaced in one step, so that a reader sees the old or the new and never half of either.
 * Compressed files are one gzip member per piece: whatever is whole before a torn end can be read.
 */
import { type FileHandle, open, rename, rm } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gunzipSync, gzip } from 'node:zlib';
import { HarnessError } from '../core/index.ts';

const gzipAsync = promisify(gzip);

/** A file that grows by whole pieces. Appends are carried out one after the other, in the order of the calls. */
export class DurableFile implements AsyncDisposable {
  readonly path: string;
  readonly #handle: FileHandle;
  readonly #compressed: boolean;
  #writtenBytes = 0;
  #pieceCount = 0;
  #tail: Promise<void> = Promise.resolve();
  #closed = false;

  private constructor(path: string, handle: FileHandle, compressed: boolean) {
    this.path = path;
    this.#handle = handle;
    this.#compressed = compressed;
  }

  /**
   * Makes (or empties) the file; it is compressed if the path ends in `.gz`.
   * @throws HM_DISK_FULL
   */
  static async create(path: string): Promise<DurableFile> {
    try {
      return new DurableFile(path, await open(path, 'w'), path.endsWith('.gz'));
    } catch (error) {
      throw diskError(error, path, 'nothing was written');
    }
  }

  /** Pieces that are safely on disk. */
  get pieceCount(): number {
    return this.#pieceCount;
  }

  /**
   * Appends one piece and waits until it is on disk. A failed piece is cut off again, so that the file stays whole.
   * @throws HM_DISK_FULL with the number of pieces that were kept
   */
  append(text: string): Promise<void> {
    const done = this.#tail.then(() => this.#append(text));
    // The next piece may still fit (space was made); each caller hears of its own failure.
    this.#tail = done.catch(() => {});
    return done;
  }

  /** Waits for what is being appended and closes. Idempotent. */
  async close(): Promise<void> {
    await this.#tail;
    if (this.#closed) return;
    this.#closed = true;
    await this.#handle.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #append(text: string): Promise<void> {
    const bytes = this.#compressed ? await gzipAsync(text) : Buffer.from(text);
    try {
      await writeAll(this.#handle, bytes, this.#writtenBytes);
      await this.#handle.datasync().catch(ignoreUnsyncable);
    } catch (error) {
      // Best effort: a device that cannot be truncated keeps a torn piece, which readers leave out.
      await this.#handle.truncate(this.#writtenBytes).catch(() => {});
      throw diskError(error, this.path, `the ${this.#pieceCount} pieces before it were kept`);
    }
    this.#writtenBytes += bytes.length;
    this.#pieceCount++;
  }
}

/**
 * Replaces the file at `path` by `text` in one step: written beside it, synced, renamed.
 * @throws HM_DISK_FULL; the former file, if any, is then untouched
 */
export async function writeAtomically(path: string, text: string): Promise<void> {
  const temporary = `${path}.partial`;
  try {
    const handle = await open(temporary, 'w');
    try {
      await writeAll(handle, Buffer.from(text), 0);
      await handle.sync().catch(ignoreUnsyncable);
    } finally {
      await handle.close();
    }
    await rename(temporary, path);
  } catch (error) {
    await rm(temporary, { force: true }).catch(() => {});
    throw diskError(error, path, 'what was there before was kept');
  }
}

/** Text of a gzip file; of one with a torn end whatever could be read, and `torn` is true. */
export function gunzipWhatIsLeft(bytes: Buffer): { text: string; torn: boolean } {
  try {
    return { text: gunzipSync(bytes).toString('utf8'), torn: false };
  } catch (error) {
    if (!isTornGzip(error)) throw error;
    const text = gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString('utf8');
    return { text, torn: true };
  }
}

/** True for what zlib says of a stream that ends too early. */
export function isTornGzip(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'Z_BUF_ERROR';
}

/** The error as HM_DISK_FULL where the disk or a quota is full, with what was kept; anything else as it is. */
export function diskError(error: unknown, path: string, kept: string): unknown {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'ENOSPC' && code !== 'EDQUOT') return error;
  return new HarnessError('HM_DISK_FULL', `write ${path} failed: no space left; ${kept}`, {
    hint: 'make space, or choose another folder with --out',
    cause: error,
  });
}

async function writeAll(handle: FileHandle, bytes: Buffer, position: number): Promise<void> {
  for (let done = 0; done < bytes.length; ) {
    const { bytesWritten } = await handle.write(bytes, done, bytes.length - done, position + done);
    done += bytesWritten;
  }
}

// Pipes and some network file systems cannot be synced; what was written is as safe there as it gets.
function ignoreUnsyncable(error: unknown): void {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code !== 'EINVAL' && code !== 'ENOTSUP') throw error;
}
