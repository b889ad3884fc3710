/** The database of etcd is full. */
import { formatBytes } from '../../core/index.ts';
import { SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { isEvents, running } from './targets.ts';

/** Room that the filler takes: enough for it to be the filler that raises the alarm. */
const ROOM_BYTES = 8 * 2 ** 20;
/** A quota that is no farther away than this is filled as it is: a few seconds of writing. */
const NEAR_BYTES = 96 * 2 ** 20;

export const etcdNoSpace: Fault = {
  name: 'etcd-no-space',
  fails: 'The database reaches its quota and etcd raises NOSPACE: reads and deletes only.',
  induced:
    'The quota is lowered by a rolling restart, unless it is near, and filler is written until the alarm is raised; healed by deleting it, compacting, defragmenting each member and disarming.',
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
    { figure: 'alarmsRaised', atLeast: 1, because: 'the database is as large as its quota' },
    { figure: 'alarmsLeft', atMost: 0, because: 'alarms are disarmed once there is room' },
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
    const usedBytes = Math.max(...sizes.map(({ databaseBytes }) => databaseBytes));
    const presentBytes = levers.etcd.quotaBytes();
    const isNear = presentBytes - usedBytes <= NEAR_BYTES;
    const filledBytes = await levers.etcd.fillTo(isNear ? presentBytes : usedBytes + ROOM_BYTES, signal);
    const raised = await levers.etcd.alarms(signal);
    let leftCount = Number.NaN;
    return {
      targets: ['etcd'],
      heal: async (healing) => {
        await levers.etcd.recoverSpace(healing);
        leftCount = (await levers.etcd.alarms(healing)).length;
      },
      findings: () => [
        {
          name: 'alarms-raised',
          value: raised.filter(({ alarm }) => alarm === 'NOSPACE').length,
          text: `NOSPACE alarms, with a database of ${formatBytes(filledBytes)}`,
        },
        { name: 'alarms-left', value: leftCount, text: 'alarms after recovery' },
      ],
    };
  },
};
