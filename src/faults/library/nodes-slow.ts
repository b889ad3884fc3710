/** Nodes are slow. */
import type { Fault } from './fault.ts';
import { disturbNodes } from './nodes.ts';

export const nodesSlow: Fault = {
  name: 'nodes-slow',
  fails: 'Requests of a share of the nodes leave 2 s late.',
  induced: 'Each request of the hollow kubelets is held back.',
  expected: 'Leases last 40 s: nobody is lost; pods on those nodes start later.',
  observed:
    'Node conditions; evictions (condition DisruptionTarget of pods) and their replacements; reconnects and relists of the fleet; write and read probes.',
  durationMs: 30_000,
  settleMs: 10_000,
  expectations: () => [
    { figure: 'writeAvailability', atLeast: 0.98, because: 'the control plane itself is well' },
    { figure: 'nodesNotReady', atMost: 0, because: 'a lease may be late by 30 s' },
    { figure: 'podsEvicted', atMost: 0, because: 'no node was lost' },
  ],
  async induce(world, settings, signal) {
    return disturbNodes(world, settings, { kind: 'slow', delayMs: settings.delayMs ?? 2_000 }, signal);
  },
};
