/** Creates a number of objects at a rate; they stay until clean-up. */
import { type CreateAction, objectsOfUnit, podsOfUnit } from '../../src/config/index.ts';
import { arrivalPlan } from '../pacer/arrival-plan.ts';
import { ArrivalStream } from '../pacer/arrival-stream.ts';
import { pacingText } from '../pacer/pacing-text.ts';
import { stripeLength } from '../pacer/stripe.ts';
import { type ActionContext, type BegunAction, unitText } from './action.ts';
import { ObjectWriter } from './object-writer.ts';

export function beginCreate(action: CreateAction, context: ActionContext): BegunAction {
  const { shard, zeroUs, tally } = context;
  // The objects of a unit are due at one instant: their streams fire in order, and none waits for the one before.
  const streams = objectsOfUnit(action.object).map((object) => {
    const writer = new ObjectWriter(object, context);
    return new ArrivalStream({
      plan: arrivalPlan({
        ...action,
        limit: { objectCount: action.objectCount },
        seed: `${context.seed}/arrivals`,
      }),
      shard,
      zeroUs,
      onArrival: (index, dueUs) => {
        writer.create(index, dueUs);
      },
      onAbandoned: () => writer.dropCreate(),
      tally,
    });
  });
  return {
    streams,
    expectedPodCount: stripeLength(action.objectCount, shard) * podsOfUnit(action.object),
    description: `create ${action.objectCount} ${unitText(action.object)} at ${pacingText(action)}`,
  };
}
