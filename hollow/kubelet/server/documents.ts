/**
 * The JSON documents of a hollow kubelet: /pods and /stats/summary. A hollow kubelet drops the objects it has read, so
 * /pods has of each pod what decides its life, and its status as the kubelet would write it.
 * Source: pkg/kubelet/server/server.go (getPods), staging/src/k8s.io/kubelet/pkg/apis/stats/v1alpha1 v1.36.3.
 */
import type { ApiContainer, ApiPod } from '../pods/pod-object.ts';
import type { PodMachine } from '../pods/pod-state.ts';
import { buildStatus, type StatusContext } from '../pods/pod-status.ts';
import { rfc3339Seconds } from '../timestamps.ts';
import type { ContainerUsage, PodUsage, Usage } from './usage.ts';

/** A v1 PodList. */
export function podList(nodeName: string, pods: readonly PodMachine[], context: StatusContext): object {
  return {
    kind: 'PodList',
    apiVersion: 'v1',
    metadata: {},
    items: pods.map((pod) => podObject(nodeName, pod, context)),
  };
}

/** A stats Summary of the node at wall time `nowMs`. */
export function statsSummary(
  node: { name: string; startMs: number; usage: Usage },
  pods: readonly PodUsage[],
  nowMs: number,
): object {
  const time = rfc3339Seconds(nowMs);
  return {
    node: { nodeName: node.name, startTime: rfc3339Seconds(node.startMs), ...stats(node.usage, time) },
    pods: pods.map((usage) => ({
      podRef: {
        name: usage.pod.spec.name,
        namespace: usage.pod.spec.namespace,
        uid: usage.pod.spec.uid,
      },
      startTime: rfc3339Seconds(usage.pod.startTimeMs),
      containers: usage.containers.map((container) => containerStats(container, time)),
      ...stats(usage, time),
    })),
  };
}

function podObject(nodeName: string, pod: PodMachine, context: StatusContext): object {
  const { spec } = pod;
  const main: ApiContainer[] = [];
  const init: ApiContainer[] = [];
  for (const { name, image, kind } of spec.containers) {
    if (kind === 'main') main.push({ name, image });
    else init.push({ name, image, ...(kind === 'sidecar' ? { restartPolicy: 'Always' } : {}) });
  }
  const read: ApiPod = {
    metadata: {
      name: spec.name,
      namespace: spec.namespace,
      uid: spec.uid,
      resourceVersion: spec.resourceVersion,
      generation: pod.generation,
      labels: spec.labels,
      annotations: spec.annotations,
    },
    spec: {
      ...(init.length === 0 ? {} : { initContainers: init }),
      containers: main,
      restartPolicy: spec.restartPolicy,
      serviceAccountName: spec.serviceAccount,
      ...(spec.hostNetwork ? { hostNetwork: true } : {}),
    },
  };
  return { ...read, spec: { ...read.spec, nodeName }, status: buildStatus(pod, read, context) };
}

function containerStats(container: ContainerUsage, time: string): object {
  return {
    name: container.name,
    startTime: rfc3339Seconds(container.startMs),
    ...stats(container, time),
  };
}

function stats({ cpuCores, cpuSeconds, memoryBytes }: Usage, time: string): object {
  return {
    cpu: {
      time,
      usageNanoCores: Math.round(cpuCores * 1e9),
      usageCoreNanoSeconds: Math.round(cpuSeconds * 1e9),
    },
    memory: { time, usageBytes: memoryBytes, workingSetBytes: memoryBytes, rssBytes: memoryBytes },
  };
}
