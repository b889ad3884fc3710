/**
 * A fault of the user's own. The command that heals is run in any case, also where the one that induces failed or was
 * interrupted: half of it may have happened.
 */

import { HarnessError } from '../../core/index.ts';
import type { Fault } from './fault.ts';

export const command: Fault = {
  name: 'command',
  fails: "What the user's commands break.",
  induced: 'A shell command that the suite gives, and another one that heals, run in any case.',
  expected: 'Service is back inside its SLO after healing; nothing acknowledged is lost.',
  observed: 'Write and read probes; node conditions; evictions.',
  durationMs: 30_000,
  settleMs: 30_000,
  expectations: (settings) => [
    {
      figure: 'recoveredAfterHealMs',
      atMost: settings.settleMs ?? 30_000,
      because: 'the settle time of the suite',
    },
  ],
  async induce(world, { induce, heal }, signal) {
    if (induce === undefined || heal === undefined)
      throw new HarnessError('HM_INTERNAL', 'a command fault without its commands');
    await world.runCommand(induce, signal);
    return { targets: ['by command'], heal: (healing) => world.runCommand(heal, healing) };
  },
  async undo(world, { heal }, signal) {
    if (heal !== undefined) await world.runCommand(heal, signal);
  },
};
