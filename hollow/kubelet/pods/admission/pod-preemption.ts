/**
 * Which pods a kubelet ends to make room for a critical one: as few of the guaranteed as possible, then of the
 * burstable, then of the best-effort ones, each time the pod that comes nearest to what is missing.
 * Source: pkg/kubelet/preemption/preemption.go; Preemptable, pkg/kubelet/types/pod_update.go v1.36.3
 */
import type { PodSpec } from '../pod-spec.ts';
import { CRITICAL_PRIORITY, type PodMachine, type PodVerdict } from '../pod-state.ts';

/** Of a resource: how much more the pod asks for than is free. */
export interface Shortage {
  readonly resource: 'pods' | 'cpu' | 'memory' | 'ephemeral-storage';
  readonly amount: number;
}

/** Why such a pod is ended. */
export const PREEMPTED: PodVerdict = {
  kind: 'evicted',
  reason: 'Preempting',
  message: 'Preempted in order to admit critical pod',
  disruption: 'Pod was preempted by Kubelet to accommodate a critical pod.',
};

/**
 * The pods of `others` that go for `preemptor`; where all of them together do not suffice, `missing` is what is left,
 * in a kubelet's words.
 */
export function podsToPreempt(
  preemptor: PodSpec,
  others: readonly PodMachine[],
  shortages: readonly Shortage[],
): { victims: readonly PodMachine[] } | { missing: string } {
  const byQos = (qos: PodSpec['qosClass']) =>
    others.filter(({ spec }) => spec.qosClass === qos && isPreemptable(preemptor, spec));
  const bestEffort = byQos('BestEffort');
  const burstable = byQos('Burstable');
  const guaranteed = byQos('Guaranteed');
  const left = without(shortages, [...bestEffort, ...burstable, ...guaranteed]);
  if (left.length > 0) {
    const said = left.map(({ resource, amount }) => `(res: ${resource}, q: ${amount}), `).join('');
    return { missing: `no set of running pods found to reclaim resources: [${said}]` };
  }
  const fromGuaranteed = nearest(guaranteed, without(shortages, [...bestEffort, ...burstable]));
  const fromBurstable = nearest(burstable, without(shortages, [...bestEffort, ...fromGuaranteed]));
  const fromBestEffort = nearest(bestEffort, without(shortages, [...fromBurstable, ...fromGuaranteed]));
  return { victims: [...fromBestEffort, ...fromBurstable, ...fromGuaranteed] };
}

function isPreemptable(preemptor: PodSpec, { priority }: PodSpec): boolean {
  if (preemptor.priority >= CRITICAL_PRIORITY && priority < CRITICAL_PRIORITY) return true;
  return preemptor.priority > priority;
}

function nearest(pods: readonly PodMachine[], shortages: readonly Shortage[]): PodMachine[] {
  const candidates = [...pods];
  const chosen: PodMachine[] = [];
  let left = shortages;
  while (left.length > 0) {
    const best = candidates.reduce<PodMachine | undefined>((known, pod) => {
      if (known === undefined) return pod;
      const difference = distance(left, pod) - distance(left, known);
      return difference < 0 || (difference === 0 && asksForLess(pod.spec, known.spec)) ? pod : known;
    }, undefined);
    // What all of them hold has been found to suffice.
    if (best === undefined) break;
    candidates.splice(candidates.indexOf(best), 1);
    chosen.push(best);
    left = without(left, [best]);
  }
  return chosen;
}

/** The share of each shortage that `pod` would leave, squared and added up. */
function distance(shortages: readonly Shortage[], { spec }: PodMachine): number {
  let sum = 0;
  for (const { resource, amount } of shortages) {
    const rest = amount - requestOf(spec, resource);
    if (rest > 0) sum += (rest / amount) ** 2;
  }
  return sum;
}

function without(shortages: readonly Shortage[], pods: readonly PodMachine[]): Shortage[] {
  return shortages
    .map(({ resource, amount }) => ({
      resource,
      amount: pods.reduce((rest, { spec }) => rest - requestOf(spec, resource), amount),
    }))
    .filter(({ amount }) => amount > 0);
}

function asksForLess(a: PodSpec, b: PodSpec): boolean {
  if (a.requests.memoryBytes !== b.requests.memoryBytes)
    return a.requests.memoryBytes < b.requests.memoryBytes;
  return a.requests.cpuMillis <= b.requests.cpuMillis;
}

function requestOf({ requests }: PodSpec, resource: Shortage['resource']): number {
  switch (resource) {
    case 'pods':
      return 1;
    case 'cpu':
      return requests.cpuMillis;
    case 'memory':
      return requests.memoryBytes;
    default:
      return requests.ephemeralStorageBytes;
  }
}
