/** Distributions of several series or phases, taken together: their histograms are added, never their percentiles. */
import { type Distribution, emptyDistribution, LatencyHistogram } from '../../src/result/index.ts';

/** The distribution of all samples of `all`; the only non-empty one itself where there is just one. */
export function mergeDistributions(all: readonly Distribution[]): Distribution {
  const filled = all.filter((one) => one.summary.count > 0);
  const [only] = filled;
  if (only === undefined) return emptyDistribution();
  if (filled.length === 1) return only;
  return LatencyHistogram.merged(filled.map((one) => LatencyHistogram.fromDistribution(one))).distribution();
}
