/**
 * What held the run back, as far as the components say so themselves: client-side rate limiters of controller manager
 * and scheduler, Priority & Fairness, and processors. A throughput without its limiter invites wrong conclusions: the
 * controller manager's default of 20 calls per second is often taken for the API server's limit.
 */
import { formatMs, formatRatio } from '../../src/core/index.ts';
import { formatCount, type RunResult } from '../../src/result/index.ts';

/** Share of the run's length that a rate limiter's added waits must reach before it is named. */
const WAIT_SHARE_RATIO = 0.05;
/** Share of all processors that one component must use before it is named. */
const CPU_SHARE_RATIO = 0.5;

/** One sentence per limiter, the strongest sign first; empty when nothing was seen to limit. */
export function limiterLines(result: RunResult): string[] {
  return [...rateLimiters(result), ...priorityLevels(result), ...processors(result)];
}

function rateLimiters(result: RunResult): string[] {
  return result.server
    .filter((one) => (one.rateLimiterWaitSeconds ?? 0) * 1_000 >= WAIT_SHARE_RATIO * result.durationMs)
    .sort((a, b) => (b.rateLimiterWaitSeconds ?? 0) - (a.rateLimiterWaitSeconds ?? 0))
    .map((one) => {
      const waitMs = (one.rateLimiterWaitSeconds ?? 0) * 1_000;
      const count = one.rateLimiterWaitCount ?? 0;
      const mean = count === 0 ? '' : `, ${formatMs(waitMs / count)} a call`;
      return `${one.name} held its own calls back for ${formatMs(waitMs)} in total (client rate limit${mean})`;
    });
}

function priorityLevels(result: RunResult): string[] {
  return result.server.flatMap((component) =>
    (component.priorityLevels ?? [])
      .filter(
        (level) =>
          level.rejectedCount > 0 || level.waitSeconds * 1_000 >= WAIT_SHARE_RATIO * result.durationMs,
      )
      .map((level) => {
        const rejected = level.rejectedCount > 0 ? `rejected ${formatCount(level.rejectedCount)} and ` : '';
        return `${component.name}, priority level ${level.name}: ${rejected}queued requests for ${formatMs(level.waitSeconds * 1_000)} in total (Priority & Fairness)`;
      }),
  );
}

function processors(result: RunResult): string[] {
  const cpus = result.machine.cpuCount;
  const seconds = result.durationMs / 1_000;
  const lines = result.controlPlane.colocated
    ? result.server
        .filter((one) => one.cpuSeconds !== undefined && one.cpuSeconds / seconds >= CPU_SHARE_RATIO * cpus)
        .map(
          (one) =>
            `${one.name} used ${((one.cpuSeconds ?? 0) / seconds).toFixed(1)} of ${cpus} CPUs on average`,
        )
    : [];
  if (result.hostHealth.maxCpuRatio >= 0.95) {
    lines.push(`this machine’s CPUs were busy up to ${formatRatio(result.hostHealth.maxCpuRatio)}`);
  }
  return lines;
}
