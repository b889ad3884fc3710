/** Nodes come and go. */
import { formatMs } from '../../core/index.ts';
import type { Fault } from './fault.ts';
import { disturbNodes } from './nodes.ts';

export const nodesFlap: Fault = {
  name: 'nodes-flap',
  fails: 'A share of the nodes is silent and alive in turn, for 20 s and 10 s.',
  induced: 'The hollow kubelets stop writing and begin again.',
  expected: 'A silence shorter than 50 s is forgiven: no node is taken for lost, nothing is evicted.',
  observed:
    'Node conditions; evictions (condition DisruptionTarget of pods) and their replacements; reconnects and relists of the fleet; write and read probes.',
  durationMs: 60_000,
  settleMs: 10_000,
  expectations: (_settings, { nodeGraceMs }) => [
    { figure: 'writeAvailability', atLeast: 0.98, because: 'the control plane itself is well' },
    { figure: 'nodesNotReady', atMost: 0, because: `each silence is shorter than ${formatMs(nodeGraceMs)}` },
    { figure: 'podsEvicted', atMost: 0, because: 'no node was lost' },
  ],
  async induce(world, settings, signal) {
    // 20 s and 10 s with upstream's 50 s: a heartbeat falls into each time alive, and none of the silences is long enough.
    const { nodeGraceMs } = world.timings;
    const flap = { kind: 'flap', silentMs: 0.4 * nodeGraceMs, aliveMs: 0.2 * nodeGraceMs } as const;
    return disturbNodes(world, settings, flap, signal);
  },
};
