/**
 * All levers of a plane, put together, and what mends everything that any of them broke.
 */

import { setMaxListeners } from 'node:events';
import { join } from 'node:path';
import { childAbort, delay, HarnessError } from '../../core/index.ts';
import { haproxySocketPath } from '../components/haproxy.ts';
import { findProgram } from '../doctor/machine.ts';
import { askHttps } from '../readiness.ts';
import { certificateLevers } from './certificate-levers.ts';
import { isJson } from './etcd-api.ts';
import { etcdLevers } from './etcd-levers.ts';
import { loadBalancerLevers } from './haproxy-socket.ts';
import type { LeverParts } from './lever-parts.ts';
import type { LoadBalancerLevers, PlaneLevers } from './levers.ts';
import { linkLevers } from './link-levers.ts';
import { SlowDisks } from './slow-disk.ts';

const SERVERS_INTERVAL_MS = 200;

/** Levers over a plane that runs. */
export function planeLevers(parts: LeverParts): PlaneLevers {
  const { shape, processes, pki, directory, guard, context } = parts;
  const throttled = new Set<string>();
  const slowDisks = new SlowDisks({
    clock: context.clock,
    directory,
    guard,
    stracePath: findProgram(context.env, ['strace']),
  });
  const certificates = certificateLevers(directory, pki, processes);
  const etcd = etcdLevers(parts);
  const links =
    shape.links === undefined ? undefined : linkLevers(shape.links, processes.access('link-proxy-0'));
  const balancer = shape.stages.flat().find(({ component }) => component === 'haproxy');
  const loadBalancer =
    balancer === undefined
      ? undefined
      : loadBalancerLevers(balancer.name, haproxySocketPath(join(directory, 'haproxy.cfg')));

  return {
    instances: () => processes.instances(),
    isRunning: (name) => processes.isRunning(name),
    access: (name) => processes.access(name),
    kill: (name) => processes.kill(name),
    terminate: (name) => processes.terminate(name),
    pause: (name) => processes.pause(name),
    resume: (name) => processes.resume(name),
    throttle(name, runRatio) {
      processes.throttle(name, runRatio);
      if (runRatio === 1) throttled.delete(name);
      else throttled.add(name);
    },
    hold: (name) => processes.hold(name),
    release: (name) => processes.release(name),
    awaitReady: (name, signal) => processes.awaitReady(name, signal),
    restart: (name, change, signal) => processes.restart(name, change, signal),
    get events() {
      return processes.events;
    },
    onEvent: (listener) => processes.onEvent(listener),
    restartPolicy: processes.restartPolicy,
    ...(loadBalancer === undefined ? {} : { loadBalancer }),
    ...(links === undefined ? {} : { links }),
    etcd,
    certificates,
    async leaders(signal) {
      const [controllerManager, scheduler] = await Promise.all([
        leaseHolder(parts, 'kube-controller-manager', signal),
        leaseHolder(parts, 'kube-scheduler', signal),
      ]);
      return { controllerManager, scheduler };
    },
    async slowDisk(name, delayMs, signal) {
      if (delayMs === 0) return slowDisks.heal(name);
      const pid = processes.instances().find((one) => one.name === name)?.pid;
      if (pid === undefined) throw new HarnessError('HM_CLUSTER_STATE', `${name} does not run`);
      return slowDisks.slow(name, pid, delayMs, signal);
    },
    async healAll(outer) {
      using healing = childAbort(outer);
      const { signal } = healing;
      // Every instance waits on it at the same time.
      setMaxListeners(0, signal);
      await slowDisks.healAll();
      for (const name of throttled) processes.throttle(name, 1);
      throttled.clear();
      for (const { name } of processes.instances()) {
        processes.resume(name);
        processes.release(name);
      }
      for (const name of [...certificates.expired]) await certificates.rotate(name);
      // Not before the proxy is there; and the members cannot be ready before the links are whole.
      if (links !== undefined) {
        await processes.awaitReady('link-proxy-0', signal);
        await links.healAll(signal);
      }
      if (loadBalancer !== undefined) await healBalancer(parts, loadBalancer, signal);
      await Promise.all(processes.instances().map(({ name }) => processes.awaitReady(name, signal)));
      if (loadBalancer !== undefined) await awaitServers(parts, loadBalancer, signal);
      if (etcd.filled) await etcd.recoverSpace(signal);
    },
  };
}

async function healBalancer(
  parts: LeverParts,
  balancer: LoadBalancerLevers,
  signal: AbortSignal,
): Promise<void> {
  const servers = parts.shape.stages
    .flat()
    .flatMap(({ component, name }) => (component === 'kube-apiserver' ? [name] : []));
  // A balancer whose servers are all in maintenance is not ready, so this comes before it is waited for.
  if (!parts.processes.isRunning(balancer.name)) await parts.processes.awaitReady(balancer.name, signal);
  for (const name of servers) {
    await balancer.setServerState(name, 'ready', signal);
    await balancer.forceHealth(name, 'auto', signal);
  }
}

/** Resolves when the balancer sends to every server again; where it checks nothing it does so always. */
async function awaitServers(
  parts: LeverParts,
  balancer: LoadBalancerLevers,
  signal: AbortSignal,
): Promise<void> {
  for (;;) {
    const servers = await balancer.servers(signal);
    if (servers.every(({ state }) => state === 'UP' || state === 'no check')) return;
    await delay(SERVERS_INTERVAL_MS, { signal, clock: parts.context.clock });
  }
}

/** Name of the instance that holds a lease which has not expired. */
async function leaseHolder(
  parts: LeverParts,
  lease: string,
  signal: AbortSignal,
): Promise<string | undefined> {
  const path = `/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/${lease}`;
  const reply = await askHttps(parts.admin, path, signal);
  if (reply.status === 404) return undefined;
  if (reply.status !== 200)
    throw new HarnessError(
      'HM_CLUSTER_STATE',
      `GET ${path} answers ${reply.status}: ${reply.body.slice(0, 200)}`,
    );
  const parsed: unknown = JSON.parse(reply.body);
  const spec = isJson(parsed) && isJson(parsed['spec']) ? parsed['spec'] : {};
  const identity = String(spec['holderIdentity'] ?? '');
  const renewedMs = Date.parse(String(spec['renewTime'] ?? ''));
  const durationMs = Number(spec['leaseDurationSeconds'] ?? 0) * 1_000;
  if (!(parts.context.clock.wallMs() <= renewedMs + durationMs)) return undefined;
  // client-go's identity: host name, underscore, UUID. One of its kind needs no host name of its own.
  const candidates = parts.shape.stages.flat().filter(({ component }) => component === lease);
  const [only] = candidates;
  if (candidates.length === 1) return identity === '' ? undefined : only?.name;
  return candidates.find(({ name }) => identity.startsWith(`${name}_`))?.name;
}
