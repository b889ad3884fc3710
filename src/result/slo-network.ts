/**
 * Network programming latency against ClusterLoader2's limit. The SLI has no official limit (its SLO reads "<= X"), so
 * the check is shown in client-slo and decides nothing; a suite that wants it to decide writes a threshold.
 *
 * Source: kubernetes/community sig-scalability/slos/network_programming_latency.md; kubernetes/perf-tests
 * clusterloader2/testing/load, threshold of NetworkProgrammingLatency.
 */
import { formatUs } from '../core/index.ts';
import { LatencyHistogram } from './histogram.ts';
import { formatCount, formatEdge, formatQuantile, judgeQuantile } from './quantiles.ts';
import type { NetworkProgramming, PhaseResult, SloCheck } from './run-result.ts';
import { SLO_NAME } from './slo-rules.ts';

/** What ClusterLoader2's load test holds it against, in milliseconds. */
export const NETWORK_PROGRAMMING_LIMIT_MS = 30_000;

export interface NetworkSloInput {
  phases: readonly Pick<PhaseResult, 'name' | 'measured'>[];
  /** Absent: the run was of a version that did not measure it. */
  networkProgramming?: readonly NetworkProgramming[];
}

/** One check over all measured phases; none where no proxy had anything to program. */
export function networkChecks(input: NetworkSloInput, quantile: number): SloCheck[] {
  const measured = new Set(input.phases.filter((phase) => phase.measured).map((phase) => phase.name));
  const samples = LatencyHistogram.merged(
    (input.networkProgramming ?? [])
      .filter(({ phase }) => measured.has(phase))
      .map(({ programming }) => LatencyHistogram.fromDistribution(programming)),
  );
  if (samples.count === 0) return [];
  const limitUs = NETWORK_PROGRAMMING_LIMIT_MS * 1_000;
  const overLimitCount = samples.countAbove(limitUs);
  const valueUs = samples.percentile(quantile);
  return [
    {
      kind: 'client-slo',
      slo: SLO_NAME.networkProgramming,
      subject: 'all hollow proxies',
      phase: measured.size === 1 ? ([...measured][0] ?? '') : '',
      state: judgeQuantile(samples.count, overLimitCount, quantile),
      sampleCount: samples.count,
      quantile,
      limitUs,
      valueUs,
      overLimitCount,
      informational: true,
      text: `network programming: ${formatQuantile(quantile)} ${formatUs(valueUs)} of ${formatCount(samples.count)} changes on nodes, limit ${formatEdge(limitUs)} is ClusterLoader2's: shown, not judged`,
    },
  ];
}
