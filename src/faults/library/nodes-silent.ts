/** Nodes fall silent. */
import { formatMs } from '../../core/index.ts';
import { TAKEOVER_SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { disturbNodes } from './nodes.ts';

/** Longer than the 50 s, the 5 s and the slack after which nodes are Unknown. */
const DURATION_MS = 70_000;

export const nodesSilent: Fault = {
  name: 'nodes-silent',
  fails: 'A share of the nodes sends neither leases nor status.',
  induced: 'The hollow kubelets stop writing; their watches live on.',
  expected:
    'The node controller takes them for Unknown 50 s after their last heartbeat and taints them; their pods stay for 300 s; they are Ready within a heartbeat of healing.',
  observed:
    'Node conditions; evictions (condition DisruptionTarget of pods) and their replacements; reconnects and relists of the fleet; write and read probes.',
  durationMs: DURATION_MS,
  settleMs: 25_000,
  expectations: (settings, { nodeGraceMs, nodeCheckMs, heartbeatMs }) => [
    { figure: 'writeAvailability', atLeast: 0.98, because: 'the control plane itself is well' },
    {
      figure: 'firstNodeNotReadyMs',
      atMost: nodeGraceMs + nodeCheckMs + TAKEOVER_SLACK_MS,
      atLeast: nodeGraceMs - heartbeatMs,
      because: `${formatMs(nodeGraceMs)} after the last heartbeat, which may be ${formatMs(heartbeatMs)} old; looked at each ${formatMs(nodeCheckMs)}; slack 8 s`,
    },
    {
      figure: 'allNodesReadyMs',
      atMost: (settings.durationMs ?? DURATION_MS) + heartbeatMs + nodeCheckMs + TAKEOVER_SLACK_MS,
      because: `the silence, then a heartbeat within ${formatMs(heartbeatMs)}; looked at each ${formatMs(nodeCheckMs)}; slack 8 s`,
    },
    { figure: 'podsEvicted', atMost: 0, because: 'pods tolerate it for 300 s' },
  ],
  async induce(world, settings, signal) {
    return disturbNodes(world, settings, { kind: 'silence' }, signal);
  },
};
