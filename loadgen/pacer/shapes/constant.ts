/** Arrivals spaced as evenly as the rate allows: due where the integral of the rate reaches the index, the first at once. */
import type { ArrivalPlan, ArrivalSpec } from '../arrival-plan.ts';
import { intensityOf, type Rates } from '../intensity.ts';

// A duration that is a whole number of intervals must not gain one arrival by rounding of the product.
const ROUNDING_SLACK = 1e-9;

export function constantPlan(spec: ArrivalSpec): ArrivalPlan {
  const { limit } = spec;
  const intensity = intensityOf(spec);
  const count = 'objectCount' in limit ? limit.objectCount : arrivalCount(spec, limit.durationMs);
  return { count: Math.max(0, count), dueUs: (index) => intensity.usAt(index) };
}

/** Arrivals that constant spacing has in `durationMs`; of a Poisson process, their mean but for a fraction of one. */
export function arrivalCount(rates: Rates, durationMs: number): number {
  const integral = intensityOf(rates).countAt(durationMs * 1_000);
  return Math.max(0, Math.ceil(integral - ROUNDING_SLACK * Math.max(1, integral)));
}
