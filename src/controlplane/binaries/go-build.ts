/**
 * The route without downloads of binaries: a build from source with the Go toolchain, from one go.mod. For the
 * default version go.mod and go.sum are committed (folder go/) and nothing else is accepted; for another version
 * they are derived from that version's own go.mod.
 */
import { copyFile, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { formatMs, HarnessError, packageRoot } from '../../core/index.ts';
import type { NewProgram } from './cache.ts';
import type { AcquireJob } from './download.ts';
import { formatGoMod, stagingModules } from './go-mod.ts';
import type { BinaryContext } from './resolve.ts';
import { DEFAULT_ETCD_VERSION, DEFAULT_KUBERNETES_VERSION, isEtcdProgram, type Program } from './versions.ts';

/** Oldest Go that builds Kubernetes 1.36: the `go` line of its go.mod. */
const OLDEST_GO = [1, 26] as const;
const HEARTBEAT_MS = 10_000;

const PACKAGES: Readonly<Record<Program, string>> = {
  etcd: 'go.etcd.io/etcd/server/v3',
  etcdutl: 'go.etcd.io/etcd/etcdutl/v3',
  'kube-apiserver': 'k8s.io/kubernetes/cmd/kube-apiserver',
  'kube-controller-manager': 'k8s.io/kubernetes/cmd/kube-controller-manager',
  'kube-scheduler': 'k8s.io/kubernetes/cmd/kube-scheduler',
  kubelet: 'k8s.io/kubernetes/cmd/kubelet',
  kubemark: 'k8s.io/kubernetes/cmd/kubemark',
};
// A Go program is named after its package's folder, and etcd's is called server.
const OUTPUT_NAMES: Readonly<Partial<Record<Program, string>>> = { etcd: 'server' };

/** Folder of the committed go.mod and go.sum. */
export function goModuleDirectory(): string {
  return join(packageRoot(), 'src', 'controlplane', 'binaries', 'go');
}

/**
 * Builds the programs into `job.directory`.
 * @throws HM_BINARIES_UNAVAILABLE if there is no Go, it is too old, or the build fails, or the signal's reason.
 */
export async function buildPrograms(job: AcquireJob, context: BinaryContext): Promise<NewProgram[]> {
  const { progress, clock } = context;
  const goVersion = await findGo(context);
  const module = join(job.directory, 'module');
  const output = join(job.directory, 'out');
  await mkdir(module, { recursive: true });
  await mkdir(output, { recursive: true });
  const origin = await writeModule(module, job, context);
  progress(
    `building ${job.programs.join(', ')} ${job.kubernetesVersion} from source with ${goVersion}: about 4 minutes on 2 cores, once`,
  );
  const startUs = clock.nowUs();
  const elapsed = () => formatMs((clock.nowUs() - startUs) / 1_000);
  for (const program of job.programs) {
    let compiledCount = 0;
    const built = runGo(
      [
        'build',
        '-v',
        '-trimpath',
        '-mod=readonly',
        '-ldflags',
        linkerFlags(job.kubernetesVersion),
        '-o',
        `${output}/`,
        PACKAGES[program],
      ],
      module,
      context,
      () => {
        compiledCount++;
      },
    );
    let cancelHeartbeat = () => {};
    const beat = () => {
      progress(`building ${program}: ${compiledCount} packages compiled, ${elapsed()}`);
      cancelHeartbeat = clock.setTimer(beat, HEARTBEAT_MS);
    };
    cancelHeartbeat = clock.setTimer(beat, HEARTBEAT_MS);
    try {
      await built;
    } finally {
      cancelHeartbeat();
    }
    progress(`built ${program}: ${compiledCount} packages compiled, ${elapsed()}`);
  }
  return await Promise.all(
    job.programs.map(async (program) => {
      const path = join(job.directory, program);
      await rename(join(output, OUTPUT_NAMES[program] ?? program), path);
      const version = isEtcdProgram(program) ? job.etcdVersion : job.kubernetesVersion;
      return { program, path, provenance: { source: 'go-build' as const, version, goVersion, origin } };
    }),
  );
}

/**
 * Version of the Go toolchain on the PATH, such as `go1.26.8`.
 * @throws HM_BINARIES_UNAVAILABLE if there is none or it is older than 1.26.
 */
export async function findGo(context: Pick<BinaryContext, 'signal' | 'env'>): Promise<string> {
  let version: string;
  try {
    const options = { cancelSignal: context.signal, env: context.env, extendEnv: false, timeout: 20_000 };
    version = (await execa('go', ['env', 'GOVERSION'], options)).stdout.trim();
  } catch (cause) {
    context.signal.throwIfAborted();
    throw new HarnessError('HM_BINARIES_UNAVAILABLE', 'no Go toolchain on the PATH', { cause });
  }
  const match = /^go(\d+)\.(\d+)/.exec(version);
  const [major, minor] = [Number(match?.[1] ?? 0), Number(match?.[2] ?? 0)];
  if (major < OLDEST_GO[0] || (major === OLDEST_GO[0] && minor < OLDEST_GO[1]))
    throw new HarnessError('HM_BINARIES_UNAVAILABLE', `Go 1.26 or newer is needed, found ${version}`);
  return version;
}

async function writeModule(directory: string, job: AcquireJob, context: BinaryContext): Promise<string> {
  if (job.kubernetesVersion === DEFAULT_KUBERNETES_VERSION && job.etcdVersion === DEFAULT_ETCD_VERSION) {
    for (const name of ['go.mod', 'go.sum'])
      await copyFile(join(goModuleDirectory(), name), join(directory, name));
    return 'src/controlplane/binaries/go/go.mod';
  }
  context.progress(`reading the go.mod of Kubernetes ${job.kubernetesVersion}`);
  const download = await goOutput(
    ['mod', 'download', '-json', `k8s.io/kubernetes@${job.kubernetesVersion}`],
    directory,
    context,
  );
  const parsed: unknown = JSON.parse(download);
  if (
    typeof parsed !== 'object' ||
    parsed === null ||
    !('GoMod' in parsed) ||
    typeof parsed.GoMod !== 'string'
  )
    throw new HarnessError(
      'HM_BINARIES_UNAVAILABLE',
      `go found no module k8s.io/kubernetes ${job.kubernetesVersion}`,
    );
  const upstream = await readFile(parsed.GoMod, 'utf8');
  const text = formatGoMod({
    ...job,
    upstream,
    staging: stagingModules(upstream),
    packages: Object.values(PACKAGES),
  });
  await writeFile(join(directory, 'go.mod'), text);
  await goOutput(['mod', 'tidy'], directory, context);
  return `go.mod derived from k8s.io/kubernetes ${job.kubernetesVersion}`;
}

function linkerFlags(version: string): string {
  const [major, minor] = version.slice(1).split('.');
  const set = (name: string, value: string) => `-X k8s.io/component-base/version.${name}=${value}`;
  return [
    '-s',
    '-w',
    set('gitVersion', version),
    set('gitMajor', major ?? ''),
    set('gitMinor', minor ?? ''),
  ].join(' ');
}

async function goOutput(args: readonly string[], directory: string, context: BinaryContext): Promise<string> {
  const lines: string[] = [];
  await runGo(args, directory, context, () => {}, lines);
  return lines.join('\n');
}

async function runGo(
  args: readonly string[],
  directory: string,
  context: BinaryContext,
  onErrorLine: () => void,
  outputLines: string[] = [],
): Promise<void> {
  const lastLines: string[] = [];
  const child = execa('go', args, {
    cwd: directory,
    cancelSignal: context.signal,
    // The committed go.sum decides, not a newer toolchain or a workspace that happens to be around.
    env: { ...context.env, CGO_ENABLED: '0', GOTOOLCHAIN: 'local', GOWORK: 'off', GOFLAGS: '' },
    extendEnv: false,
    buffer: false,
    reject: false,
  });
  const reading = [
    readLines(child.stdout, (line) => outputLines.push(line)),
    readLines(child.stderr, (line) => {
      lastLines.push(line);
      if (lastLines.length > 20) lastLines.shift();
      onErrorLine();
    }),
  ];
  const result = await child;
  await Promise.all(reading);
  context.signal.throwIfAborted();
  if (!result.failed) return;
  const text = lastLines.join('\n  ');
  const message = `go ${args[0]} ended with ${result.signal ?? `exit code ${result.exitCode}`}; it wrote last:\n  ${text}`;
  if (/no space left on device/i.test(text)) throw new HarnessError('HM_DISK_FULL', message);
  throw new HarnessError('HM_BINARIES_UNAVAILABLE', message);
}

async function readLines(stream: NodeJS.ReadableStream, onLine: (line: string) => void): Promise<void> {
  for await (const line of createInterface({ input: stream })) onLine(line);
}
