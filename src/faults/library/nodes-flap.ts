/** Nodes come and go. */
import type { Fault } from './fault.ts';
import { disturbNodes } from './nodes.ts';

export const nodesFlap: Fault = {
  name: 'nodes-flap',
  fails: 'A share of the nodes is silent for 20 s and alive for 10 s, in turn.',
  induced: 'The hollow kubelets stop writing and begin again.',
  expected: 'A silence shorter than 50 s is forgiven: no node is taken for lost, nothing is evicted.',
  observed:
    'Node conditions; evictions (condition DisruptionTarget of pods) and their replacements; reconnects and relists of the fleet; write and read probes.',
  durationMs: 60_000,
  settleMs: 10_000,
  expectations: () => [
    { figure: 'writeAvailability', atLeast: 0.98, because: 'the control plane itself is well' },
    { figure: 'nodesNotReady', atMost: 0, because: 'each silence is shorter than 50 s' },
    { figure: 'podsEvicted', atMost: 0, because: 'no node was lost' },
  ],
  async induce(world, settings, signal) {
    return disturbNodes(world, settings, { kind: 'flap', silentMs: 20_000, aliveMs: 10_000 }, signal);
  },
};
