/** Updates objects of the load at a rate for a duration: each arrival patches the one whose turn it is. */
import { resourceLabel, type UpdateAction } from '../../src/config/index.ts';
import { compilePatch } from '../objects/compiled-template.ts';
import { arrivalPlan } from '../pacer/arrival-plan.ts';
import { ArrivalStream } from '../pacer/arrival-stream.ts';
import { pacingText } from '../pacer/pacing-text.ts';
import type { ActionContext, BegunAction } from './action.ts';
import { ObjectPatcher } from './object-patcher.ts';

export function beginUpdate(action: UpdateAction, context: ActionContext): BegunAction {
  const patcher = new ObjectPatcher(action.resource, '', context);
  const patchAt = compilePatch(action.patch, context);
  const stream = new ArrivalStream({
    plan: arrivalPlan({
      ...action,
      limit: { durationMs: action.durationMs },
      seed: `${context.seed}/arrivals`,
    }),
    shard: context.shard,
    zeroUs: context.zeroUs,
    onArrival: (index, dueUs) => patcher.patch(dueUs, (object) => patchAt(index, object)),
    onAbandoned: () => patcher.drop('stopped'),
    tally: context.tally,
  });
  return {
    streams: [stream],
    expectedPodCount: 0,
    description: `${action.rolls ? 'roll' : 'update'} ${resourceLabel(action.resource)} at ${pacingText(action)}`,
  };
}
