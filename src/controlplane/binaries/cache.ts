/**
 * The cache of binaries: one folder per version and platform, filled by one process at a time, each program moved in
 * whole. A program counts as present when the folder's provenance names it, and that is written last.
 */
import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { type Clock, delay, HarnessError } from '../../core/index.ts';
import { identifyProcess } from '../process/identity.ts';
import { type LockFile, tryLock } from '../process/lock-file.ts';
import { diskError } from '../process/managed-process.ts';
import { type FileProvenance, type FolderProvenance, parseProvenance, sha256OfFile } from './provenance.ts';
import { type Platform, type Program, thisPlatform } from './versions.ts';

export interface CacheLocation {
  /** Folder of this version and platform; may not exist yet. */
  directory: string;
  lockPath: string;
}

/** A program that was fetched or built, still outside the cache. */
export interface NewProgram {
  program: Program;
  path: string;
  provenance: Omit<FileProvenance, 'sha256'>;
}

const LOCK_POLL_MS = 1_000;

/** Root of the cache: `$XDG_CACHE_HOME/hollowmark`, by default `~/.cache/hollowmark`. */
export function cacheRoot(env: Readonly<Record<string, string | undefined>>): string {
  const base = env['XDG_CACHE_HOME'];
  return join(
    base === undefined || base === '' ? join(env['HOME'] ?? homedir(), '.cache') : base,
    'hollowmark',
  );
}

export function cacheLocation(
  root: string,
  kubernetesVersion: string,
  platform: Platform = thisPlatform(),
): CacheLocation {
  const versionDirectory = join(root, kubernetesVersion);
  const name = `${platform.os}-${platform.arch}`;
  return { directory: join(versionDirectory, name), lockPath: join(versionDirectory, `${name}.lock`) };
}

/** What the cache holds of a version; undefined if nothing. */
export function readCache(location: CacheLocation): FolderProvenance | undefined {
  const path = join(location.directory, 'provenance.json');
  if (!existsSync(path)) return undefined;
  return parseProvenance(readFileSync(path, 'utf8'));
}

/** Programs of `wanted` that the cache does not hold. */
export function missingPrograms(location: CacheLocation, wanted: readonly Program[]): Program[] {
  const held = readCache(location);
  return wanted.filter(
    (program) => held?.files[program] === undefined || !existsSync(join(location.directory, program)),
  );
}

/**
 * Takes the right to fill one folder of the cache, waiting for another process that has it.
 * @throws HM_BINARIES_LOCKED after `timeoutMs`, or the signal's reason.
 */
export async function lockCache(
  location: CacheLocation,
  options: { timeoutMs: number; signal: AbortSignal; clock: Clock; progress: (line: string) => void },
): Promise<LockFile> {
  const { clock, signal } = options;
  const deadlineUs = clock.nowUs() + options.timeoutMs * 1_000;
  let told = false;
  for (;;) {
    signal.throwIfAborted();
    const attempt = tryLock(location.lockPath);
    if (attempt.state === 'taken') return attempt.lock;
    if (clock.nowUs() >= deadlineUs)
      throw new HarnessError(
        'HM_BINARIES_LOCKED',
        `process ${attempt.owner.pid} has been filling ${location.directory} for too long`,
        {
          hint: `look at process ${attempt.owner.pid}; ending it frees the lock ${location.lockPath}`,
        },
      );
    if (!told)
      options.progress(`waiting for process ${attempt.owner.pid}, which is getting the same binaries`);
    told = true;
    await delay(LOCK_POLL_MS, { signal, clock });
  }
}

/** A folder beside the cache's to fetch or build into, on the same device; removed by dispose. */
export function makeWorkspace(location: CacheLocation): { directory: string } & Disposable {
  try {
    mkdirSync(location.directory, { recursive: true });
    removeAbandoned(location);
    const directory = mkdtempSync(`${location.directory}.partial-${process.pid}-`);
    return { directory, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) };
  } catch (cause) {
    throw diskError(cause, `cannot write to the cache ${location.directory}`);
  }
}

/** Moves programs into the cache and records them; the lock must be held. */
export async function installPrograms(
  location: CacheLocation,
  versions: { kubernetesVersion: string; etcdVersion: string },
  programs: readonly NewProgram[],
): Promise<FolderProvenance> {
  const held = readCache(location);
  const files: Record<string, FileProvenance> = { ...held?.files };
  try {
    for (const { program, path, provenance } of programs) {
      files[program] = { ...provenance, sha256: await sha256OfFile(path) };
      syncToDisk(path);
      renameSync(path, join(location.directory, program));
    }
    const folder: FolderProvenance = { format: 1, ...versions, files };
    const aside = join(location.directory, `.provenance-${process.pid}.json`);
    writeFileSync(aside, `${JSON.stringify(folder, undefined, 2)}\n`);
    syncToDisk(aside);
    renameSync(aside, join(location.directory, 'provenance.json'));
    syncToDisk(location.directory);
    return folder;
  } catch (cause) {
    throw diskError(cause, `cannot write to the cache ${location.directory}`);
  }
}

export interface CacheEntry {
  /** `v1.36.3/linux-amd64` */
  name: string;
  directory: string;
  sizeBytes: number;
}

/** Every version and platform in the cache, oldest version first. */
export function listCache(root: string): CacheEntry[] {
  if (!existsSync(root)) return [];
  const subfolders = (directory: string) =>
    readdirSync(directory, { withFileTypes: true }).filter((entry) => entry.isDirectory());
  return subfolders(root)
    .filter((entry) => /^v\d/.test(entry.name))
    .flatMap((version) =>
      subfolders(join(root, version.name)).map((platform) => {
        const directory = join(root, version.name, platform.name);
        const sizeBytes = readdirSync(directory).reduce(
          (sum, file) => sum + statSync(join(directory, file)).size,
          0,
        );
        return { name: `${version.name}/${platform.name}`, directory, sizeBytes };
      }),
    )
    .sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

// A fill that was killed leaves its folder behind; its name holds the pid of who made it.
function removeAbandoned(location: CacheLocation): void {
  const parent = join(location.directory, '..');
  for (const name of readdirSync(parent)) {
    const match = /\.partial-(\d+)-/.exec(name);
    if (match !== null && identifyProcess(Number(match[1])) === undefined)
      rmSync(join(parent, name), { recursive: true, force: true });
  }
}

function syncToDisk(path: string): void {
  const file = openSync(path, 'r');
  try {
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
