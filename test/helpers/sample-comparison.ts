/** Synthetic runs for comparisons: a true slow-down and run-to-run noise of known size, seeded. */
import { type Random, seededRandom } from '../../src/core/index.ts';
import { LatencyHistogram, type RunResult } from '../../src/result/index.ts';
import { callSeries, podStartup, runResult } from './results.ts';

export interface SyntheticSide {
  /** True factors on the durations of mutating calls, of reads, and of pod startup; 1 is no change. */
  mutating?: number;
  reads?: number;
  pods?: number;
}

/** Run-to-run noise: standard deviation of the logarithm of a run's durations. */
export const DEFAULT_NOISE = 0.05;

/** One run; `shared` is noise that both runs of a pair have in common, such as the hour of the day. */
export function syntheticRun(
  runId: string,
  random: Random,
  side: SyntheticSide = {},
  options: { noise?: number; shared?: number; rest?: Partial<RunResult> } = {},
): RunResult {
  const { noise = DEFAULT_NOISE, shared = 0, rest = {} } = options;
  const factor = (truth: number) => truth * Math.exp(shared + noise * random.normal());
  const calls = (us: number, truth: number, key: Parameters<typeof callSeries>[1]) =>
    callSeries(spread(us * factor(truth), 400), key);
  return runResult({
    runId,
    series: [
      calls(8_000, side.mutating ?? 1, { verb: 'create', resource: 'pods' }),
      calls(3_000, side.reads ?? 1, { verb: 'get', resource: 'pods' }),
      calls(20_000, side.reads ?? 1, { verb: 'list', resource: 'pods', scope: 'namespace' }),
    ],
    podStartup: [podStartup(spread(1_200_000 * factor(side.pods ?? 1), 400))],
    server: [],
    ...rest,
  });
}

/** Runs of both sides, pair by pair. */
export function syntheticPairs(
  count: number,
  seed: string,
  b: SyntheticSide,
  options: {
    noise?: number;
    sharedNoise?: number;
    restA?: Partial<RunResult>;
    restB?: Partial<RunResult>;
  } = {},
): { a: RunResult[]; b: RunResult[] } {
  const random = seededRandom(seed);
  const sides: { a: RunResult[]; b: RunResult[] } = { a: [], b: [] };
  for (let i = 1; i <= count; i++) {
    const shared = (options.sharedNoise ?? 0.1) * random.normal();
    const noise = options.noise === undefined ? {} : { noise: options.noise };
    const common = { ...noise, shared };
    sides.a.push(syntheticRun(`a-${i}`, random, {}, { ...common, rest: options.restA ?? {} }));
    sides.b.push(syntheticRun(`b-${i}`, random, b, { ...common, rest: options.restB ?? {} }));
  }
  return sides;
}

/** `count` samples around `us` with a tail: every quantile scales with `us`. */
function spread(us: number, count: number): LatencyHistogram {
  const histogram = new LatencyHistogram();
  for (let i = 0; i < count; i++) histogram.record(us * (0.7 - 0.35 * Math.log(1 - (i + 0.5) / count)));
  return histogram;
}
