/** One user asks for more than its share. */
import { SLACK_MS } from './bounds.ts';
import type { Fault, FloodCounts } from './fault.ts';

export const apiserverOverload: Fault = {
  name: 'apiserver-overload',
  fails: 'The API servers have more expensive requests from one user than they can serve.',
  induced: 'Lists of everything in the cluster by a user of its own, hundreds at a time, without pause.',
  expected:
    'Priority & Fairness rejects the flood (429) and keeps leaders and nodes alive; other users are slow at worst.',
  observed:
    'Rejections that the flood was told; Leases; node conditions; write and read probes, which share a priority level with the flood but not its flow.',
  durationMs: 20_000,
  settleMs: 10_000,
  expectations: () => [
    { figure: 'floodRejected', atLeast: 1, because: 'one user may not have more than its share' },
    {
      figure: 'controllerManagerChanges',
      atMost: 0,
      because: 'leader election has a priority level of its own',
    },
    { figure: 'schedulerChanges', atMost: 0, because: 'as the controller manager' },
    { figure: 'nodesNotReady', atMost: 0, because: 'node traffic has a priority level of its own' },
    {
      figure: 'recoveredAfterHealMs',
      atMost: 15_000 + SLACK_MS,
      because: 'queues hold requests for at most a quarter of their deadline, 15 s; slack 4 s',
    },
    {
      figure: 'writeAvailability',
      atLeast: 0.5,
      because: 'fair queuing serves other flows of the same level',
    },
  ],
  async induce(world, _settings, signal) {
    const flood = await world.flood(signal);
    let counts: FloodCounts = { served: 0, rejected: 0, failed: 0 };
    return {
      targets: ['all API servers'],
      heal: async () => {
        counts = await flood.stop();
      },
      findings: () => [
        { name: 'flood-served', value: counts.served, text: 'requests of the flood that were served' },
        { name: 'flood-rejected', value: counts.rejected, text: 'requests of the flood answered with 429' },
      ],
    };
  },
};
