/** Evenly spaced arrivals: due = index / rate, the first at once. */
import type { ArrivalPlan, ArrivalSpec } from '../arrival-plan.ts';

// A duration that is a whole number of intervals must not gain one arrival by rounding of the product.
const ROUNDING_SLACK = 1e-9;

export function constantPlan(spec: ArrivalSpec): ArrivalPlan {
  const { limit, ratePerSecond } = spec;
  const count =
    'objectCount' in limit
      ? limit.objectCount
      : Math.ceil((ratePerSecond * limit.durationMs) / 1_000 - ROUNDING_SLACK);
  return { count: Math.max(0, count), dueUs: (index) => (index * 1_000_000) / ratePerSecond };
}
