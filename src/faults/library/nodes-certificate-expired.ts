/** Client certificates of nodes run out. */
import { TAKEOVER_SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { disturbNodes } from './nodes.ts';

export const nodesCertificateExpired: Fault = {
  name: 'nodes-certificate-expired',
  fails: 'A share of the nodes has a client certificate that the API refuses.',
  induced: 'The hollow kubelets connect with an expired certificate, and with a valid one when healed.',
  expected:
    'Every request of theirs is answered 401; they are taken for Unknown after 50 s; with a new certificate they are Ready within a heartbeat.',
  observed:
    'Node conditions; evictions (condition DisruptionTarget of pods) and their replacements; reconnects and relists of the fleet; write and read probes.',
  durationMs: 70_000,
  settleMs: 30_000,
  expectations: (_settings, { nodeGraceMs, nodeCheckMs, heartbeatMs }) => [
    { figure: 'writeAvailability', atLeast: 0.98, because: 'the control plane itself is well' },
    {
      figure: 'firstNodeNotReadyMs',
      atMost: nodeGraceMs + nodeCheckMs + TAKEOVER_SLACK_MS,
      atLeast: nodeGraceMs - heartbeatMs,
      because: 'as silent nodes: their last heartbeat was the last one that was taken; slack 8 s',
    },
    { figure: 'podsEvicted', atMost: 0, because: 'pods tolerate it for 300 s' },
  ],
  async induce(world, settings, signal) {
    return disturbNodes(world, settings, { kind: 'expire-certificates' }, signal);
  },
};
