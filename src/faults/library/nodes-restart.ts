/** Nodes restart together. */
import type { Fault } from './fault.ts';
import { disturbNodes } from './nodes.ts';

export const nodesRestart: Fault = {
  name: 'nodes-restart',
  fails: 'A share of the nodes drops its state and its connections and begins anew.',
  induced: 'The hollow kubelets end and start: they register, list and watch again.',
  expected: 'The API servers serve the lists from their caches; probes notice little; nobody is lost.',
  observed:
    'Node conditions; evictions (condition DisruptionTarget of pods) and their replacements; reconnects and relists of the fleet; write and read probes.',
  durationMs: 0,
  settleMs: 25_000,
  expectations: () => [
    {
      figure: 'writeAvailability',
      atLeast: 0.95,
      because: 'lists of whole nodes are served beside; 5 % may be late on a small machine',
    },
    { figure: 'podsEvicted', atMost: 0, because: 'no node was lost' },
  ],
  async induce(world, settings, signal) {
    return disturbNodes(world, settings, { kind: 'restart', overMs: 0 }, signal);
  },
};
