/** The database of etcd is full. */
import { SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { isEvents, running } from './targets.ts';

/** Room that the filler takes: enough for it to be the filler that raises the alarm. */
const ROOM_BYTES = 8 * 2 ** 20;

export const etcdNoSpace: Fault = {
  name: 'etcd-no-space',
  fails: 'The database reaches its quota and etcd raises NOSPACE: reads and deletes only.',
  induced:
    'The quota is lowered by a rolling restart and filler is written until the alarm is raised; healed by deleting it, compacting, defragmenting each member and disarming.',
  expected:
    'Creates and updates fail with 500, reads and deletes go on; after recovery everything is as it was; and nothing acknowledged is lost.',
  observed: 'Write and read probes; alarms of etcd.',
  durationMs: 10_000,
  settleMs: 20_000,
  expectations: () => [
    {
      figure: 'readAvailability',
      atLeast: 0.9,
      because: 'reads are not touched; members restart and are defragmented one by one, 10 % for that',
    },
    { figure: 'wrongAnswers', atLeast: 1, because: 'writes have to fail while the alarm is raised' },
    {
      figure: 'recoveredAfterHealMs',
      atMost: SLACK_MS,
      because: 'healing ends with the alarm disarmed; slack 4 s',
    },
  ],
  async induce({ levers }, _settings, signal) {
    const sizes = await Promise.all(
      running(levers, 'etcd')
        .filter((name) => !isEvents(name))
        .map((name) => levers.etcd.status(name, signal)),
    );
    const quotaBytes = Math.max(...sizes.map(({ databaseBytes }) => databaseBytes)) + ROOM_BYTES;
    await levers.etcd.fillTo(quotaBytes, signal);
    return { targets: ['etcd'], heal: (healing) => levers.etcd.recoverSpace(healing) };
  },
};
