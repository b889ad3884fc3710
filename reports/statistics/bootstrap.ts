/**
 * Percentile bootstrap: how much a figure would vary if the runs were drawn again, from the runs there are.
 *
 * Too narrow for very few values (below about ten); the rank tests' intervals are exact there. Seeded, so that a
 * report is the same each time it is written.
 */
import { seededRandom } from '../../src/core/index.ts';

export interface BootstrapInterval {
  estimate: number;
  low: number;
  high: number;
}

export interface BootstrapOptions {
  seed: string | number;
  /** 0..1, exclusive. @default 0.95 */
  confidence?: number;
  /** @default 2,000 */
  resampleCount?: number;
}

/** Interval of `figure` over resamples of `values`. @throws RangeError without values */
export function bootstrap(
  values: readonly number[],
  figure: (sample: readonly number[]) => number,
  options: BootstrapOptions,
): BootstrapInterval {
  if (values.length === 0) throw new RangeError('bootstrap needs a value');
  const { seed, confidence = 0.95, resampleCount = 2_000 } = options;
  const random = seededRandom(seed);
  const figures: number[] = [];
  const sample = new Array<number>(values.length).fill(0);
  for (let i = 0; i < resampleCount; i++) {
    for (let j = 0; j < sample.length; j++) sample[j] = values[random.integer(values.length)] ?? 0;
    figures.push(figure(sample));
  }
  figures.sort((a, b) => a - b);
  // Nearest ranks: no value that no resample had.
  const at = (quantile: number) =>
    figures[Math.min(figures.length, Math.max(1, Math.ceil(quantile * figures.length))) - 1] ?? Number.NaN;
  return { estimate: figure(values), low: at((1 - confidence) / 2), high: at((1 + confidence) / 2) };
}
