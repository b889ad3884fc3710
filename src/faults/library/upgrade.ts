/** The control plane moves to another version. */

import { delay, HarnessError } from '../../core/index.ts';
import { REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault, FaultWorld } from './fault.ts';
import { running } from './targets.ts';

/** Source: Kubernetes' version skew policy: API servers first, what speaks to them after them. */
const ORDER = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;
/** The load balancer takes a server back after two good checks. */
const PAUSE_MS = 3_000;

export const upgrade: Fault = {
  name: 'upgrade',
  fails: 'Every member of the control plane is replaced by another version, under load, and goes back.',
  induced:
    'API servers one by one, then controller managers and schedulers, restart with the other version; the same in reverse when healed.',
  expected:
    'No new request fails, watches move on, controllers are replaced within their leases; and nothing acknowledged is lost.',
  observed: 'Write and read probes; Leases; watch canaries show cuts and delays.',
  durationMs: 15_000,
  settleMs: 30_000,
  expectations: () => [
    {
      figure: 'writeGapMs',
      atMost: REDISPATCH_GAP_MS + SLACK_MS,
      because: 'a refused connection is redispatched at once; 1 s, slack 4 s',
    },
    { figure: 'readGapMs', atMost: REDISPATCH_GAP_MS + SLACK_MS, because: 'as for writes' },
    {
      figure: 'writeAvailability',
      atLeast: 0.97,
      because:
        'requests in flight are served to their end; 3 % for connections that were refused, over all restarts',
    },
    { figure: 'podsEvicted', atMost: 0, because: 'nodes are not touched' },
  ],
  async induce(world, { version }, signal) {
    const { levers } = world;
    const members = ORDER.flatMap((component) => running(levers, component));
    if (version === undefined) throw new HarnessError('HM_INTERNAL', 'an upgrade without a version');
    await move(world, version, members, signal);
    return {
      targets: members,
      heal: (healing) => move(world, world.kubernetesVersion, members.toReversed(), healing),
    };
  },
  /** Those that got there go back. */
  async undo(world, { version }, signal) {
    const moved = world.levers.instances().filter(({ changedVersion }) => changedVersion === version);
    const names = ORDER.flatMap((component) =>
      moved.flatMap((instance) => (instance.component === component ? [instance.name] : [])),
    );
    await move(world, world.kubernetesVersion, names.toReversed(), signal);
  },
};

/** Restarts members in another version, one by one. */
async function move(
  { levers, clock }: FaultWorld,
  version: string,
  names: readonly string[],
  signal: AbortSignal,
): Promise<void> {
  for (const name of names) {
    await levers.restart(name, { version }, signal);
    await delay(PAUSE_MS, { signal, clock });
  }
}
