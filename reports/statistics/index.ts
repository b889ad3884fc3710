export { type ShiftEstimate, shiftOfPairs, shiftOfSamples } from './hodges-lehmann.ts';
export { holm } from './holm.ts';
export { mannWhitney, mannWhitneyCdf, type RankTest, smallestMannWhitneyP } from './mann-whitney.ts';
export { type RankCorrelation, rankCorrelation } from './rank-correlation.ts';
export { median, medianAbsoluteDeviation, robustZ, SIGMA_PER_MAD } from './robust.ts';
export {
  countForAnswer,
  normalQuantile,
  type SampleSizeInput,
  standardDeviation,
} from './sample-size.ts';
export { minimumPairs, signedRank, signedRankCdf, smallestSignedRankP } from './signed-rank.ts';
