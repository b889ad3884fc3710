/**
 * What a pod asks of its node, in the units of the scheduler's and the kubelet's arithmetic: the larger of what the
 * main containers and sidecars need together and what each init container needs beside the sidecars before it.
 * Source: k8s.io/component-helpers/resource/helpers.go (PodRequests) v0.36.3
 */
import { parseResourceQuantity } from '../../../src/config/index.ts';
import type { ApiContainer, ApiPod, ApiQuantities } from './pod-object.ts';

export interface PodRequests {
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
  /** No container asks for or limits CPU or memory: quality of service BestEffort. */
  readonly bestEffort: boolean;
}

const BEST_EFFORT: PodRequests = Object.freeze({
  cpuMillis: 0,
  memoryBytes: 0,
  ephemeralStorageBytes: 0,
  bestEffort: true,
});

/** Requests of `pod`; pods without any share one object. */
export function readPodRequests(pod: ApiPod): PodRequests {
  const { containers = [], initContainers = [], overhead, resources } = pod.spec ?? {};
  const bestEffort =
    resources === undefined && ![...containers, ...initContainers].some((c) => limitsOrAsks(c));
  const amounts = [
    total(containers, initContainers, 'cpu', resources?.requests, overhead),
    total(containers, initContainers, 'memory', resources?.requests, overhead),
    total(containers, initContainers, 'ephemeral-storage', undefined, overhead),
  ];
  const [cpu = 0, memory = 0, storage = 0] = amounts;
  if (bestEffort && storage === 0 && cpu === 0 && memory === 0) return BEST_EFFORT;
  return {
    cpuMillis: Math.ceil(cpu * 1_000 - 1e-6),
    memoryBytes: Math.ceil(memory),
    ephemeralStorageBytes: Math.ceil(storage),
    bestEffort,
  };
}

function limitsOrAsks({ resources }: ApiContainer): boolean {
  return [resources?.requests, resources?.limits].some(
    (list) => list !== undefined && ('cpu' in list || 'memory' in list),
  );
}

function total(
  containers: readonly ApiContainer[],
  initContainers: readonly ApiContainer[],
  resource: string,
  ofPod: ApiQuantities | undefined,
  overhead: ApiQuantities | undefined,
): number {
  const ask = (container: ApiContainer) => amount(container.resources?.requests, resource);
  let sidecars = 0;
  let initPeak = 0;
  for (const container of initContainers) {
    if (container.restartPolicy === 'Always') {
      sidecars += ask(container);
      initPeak = Math.max(initPeak, sidecars);
    } else {
      initPeak = Math.max(initPeak, sidecars + ask(container));
    }
  }
  const mains = containers.reduce((sum, container) => sum + ask(container), sidecars);
  const own = ofPod !== undefined && resource in ofPod ? amount(ofPod, resource) : Math.max(mains, initPeak);
  return own + amount(overhead, resource);
}

const parsed = new Map<string, number>();

function amount(list: ApiQuantities | undefined, resource: string): number {
  const text = list?.[resource];
  if (text === undefined) return 0;
  const key = String(text);
  let value = parsed.get(key);
  if (value === undefined) {
    value = parseResourceQuantity(key) ?? 0;
    // Quantities come from few templates; a flood of different ones is not kept.
    if (parsed.size < 1_000) parsed.set(key, value);
  }
  return value;
}
