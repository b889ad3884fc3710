/**
 * Official releases: Kubernetes programs one by one from dl.k8s.io, etcd out of its release archive, each checked
 * against the checksum published beside it. Gives up within seconds where the internet is not in reach.
 */

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { chmod, open } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable, Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGunzip } from 'node:zlib';
import { type Dispatcher, EnvHttpProxyAgent, fetch } from 'undici';
import { formatBytes, HarnessError } from '../../core/index.ts';
import { diskError } from '../process/managed-process.ts';
import type { NewProgram } from './cache.ts';
import type { BinaryContext } from './resolve.ts';
import { isEtcdProgram, type Platform, type Program, thisPlatform } from './versions.ts';

export interface AcquireJob {
  programs: readonly Program[];
  kubernetesVersion: string;
  etcdVersion: string;
  /** Where to put them; on the cache's device. */
  directory: string;
}

/** Where releases are published; `$HOLLOWMARK_KUBERNETES_MIRROR` and `$HOLLOWMARK_ETCD_MIRROR` stand in for them. */
export const KUBERNETES_RELEASES = 'https://dl.k8s.io/release';
export const ETCD_RELEASES = 'https://github.com/etcd-io/etcd/releases/download';

/** Milliseconds to connect, and to a first answer: offline is found out in this time, not in minutes. */
const CONNECT_TIMEOUT_MS = 3_000;
const ANSWER_TIMEOUT_MS = 8_000;
const STALL_TIMEOUT_MS = 30_000;
// kubemark is a test program: upstream publishes no binary of it. kubelet is published for Linux.
const UNPUBLISHED: readonly Program[] = ['kubemark'];

/**
 * Downloads those of the programs that are published for this platform; the rest is left out of the answer.
 * @throws HM_BINARIES_UNAVAILABLE if the release cannot be reached or a checksum differs, HM_DISK_FULL.
 */
export async function downloadPrograms(
  job: AcquireJob,
  context: BinaryContext,
  platform: Platform = thisPlatform(),
): Promise<NewProgram[]> {
  // Upstream publishes server programs for Linux only.
  if (platform.os !== 'linux')
    throw unavailable(`no official control plane programs exist for ${platform.os}`);
  const dispatcher = makeDispatcher();
  try {
    const found: NewProgram[] = [];
    for (const program of job.programs) {
      if (UNPUBLISHED.includes(program)) continue;
      found.push(
        isEtcdProgram(program)
          ? await downloadEtcd(program, job, context, dispatcher, platform)
          : await downloadKubernetesProgram(program, job, context, dispatcher, platform),
      );
    }
    return found;
  } finally {
    await dispatcher.destroy();
  }
}

/** Whether the release of a version answers here and now; takes a few seconds at most. */
export async function isReleaseInReach(
  kubernetesVersion: string,
  context: Pick<BinaryContext, 'env' | 'signal'>,
  platform: Platform = thisPlatform(),
): Promise<boolean> {
  if (platform.os !== 'linux') return false;
  const dispatcher = makeDispatcher();
  try {
    const base = context.env['HOLLOWMARK_KUBERNETES_MIRROR'] ?? KUBERNETES_RELEASES;
    const url = `${base}/${kubernetesVersion}/bin/${platform.os}/${platform.arch}/kube-apiserver.sha256`;
    await fetchText(url, context, dispatcher);
    return true;
  } catch {
    // Why is told when the download is really wanted.
    context.signal.throwIfAborted();
    return false;
  } finally {
    await dispatcher.destroy();
  }
}

function makeDispatcher(): Dispatcher {
  return new EnvHttpProxyAgent({
    connect: { timeout: CONNECT_TIMEOUT_MS },
    headersTimeout: ANSWER_TIMEOUT_MS,
    bodyTimeout: STALL_TIMEOUT_MS,
  });
}

async function downloadKubernetesProgram(
  program: Program,
  job: AcquireJob,
  context: BinaryContext,
  dispatcher: Dispatcher,
  platform: Platform,
): Promise<NewProgram> {
  const base = context.env['HOLLOWMARK_KUBERNETES_MIRROR'] ?? KUBERNETES_RELEASES;
  const url = `${base}/${job.kubernetesVersion}/bin/${platform.os}/${platform.arch}/${program}`;
  // The small file first: it tells within seconds whether the release is in reach at all.
  const expected = (await fetchText(`${url}.sha256`, context, dispatcher)).trim().split(/\s+/)[0] ?? '';
  const path = join(job.directory, program);
  await fetchFile(url, path, expected, context, dispatcher);
  await chmod(path, 0o755);
  return { program, path, provenance: { source: 'download', version: job.kubernetesVersion, origin: url } };
}

async function downloadEtcd(
  program: 'etcd' | 'etcdutl',
  job: AcquireJob,
  context: BinaryContext,
  dispatcher: Dispatcher,
  platform: Platform,
): Promise<NewProgram> {
  const base = context.env['HOLLOWMARK_ETCD_MIRROR'] ?? ETCD_RELEASES;
  const name = `etcd-${job.etcdVersion}-${platform.os}-${platform.arch}`;
  const url = `${base}/${job.etcdVersion}/${name}.tar.gz`;
  const sums = await fetchText(`${base}/${job.etcdVersion}/SHA256SUMS`, context, dispatcher);
  const expected = sums
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .find(([, file]) => file === `${name}.tar.gz`)?.[0];
  if (expected === undefined)
    throw unavailable(`SHA256SUMS of etcd ${job.etcdVersion} does not list ${name}.tar.gz`);
  const archive = join(job.directory, `${name}.tar.gz`);
  await fetchFile(url, archive, expected, context, dispatcher);
  const path = join(job.directory, program);
  await extractFromTarGz(archive, `${name}/${program}`, path);
  await chmod(path, 0o755);
  return { program, path, provenance: { source: 'download', version: job.etcdVersion, origin: url } };
}

async function fetchText(
  url: string,
  context: Pick<BinaryContext, 'signal'>,
  dispatcher: Dispatcher,
): Promise<string> {
  const response = await get(url, context, dispatcher);
  return await response.text();
}

async function fetchFile(
  url: string,
  path: string,
  expectedSha256: string,
  context: BinaryContext,
  dispatcher: Dispatcher,
): Promise<void> {
  const response = await get(url, context, dispatcher);
  const sizeBytes = Number(response.headers.get('content-length') ?? Number.NaN);
  context.progress(`downloading ${url}${Number.isFinite(sizeBytes) ? ` (${formatBytes(sizeBytes)})` : ''}`);
  const hash = createHash('sha256');
  const hashing = new Transform({
    transform(chunk: Buffer, _encoding, done) {
      hash.update(chunk);
      done(undefined, chunk);
    },
  });
  if (response.body === null) throw unavailable(`${url} has no body`);
  try {
    await pipeline(Readable.fromWeb(response.body), hashing, createWriteStream(path), {
      signal: context.signal,
    });
  } catch (cause) {
    context.signal.throwIfAborted();
    if (cause instanceof Error && 'code' in cause && cause.code === 'ENOSPC')
      throw diskError(cause, `download to ${path} failed`);
    throw unavailable(`download of ${url} broke off`, cause);
  }
  const actual = hash.digest('hex');
  if (actual !== expectedSha256)
    throw unavailable(`checksum of ${url} is wrong: published ${expectedSha256}, received ${actual}`);
}

async function get(url: string, context: Pick<BinaryContext, 'signal'>, dispatcher: Dispatcher) {
  try {
    const response = await fetch(url, { dispatcher, signal: context.signal });
    if (response.ok) return response;
    await response.body?.cancel();
    throw unavailable(`GET ${url} answers ${response.status}`);
  } catch (cause) {
    context.signal.throwIfAborted();
    if (cause instanceof HarnessError) throw cause;
    throw unavailable(`${new URL(url).host} is not in reach`, cause);
  }
}

function unavailable(message: string, cause?: unknown): HarnessError {
  return new HarnessError('HM_BINARIES_UNAVAILABLE', message, cause === undefined ? {} : { cause });
}

/**
 * Writes the file `entry` of a gzipped tar archive to `path`. A tar archive is a sequence of 512-byte headers (name
 * at 0, size in octal at 124, prefix at 345), each followed by the file padded to 512 bytes.
 */
async function extractFromTarGz(archive: string, entry: string, path: string): Promise<void> {
  const source = await open(archive);
  const output = await open(path, 'w');
  try {
    let pending = Buffer.alloc(0);
    let dataLeft = 0;
    let paddingLeft = 0;
    let copying = false;
    let copied = false;
    for await (const chunk of source.createReadStream({ autoClose: false }).pipe(createGunzip())) {
      pending = pending.length === 0 ? chunk : Buffer.concat([pending, chunk]);
      for (;;) {
        if (dataLeft > 0) {
          const part = pending.subarray(0, dataLeft);
          if (part.length === 0) break;
          if (copying) await output.write(part);
          dataLeft -= part.length;
          pending = pending.subarray(part.length);
          if (dataLeft === 0) copying = false;
        } else if (paddingLeft > 0) {
          const skipped = Math.min(paddingLeft, pending.length);
          if (skipped === 0) break;
          paddingLeft -= skipped;
          pending = pending.subarray(skipped);
        } else {
          if (pending.length < 512) break;
          const header = readTarHeader(pending.subarray(0, 512));
          pending = pending.subarray(512);
          dataLeft = header.sizeBytes;
          paddingLeft = (512 - (header.sizeBytes % 512)) % 512;
          copying = header.name === entry;
          copied ||= copying;
        }
      }
    }
    if (!copied) throw unavailable(`${archive} holds no ${entry}`);
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    throw diskError(cause, `${entry} cannot be taken out of ${archive}`);
  } finally {
    await source.close();
    await output.close();
  }
}

function readTarHeader(header: Buffer): { name: string; sizeBytes: number } {
  const text = (from: number, length: number) => {
    const field = header.subarray(from, from + length);
    const end = field.indexOf(0);
    return field.toString('utf8', 0, end === -1 ? length : end);
  };
  const prefix = text(345, 155);
  const name = text(0, 100);
  return {
    name: prefix === '' ? name : `${prefix}/${name}`,
    sizeBytes: Number.parseInt(text(124, 12).trim() || '0', 8),
  };
}
