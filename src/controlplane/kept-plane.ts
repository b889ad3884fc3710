/**
 * Planes that outlive the command that started them (`hollowmark up`): what is remembered of them, and how another
 * process finds them healthy, mends or ends them. Pids are only used together with the start of their process.
 */
import { setMaxListeners } from 'node:events';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { type Clock, childAbort, delay, HarnessError } from '../core/index.ts';
import { COMPONENT_NAMES, instanceAccess } from './components/component.ts';
import { haproxySocketPath } from './components/haproxy.ts';
import { type LocalContext, type LocalControlPlaneOptions, startLocalControlPlane } from './local.ts';
import { readPlaneIdentities } from './pki/plane-pki.ts';
import { PlaneProcesses } from './plane-processes.ts';
import { ProcessGuard } from './process/guard.ts';
import { identifyProcess, isAlive, residentBytes, signalProcess } from './process/identity.ts';
import { tryLock } from './process/lock-file.ts';
import { diskError, isAddressInUse, STOP_GRACE_MS } from './process/managed-process.ts';
import type { ComponentInfo } from './provider.ts';
import { askReady } from './readiness.ts';

const MEND_ATTEMPTS = 10;
const MEND_PAUSE_MS = 500;

const instanceSchema = z.object({
  component: z.enum([...COMPONENT_NAMES, 'haproxy', 'link-proxy']),
  name: z.string(),
  args: z.array(z.string()),
  readyPath: z.string(),
  address: z.string(),
  identity: z.enum(['admin', 'etcd-client']),
  program: z.string().optional(),
  hostname: z.string().optional(),
  environment: z.record(z.string(), z.string()).optional(),
  zone: z.string().optional(),
});
const stateSchema = z.object({
  format: z.literal(1),
  name: z.string(),
  directory: z.string(),
  kubernetesVersion: z.string(),
  profile: z.enum(['production-like', 'fast']),
  clusterUid: z.string(),
  server: z.string(),
  kubeconfigPath: z.string(),
  /** RFC 3339. */
  startedAt: z.string(),
  programs: z.record(z.string(), z.string()),
  /** Settings of the topology, as JSON. */
  topology: z.string(),
  /** In starting order. */
  stages: z.array(z.array(instanceSchema)),
  processes: z.record(z.string(), z.object({ pid: z.number(), beganAt: z.string() })),
});

/** What is remembered of a kept plane, in `state.json` of its folder. */
export type KeptPlane = z.infer<typeof stateSchema>;

export interface KeptComponent {
  name: string;
  /** Where it belongs to one. */
  zone: string | undefined;
  pid: number | undefined;
  state: 'ready' | 'not ready' | 'ended';
  /** Why it is not ready; empty otherwise. */
  reason: string;
  residentBytes: number | undefined;
  logPath: string;
}

/** Folder of the kept plane `name`: `$XDG_STATE_HOME/hollowmark/<name>`, by default under `~/.local/state`. */
export function keptPlaneDirectory(env: Readonly<Record<string, string | undefined>>, name: string): string {
  if (!/^[a-z0-9]([a-z0-9-]*[a-z0-9])?$/.test(name))
    throw new HarnessError(
      'HM_USAGE',
      `expected a name of lower-case letters, digits and dashes, got "${name}"`,
    );
  const base = env['XDG_STATE_HOME'];
  const root = base === undefined || base === '' ? join(env['HOME'] ?? homedir(), '.local', 'state') : base;
  return join(root, 'hollowmark', name);
}

/** What is remembered of the plane in `directory`; undefined if there is none. */
export function readKeptPlane(directory: string): KeptPlane | undefined {
  const path = join(directory, 'state.json');
  if (!existsSync(path)) return undefined;
  const parsed = stateSchema.safeParse(JSON.parse(readFileSync(path, 'utf8')));
  if (!parsed.success)
    throw new HarnessError('HM_CLUSTER_STATE', `${path} is damaged or of another version of hollowmark`);
  return parsed.data;
}

/**
 * Makes sure that the plane runs, and returns it: starts it, or starts again those of its components that ended, or
 * leaves it as it is.
 * @throws HM_USAGE if it runs with another version, profile or topology than asked for, and what startLocalControlPlane throws.
 */
export async function keepPlane(
  name: string,
  options: Omit<LocalControlPlaneOptions, 'directory'>,
  context: LocalContext,
): Promise<{ plane: KeptPlane; did: 'started' | 'mended' | 'nothing' }> {
  const directory = keptPlaneDirectory(context.env, name);
  mkdirSync(directory, { recursive: true, mode: 0o700 });
  using _lock = lockPlane(directory);
  const known = readKeptPlane(directory);
  const living = known === undefined ? [] : livingNames(known);
  if (known !== undefined && living.length > 0) {
    refuseOther(known, options);
    if (living.length === known.stages.flat().length) return { plane: known, did: 'nothing' };
    return { plane: await mend(known, context), did: 'mended' };
  }
  const started = await startLocalControlPlane({ ...options, directory, keepData: true }, context);
  try {
    const plane: KeptPlane = {
      format: 1,
      name,
      directory,
      kubernetesVersion: started.kubernetesVersion,
      profile: started.profile === 'fast' ? 'fast' : 'production-like',
      clusterUid: started.clusterUid,
      server: started.shape.server,
      kubeconfigPath: started.kubeconfigPath,
      startedAt: new Date(context.clock.wallMs()).toISOString(),
      topology: JSON.stringify(started.shape.topology),
      programs: Object.fromEntries(Object.entries(started.programs)),
      stages: started.shape.stages.map((stage) => stage.map((one) => ({ ...one, args: [...one.args] }))),
      processes: identities(started.components),
    };
    writeState(plane);
    started.release();
    return { plane, did: 'started' };
  } catch (error) {
    await started.stop();
    throw error;
  }
}

/** Every component with its health, in starting order. */
export async function inspectKeptPlane(plane: KeptPlane, signal: AbortSignal): Promise<KeptComponent[]> {
  const identitiesOfPlane = readPlaneIdentities(join(plane.directory, 'pki'));
  using asking = childAbort(signal);
  // Every component is asked at the same time.
  setMaxListeners(0, asking.signal);
  return await Promise.all(
    plane.stages.flat().map(async (instance): Promise<KeptComponent> => {
      const identity = plane.processes[instance.name];
      const logPath = join(plane.directory, 'logs', `${instance.name}.log`);
      if (identity === undefined || !isAlive(identity))
        return {
          name: instance.name,
          zone: instance.zone,
          pid: undefined,
          state: 'ended',
          reason: `see ${logPath}`,
          residentBytes: undefined,
          logPath,
        };
      const answer = await askReady(
        instanceAccess(instance, identitiesOfPlane),
        instance.readyPath,
        asking.signal,
      );
      return {
        name: instance.name,
        zone: instance.zone,
        pid: identity.pid,
        state: answer.ready ? 'ready' : 'not ready',
        reason: answer.ready ? '' : answer.reason,
        residentBytes: residentBytes(identity.pid),
        logPath,
      };
    }),
  );
}

/**
 * Ends the plane and forgets it; its data and keys go too unless `keepData`. Only processes that are provably the
 * plane's own are signalled. Returns the names of those that were still running.
 */
export async function endKeptPlane(
  plane: KeptPlane,
  options: { keepData: boolean; signal: AbortSignal; clock: Clock },
): Promise<string[]> {
  using _lock = lockPlane(plane.directory);
  const ended = livingNames(plane);
  for (const stage of plane.stages.toReversed()) {
    const living = stage.flatMap((instance) => plane.processes[instance.name] ?? []).filter(isAlive);
    for (const identity of living) signalProcess(identity, 'SIGTERM');
    const deadlineUs = options.clock.nowUs() + STOP_GRACE_MS * 1_000;
    while (living.some(isAlive) && options.clock.nowUs() < deadlineUs) await delay(50, options);
    for (const identity of living) signalProcess(identity, 'SIGKILL');
    while (living.some(isAlive)) await delay(50, options);
  }
  rmSync(join(plane.directory, 'state.json'), { force: true });
  rmSync(haproxySocketPath(join(plane.directory, 'haproxy.cfg')), { force: true });
  if (!options.keepData)
    for (const folder of ['data', 'pki'])
      rmSync(join(plane.directory, folder), { recursive: true, force: true });
  return ended;
}

// Its own data, keys, ports and arguments: to its clients the plane is the same as before.
async function mend(plane: KeptPlane, context: LocalContext): Promise<KeptPlane> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await mendOnce(plane, context);
    } catch (error) {
      // A killed component's port stays taken for a moment longer than the component lives.
      if (!isAddressInUse(error) || attempt === MEND_ATTEMPTS) throw error;
      await delay(MEND_PAUSE_MS, context);
    }
  }
}

async function mendOnce(plane: KeptPlane, context: LocalContext): Promise<KeptPlane> {
  const { clock, log, signal } = context;
  const living = new Set(livingNames(plane));
  const guard = new ProcessGuard(log);
  guard.start();
  const processes = new PlaneProcesses({
    directory: plane.directory,
    programs: plane.programs,
    pki: readPlaneIdentities(join(plane.directory, 'pki')),
    clock,
    log,
    guard,
  });
  try {
    for (const stage of plane.stages)
      await processes.startStage(
        stage.filter((instance) => !living.has(instance.name)),
        signal,
      );
    const mended = { ...plane, processes: { ...plane.processes, ...identities(processes.components) } };
    writeState(mended);
    processes.releaseAll();
    return mended;
  } catch (error) {
    await processes.stop();
    throw error;
  } finally {
    guard.close();
  }
}

function refuseOther(known: KeptPlane, options: Omit<LocalControlPlaneOptions, 'directory'>): void {
  const wanted = { version: options.binaries?.version, profile: options.profile };
  const differs =
    (wanted.version !== undefined && wanted.version.replace(/^v?/, 'v') !== known.kubernetesVersion) ||
    (wanted.profile !== undefined && wanted.profile !== known.profile) ||
    (options.topology !== undefined && JSON.stringify(options.topology) !== known.topology);
  if (differs)
    throw new HarnessError(
      'HM_USAGE',
      `plane "${known.name}" already runs ${known.kubernetesVersion} with profile ${known.profile} and ${known.stages.flat().length} members`,
      {
        hint: `end it first (hollowmark down --name ${known.name}), or give the new one another --name`,
      },
    );
}

function lockPlane(directory: string): Disposable {
  const attempt = tryLock(join(directory, 'lock'));
  if (attempt.state === 'taken') return attempt.lock;
  throw new HarnessError(
    'HM_CLUSTER_STATE',
    `process ${attempt.owner.pid} is starting or ending the plane in ${directory}`,
    {
      hint: 'wait for it and try again',
    },
  );
}

function livingNames(plane: KeptPlane): string[] {
  return Object.entries(plane.processes).flatMap(([name, identity]) => (isAlive(identity) ? [name] : []));
}

function identities(components: readonly ComponentInfo[]): KeptPlane['processes'] {
  const found: KeptPlane['processes'] = {};
  for (const { name, pid } of components) {
    const identity = pid === undefined ? undefined : identifyProcess(pid);
    if (identity !== undefined) found[name] = identity;
  }
  return found;
}

function writeState(plane: KeptPlane): void {
  const path = join(plane.directory, 'state.json');
  try {
    writeFileSync(`${path}.new`, `${JSON.stringify(plane, undefined, 2)}\n`, { mode: 0o600 });
    renameSync(`${path}.new`, path);
  } catch (cause) {
    throw diskError(cause, `${path} cannot be written`);
  }
}
