/** The control plane moves to another version. */

import { HarnessError } from '../../core/index.ts';
import { JsonClient, openConnection, serverVersion } from '../../kube/index.ts';
import type { Fault, FaultWorld } from './fault.ts';
import { restartExpectations, restartInTurn } from './restarts.ts';
import { running } from './targets.ts';

/** Source: Kubernetes' version skew policy: API servers first, what speaks to them after them. */
const ORDER = ['kube-apiserver', 'kube-controller-manager', 'kube-scheduler'] as const;

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
    ...restartExpectations(0.97, '3 % for connections that were refused, over all restarts'),
    { figure: 'serversMoved', atLeast: 1, because: 'they say so themselves' },
    { figure: 'serversReturned', atLeast: 1, because: 'they say so themselves' },
    { figure: 'podsEvicted', atMost: 0, because: 'nodes are not touched' },
  ],
  async induce(world, { version }, signal) {
    const members = ORDER.flatMap((component) => running(world.levers, component));
    if (version === undefined) throw new HarnessError('HM_INTERNAL', 'an upgrade without a version');
    await restartInTurn(world, members, { version }, signal);
    const movedCount = await serversOf(world, version, signal);
    let returnedCount = 0;
    return {
      targets: members,
      heal: async (healing) => {
        const own = world.kubernetesVersion;
        await restartInTurn(world, members.toReversed(), { version: own }, healing);
        returnedCount = await serversOf(world, own, healing);
      },
      findings: () => [
        { name: 'servers-moved', value: movedCount, text: `API servers that said they were ${version}` },
        {
          name: 'servers-returned',
          value: returnedCount,
          text: `API servers that said they were ${world.kubernetesVersion} again`,
        },
      ],
    };
  },
  /** Those that got there go back. */
  async undo(world, { version }, signal) {
    const moved = world.levers.instances().filter(({ changedVersion }) => changedVersion === version);
    const names = ORDER.flatMap((component) =>
      moved.flatMap((instance) => (instance.component === component ? [instance.name] : [])),
    );
    await restartInTurn(world, names.toReversed(), { version: world.kubernetesVersion }, signal);
  },
};

/** How many API servers say that they are of this version, each asked past the load balancer. */
async function serversOf(
  { levers, clock }: FaultWorld,
  version: string,
  signal: AbortSignal,
): Promise<number> {
  let count = 0;
  for (const name of running(levers, 'kube-apiserver')) {
    const access = levers.access(name);
    if (access === undefined) continue;
    await using connection = await openConnection(access, { clock });
    const told = await serverVersion(new JsonClient(connection, clock), signal);
    if (told.gitVersion === version) count++;
  }
  return count;
}
