/** The control plane moves to another version. */

import { HarnessError } from '../../core/index.ts';
import type { Fault } from './fault.ts';
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
    { figure: 'podsEvicted', atMost: 0, because: 'nodes are not touched' },
  ],
  async induce(world, { version }, signal) {
    const members = ORDER.flatMap((component) => running(world.levers, component));
    if (version === undefined) throw new HarnessError('HM_INTERNAL', 'an upgrade without a version');
    await restartInTurn(world, members, { version }, signal);
    return {
      targets: members,
      heal: (healing) =>
        restartInTurn(world, members.toReversed(), { version: world.kubernetesVersion }, healing),
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
