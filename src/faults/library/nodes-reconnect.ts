/** All connections of the nodes are cut. */
import type { Fault } from './fault.ts';
import { disturbNodes } from './nodes.ts';

export const nodesReconnect: Fault = {
  name: 'nodes-reconnect',
  fails: 'Connections of a share of the nodes are gone.',
  induced: 'The hollow kubelets and proxies close their sockets and connect again.',
  expected: 'Handshakes come all at once; watches resume without a list; probes notice little.',
  observed:
    'Node conditions; evictions (condition DisruptionTarget of pods) and their replacements; reconnects and relists of the fleet; write and read probes.',
  durationMs: 0,
  settleMs: 15_000,
  expectations: () => [
    {
      figure: 'writeAvailability',
      atLeast: 0.95,
      because: 'a handshake for each node beside; 5 % may be late on a small machine',
    },
    { figure: 'nodesNotReady', atMost: 0, because: 'a lease may be late by 30 s' },
  ],
  async induce(world, settings, signal) {
    return disturbNodes(world, settings, { kind: 'drop-connections', overMs: 0 }, signal);
  },
};
