/**
 * The local provider: a real control plane on 127.0.0.1, from unmodified upstream programs.
 */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Profile, TOPOLOGIES, type TopologySettings, topologyWarnings } from '../config/index.ts';
import { type Clock, ConfigError, delay, HarnessError, type Logger, withTimeout } from '../core/index.ts';
import type { ClusterAccess } from '../kube/index.ts';
import { type BinaryRequest, type BinarySet, resolveBinaries } from './binaries/resolve.ts';
import { type ComponentFlags, flagProblems } from './components/flags.ts';
import { haproxySocketPath } from './components/haproxy.ts';
import { findProgram } from './doctor/machine.ts';
import type { PlaneLevers } from './levers/levers.ts';
import { planeLevers } from './levers/plane-levers.ts';
import { peerHost } from './links/link-plan.ts';
import { type PlanePki, pkiPaths, writePlanePki } from './pki/plane-pki.ts';
import { PlaneProcesses } from './plane-processes.ts';
import { PortReservation } from './ports.ts';
import { ProcessGuard } from './process/guard.ts';
import { diskError, isAddressInUse } from './process/managed-process.ts';
import { utsMode } from './process/uts.ts';
import type { ControlPlane } from './provider.ts';
import { askHttps } from './readiness.ts';
import { type PlanePorts, reservePorts } from './topology/ports.ts';
import { advertiseAddress, type PlaneShape, shapePlane } from './topology/shape.ts';

export interface LocalControlPlaneOptions {
  /** Folder for data, logs and keys; created. Logs stay in `logs/` after the plane is gone. */
  directory: string;
  /** @default 'production-like' */
  profile?: Profile | undefined;
  /** Kubernetes version and where to take the programs from. */
  binaries?: BinaryRequest | undefined;
  /** Added to hollowmark's flags or in their place. */
  flags?: ComponentFlags | undefined;
  /** Port of what clients use, the API server or the load balancer; absent: a free one. */
  apiserverPort?: number | undefined;
  /** Members and what stands between them. @default one of each */
  topology?: TopologySettings | undefined;
  /** Events in an etcd of their own. @default false */
  separateEventsEtcd?: boolean | undefined;
  /** Path of an audit policy; the log is then `logs/audit.ndjson`. */
  auditPolicyPath?: string | undefined;
  /** Keep `data/` and `pki/` after stop(). @default false */
  keepData?: boolean | undefined;
}

export interface LocalContext {
  signal: AbortSignal;
  clock: Clock;
  log: Logger;
  env: Readonly<Record<string, string | undefined>>;
  /** One line for people each time something of note begins. */
  progress?: ((line: string) => void) | undefined;
}

/** A plane that this process started. */
export interface LocalControlPlane extends ControlPlane {
  readonly provider: 'local';
  readonly directory: string;
  readonly shape: PlaneShape;
  readonly programs: BinarySet['paths'];
  /** The audit log, where there is one. */
  readonly auditLogPath?: string;
  readonly issueClientCertificate: NonNullable<ControlPlane['issueClientCertificate']>;
  readonly levers: PlaneLevers;
  /** Lets the plane go on when this process ends; stop() must not be called after it. */
  release(): void;
}

const PORT_ATTEMPTS = 3;
const NAMESPACES_TIMEOUT_MS = 60_000;
const NAMESPACES_INTERVAL_MS = 100;

/**
 * Starts etcd, kube-apiserver, kube-controller-manager and kube-scheduler and resolves when all are ready and the
 * first namespaces are there. Whatever was started is stopped again if it cannot be finished, also on an abort.
 * @throws ConfigError for flags that hollowmark owns, HM_BINARIES_UNAVAILABLE, HM_BINARIES_LOCKED,
 * HM_PORT_UNAVAILABLE, HM_COMPONENT_EXITED, HM_COMPONENT_NOT_READY, HM_DISK_FULL, or the signal's reason.
 */
export async function startLocalControlPlane(
  options: LocalControlPlaneOptions,
  context: LocalContext,
): Promise<LocalControlPlane> {
  const problems = flagProblems(options.flags ?? {}, 'controlPlane');
  if (problems.length > 0) throw new ConfigError(problems);
  const progress = context.progress ?? (() => {});
  const binaries = await resolveBinaries(options.binaries ?? {}, { ...context, progress });
  context.log.info({ from: binaries.from, provenance: binaries.provenance }, 'binaries chosen');
  const settings = {
    ...options,
    directory: resolve(options.directory),
    profile: options.profile ?? 'production-like',
    topology: options.topology ?? TOPOLOGIES.single.settings,
  };
  if (settings.topology.loadBalancer === 'haproxy') refuseWithoutHaproxy(context.env);

  for (let attempt = 1; ; attempt++) {
    try {
      return await startOnce(settings, binaries, context);
    } catch (error) {
      context.signal.throwIfAborted();
      if (!isAddressInUse(error)) throw error;
      const fixed = settings.apiserverPort;
      if (fixed !== undefined && error instanceof Error && error.message.includes(`:${fixed}`))
        throw new HarnessError(
          'HM_PORT_UNAVAILABLE',
          `port 127.0.0.1:${fixed} was taken while the API server started`,
          {
            cause: error,
          },
        );
      if (attempt === PORT_ATTEMPTS) throw error;
      context.log.warn({ attempt }, 'a reserved port was taken by another program, starting again on others');
    }
  }
}

type Settings = LocalControlPlaneOptions & { profile: Profile; topology: TopologySettings };

async function startOnce(
  settings: Settings,
  binaries: BinarySet,
  context: LocalContext,
): Promise<LocalControlPlane> {
  const { signal, clock, log } = context;
  const { directory, profile, topology } = settings;
  const separateEventsEtcd = settings.separateEventsEtcd ?? false;
  const reservation = new PortReservation();
  const guard = new ProcessGuard(log);
  let processes: PlaneProcesses | undefined;
  let stopping: Promise<void> | undefined;
  const end = async () => {
    try {
      await processes?.stop();
    } finally {
      guard.close();
      reservation[Symbol.dispose]();
      rmSync(haproxySocketPath(join(directory, 'haproxy.cfg')), { force: true });
      if (settings.keepData !== true) removeData(directory);
    }
  };
  const stop = () => {
    stopping ??= end();
    return stopping;
  };

  try {
    const ports = await reservePorts(reservation, {
      apiserverPort: settings.apiserverPort,
      topology,
      separateEventsEtcd,
    });
    const shape = prepareShape(settings, ports, context.env);
    const pki = await writePlanePki({
      directory: join(directory, 'pki'),
      profile,
      server: shape.server,
      extraAddresses: ports.apiservers.map((_, index) => advertiseAddress(index)),
      furtherInstances: shape.stages.flat().map(({ name }) => name),
      extraPeerNames:
        shape.links === undefined ? [] : ports.etcd.map((_, index) => peerHost(`etcd-${index}`)),
    });
    guard.start();
    const running = new PlaneProcesses({
      directory,
      programs: binaries.paths,
      programsOf: async (version, asking) => {
        const progress = context.progress ?? (() => {});
        return (await resolveBinaries({ version }, { ...context, signal: asking, progress })).paths;
      },
      pki,
      clock,
      log,
      guard,
      supervised: topology.supervised,
    });
    processes = running;
    for (const stage of shape.stages) await running.startStage(stage, signal);
    const admin = adminAccess(shape, pki);
    const clusterUid = await awaitNamespaces(admin, { signal, clock });
    const kubernetesVersion = await serverVersion(admin, signal);
    return {
      provider: 'local',
      admin,
      clusterUid,
      kubernetesVersion,
      profile,
      provenance: binaries.provenance,
      get components() {
        return running.components;
      },
      kubeconfigPath: pkiPaths(join(directory, 'pki')).adminKubeconfig,
      issueClientCertificate: ({ commonName, organizations }) =>
        pki.authority.issue({ commonName, organizations, usage: 'client' }),
      issueServingCertificate: (subject) => pki.authority.issue({ ...subject, usage: 'server' }),
      failed: running.failed,
      warnings: planeWarnings(topology),
      levers: planeLevers({ shape, processes: running, pki, admin, directory, context, guard }),
      stop,
      [Symbol.asyncDispose]: stop,
      directory,
      shape,
      programs: binaries.paths,
      ...(settings.auditPolicyPath === undefined
        ? {}
        : { auditLogPath: join(directory, 'logs', 'audit.ndjson') }),
      release() {
        running.releaseAll();
        guard.close();
        reservation[Symbol.dispose]();
      },
    };
  } catch (error) {
    await stop().catch((stopError: unknown) => {
      throw new AggregateError(
        [error, stopError],
        'the control plane did not start, and not all of it could be stopped',
      );
    });
    throw error;
  }
}

function prepareShape(settings: Settings, ports: PlanePorts, env: LocalContext['env']): PlaneShape {
  const { directory } = settings;
  try {
    // A plane begins empty: data of one that crashed here belongs to other keys.
    removeData(directory);
    mkdirSync(join(directory, 'data'), { recursive: true, mode: 0o700 });
    mkdirSync(join(directory, 'logs'), { recursive: true });
    const shape = shapePlane({
      directory,
      profile: settings.profile,
      flags: settings.flags ?? {},
      ports,
      topology: settings.topology,
      haproxyPath: findHaproxy(env),
      auditPolicyPath: settings.auditPolicyPath === undefined ? undefined : resolve(settings.auditPolicyPath),
    });
    for (const { path, text } of shape.files) writeFileSync(path, text, { mode: 0o600 });
    const commands = shape.stages.flat().map(({ name, component, args }) => ({ name, component, args }));
    writeFileSync(join(directory, 'components.json'), `${JSON.stringify(commands, undefined, 2)}\n`);
    return shape;
  } catch (cause) {
    throw diskError(cause, `run directory ${directory} cannot be prepared`);
  }
}

// Debian puts it where only root's PATH looks.
function findHaproxy(env: LocalContext['env']): string | undefined {
  return findProgram({ PATH: `${env['PATH'] ?? ''}:/usr/sbin:/usr/local/sbin` }, ['haproxy']);
}

function refuseWithoutHaproxy(env: LocalContext['env']): void {
  if (findHaproxy(env) !== undefined) return;
  throw new HarnessError(
    'HM_PREFLIGHT_FAILED',
    'this topology has a load balancer, and there is no haproxy',
    {
      hint: 'install it (apt-get install haproxy), or choose topology single',
    },
  );
}

function planeWarnings(topology: TopologySettings): string[] {
  const shared = topology.apiserverCount > 1 && utsMode() === 'none';
  return [
    ...topologyWarnings(topology),
    ...(shared
      ? [
          'host names of their own are not permitted here (UTS namespaces): the API servers share one identity lease, and leaders cannot be told apart by their leases',
        ]
      : []),
  ];
}

function adminAccess(shape: PlaneShape, pki: PlanePki): ClusterAccess {
  return {
    server: shape.server,
    members: shape.members,
    caPem: pki.caPem,
    credential: { type: 'client-certificate', ...pki.admin },
  };
}

/** UID of kube-system, once the namespaces of a new cluster and its first service account are there. */
async function awaitNamespaces(
  admin: ClusterAccess,
  options: { signal: AbortSignal; clock: Clock },
): Promise<string> {
  // The controller manager makes the service account last, about when its controllers are all at work; pods cannot be
  // created in `default` before.
  const awaited = [
    ...['default', 'kube-node-lease', 'kube-public', 'kube-system'].map(
      (name) => `/api/v1/namespaces/${name}`,
    ),
    '/api/v1/namespaces/default/serviceaccounts/default',
  ];
  let lacking = '';
  const poll = async (signal: AbortSignal): Promise<string> => {
    for (const path of awaited) {
      lacking = path;
      while ((await askHttps(admin, path, signal)).status !== 200)
        await delay(NAMESPACES_INTERVAL_MS, { signal, clock: options.clock });
    }
    return uidOf((await askHttps(admin, '/api/v1/namespaces/kube-system', signal)).body);
  };
  return await withTimeout(poll, {
    ...options,
    timeoutMs: NAMESPACES_TIMEOUT_MS,
    makeReason: () =>
      new HarnessError(
        'HM_COMPONENT_NOT_READY',
        `the new cluster has no ${lacking} after ${NAMESPACES_TIMEOUT_MS / 1_000} s`,
        { hint: 'the log of kube-controller-manager tells why' },
      ),
  });
}

async function serverVersion(admin: ClusterAccess, signal: AbortSignal): Promise<string> {
  const parsed: unknown = JSON.parse((await askHttps(admin, '/version', signal)).body);
  return typeof parsed === 'object' && parsed !== null && 'gitVersion' in parsed
    ? String(parsed.gitVersion)
    : 'unknown';
}

function uidOf(body: string): string {
  const parsed: unknown = JSON.parse(body);
  if (typeof parsed === 'object' && parsed !== null && 'metadata' in parsed) {
    const { metadata } = parsed;
    if (typeof metadata === 'object' && metadata !== null && 'uid' in metadata) return String(metadata.uid);
  }
  throw new HarnessError('HM_CLUSTER_STATE', 'namespace kube-system has no uid');
}

function removeData(directory: string): void {
  for (const name of ['data', 'pki']) rmSync(join(directory, name), { recursive: true, force: true });
}
