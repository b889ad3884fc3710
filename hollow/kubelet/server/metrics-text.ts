/**
 * /metrics and /metrics/resource of a hollow kubelet, in the Prometheus text format: the real names, and only those that
 * mean something on a node that runs nothing. Usage is modelled (usage.ts).
 * Source: pkg/kubelet/metrics/metrics.go, collectors/resource_metrics.go v1.36.3.
 */
import type { PodMachine } from '../pods/pod-state.ts';
import type { PodUsage, Usage } from './usage.ts';

type Labels = Readonly<Record<string, string>>;

/** Text of /metrics. */
export function kubeletMetrics(node: {
  name: string;
  gitVersion: string;
  /** Wall time in ms. */
  startMs: number;
  pods: readonly PodMachine[];
}): string {
  const runs = node.pods.flatMap((pod) => pod.runs);
  const inState = (state: string) => runs.filter((run) => run.state === state).length;
  const sandboxCount = node.pods.filter((pod) => pod.sandboxReady).length;
  return [
    family('kubelet_node_name', 'gauge', "The node's name. The count is always 1.", [
      [{ node: node.name }, 1],
    ]),
    family('kubelet_running_pods', 'gauge', 'Number of pods that have a running pod sandbox', [
      [{}, sandboxCount],
    ]),
    family('kubelet_running_containers', 'gauge', 'Number of containers currently running', [
      [{ container_state: 'running' }, inState('running')],
      [{ container_state: 'exited' }, inState('terminated')],
    ]),
    family('kubelet_desired_pods', 'gauge', 'The number of pods the kubelet is being instructed to run.', [
      [{ static: '' }, node.pods.length],
    ]),
    family('kubernetes_build_info', 'gauge', 'The version that the hollow kubelet claims to be.', [
      [{ git_version: node.gitVersion }, 1],
    ]),
    family(
      'process_start_time_seconds',
      'gauge',
      'Start of the hollow kubelet since unix epoch in seconds.',
      [[{}, node.startMs / 1_000]],
    ),
  ].join('');
}

/** Text of /metrics/resource at wall time `nowMs`. */
export function resourceMetrics(node: Usage, pods: readonly PodUsage[], nowMs: number): string {
  const podLabels = ({ pod }: PodUsage) => ({ namespace: pod.spec.namespace, pod: pod.spec.name });
  const containers = pods.flatMap((usage) =>
    usage.containers.map((container) => ({
      labels: { container: container.name, ...podLabels(usage) },
      container,
    })),
  );
  const running = pods.filter((usage) => usage.containers.length > 0);
  const stamped = (name: string, type: 'counter' | 'gauge', help: string, values: [Labels, number][]) =>
    family(name, type, help, values, nowMs);
  return [
    stamped(
      'container_cpu_usage_seconds_total',
      'counter',
      'Cumulative cpu time consumed by the container in core-seconds',
      containers.map(({ labels, container }) => [labels, container.cpuSeconds]),
    ),
    stamped(
      'container_memory_working_set_bytes',
      'gauge',
      'Current working set of the container in bytes',
      containers.map(({ labels, container }) => [labels, container.memoryBytes]),
    ),
    stamped(
      'container_start_time_seconds',
      'gauge',
      'Start time of the container since unix epoch in seconds',
      containers.map(({ labels, container }) => [labels, container.startMs / 1_000]),
    ),
    stamped(
      'node_cpu_usage_seconds_total',
      'counter',
      'Cumulative cpu time consumed by the node in core-seconds',
      [[{}, node.cpuSeconds]],
    ),
    stamped('node_memory_working_set_bytes', 'gauge', 'Current working set of the node in bytes', [
      [{}, node.memoryBytes],
    ]),
    stamped(
      'pod_cpu_usage_seconds_total',
      'counter',
      'Cumulative cpu time consumed by the pod in core-seconds',
      running.map((usage) => [podLabels(usage), usage.cpuSeconds]),
    ),
    stamped(
      'pod_memory_working_set_bytes',
      'gauge',
      'Current working set of the pod in bytes',
      running.map((usage) => [podLabels(usage), usage.memoryBytes]),
    ),
    family(
      'resource_scrape_error',
      'gauge',
      '1 if there was an error while getting container metrics, 0 otherwise',
      [[{}, 0]],
    ),
  ].join('');
}

/** One metric; nothing where it has no samples. */
function family(
  name: string,
  type: 'counter' | 'gauge',
  help: string,
  samples: readonly (readonly [Labels, number])[],
  stampMs?: number,
): string {
  if (samples.length === 0) return '';
  const lines = [`# HELP ${name} ${help}`, `# TYPE ${name} ${type}`];
  const stamp = stampMs === undefined ? '' : ` ${Math.round(stampMs)}`;
  for (const [labels, value] of samples) {
    const pairs = Object.entries(labels).map(([key, text]) => `${key}="${escaped(text)}"`);
    lines.push(`${name}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${value}${stamp}`);
  }
  return `${lines.join('\n')}\n`;
}

function escaped(text: string): string {
  return text.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}
