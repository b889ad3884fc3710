/**
 * Middle and spread that a few wild values cannot move: the median and the median absolute deviation (MAD).
 *
 * 1.4826 times the MAD estimates the standard deviation of normal data. A history of almost equal values would make
 * anything an outlier, so the MAD has a floor, which the caller chooses in the unit of the values.
 */

/** Standard deviations per MAD for normal data: 1 / Φ⁻¹(0.75). */
export const SIGMA_PER_MAD = 1.4826;

/** Median; the mean of the two middle values where their number is even. @throws RangeError without any */
export function median(values: readonly number[]): number {
  if (values.length === 0) throw new RangeError('median needs a value');
  return medianOfSorted([...values].sort((a, b) => a - b));
}

/** As median(), of values in ascending order; NaN without any. */
export function medianOfSorted(sorted: readonly number[]): number {
  const half = sorted.length / 2;
  const upper = sorted[Math.floor(half)] ?? Number.NaN;
  if (!Number.isInteger(half)) return upper;
  return ((sorted[half - 1] ?? Number.NaN) + upper) / 2;
}

/** Median absolute deviation from the median. @throws RangeError without any */
export function medianAbsoluteDeviation(values: readonly number[]): number {
  const middle = median(values);
  return median(values.map((value) => Math.abs(value - middle)));
}

/** How many robust standard deviations `value` lies above the median of `history`; the MAD is at least `madFloor`. */
export function robustZ(value: number, history: readonly number[], madFloor: number): number {
  const mad = Math.max(medianAbsoluteDeviation(history), madFloor);
  const distance = value - median(history);
  // Without spread and without floor any distance at all is infinitely far.
  return distance === 0 ? 0 : distance / (SIGMA_PER_MAD * mad);
}
