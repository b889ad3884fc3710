/** What the faults of a leading controller have in common: who is hit, by which means, and what the lease then bounds. */
import { formatMs } from '../../core/index.ts';
import type { Expectation } from '../observation/judge.ts';
import { SLACK_MS, TAKEOVER_SLACK_MS } from './bounds.ts';
import type { Fault } from './fault.ts';
import { killAndHold, leaseHolder } from './targets.ts';
import { type LeaseTimings, type Timings, takeoverMs } from './timings.ts';

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
export function takeoverExpectations(
  { lease, changes }: LedController,
  mostChanges: number,
  timings: Timings,
): Expectation[] {
  return [
    {
      figure: changes,
      atMost: mostChanges,
      atLeast: 1,
      because: 'the standby takes the lease once it has run out',
    },
    podBoundExpectation([timings[lease]]),
    {
      figure: 'wrongAnswers',
      atMost: 1,
      because: 'the API does not need controllers; one call in a minute is noise',
    },
    { figure: 'deploymentsStuck', atMost: 0, because: 'the standby works' },
  ];
}

/** Of a leader that wakes after its lease has passed on. */
export function wokenExpectation({ renewMs }: LeaseTimings): Expectation {
  return {
    figure: 'wokenLeaderMs',
    atMost: renewMs + SLACK_MS,
    because: `a leader that cannot renew gives up after ${formatMs(renewMs)}; slack 4 s`,
  };
}

/** A Deployment has to wait for the later of the takeovers, and then to be made and bound. */
export function podBoundExpectation(leases: readonly LeaseTimings[]): Expectation {
  const { leaseMs, retryMs } = leases.reduce((a, b) => (takeoverMs(b) > takeoverMs(a) ? b : a));
  return {
    figure: 'podBoundMs',
    atMost: takeoverMs({ leaseMs, retryMs }) + 2_000 + TAKEOVER_SLACK_MS,
    because: `lease ${formatMs(leaseMs)}, candidates look each ${formatMs(retryMs)} to ${formatMs(2.2 * retryMs)}; pods are made and bound within 2 s; slack 8 s`,
  };
}

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
