/** What a run says of its pods: the startup of each kind and phase, and one record per pod. */
import type { Distribution, LimitWindow } from './run-result.ts';

export type PodKind = 'stateless' | 'stateful';
/** Names after ClusterLoader2's transitions. `pod_startup` = create sent → Running seen by the watcher. */
export type PodStartupPhase =
  | 'create_to_schedule'
  | 'schedule_to_kubelet'
  | 'kubelet_to_run'
  | 'run_to_watch'
  | 'schedule_to_watch'
  | 'schedule_to_run'
  | 'create_to_run'
  | 'pod_startup';

export interface PodStartup {
  kind: PodKind;
  phase: string;
  createdCount: number;
  /** Seen Running by the watcher. */
  startedCount: number;
  /** Never seen Running though they lived longer than the limit (or to the end): counted as over the limit. */
  neverStartedCount: number;
  /** Deleted younger than the limit and not yet Running: nothing can be said of them. */
  censoredCount: number;
  phases: Partial<Record<PodStartupPhase, Distribution>>;
  /** The slowest pods, slowest first; at most 20. Instants in ms since the start of the run, absent if never seen. */
  slowest: PodTimeline[];
  /** Server stamps (1 s grain) minus own watch, per pod; a health check of the clocks. Milliseconds. */
  serverClockDifferenceMs?: { count: number; minMs: number; medianMs: number; maxMs: number };
  /** `pod_startup` by 5-minute window of the pod's start, against the SLO limit. */
  windows?: LimitWindow[];
}

/** One pod's instants, in ms since the start of the run on the shared monotonic clock. */
export interface PodTimeline {
  namespace: string;
  name: string;
  node?: string;
  intendedMs?: number;
  sentMs?: number;
  createdMs?: number;
  scheduledMs?: number;
  kubeletSeenMs?: number;
  runningSentMs?: number;
  runningSeenMs?: number;
  /** Length of its init containers as the observer saw it; `pod_startup` is without it. */
  initMs?: number;
  deletedMs?: number;
  goneMs?: number;
}

/**
 * What can be said of a pod's startup: `started`; `never-started` (lived longer than the limit, or the run ended);
 * `censored` (deleted, or the run ended, before the limit had passed).
 */
export type PodOutcome = 'started' | 'never-started' | 'censored';

/** One line of pods.ndjson.gz. */
export interface PodRecord extends PodTimeline {
  phase: string;
  kind: PodKind;
  outcome: PodOutcome;
}
