/**
 * The control plane that all players share: every request goes to its audit log, and the API server's own request log
 * says under which flow schema each was let in.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LocalControlPlane, startLocalControlPlane } from '../../../src/controlplane/index.ts';
import { askReady } from '../../../src/controlplane/readiness.ts';
import { silentLogger, systemClock } from '../../../src/core/index.ts';
import { type Connection, openConnection } from '../../../src/kube/index.ts';
import { ClusterAdmin } from '../../helpers/cluster-admin.ts';
import { until } from '../../helpers/until.ts';
import { Programs } from './programs.ts';

const NEVER = new AbortController().signal;
const POLICY = `apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules: [{level: Request}]
`;

/** Name of the kube-proxy ServiceAccount, as kubeadm makes it. */
export const PROXY_USER = 'system:serviceaccount:kube-system:kube-proxy';

export class AuditedPlane {
  readonly plane: LocalControlPlane;
  readonly programs: Programs;
  /** As the cluster's administrator, whose requests are no player's. */
  readonly admin = new ClusterAdmin(() => this.#connection);
  readonly #directory: string;
  #connection: Connection;
  #restartCount = 0;

  private constructor(
    directory: string,
    plane: LocalControlPlane,
    programs: Programs,
    connection: Connection,
  ) {
    this.#directory = directory;
    this.plane = plane;
    this.programs = programs;
    this.#connection = connection;
  }

  static async start(directory: string): Promise<AuditedPlane> {
    const auditPolicyPath = join(directory, 'policy.yaml');
    writeFileSync(auditPolicyPath, POLICY);
    const plane = await startLocalControlPlane(
      {
        directory: join(directory, 'plane'),
        profile: 'fast',
        auditPolicyPath,
        // Of the whole server only the request log talks more: it alone knows flow schemas by request.
        flags: {
          'kube-apiserver': {
            vmodule: 'httplog=3',
            // How long the server waits for its watches when it is told to end; a minute would add nothing.
            'request-timeout': '15s',
          },
        },
      },
      { signal: NEVER, clock: systemClock, log: silentLogger(), env: process.env },
    );
    const connection = await openConnection(plane.admin);
    return new AuditedPlane(directory, plane, new Programs(directory), connection);
  }

  get auditLogPath(): string {
    return join(this.#directory, 'plane/logs/audit.ndjson');
  }

  /** Logs with a line for each request that ended, of every life of the API server. */
  get requestLogPaths(): string[] {
    const later = Array.from({ length: this.#restartCount }, (_, index) =>
      this.programs.logPath(`kube-apiserver-again-${index + 1}`),
    );
    return [join(this.#directory, 'plane/logs/kube-apiserver-0.log'), ...later];
  }

  /** Ends the API server as a service manager would and starts it again with the same arguments. */
  async restartApiServer(): Promise<void> {
    const server = this.plane.components.find(({ component }) => component === 'kube-apiserver');
    const program = this.plane.programs['kube-apiserver'];
    if (server?.pid === undefined || program === undefined) throw new Error('the API server is not known');
    const { pid } = server;
    await this.#connection.close();
    process.kill(pid, 'SIGTERM');
    await until(async () => !isAlive(pid), 'the API server to end');
    this.#restartCount += 1;
    await this.programs.start(
      `kube-apiserver-again-${this.#restartCount}`,
      program,
      server.args ?? [],
      async () => (await askReady(this.plane.admin, '/readyz', NEVER)).ready,
    );
    this.#connection = await openConnection(this.plane.admin);
  }

  async stop(): Promise<void> {
    await this.#connection.close();
    await this.programs.stop();
    await this.plane.stop();
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
