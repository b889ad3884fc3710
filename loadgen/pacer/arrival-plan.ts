/**
 * When each arrival of an action is due: pure arithmetic on the index, no clock. A shape of arrivals is one file
 * under shapes/ and one line here.
 */
import type { Arrival } from '../../src/config/index.ts';
import { constantPlan } from './shapes/constant.ts';
import { poissonPlan } from './shapes/poisson.ts';

/** What an action asks of its shape: a rate, and either a number of arrivals or a length. */
export interface ArrivalSpec {
  arrival: Arrival;
  /** > 0 */
  ratePerSecond: number;
  limit: { objectCount: number } | { durationMs: number };
  /** Belongs to the action alone: the same seed gives the same plan on every shard. */
  seed: string;
}

/** The arrivals 0..count-1 of a whole action, over all shards. */
export interface ArrivalPlan {
  readonly count: number;
  /**
   * Microseconds from the start of the phase to arrival `index`; not decreasing in `index`. Cheap when asked in
   * ascending order.
   */
  dueUs(index: number): number;
}

const SHAPES: Readonly<Record<Arrival, (spec: ArrivalSpec) => ArrivalPlan>> = {
  constant: constantPlan,
  poisson: poissonPlan,
};

/** The plan of `spec`. Plans keep a cursor: two readers take two plans. */
export function arrivalPlan(spec: ArrivalSpec): ArrivalPlan {
  return SHAPES[spec.arrival](spec);
}
