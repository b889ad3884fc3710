/**
 * How many runs it would take: the size at which a rank test would see an effect, or show that there is none, four
 * times out of five.
 *
 * n = ((z(1 - alpha / 2) + z(power)) * sd / distance)^2 / (3 / pi) + z(1 - alpha / 2)^2 / 2: the normal approximation
 * of the test of a mean, divided by the efficiency of the Wilcoxon tests for normal data, and Guenther's correction for
 * a deviation that must itself be estimated. An estimate from an estimate: `sd` comes from the runs there are, so with
 * few of them it is rough to either side.
 */

/** Efficiency of the Wilcoxon tests against the t-tests where the data are normal. */
const WILCOXON_EFFICIENCY = 3 / Math.PI;
const POWER = 0.8;

export interface SampleSizeInput {
  /** Standard deviation of one paired difference; for two samples, the root of the sum of both variances. */
  standardDeviation: number;
  /** What must be told from nothing: the effect itself, or what is left between it and the margin. Above 0. */
  distance: number;
  /** Two-sided level of the test, 0..1, exclusive. */
  alpha: number;
}

/** Pairs, or runs on each side, at which the chance of an answer is 80 %; Infinity where the distance is none. */
export function countForAnswer(input: SampleSizeInput): number {
  const { standardDeviation, distance, alpha } = input;
  if (distance <= 0) return Number.POSITIVE_INFINITY;
  const zAlpha = normalQuantile(1 - alpha / 2);
  const z = zAlpha + normalQuantile(POWER);
  return Math.ceil(((z * standardDeviation) / distance) ** 2 / WILCOXON_EFFICIENCY + zAlpha ** 2 / 2);
}

/** Standard deviation with n - 1; 0 for fewer than two values. */
export function standardDeviation(values: readonly number[]): number {
  if (values.length < 2) return 0;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1));
}

/** The value that a standard normal variable stays below with `probability` (0..1, exclusive). */
export function normalQuantile(probability: number): number {
  let low = -40;
  let high = 40;
  // Halving down to the grain of a double; called a few times per report.
  for (let i = 0; i < 80; i++) {
    const middle = (low + high) / 2;
    if (normalCdf(middle) < probability) low = middle;
    else high = middle;
  }
  return (low + high) / 2;
}

/** Marsaglia's series, Phi(x) = 1/2 + phi(x) (x + x^3/3 + x^5/(3*5) + ...): exact to rounding within 6 deviations. */
function normalCdf(x: number): number {
  if (x < -6) return 0;
  if (x > 6) return 1;
  let term = x;
  let sum = x;
  for (let k = 3; Math.abs(term) > 1e-17 * Math.abs(sum) && k < 400; k += 2) {
    term *= (x * x) / k;
    sum += term;
  }
  return 0.5 + (sum * Math.exp((-x * x) / 2)) / Math.sqrt(2 * Math.PI);
}
