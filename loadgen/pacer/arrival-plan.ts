/**
 * When each arrival of an action is due: pure arithmetic on the index, no clock. What the rate does over time is an
 * intensity; how arrivals lie on it is one file under shapes/ and one line here.
 */
import type { ActionPacing, Arrival } from '../../src/config/index.ts';
import { constantPlan } from './shapes/constant.ts';
import { poissonPlan } from './shapes/poisson.ts';

/** What an action asks of its schedule: rates, and either a number of arrivals or a length. */
export interface ArrivalSpec extends ActionPacing {
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

const PROCESSES: Readonly<Record<Arrival, (spec: ArrivalSpec) => ArrivalPlan>> = {
  constant: constantPlan,
  poisson: poissonPlan,
};

/** The plan of `spec`. Plans keep a cursor: two readers take two plans. */
export function arrivalPlan(spec: ArrivalSpec): ArrivalPlan {
  return PROCESSES[spec.arrival](spec);
}
