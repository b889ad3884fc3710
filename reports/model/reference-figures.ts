/**
 * Figures that others have published, each with its setting and where it stands.
 * Gathered in November 2026; a figure that is only in a graph of its source is not given.
 */

export type ReferenceMetric = 'pod-startup' | 'api-calls' | 'scheduling';

export interface ReferenceFigure {
  metric: ReferenceMetric;
  setting: string;
  figure: string;
  source: string;
}

export const REFERENCE_FIGURES: readonly ReferenceFigure[] = [
  {
    metric: 'pod-startup',
    setting: 'Kubernetes 1.0, 100 nodes, 30 pods a node',
    figure: 'p50 1.94 s, p90 2.50 s, p99 4.32 s',
    source: 'kubernetes.io blog, September 2015',
  },
  {
    metric: 'pod-startup',
    setting: 'Kubernetes 1.2, 1,000 nodes',
    figure: 'p99 under 3 s',
    source: 'kubernetes.io blog, March 2016',
  },
  {
    metric: 'pod-startup',
    setting: 'Kubemark, 2017',
    figure: 'p99 2.06 s; above 3 s suggests a regression',
    source: 'kubernetes/kubernetes issue 42000',
  },
  {
    metric: 'api-calls',
    setting: 'Kubernetes 1.2, 1,000 nodes',
    figure: 'p99 tens of milliseconds, LIST hundreds',
    source: 'kubernetes.io blog, March 2016',
  },
  {
    metric: 'api-calls',
    setting: 'Kubernetes 1.3, 2,000 nodes, 60,000 pods',
    figure: 'every p99 under 1 s, most under 100 ms',
    source: 'kubernetes.io blog, July 2016',
  },
  {
    metric: 'api-calls',
    setting: 'GKE, 65,000 nodes',
    figure: 'every p99 under 400 ms',
    source: 'Google Cloud blog, November 2024',
  },
  {
    metric: 'scheduling',
    setting: 'Kubernetes, 5,000 nodes, 2017',
    figure: 'about 30 pods/s',
    source: 'kubernetes/kubernetes issue 56714',
  },
  {
    metric: 'scheduling',
    setting: 'scheduler_perf SchedulingBasic, 5,000 nodes, 10,000 pods (CI floor)',
    figure: '680 pods/s',
    source: 'kubernetes/kubernetes test/integration/scheduler_perf/misc/performance-config.yaml',
  },
  {
    metric: 'scheduling',
    setting: 'ClusterLoader2 load test, release gate',
    figure: 'at least 100 pods/s in the best sample',
    source: 'kubernetes/perf-tests clusterloader2/testing/load/config.yaml',
  },
  {
    metric: 'scheduling',
    setting: 'EKS, 100,000 nodes',
    figure: 'about 500 pods/s',
    source: 'AWS blog, July 2025',
  },
  {
    metric: 'scheduling',
    setting: 'GKE, 130,000 nodes (experimental)',
    figure: '1,000 pods/s, sustained',
    source: 'Google Cloud blog, November 2025',
  },
];
