/**
 * What the `binaries` command and the doctor tell of binaries, and dropping them from the cache; nothing is fetched.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { systemClock } from '../../core/index.ts';
import { tryLock } from '../process/lock-file.ts';
import { type CacheEntry, cacheLocation, cacheRoot, listCache, missingPrograms, readCache } from './cache.ts';
import type { FileProvenance } from './provenance.ts';
import { resolveBinaries } from './resolve.ts';
import {
  ALL_PROGRAMS,
  DEFAULT_KUBERNETES_VERSION,
  PLANE_PROGRAMS,
  type Program,
  parseVersion,
} from './versions.ts';

export interface BinariesDescription {
  /** True if a plane could be started without fetching or building. */
  ready: boolean;
  /** One line for people. */
  summary: string;
  files: readonly ({ program: Program } & Partial<FileProvenance>)[];
  cache: readonly CacheEntry[];
}

/** What would be used for a version. @throws HM_USAGE for a version that is none. */
export async function describeBinaries(
  version: string | undefined,
  env: Readonly<Record<string, string | undefined>>,
  signal: AbortSignal,
): Promise<BinariesDescription> {
  const kubernetesVersion = parseVersion(version ?? DEFAULT_KUBERNETES_VERSION);
  const cache = listCache(cacheRoot(env));
  const explicit = env['HOLLOWMARK_BINARIES_DIR'];
  if (explicit !== undefined && explicit !== '') {
    const set = await resolveBinaries({}, { env, signal, clock: systemClock, progress: () => {} });
    const files = PLANE_PROGRAMS.map((program) => ({
      program,
      source: 'explicit' as const,
      version:
        (program === 'etcd' ? set.provenance.etcdVersion : set.provenance.kubernetesVersion) ?? 'unknown',
      origin: join(explicit, program),
      sha256: set.provenance.checksums[program] ?? 'unknown',
    }));
    return { ready: true, summary: `folder ${explicit}, named by HOLLOWMARK_BINARIES_DIR`, files, cache };
  }
  const location = cacheLocation(cacheRoot(env), kubernetesVersion);
  const held = readCache(location);
  const missing = missingPrograms(location, PLANE_PROGRAMS);
  const ready = missing.length === 0;
  return {
    ready,
    summary: ready
      ? `cache ${location.directory}`
      : `${missing.join(', ')} ${kubernetesVersion} not in the cache ${location.directory}: the next start downloads or builds`,
    files: ALL_PROGRAMS.map((program) => ({ program, ...held?.files[program] })),
    cache,
  };
}

/** Drops every cached version but those named; a folder that is being filled stays. */
export function pruneBinaries(
  env: Readonly<Record<string, string | undefined>>,
  keepVersions: readonly string[],
): { dropped: CacheEntry[]; inUse: CacheEntry[] } {
  const root = cacheRoot(env);
  const dropped: CacheEntry[] = [];
  const inUse: CacheEntry[] = [];
  for (const entry of listCache(root)) {
    if (keepVersions.includes(entry.name.split('/')[0] ?? '')) continue;
    const attempt = tryLock(`${entry.directory}.lock`);
    if (attempt.state === 'held') {
      inUse.push(entry);
      continue;
    }
    try {
      rmSync(entry.directory, { recursive: true, force: true });
      dropped.push(entry);
    } finally {
      attempt.lock[Symbol.dispose]();
    }
  }
  return { dropped, inUse };
}
