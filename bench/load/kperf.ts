/**
 * kperf, the yardstick for what a GET costs a client: Azure/kperf, a load generator in Go on client-go. The program is
 * not part of this project; build it once from its source:
 *
 *   git clone https://github.com/Azure/kperf && cd kperf && git checkout 16e7cf8
 *   CGO_ENABLED=0 go build -o ~/.cache/hollowmark/kperf/kperf ./cmd/kperf
 */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

const execute = promisify(execFile);

/** HTTP/2 connections and clients on them; kperf's clients are closed loops. */
const CONNECTION_COUNT = 4;
/** A run this short costs what starting costs. */
const SHORT_COUNT = 200;

export interface KperfTarget {
  kubeconfigPath: string;
  namespace: string;
  podName: string;
  requestCount: number;
  inFlightCount: number;
}

/** Where the program is expected: $HOLLOWMARK_KPERF, else the cache; undefined where it is not. */
export function kperfProgram(): string | undefined {
  const cache = process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache');
  const path = process.env['HOLLOWMARK_KPERF'] ?? join(cache, 'hollowmark', 'kperf', 'kperf');
  return existsSync(path) ? path : undefined;
}

/** Client CPU per cached GET in microseconds, user and system, without what the program's start costs. */
export async function measureKperf(program: string, target: KperfTarget): Promise<number> {
  const directory = await mkdtemp(join(tmpdir(), 'hollowmark-kperf-'));
  try {
    const short = await cpuSeconds(program, directory, { ...target, requestCount: SHORT_COUNT });
    const long = await cpuSeconds(program, directory, target);
    return ((long - short) * 1e6) / (target.requestCount - SHORT_COUNT);
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

async function cpuSeconds(program: string, directory: string, target: KperfTarget): Promise<number> {
  const profile = join(directory, 'profile.yaml');
  await writeFile(
    profile,
    JSON.stringify({
      version: 1,
      description: 'cached GETs of one pod',
      specs: [
        {
          rate: 0,
          total: target.requestCount,
          conns: CONNECTION_COUNT,
          client: target.inFlightCount,
          contentType: 'json',
          disableHTTP2: false,
          maxRetries: 0,
          requests: [
            {
              shares: 1,
              staleGet: {
                version: 'v1',
                resource: 'pods',
                namespace: target.namespace,
                name: target.podName,
              },
            },
          ],
        },
      ],
    }),
  );
  const kperf = [program, 'runner', 'run', '--kubeconfig', target.kubeconfigPath, '--config', profile];
  // The shell's own `time` has the processor time of its child to the millisecond; Node does not tell.
  const { stderr } = await execute('bash', ['-c', 'TIMEFORMAT="cpu %U %S"; time "$@"', 'bash', ...kperf], {
    maxBuffer: 64 * 2 ** 20,
  });
  const [, user, system] = /^cpu ([\d.]+) ([\d.]+)$/m.exec(stderr) ?? [];
  if (user === undefined || system === undefined)
    throw new Error(`no processor time in: ${stderr.slice(-500)}`);
  return Number(user) + Number(system);
}
