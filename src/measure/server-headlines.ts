/**
 * Which metrics of the control plane are read beside the SLI, and how each becomes figures: names as Kubernetes 1.36
 * and etcd 3.6 export them. A name that a component does not export is simply absent from its figures.
 */

/**
 * `counter`: growth. `gauge`: largest value seen. `histogram`: `_count`, `_mean` and `_p99_le` (the upper edge of the
 * bucket that holds the 99th percentile), in the metric's own unit.
 */
export interface Headline {
  metric: string;
  kind: 'counter' | 'gauge' | 'histogram';
  /** Figures by value of this label; others are summed (gauges: the largest sum). */
  by?: string;
}

export const SLI_METRIC = 'apiserver_request_sli_duration_seconds';
export const APF_DISPATCHED = 'apiserver_flowcontrol_dispatched_requests_total';
export const APF_REJECTED = 'apiserver_flowcontrol_rejected_requests_total';
export const APF_WAIT_SUM = 'apiserver_flowcontrol_request_wait_duration_seconds_sum';
export const RATE_LIMITER = 'rest_client_rate_limiter_duration_seconds';
export const CPU_SECONDS = 'process_cpu_seconds_total';
export const RSS_BYTES = 'process_resident_memory_bytes';
export const GOROUTINES = 'go_goroutines';
export const START_TIME = 'process_start_time_seconds';
/** GOMAXPROCS. */
export const CPU_LIMIT = 'go_sched_gomaxprocs_threads';

export const HEADLINES: readonly Headline[] = [
  // kube-apiserver
  { metric: 'apiserver_request_total', kind: 'counter', by: 'code' },
  { metric: 'apiserver_request_terminations_total', kind: 'counter' },
  { metric: 'apiserver_current_inflight_requests', kind: 'gauge', by: 'request_kind' },
  { metric: 'apiserver_longrunning_requests', kind: 'gauge', by: 'verb' },
  { metric: 'apiserver_terminated_watchers_total', kind: 'counter' },
  { metric: 'apiserver_watch_events_total', kind: 'counter' },
  { metric: 'apiserver_watch_cache_events_received_total', kind: 'counter' },
  { metric: 'apiserver_watch_cache_initializations_total', kind: 'counter' },
  { metric: 'apiserver_watch_cache_consistent_read_total', kind: 'counter', by: 'success' },
  { metric: 'apiserver_watch_cache_read_wait_seconds', kind: 'histogram' },
  { metric: 'etcd_request_duration_seconds', kind: 'histogram', by: 'operation' },
  { metric: 'apiserver_resource_objects', kind: 'gauge', by: 'resource' },
  { metric: 'apiserver_tls_handshake_errors_total', kind: 'counter' },
  // kube-scheduler
  { metric: 'scheduler_schedule_attempts_total', kind: 'counter', by: 'result' },
  { metric: 'scheduler_scheduling_algorithm_duration_seconds', kind: 'histogram' },
  { metric: 'scheduler_scheduling_attempt_duration_seconds', kind: 'histogram', by: 'result' },
  { metric: 'scheduler_pod_scheduling_sli_duration_seconds', kind: 'histogram' },
  { metric: 'scheduler_pending_pods', kind: 'gauge', by: 'queue' },
  // kube-controller-manager
  { metric: 'workqueue_depth', kind: 'gauge', by: 'name' },
  { metric: 'workqueue_adds_total', kind: 'counter', by: 'name' },
  { metric: 'node_collector_evictions_total', kind: 'counter' },
  { metric: 'node_collector_unhealthy_nodes_in_zone', kind: 'gauge' },
  // etcd
  { metric: 'etcd_server_leader_changes_seen_total', kind: 'counter' },
  { metric: 'etcd_server_proposals_committed_total', kind: 'counter' },
  { metric: 'etcd_server_proposals_failed_total', kind: 'counter' },
  { metric: 'etcd_server_slow_apply_total', kind: 'counter' },
  { metric: 'etcd_disk_wal_fsync_duration_seconds', kind: 'histogram' },
  { metric: 'etcd_disk_backend_commit_duration_seconds', kind: 'histogram' },
  { metric: 'etcd_mvcc_db_total_size_in_bytes', kind: 'gauge' },
  { metric: 'etcd_mvcc_db_total_size_in_use_in_bytes', kind: 'gauge' },
  { metric: 'etcd_debugging_mvcc_keys_total', kind: 'gauge' },
  // clients of the API server
  { metric: 'rest_client_requests_total', kind: 'counter', by: 'code' },
];

/** Names of all samples that are looked at. */
export const WANTED_SAMPLES: ReadonlySet<string> = new Set([
  ...[SLI_METRIC, RATE_LIMITER].flatMap(histogramSamples),
  ...[APF_DISPATCHED, APF_REJECTED, APF_WAIT_SUM, CPU_SECONDS, RSS_BYTES, GOROUTINES, START_TIME, CPU_LIMIT],
  ...HEADLINES.flatMap(({ metric, kind }) => (kind === 'histogram' ? histogramSamples(metric) : [metric])),
]);

/** Samples whose largest value counts; all others grow. */
export const GAUGE_SAMPLES: ReadonlySet<string> = new Set([
  RSS_BYTES,
  GOROUTINES,
  CPU_LIMIT,
  ...HEADLINES.filter(({ kind }) => kind === 'gauge').map(({ metric }) => metric),
]);

function histogramSamples(metric: string): string[] {
  return [`${metric}_bucket`, `${metric}_sum`, `${metric}_count`];
}

/**
 * Metrics that a component exports only once what they count has happened, by component: until then they are absent
 * from its page. Every other name is there from the start. A test holds both against the real programs.
 */
export const LOAD_ONLY_METRICS: Readonly<Record<string, readonly string[]>> = {
  'kube-apiserver': [
    APF_REJECTED,
    'apiserver_request_terminations_total',
    'apiserver_terminated_watchers_total',
  ],
  'kube-controller-manager': ['node_collector_evictions_total', 'node_collector_unhealthy_nodes_in_zone'],
};
