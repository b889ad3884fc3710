/** Which member a fault hits: the one that the suite names, or one by the run's seed. */
import type { LinkLevers, LoadBalancerLevers, PlaneInstance, PlaneLevers } from '../../controlplane/index.ts';
import { delay, describeError, HarnessError } from '../../core/index.ts';
import type { FaultWorld } from './fault.ts';

/** Lease 15 s, candidates look each 2-4.4 s, and some slack. */
const PATIENCE_MS = 25_000;
const ASK_AGAIN_MS = 250;

/** Running instances of a component, by name. */
export function running(levers: PlaneLevers, component: PlaneInstance['component']): string[] {
  return levers
    .instances()
    .filter((instance) => instance.component === component && instance.state === 'running')
    .map(({ name }) => name);
}

/**
 * The member that `target` names, or a running one by seed.
 * @throws HM_USAGE where there is none
 */
export function pickMember(
  world: Pick<FaultWorld, 'levers' | 'random'>,
  component: PlaneInstance['component'],
  target: string | undefined,
): string {
  const names = running(world.levers, component);
  const name = target ?? names[Math.floor(world.random.next() * names.length)];
  if (name !== undefined && names.includes(name)) return name;
  throw new HarnessError(
    'HM_USAGE',
    `no ${component} ${target ?? ''} runs that could be broken: ${names.join(', ')}`,
  );
}

/**
 * etcd's leader; during an election it is waited for.
 * @throws HM_CLUSTER_STATE without one
 */
export function etcdLeader(world: FaultWorld, signal: AbortSignal): Promise<string> {
  return found(world, 'etcd has no leader', signal, (asking) => world.levers.etcd.leader(asking));
}

/**
 * The leading controller manager or scheduler; after a fault that took the leader along, the next one is waited for.
 * @throws HM_CLUSTER_STATE without one
 */
export function leaseHolder(
  world: FaultWorld,
  which: 'controllerManager' | 'scheduler',
  signal: AbortSignal,
): Promise<string> {
  return found(world, `there is no leading ${which}`, signal, async (asking) => {
    const holders = await world.levers.leaders(asking);
    return holders[which];
  });
}

/** Asks until there is an answer: longer than a lease, because a fault cannot be seen that hits nobody. */
async function found(
  { clock }: Pick<FaultWorld, 'clock'>,
  lacking: string,
  signal: AbortSignal,
  ask: (signal: AbortSignal) => Promise<string | undefined>,
): Promise<string> {
  const untilUs = clock.nowUs() + PATIENCE_MS * 1_000;
  let why = '';
  while (clock.nowUs() < untilUs) {
    try {
      const name = await ask(signal);
      if (name !== undefined) return name;
    } catch (error) {
      signal.throwIfAborted();
      why = `: ${describeError(error)}`;
    }
    await delay(ASK_AGAIN_MS, { signal, clock });
  }
  throw new HarnessError('HM_CLUSTER_STATE', `${lacking} that could be broken${why}`);
}

/** Kills members that stay away until healed: hold, SIGKILL; healing releases them and waits until they are ready. */
export async function killAndHold(
  levers: PlaneLevers,
  names: readonly string[],
): Promise<(signal: AbortSignal) => Promise<void>> {
  for (const name of names) levers.hold(name);
  await Promise.all(names.map((name) => levers.kill(name)));
  return async (signal) => {
    for (const name of names) levers.release(name);
    await Promise.all(names.map((name) => levers.awaitReady(name, signal)));
  };
}

/** True for members of the etcd that holds events only. */
export function isEvents(name: string): boolean {
  return name.startsWith('etcd-events');
}

/** @throws HM_USAGE without a load balancer */
export function balancerOf({ levers }: Pick<FaultWorld, 'levers'>): LoadBalancerLevers {
  if (levers.loadBalancer === undefined)
    throw new HarnessError('HM_USAGE', 'the control plane has no load balancer');
  return levers.loadBalancer;
}

/** @throws HM_USAGE where links are not proxied */
export function linksOf({ levers }: Pick<FaultWorld, 'levers'>): LinkLevers {
  if (levers.links === undefined)
    throw new HarnessError('HM_USAGE', 'links between members are not proxied and cannot be cut');
  return levers.links;
}
