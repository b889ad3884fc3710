/** Nodes fall silent. */
import { LEASE_PERIOD_MS, NODE_UNKNOWN_MS, TAKEOVER_SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { disturbNodes } from './nodes.ts';

export const nodesSilent: Fault = {
  name: 'nodes-silent',
  fails: 'A share of the nodes sends neither leases nor status.',
  induced: 'The hollow kubelets stop writing; their watches live on.',
  expected:
    'The node controller takes them for Unknown 50 s after their last heartbeat and taints them; their pods stay for 300 s; they are Ready within a heartbeat of healing.',
  observed:
    'Node conditions; evictions (condition DisruptionTarget of pods) and their replacements; reconnects and relists of the fleet; write and read probes.',
  durationMs: 70_000,
  settleMs: 25_000,
  expectations: () => [
    { figure: 'writeAvailability', atLeast: 0.98, because: 'the control plane itself is well' },
    {
      figure: 'firstNodeNotReadyMs',
      atMost: NODE_UNKNOWN_MS + TAKEOVER_SLACK_MS,
      atLeast: NODE_UNKNOWN_MS - 5_000 - LEASE_PERIOD_MS,
      because: '50 s after the last heartbeat, which may be 10 s old; looked at each 5 s; slack 8 s',
    },
    {
      figure: 'allNodesReadyMs',
      atMost: 70_000 + LEASE_PERIOD_MS + 5_000 + TAKEOVER_SLACK_MS,
      because: '70 s of silence, then a heartbeat within 10 s; looked at each 5 s; slack 8 s',
    },
    { figure: 'podsEvicted', atMost: 0, because: 'pods tolerate it for 300 s' },
  ],
  async induce(world, settings, signal) {
    return disturbNodes(world, settings, { kind: 'silence' }, signal);
  },
};
