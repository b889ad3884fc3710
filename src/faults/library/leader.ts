/** What the faults of a leading controller have in common: who is hit, by which means, and what the lease then bounds. */
import type { Expectation } from '../observation/judge.ts';
import { RENEW_DEADLINE_MS, SLACK_MS, TAKEOVER_MS, TAKEOVER_SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { killAndHold, leaseHolder } from './targets.ts';

/** A controller that is led by the holder of a lease. */
export interface LedController {
  lease: 'controllerManager' | 'scheduler';
  changes: 'controllerManagerChanges' | 'schedulerChanges';
}

export const CONTROLLER_MANAGER: LedController = {
  lease: 'controllerManager',
  changes: 'controllerManagerChanges',
};
export const SCHEDULER: LedController = { lease: 'scheduler', changes: 'schedulerChanges' };

/** Bounds of a takeover by the standby; the lease may pass on at most so often. */
export function takeoverExpectations({ changes }: LedController, mostChanges: number): Expectation[] {
  return [
    {
      figure: changes,
      atMost: mostChanges,
      atLeast: 1,
      because: 'the standby takes the lease once it has run out',
    },
    {
      figure: 'podBoundMs',
      atMost: TAKEOVER_MS + 2_000 + TAKEOVER_SLACK_MS,
      because: 'lease 15 s, candidates look each 2-4.4 s; pods are made and bound within 2 s; slack 8 s',
    },
    {
      figure: 'wrongAnswers',
      atMost: 1,
      because: 'the API does not need controllers; one call in a minute is noise',
    },
    { figure: 'deploymentsStuck', atMost: 0, because: 'the standby works' },
  ];
}

/** Of a leader that wakes after its lease has passed on. */
export const WOKEN_EXPECTATION: Expectation = {
  figure: 'wokenLeaderMs',
  atMost: RENEW_DEADLINE_MS + SLACK_MS,
  because: 'a leader that cannot renew gives up after 10 s; slack 4 s',
};

/** Kills the holder and keeps it away until healed. */
export function killLeader({ lease }: LedController): Fault['induce'] {
  return async (world, _settings, signal) => {
    const name = await leaseHolder(world, lease, signal);
    return { targets: [name], heal: await killAndHold(world.levers, [name]) };
  };
}

/** Pauses the holder until healed; woken, it has to be ready again, which it may be only after a restart. */
export function pauseLeader({ lease }: LedController): Fault['induce'] {
  return async (world, _settings, signal) => {
    const { levers } = world;
    const name = await leaseHolder(world, lease, signal);
    levers.pause(name);
    return {
      targets: [name],
      heal: async (healing) => {
        levers.resume(name);
        await levers.awaitReady(name, healing);
      },
    };
  };
}
