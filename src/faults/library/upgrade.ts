/** The control plane moves to another version. */

import { delay, HarnessError } from '../../core/index.ts';
import { REDISPATCH_GAP_MS, SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
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
    const { levers, clock, kubernetesVersion } = world;
    const members = ORDER.flatMap((component) => running(levers, component));
    const to = async (wanted: string, names: readonly string[], moving: AbortSignal) => {
      for (const name of names) {
        await levers.restart(name, { version: wanted }, moving);
        await delay(PAUSE_MS, { signal: moving, clock });
      }
    };
    if (version === undefined) throw new HarnessError('HM_INTERNAL', 'an upgrade without a version');
    await to(version, members, signal);
    return {
      targets: members,
      heal: (healing) => to(kubernetesVersion, members.toReversed(), healing),
    };
  },
};
