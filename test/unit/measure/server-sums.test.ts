import { describe, expect, it } from 'vitest';
import { ServerSums } from '../../../src/measure/server-sums.ts';

interface Page {
  startedAt?: number;
  cpu?: number;
  rss?: number;
  /** Calls that took 10 ms, 700 ms and 90 s. */
  calls?: readonly [number, number, number];
  version?: string;
  extra?: string;
}

/** A page as an API server writes it, with three buckets. */
function page({ startedAt = 100, cpu = 0, rss = 0, calls, version = 'v1', extra = '' }: Page): string {
  const lines = [
    `process_start_time_seconds ${startedAt}`,
    `process_cpu_seconds_total ${cpu}`,
    `process_resident_memory_bytes ${rss}`,
  ];
  if (calls !== undefined) {
    const labels = `component="apiserver",group="",resource="pods",scope="resource",subresource="",verb="POST",version="${version}"`;
    const metric = 'apiserver_request_sli_duration_seconds';
    const [fast, middling, slow] = calls;
    lines.push(
      `${metric}_bucket{${labels},le="0.05"} ${fast}`,
      `${metric}_bucket{${labels},le="1"} ${fast + middling}`,
      `${metric}_bucket{${labels},le="+Inf"} ${fast + middling + slow}`,
      `${metric}_sum{${labels}} ${fast * 0.01 + middling * 0.7 + slow * 90}`,
      `${metric}_count{${labels}} ${fast + middling + slow}`,
    );
  }
  return `${lines.join('\n')}\n${extra}`;
}

function sumsOf(pages: readonly (Page & { measured?: boolean })[]) {
  const sums = new ServerSums();
  for (const { measured = true, ...one } of pages) sums.add(page(one), measured, 10_000);
  return sums.figures();
}

describe('server figures', () => {
  it('are the growth between the first and the last scrape', () => {
    const figures = sumsOf([
      { cpu: 10, rss: 5, calls: [1_000, 50, 5] },
      { cpu: 12, rss: 9, calls: [1_400, 60, 5] },
      { cpu: 13, rss: 7, calls: [1_500, 60, 6] },
    ]);
    expect(figures).toMatchObject({ scrapeCount: 3, cpuSeconds: 3, maxRssBytes: 9 });
    expect(figures).not.toHaveProperty('restartCount');
    expect(figures.sli).toEqual([
      {
        verb: 'POST',
        resource: 'pods',
        group: '',
        subresource: '',
        scope: 'resource',
        count: 511,
        sumSeconds: expect.closeTo(500 * 0.01 + 10 * 0.7 + 90, 6),
        buckets: [
          { leSeconds: 0.05, count: 500 },
          { leSeconds: 1, count: 510 },
          { leSeconds: null, count: 511 },
        ],
      },
    ]);
  });

  it('say nothing of growth after one scrape', () => {
    const figures = sumsOf([{ cpu: 10, rss: 5, calls: [1_000, 50, 5] }]);
    expect(figures).toMatchObject({ scrapeCount: 1, maxRssBytes: 5 });
    expect(figures).not.toHaveProperty('sli');
    expect(figures).not.toHaveProperty('cpuSeconds');
  });

  it('count a restart by the start time, though counters have overtaken their old values', () => {
    const figures = sumsOf([
      { startedAt: 100, cpu: 10, calls: [10, 0, 0] },
      { startedAt: 200, cpu: 15, calls: [30, 0, 0] },
    ]);
    expect(figures).toMatchObject({ restartCount: 1, cpuSeconds: 15 });
    expect(figures.sli?.[0]?.count).toBe(30);
  });

  it('never shrink where a single counter went down', () => {
    const figures = sumsOf([
      { cpu: 1, calls: [100, 0, 0] },
      { cpu: 2, calls: [7, 0, 0] },
    ]);
    expect(figures.sli?.[0]?.count).toBe(7);
  });

  it('leave unmeasured intervals out of the SLI and in everything else', () => {
    const figures = sumsOf([
      { cpu: 0, calls: [0, 0, 0] },
      { cpu: 5, calls: [100, 0, 0], measured: false },
      { cpu: 9, calls: [130, 0, 0], measured: true },
    ]);
    expect(figures.sli?.[0]?.count).toBe(30);
    expect(figures.cpuSeconds).toBe(9);
  });

  it('add up versions of a resource and fill in edges that only one of them reached', () => {
    const sums = new ServerSums();
    sums.add(page({}), true, 0);
    sums.add(page({ calls: [0, 3, 0] }) + page({ calls: [2, 0, 0], version: 'v2' }), true, 1_000);
    expect(sums.figures().sli?.[0]).toMatchObject({
      count: 5,
      buckets: [
        { leSeconds: 0.05, count: 2 },
        { leSeconds: 1, count: 5 },
        { leSeconds: null, count: 5 },
      ],
    });
  });

  it('give priority levels, flow schemas and client-side waits by name', () => {
    const apf = (dispatched: number, rejected: number, wait: number) =>
      [
        `apiserver_flowcontrol_dispatched_requests_total{flow_schema="load",priority_level="workload-low"} ${dispatched}`,
        'apiserver_flowcontrol_dispatched_requests_total{flow_schema="idle",priority_level="idle"} 4',
        `apiserver_flowcontrol_rejected_requests_total{flow_schema="load",priority_level="workload-low",reason="queue-full"} ${rejected}`,
        `apiserver_flowcontrol_request_wait_duration_seconds_sum{execute="true",flow_schema="load",priority_level="workload-low"} ${wait}`,
        `rest_client_rate_limiter_duration_seconds_sum{host="h",verb="POST"} ${wait}`,
        `rest_client_rate_limiter_duration_seconds_count{host="h",verb="POST"} ${dispatched}`,
        '',
      ].join('\n');
    const figures = sumsOf([{ extra: apf(10, 0, 1) }, { extra: apf(40, 2, 3.5) }]);
    expect(figures.priorityLevels).toEqual([
      { name: 'workload-low', dispatchedCount: 30, rejectedCount: 2, waitSeconds: 2.5 },
    ]);
    expect(figures.flowSchemas).toEqual([
      {
        name: 'load',
        priorityLevel: 'workload-low',
        dispatchedCount: 30,
        rejectedCount: 2,
        waitSeconds: 2.5,
      },
    ]);
    expect(figures).toMatchObject({ rateLimiterWaitSeconds: 2.5, rateLimiterWaitCount: 30 });
  });

  it('keep apart what happened in measured phases, with their length', () => {
    const work = (seconds: number) =>
      `go_sched_gomaxprocs_threads 2\nscheduler_scheduling_algorithm_duration_seconds_sum ${seconds}\nrest_client_rate_limiter_duration_seconds_sum{host="h",verb="POST"} ${2 * seconds}\n`;
    const { measured } = sumsOf([
      { cpu: 1, extra: work(1), measured: false },
      { cpu: 5, extra: work(3), measured: false },
      { cpu: 6, extra: work(4), measured: true },
      { cpu: 8, extra: work(7), measured: true },
      { cpu: 99, extra: work(99), measured: false },
    ]);
    expect(measured).toEqual({
      durationMs: 20_000,
      cpuSeconds: 3,
      maxCpuCount: 2,
      rateLimiterWaitSeconds: 8,
      serialSeconds: { scheduler_scheduling_algorithm_duration_seconds: 4 },
    });
    expect(sumsOf([{ cpu: 1 }, { cpu: 5, measured: false }])).not.toHaveProperty('measured');
  });

  it('give headline metrics: growth of counters, largest sum of gauges, mean and p99 bucket of histograms', () => {
    const etcd = (changes: number, size: number, fast: number, slow: number) =>
      [
        `etcd_server_leader_changes_seen_total ${changes}`,
        `etcd_mvcc_db_total_size_in_bytes ${size}`,
        `etcd_disk_wal_fsync_duration_seconds_bucket{le="0.001"} ${fast}`,
        `etcd_disk_wal_fsync_duration_seconds_bucket{le="0.008"} ${fast + slow}`,
        `etcd_disk_wal_fsync_duration_seconds_bucket{le="+Inf"} ${fast + slow}`,
        `etcd_disk_wal_fsync_duration_seconds_sum ${fast * 0.001 + slow * 0.005}`,
        `etcd_disk_wal_fsync_duration_seconds_count ${fast + slow}`,
        `workqueue_depth{name="deployment"} ${size / 10}`,
        'workqueue_depth{name="idle"} 0',
        '',
      ].join('\n');
    const { metrics } = sumsOf([{ extra: etcd(1, 100, 10, 0) }, { extra: etcd(2, 90, 107, 3) }]);
    expect(metrics).toMatchObject({
      etcd_server_leader_changes_seen_total: 1,
      etcd_mvcc_db_total_size_in_bytes: 100,
      etcd_disk_wal_fsync_duration_seconds_count: 100,
      etcd_disk_wal_fsync_duration_seconds_mean: expect.closeTo((97 * 0.001 + 3 * 0.005) / 100, 9),
      etcd_disk_wal_fsync_duration_seconds_p99_le: 0.008,
      'workqueue_depth{name="deployment"}': 10,
    });
    expect(metrics).not.toHaveProperty(['workqueue_depth{name="idle"}']);
  });
});
