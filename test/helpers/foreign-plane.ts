/**
 * A control plane that hollowmark did not start: the same upstream programs, put together here in another way (token
 * instead of certificates, a serving certificate that the API server signs itself, an authority made by openssl), to
 * show that attaching needs nothing but a kubeconfig.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdirSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { resolveBinaries } from '../../src/controlplane/index.ts';
import { systemClock } from '../../src/core/index.ts';
import {
  type ClusterAccess,
  clusterUid,
  JsonClient,
  loadKubeconfig,
  openConnection,
} from '../../src/kube/index.ts';

const TOKEN = 'foreign-plane-token';
const READY_TIMEOUT_MS = 60_000;

export interface ForeignPlane extends AsyncDisposable {
  kubeconfigPath: string;
  access: ClusterAccess;
  uid: string;
}

/** Starts etcd, kube-apiserver, kube-controller-manager and kube-scheduler in `directory`. */
export async function startForeignPlane(directory: string): Promise<ForeignPlane> {
  mkdirSync(directory, { recursive: true });
  const { paths } = await resolveBinaries(
    {},
    {
      signal: new AbortController().signal,
      clock: systemClock,
      env: process.env,
      progress: () => {},
    },
  );
  const file = (name: string) => join(directory, name);
  const [client = 0, peer = 0, secure = 0, kcm = 0, scheduler = 0] = await freePorts(5);
  await openssl(directory, 'genrsa -out sa.key 2048');
  await openssl(
    directory,
    'req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.crt -days 1 -subj /CN=foreign-ca',
  );
  writeFileSync(file('tokens.csv'), `${TOKEN},foreign-admin,1,system:masters\n`);
  writeFileSync(file('kubeconfig'), kubeconfig(`https://127.0.0.1:${secure}`));

  const children: ChildProcess[] = [];
  const start = (program: string | undefined, args: readonly string[]) => {
    if (program === undefined) throw new Error('binaries are incomplete');
    const log = openSync(file(`${program.split('/').at(-1)}.log`), 'a');
    children.push(spawn(program, args, { stdio: ['ignore', log, log] }));
  };
  const plane: AsyncDisposable = {
    async [Symbol.asyncDispose]() {
      for (const child of children.reverse()) {
        child.kill('SIGKILL');
        await new Promise((resolve) =>
          child.exitCode === null && child.signalCode === null
            ? child.once('exit', resolve)
            : resolve(undefined),
        );
      }
    },
  };
  try {
    start(paths.etcd, [
      `--data-dir=${file('etcd')}`,
      `--listen-client-urls=http://127.0.0.1:${client}`,
      `--advertise-client-urls=http://127.0.0.1:${client}`,
      `--listen-peer-urls=http://127.0.0.1:${peer}`,
      '--unsafe-no-fsync',
    ]);
    start(paths['kube-apiserver'], [
      `--etcd-servers=http://127.0.0.1:${client}`,
      '--bind-address=127.0.0.1',
      '--advertise-address=192.0.2.77',
      `--secure-port=${secure}`,
      `--cert-dir=${file('serving')}`,
      `--token-auth-file=${file('tokens.csv')}`,
      `--client-ca-file=${file('ca.crt')}`,
      '--authorization-mode=Node,RBAC',
      '--enable-admission-plugins=NodeRestriction',
      '--service-account-issuer=https://foreign.example',
      `--service-account-signing-key-file=${file('sa.key')}`,
      `--service-account-key-file=${file('sa.key')}`,
      '--service-cluster-ip-range=10.97.0.0/16',
    ]);
    const access = loadKubeconfig(file('kubeconfig'), undefined);
    await using connection = await openConnection(access);
    const api = new JsonClient(connection);
    const uid = await untilReady(api, directory);
    start(paths['kube-controller-manager'], [
      `--kubeconfig=${file('kubeconfig')}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${kcm}`,
      '--leader-elect=false',
      `--service-account-private-key-file=${file('sa.key')}`,
      `--root-ca-file=${file('ca.crt')}`,
      `--cluster-signing-cert-file=${file('ca.crt')}`,
      `--cluster-signing-key-file=${file('ca.key')}`,
      '--kube-api-qps=200',
      '--kube-api-burst=400',
    ]);
    start(paths['kube-scheduler'], [
      `--kubeconfig=${file('kubeconfig')}`,
      '--bind-address=127.0.0.1',
      `--secure-port=${scheduler}`,
      '--leader-elect=false',
    ]);
    return {
      kubeconfigPath: file('kubeconfig'),
      access,
      uid,
      [Symbol.asyncDispose]: () => plane[Symbol.asyncDispose](),
    };
  } catch (error) {
    await plane[Symbol.asyncDispose]();
    throw error;
  }
}

async function untilReady(api: JsonClient, directory: string): Promise<string> {
  const untilMs = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    try {
      await api.getText('/readyz', { timeoutMs: 1_000 });
      return await clusterUid(api);
    } catch (error) {
      if (Date.now() > untilMs) {
        const log = readFileSync(join(directory, 'kube-apiserver.log'), 'utf8')
          .split('\n')
          .slice(-20)
          .join('\n');
        throw new Error(`foreign API server is not ready: ${log}`, { cause: error });
      }
      await sleep(200);
    }
  }
}

async function openssl(cwd: string, args: string): Promise<void> {
  await execa('openssl', args.split(' '), { cwd });
}

async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, () => {
      const server = createServer();
      return new Promise<typeof server>((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
    }),
  );
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}

function kubeconfig(server: string): string {
  return `apiVersion: v1
kind: Config
current-context: foreign
clusters: [{ name: foreign, cluster: { server: "${server}", insecure-skip-tls-verify: true } }]
users: [{ name: admin, user: { token: ${TOKEN} } }]
contexts: [{ name: foreign, context: { cluster: foreign, user: admin } }]
`;
}
