/** Scales workloads of the load at a rate for a duration: the object whose turn it is gets the next of the counts. */
import { resourceLabel, type ScaleAction } from '../../src/config/index.ts';
import type { LiveObject } from '../objects/live-objects.ts';
import { arrivalPlan } from '../pacer/arrival-plan.ts';
import { ArrivalStream } from '../pacer/arrival-stream.ts';
import { pacingText } from '../pacer/pacing-text.ts';
import type { ActionContext, BegunAction } from './action.ts';
import { ObjectPatcher } from './object-patcher.ts';

export function beginScale(action: ScaleAction, context: ActionContext): BegunAction {
  const patcher = new ObjectPatcher(action.resource, 'scale', context);
  const { replicas } = action;
  /** How often each object has been scaled. */
  const scaledCounts = new WeakMap<LiveObject, number>();
  const bodyOf = (object: LiveObject) => {
    const scaledCount = scaledCounts.get(object) ?? 0;
    scaledCounts.set(object, scaledCount + 1);
    return JSON.stringify({ spec: { replicas: replicas[scaledCount % replicas.length] } });
  };
  const stream = new ArrivalStream({
    plan: arrivalPlan({
      ...action,
      limit: { durationMs: action.durationMs },
      seed: `${context.seed}/arrivals`,
    }),
    shard: context.shard,
    zeroUs: context.zeroUs,
    onArrival: (_index, dueUs) => patcher.patch(dueUs, bodyOf),
    onAbandoned: () => patcher.drop('stopped'),
    tally: context.tally,
  });
  return {
    streams: [stream],
    expectedPodCount: 0,
    description: `scale ${resourceLabel(action.resource)} to ${replicas.join(', ')} at ${pacingText(action)}`,
  };
}
