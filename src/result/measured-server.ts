/** What a component of the control plane said of the measured phases alone: where a run's limiter is looked for. */

/** Growth between the scrapes at the borders of the measured phases. */
export interface MeasuredServer {
  /** Between those scrapes. */
  durationMs: number;
  cpuSeconds?: number;
  /** Processors that the process may use (GOMAXPROCS). */
  maxCpuCount?: number;
  /** Clients of the API server: time their own rate limiter held requests back. */
  rateLimiterWaitSeconds?: number;
  rateLimiterWaitCount?: number;
  /** kube-apiserver only; levels that did nothing are left out. */
  priorityLevels?: { name: string; dispatchedCount: number; rejectedCount: number; waitSeconds: number }[];
  /** Seconds of work that the component does one at a time, by metric: at most `durationMs`. */
  serialSeconds: Record<string, number>;
}
