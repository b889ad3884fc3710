/**
 * What this machine has to offer, read without changing anything. Where the system does not tell, a field is absent.
 */
import {
  accessSync,
  closeSync,
  constants,
  fdatasyncSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  statfsSync,
  writeSync,
} from 'node:fs';
import { availableParallelism, freemem, totalmem } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { cacheRoot } from '../binaries/cache.ts';
import { describeBinaries } from '../binaries/describe.ts';
import { isReleaseInReach } from '../binaries/download.ts';
import { findGo } from '../binaries/go-build.ts';
import { DEFAULT_KUBERNETES_VERSION } from '../binaries/versions.ts';

export interface MachineFacts {
  platform: string;
  /** `20.20.2` */
  nodeVersion: string;
  coreCount: number;
  totalMemoryBytes: number;
  availableMemoryBytes: number;
  /** Soft limit of open files of this process; its children inherit it. */
  openFileCount?: number;
  /** First and last port that outgoing connections may have. */
  ephemeralPorts?: { first: number; last: number };
  listenBacklogCount?: number;
  inotifyInstanceCount?: number;
  clockSource?: string;
  /** Where results go. */
  resultsDisk: DiskFacts;
  cacheDisk: DiskFacts;
  /** Milliseconds of the slowest of twenty 8 KiB writes with fdatasync, where results go. */
  syncWriteMs?: number;
  /** `go1.26.8` */
  goVersion?: string;
  /** Why there is no usable Go. */
  goProblem?: string;
  binariesReady: boolean;
  binariesSummary: string;
  /** Whether the official download answers; only asked where the programs are not there. */
  releaseInReach?: boolean;
  haproxyPath?: string;
  chromiumPath?: string;
}

export interface DiskFacts {
  path: string;
  freeBytes: number;
  writable: boolean;
}

/** Reads the facts. `resultsDirectory` need not exist. */
export async function readMachine(
  options: {
    env: Readonly<Record<string, string | undefined>>;
    resultsDirectory: string;
    measureDisk: boolean;
  },
  signal: AbortSignal,
): Promise<MachineFacts> {
  const { env } = options;
  const binaries = await describeBinaries(undefined, env, signal).catch((error: unknown) => ({
    ready: false,
    summary: error instanceof Error ? error.message : String(error),
  }));
  const go = await findGo({ env, signal }).then(
    (goVersion) => ({ goVersion }),
    (error: unknown) => {
      signal.throwIfAborted();
      return { goProblem: error instanceof Error ? error.message : String(error) };
    },
  );
  const resultsDisk = readDisk(options.resultsDirectory);
  return {
    platform: process.platform,
    nodeVersion: process.versions.node,
    coreCount: availableParallelism(),
    totalMemoryBytes: totalmem(),
    availableMemoryBytes: availableMemory(),
    ...optional('openFileCount', openFiles()),
    ...optional('ephemeralPorts', ephemeralPorts()),
    ...optional('listenBacklogCount', numberIn('/proc/sys/net/core/somaxconn')),
    ...optional('inotifyInstanceCount', numberIn('/proc/sys/fs/inotify/max_user_instances')),
    ...optional('clockSource', textIn('/sys/devices/system/clocksource/clocksource0/current_clocksource')),
    resultsDisk,
    cacheDisk: readDisk(cacheRoot(env)),
    ...optional(
      'syncWriteMs',
      options.measureDisk && resultsDisk.writable ? slowestSyncWriteMs(resultsDisk.path) : undefined,
    ),
    ...go,
    binariesReady: binaries.ready,
    binariesSummary: binaries.summary,
    ...(binaries.ready
      ? {}
      : { releaseInReach: await isReleaseInReach(DEFAULT_KUBERNETES_VERSION, { env, signal }) }),
    ...optional(
      'haproxyPath',
      findProgram({ PATH: `${env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin` }, ['haproxy']),
    ),
    ...optional(
      'chromiumPath',
      findProgram(env, ['chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable']),
    ),
  };
}

function optional<K extends string, V>(key: K, value: V | undefined): Partial<Record<K, V>> {
  const found: Partial<Record<K, V>> = {};
  if (value !== undefined) found[key] = value;
  return found;
}

function textIn(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    // Another system, or a container that hides it.
    return undefined;
  }
}

function numberIn(path: string): number | undefined {
  const value = Number(textIn(path) ?? Number.NaN);
  return Number.isFinite(value) ? value : undefined;
}

// Node raises its soft limit to the hard one when it starts, and its children inherit that.
function openFiles(): number | undefined {
  const match = /^Max open files\s+(\d+)/m.exec(textIn('/proc/self/limits') ?? '');
  return match === null ? undefined : Number(match[1]);
}

function ephemeralPorts(): { first: number; last: number } | undefined {
  const [first, last] = (textIn('/proc/sys/net/ipv4/ip_local_port_range') ?? '').split(/\s+/).map(Number);
  return first === undefined || last === undefined || !(last > first) ? undefined : { first, last };
}

// Free memory counts the page cache as used; what could be had is another line. A container's own limit may be lower.
function availableMemory(): number {
  const match = /^MemAvailable:\s+(\d+) kB$/m.exec(textIn('/proc/meminfo') ?? '');
  const available = match === null ? freemem() : Number(match[1]) * 1024;
  const limit = numberIn('/sys/fs/cgroup/memory.max');
  const used = numberIn('/sys/fs/cgroup/memory.current');
  return limit === undefined || used === undefined
    ? available
    : Math.min(available, Math.max(0, limit - used));
}

function readDisk(wanted: string): DiskFacts {
  let path = wanted;
  for (;;) {
    try {
      const { bavail, bsize } = statfsSync(path);
      return { path, freeBytes: bavail * bsize, writable: isWritable(path) };
    } catch {
      // Not there yet: its nearest parent has the same device.
      const parent = dirname(path);
      if (parent === path) return { path: wanted, freeBytes: 0, writable: false };
      path = parent;
    }
  }
}

function isWritable(path: string): boolean {
  try {
    accessSync(path, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

function slowestSyncWriteMs(directory: string): number | undefined {
  const path = join(directory, `.hollowmark-sync-${process.pid}`);
  try {
    mkdirSync(directory, { recursive: true });
    const file = openSync(path, 'w');
    const block = Buffer.alloc(8 * 1024);
    let slowestMs = 0;
    try {
      for (let count = 0; count < 20; count++) {
        const beginMs = performance.now();
        writeSync(file, block);
        fdatasyncSync(file);
        slowestMs = Math.max(slowestMs, performance.now() - beginMs);
      }
    } finally {
      closeSync(file);
    }
    return slowestMs;
  } catch {
    // A disk that cannot be written is told by its own check.
    return undefined;
  } finally {
    rmSync(path, { force: true });
  }
}

/** Absolute path of the first of `names` that is in a folder of PATH; undefined if none is. */
export function findProgram(
  env: Readonly<Record<string, string | undefined>>,
  names: readonly string[],
): string | undefined {
  for (const directory of (env['PATH'] ?? '').split(delimiter)) {
    for (const name of names) {
      const path = join(directory, name);
      try {
        accessSync(path, constants.X_OK);
        return path;
      } catch {
        // Not in this folder.
      }
    }
  }
  return undefined;
}
