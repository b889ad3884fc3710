/** Figures in words, one way in all reports. */
import { formatUs } from '../../src/core/index.ts';
import type { DistributionSummary, PodStartupPhase, RunResult } from '../../src/result/index.ts';

/** A percentile, or a dash where there are no samples. */
export function formatPercentile(summary: DistributionSummary, name: PercentileName): string {
  return summary.count === 0 ? '–' : formatUs(summary[name]);
}
export type PercentileName = 'p50Us' | 'p90Us' | 'p95Us' | 'p99Us' | 'p999Us' | 'maxUs' | 'minUs' | 'meanUs';

/** `2m 05s`, `48 s`. */
export function formatLength(ms: number): string {
  const seconds = Math.round(ms / 1_000);
  if (seconds < 120) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes}m ${String(seconds % 60).padStart(2, '0')}s`;
  return `${Math.floor(minutes / 60)}h ${String(minutes % 60).padStart(2, '0')}m`;
}

/** `+62.0 s`: an instant, counted from the start of the run. */
export function formatInstant(ms: number | undefined): string {
  return ms === undefined ? '–' : `+${(ms / 1_000).toFixed(ms < 100_000 ? 2 : 1)} s`;
}

/** Pod startup phases in their order, with what each spans. */
export const STARTUP_PHASES: readonly { phase: PodStartupPhase; label: string; part: boolean }[] = [
  { phase: 'create_to_schedule', label: 'create sent → node assigned', part: true },
  { phase: 'schedule_to_kubelet', label: 'node assigned → kubelet saw the pod', part: true },
  { phase: 'kubelet_to_run', label: 'kubelet saw the pod → Running sent', part: true },
  { phase: 'run_to_watch', label: 'Running sent → Running watched', part: true },
  { phase: 'schedule_to_watch', label: 'node assigned → Running watched', part: false },
  { phase: 'schedule_to_run', label: 'node assigned → Running sent', part: false },
  { phase: 'create_to_run', label: 'create sent → Running sent', part: false },
  { phase: 'pod_startup', label: 'pod startup: create sent → Running watched', part: false },
];

/** Arguments as a shell takes them back. */
export function shellCommand(words: readonly string[]): string {
  return words
    .map((word) => (/^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`))
    .join(' ');
}

/** `v1.36.3, local, production-like, etcd 3.6.16, built by go1.26.1`. */
export function describeCluster(result: RunResult): string {
  const { controlPlane } = result;
  const { provenance } = controlPlane;
  return [
    `Kubernetes ${controlPlane.kubernetesVersion}`,
    controlPlane.provider,
    controlPlane.profile,
    ...(provenance.etcdVersion === undefined ? [] : [`etcd ${provenance.etcdVersion.replace(/^v/, '')}`]),
    provenance.goVersion === undefined ? provenance.source : `${provenance.source} (${provenance.goVersion})`,
  ].join(', ');
}

/** Sentence on how the run ended, or undefined when it ran to its end. */
export function describeEnd(result: RunResult): string | undefined {
  if (result.state === 'completed') return undefined;
  const word = result.state === 'interrupted' ? 'interrupted' : 'failed';
  return `The run was ${result.state === 'interrupted' ? '' : 'not completed: it '}${word}${
    result.reason === undefined ? '' : ` (${result.reason})`
  }; what was recorded until then is shown.`;
}
