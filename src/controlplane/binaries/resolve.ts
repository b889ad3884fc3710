/**
 * Finds the control plane's binaries, in this order: a folder the user named, the cache, the official download, a
 * build with the Go toolchain. Says which it took and why; says what was tried when none works.
 */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import { type Clock, describeError, HarnessError, isHarnessError } from '../../core/index.ts';
import type { BinaryProvenance } from '../provider.ts';
import {
  cacheLocation,
  cacheRoot,
  installPrograms,
  lockCache,
  makeWorkspace,
  missingPrograms,
  type NewProgram,
  readCache,
} from './cache.ts';
import { downloadPrograms } from './download.ts';
import { buildPrograms } from './go-build.ts';
import { sha256OfFile, summarise } from './provenance.ts';
import {
  DEFAULT_ETCD_VERSION,
  DEFAULT_KUBERNETES_VERSION,
  PLANE_PROGRAMS,
  type Program,
  parseVersion,
} from './versions.ts';

export interface BinaryRequest {
  /** @default DEFAULT_KUBERNETES_VERSION */
  version?: string | undefined;
  /** @default DEFAULT_ETCD_VERSION */
  etcdVersion?: string | undefined;
  /** Folder that holds all programs; before everything else. `$HOLLOWMARK_BINARIES_DIR` does the same. */
  directory?: string | undefined;
  /** @default PLANE_PROGRAMS */
  programs?: readonly Program[] | undefined;
  /** Routes that may be taken when the cache does not have them. @default both */
  routes?: readonly ('download' | 'go-build')[] | undefined;
  /** Fetch or build even what the cache holds. @default false */
  refresh?: boolean | undefined;
  /** Look past folders that the user named: it is the cache that is to be filled. @default false */
  cacheOnly?: boolean | undefined;
}

export interface BinaryContext {
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
  clock: Clock;
  /** One line for people each time something begins, goes on or is given up. */
  progress: (line: string) => void;
}

export interface BinarySet {
  /** Absolute path by program. */
  paths: Readonly<Partial<Record<Program, string>>>;
  provenance: BinaryProvenance;
  /** `cache /root/.cache/hollowmark/v1.36.3/linux-amd64` */
  from: string;
}

const LOCK_TIMEOUT_MS = 30 * 60_000;

/**
 * Returns paths of all programs asked for, getting them first if need be.
 * @throws HM_BINARIES_UNAVAILABLE if no route works, HM_BINARIES_LOCKED, HM_DISK_FULL, or the signal's reason.
 */
export async function resolveBinaries(request: BinaryRequest, context: BinaryContext): Promise<BinarySet> {
  const programs = request.programs ?? PLANE_PROGRAMS;
  const versions = {
    kubernetesVersion: parseVersion(request.version ?? DEFAULT_KUBERNETES_VERSION),
    etcdVersion: parseVersion(request.etcdVersion ?? DEFAULT_ETCD_VERSION),
  };
  const explicit = request.directory ?? nonEmpty(context.env['HOLLOWMARK_BINARIES_DIR']);
  if (explicit !== undefined && request.cacheOnly !== true)
    return await fromFolder(explicit, programs, context.signal);

  const location = cacheLocation(cacheRoot(context.env), versions.kubernetesVersion);
  const wanted = () => (request.refresh === true ? [...programs] : missingPrograms(location, programs));
  if (wanted().length > 0) {
    using _lock = await lockCache(location, { ...context, timeoutMs: LOCK_TIMEOUT_MS });
    // Whoever held the lock before may have brought what was missing.
    const missing = wanted();
    if (missing.length > 0) {
      using workspace = makeWorkspace(location);
      const fresh = await obtain(missing, versions, workspace.directory, request, context);
      await installPrograms(location, versions, fresh);
    }
  }
  const held = readCache(location);
  if (held === undefined)
    throw new HarnessError('HM_INTERNAL', `${location.directory} is empty after it was filled`);
  return {
    paths: Object.fromEntries(programs.map((program) => [program, join(location.directory, program)])),
    provenance: summarise(held),
    from: `cache ${location.directory}`,
  };
}

async function obtain(
  programs: readonly Program[],
  versions: { kubernetesVersion: string; etcdVersion: string },
  directory: string,
  request: BinaryRequest,
  context: BinaryContext,
): Promise<NewProgram[]> {
  const routes = request.routes ?? ['download', 'go-build'];
  const tried: string[] = [];
  let lacking = [...programs];
  const found: NewProgram[] = [];
  for (const route of routes) {
    try {
      const job = { programs: lacking, ...versions, directory };
      const got =
        route === 'download' ? await downloadPrograms(job, context) : await buildPrograms(job, context);
      found.push(...got);
      lacking = lacking.filter((program) => !got.some((one) => one.program === program));
      if (lacking.length === 0) return found;
      tried.push(`${route}: no ${lacking.join(', ')} there`);
    } catch (error) {
      context.signal.throwIfAborted();
      if (isHarnessError(error) && error.code === 'HM_DISK_FULL') throw error;
      tried.push(`${route}: ${describeError(error)}`);
      context.progress(`${route} did not work: ${firstLine(describeError(error))}`);
    }
  }
  throw new HarnessError(
    'HM_BINARIES_UNAVAILABLE',
    `no ${lacking.join(', ')} ${versions.kubernetesVersion}; tried: cache: not there; ${tried.join('; ')}`,
    {
      hint: 'connect to the internet, or install Go 1.26 or newer with a module proxy in reach, or name a folder with the programs in HOLLOWMARK_BINARIES_DIR',
    },
  );
}

async function fromFolder(
  directory: string,
  programs: readonly Program[],
  signal: AbortSignal,
): Promise<BinarySet> {
  const missing = programs.filter((program) => !isExecutable(join(directory, program)));
  if (missing.length > 0)
    throw new HarnessError(
      'HM_BINARIES_UNAVAILABLE',
      `${directory} has no executable ${missing.join(', ')}`,
      {
        hint: 'the folder was named explicitly, so nothing else is tried: put the programs there or leave the setting out',
      },
    );
  const paths = Object.fromEntries(programs.map((program) => [program, join(directory, program)]));
  const [kubernetesVersion, etcdVersion, ...sums] = await Promise.all([
    versionOf(join(directory, 'kube-apiserver'), signal),
    versionOf(join(directory, 'etcd'), signal),
    ...programs.map((program) => sha256OfFile(join(directory, program))),
  ]);
  return {
    paths,
    provenance: {
      source: 'explicit',
      kubernetesVersion,
      etcdVersion,
      checksums: Object.fromEntries(programs.map((program, index) => [program, sums[index] ?? 'unknown'])),
    },
    from: `folder ${directory}`,
  };
}

/** `v1.36.3` of `Kubernetes v1.36.3` or `etcd Version: 3.6.16`; `unknown` if the program does not tell. */
async function versionOf(path: string, signal: AbortSignal): Promise<string> {
  try {
    const { stdout } = await execa(path, ['--version'], { timeout: 10_000, cancelSignal: signal });
    const match = /(?:Version: |Kubernetes )v?(\S+)/.exec(stdout);
    return match === null ? 'unknown' : `v${match[1]}`;
  } catch {
    signal.throwIfAborted();
    return 'unknown';
  }
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function nonEmpty(text: string | undefined): string | undefined {
  return text === undefined || text === '' ? undefined : text;
}

function firstLine(text: string): string {
  return text.split('\n')[0] ?? text;
}
