/** Creates a number of objects at a rate; they stay until clean-up. */
import { type CreateAction, resourceLabel } from '../../src/config/index.ts';
import { formatRate } from '../../src/core/index.ts';
import { arrivalPlan } from '../pacer/arrival-plan.ts';
import { ArrivalStream } from '../pacer/arrival-stream.ts';
import type { ActionContext, BegunAction } from './action.ts';
import { ObjectWriter } from './object-writer.ts';

export function beginCreate(action: CreateAction, context: ActionContext): BegunAction {
  const writer = new ObjectWriter(action.object, context);
  const stream = new ArrivalStream({
    plan: arrivalPlan({
      arrival: action.arrival,
      ratePerSecond: action.ratePerSecond,
      limit: { objectCount: action.objectCount },
      seed: `${context.seed}/arrivals`,
    }),
    shard: context.shard,
    zeroUs: context.zeroUs,
    onArrival: (index, dueUs) => {
      writer.create(index, dueUs);
    },
    onAbandoned: () => writer.dropCreate(),
    tally: context.tally,
  });
  const { podCount } = action.object;
  return {
    streams: [stream],
    expectedPodCount: stream.length * podCount,
    podsPerObject: podCount,
    description: `create ${action.objectCount} ${resourceLabel(action.object.resource)} at ${formatRate(action.ratePerSecond)}`,
  };
}
