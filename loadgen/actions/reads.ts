/**
 * A weighted mix of GETs and LISTs at a rate for a duration. Which read an arrival makes, and in which namespace, is
 * decided by its index; which object a GET asks for, by what is known to exist at that moment.
 */
import type { ReadsAction } from '../../src/config/index.ts';
import { hash32 } from '../../src/core/index.ts';
import { arrivalPlan } from '../pacer/arrival-plan.ts';
import { ArrivalStream } from '../pacer/arrival-stream.ts';
import { indexUniform } from '../pacer/index-random.ts';
import { pacingText } from '../pacer/pacing-text.ts';
import type { ActionContext, BegunAction } from './action.ts';
import { makeReader, type Reader } from './reader.ts';

export function beginReads(action: ReadsAction, context: ActionContext): BegunAction {
  const readers = action.mix.map((template) => makeReader(template, context));
  const choiceSeed = hash32(`${context.seed}/mix`);
  const readerAt = weightedChoice(
    readers,
    action.mix.map((template) => template.weight),
  );
  const stream = new ArrivalStream({
    plan: arrivalPlan({
      ...action,
      limit: { durationMs: action.durationMs },
      seed: `${context.seed}/arrivals`,
    }),
    shard: context.shard,
    zeroUs: context.zeroUs,
    onArrival: (index, dueUs) => readerAt(indexUniform(choiceSeed, index)).read(index, dueUs),
    onAbandoned: (index) => readerAt(indexUniform(choiceSeed, index)).drop('stopped'),
    tally: context.tally,
  });
  const parts = action.mix.map(({ verb, resource, weight }) => `${verb} ${resource.plural} ${weight}`);
  return {
    streams: [stream],
    expectedPodCount: 0,
    description: `read at ${pacingText(action)}: ${parts.join(', ')}`,
  };
}

/** Picks by a number in [0, 1): each reader as often as its weight says. */
function weightedChoice(readers: readonly Reader[], weights: readonly number[]): (uniform: number) => Reader {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  let sum = 0;
  const edges = weights.map((weight) => {
    sum += weight;
    return sum / total;
  });
  const last = readers.at(-1);
  if (last === undefined) throw new RangeError('a read mix needs at least one read');
  return (uniform) => readers[edges.findIndex((edge) => uniform < edge)] ?? last;
}
