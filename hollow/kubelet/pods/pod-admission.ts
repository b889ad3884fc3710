/**
 * Whether a node admits a pod that was bound to it: the scheduler's own arithmetic, done once more by the kubelet,
 * because somebody else may have bound the pod, or two schedulers at once.
 *
 *   in this order                                                   reason
 *   --------------------------------------------------------------  ------------------------------------------
 *   node short of something, and the pod is not critical            Evicted
 *   pods, cpu, memory, ephemeral storage, as far as asked for       OutOfpods, OutOfcpu, OutOfmemory, ...
 *   node selector and required node affinity                        NodeAffinity
 *   NoExecute taints                                                TaintToleration
 *
 * Source: pkg/kubelet/eviction/eviction_manager.go (Admit), pkg/kubelet/lifecycle/predicate.go,
 * pkg/scheduler/framework/plugins/noderesources/fit.go v1.36.3
 */
import { type FleetSettings, type Pressure, parseResourceQuantity } from '../../../src/config/index.ts';
import type { NodeTaint } from '../node-object.ts';
import type { ApiPod, ApiRequirement, ApiToleration } from './pod-object.ts';
import type { PodSpec } from './pod-spec.ts';
import { isActive, type PodMachine, type PodVerdict } from './pod-state.ts';

/** What admission looks at of the node. */
export interface AdmittingNode {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  readonly capacity: NodeRoom;
  /** Resources that the node is short of. */
  readonly pressures: ReadonlySet<Pressure>;
}

/** What a node has for pods. */
export interface NodeRoom {
  readonly podCount: number;
  readonly cpuMillis: number;
  readonly memoryBytes: number;
  readonly ephemeralStorageBytes: number;
}

/** Priority from which on pods are critical. Source: SystemCriticalPriority, pkg/apis/scheduling/types.go */
export const CRITICAL_PRIORITY = 2_000_000_000;

/** Condition that a shortage shows as. */
export const PRESSURE_CONDITIONS = {
  memory: 'MemoryPressure',
  disk: 'DiskPressure',
} as const;

/** The room that a fleet's nodes have. */
export function nodeRoom(capacity: FleetSettings['capacity']): NodeRoom {
  const amount = (text: string) => parseResourceQuantity(text) ?? 0;
  return {
    podCount: capacity.podCount,
    cpuMillis: Math.floor(amount(capacity.cpu) * 1_000 + 1e-6),
    memoryBytes: Math.floor(amount(capacity.memory)),
    ephemeralStorageBytes: Math.floor(amount(capacity.ephemeralStorage)),
  };
}

/** Why `node`, which has `others`, does not admit the pod; undefined where it does. */
export function rejectionOf(
  object: ApiPod,
  spec: PodSpec,
  node: AdmittingNode,
  others: Iterable<PodMachine>,
): PodVerdict | undefined {
  const critical = spec.priority >= CRITICAL_PRIORITY;
  if (node.pressures.size > 0 && !critical && !enduresPressure(object, spec, node)) {
    const conditions = [...node.pressures].map((pressure) => PRESSURE_CONDITIONS[pressure]).join(' ');
    return reject('Evicted', `The node had condition: [${conditions}]. `);
  }
  return (
    // The kubelet would evict others for a critical pod rather than refuse it.
    (critical ? undefined : outOf(spec, node.capacity, others)) ??
    (matchesNode(object, node)
      ? undefined
      : reject(
          'NodeAffinity',
          `Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector`,
        )) ??
    (node.taints.every((taint) => taint.effect !== 'NoExecute' || tolerates(object, taint))
      ? undefined
      : reject(
          'TaintToleration',
          `Predicate TaintToleration failed: node(s) had taints that the pod didn't tolerate`,
        ))
  );
}

function reject(reason: string, message: string): PodVerdict {
  return { kind: 'rejected', reason, message: `Pod was rejected: ${message}` };
}

function enduresPressure(object: ApiPod, spec: PodSpec, node: AdmittingNode): boolean {
  if (node.pressures.size !== 1 || !node.pressures.has('memory')) return false;
  return (
    !spec.requests.bestEffort ||
    tolerates(object, { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' })
  );
}

function outOf(spec: PodSpec, room: NodeRoom, others: Iterable<PodMachine>): PodVerdict | undefined {
  let podCount = 0;
  let cpuMillis = 0;
  let memoryBytes = 0;
  let ephemeralStorageBytes = 0;
  for (const other of others) {
    if (!isActive(other)) continue;
    const { requests } = other.spec;
    podCount++;
    cpuMillis += requests.cpuMillis;
    memoryBytes += requests.memoryBytes;
    ephemeralStorageBytes += requests.ephemeralStorageBytes;
  }
  const { requests } = spec;
  const checks: readonly [resource: string, asked: number, used: number, capacity: number][] = [
    ['pods', 1, podCount, room.podCount],
    ['cpu', requests.cpuMillis, cpuMillis, room.cpuMillis],
    ['memory', requests.memoryBytes, memoryBytes, room.memoryBytes],
    ['ephemeral-storage', requests.ephemeralStorageBytes, ephemeralStorageBytes, room.ephemeralStorageBytes],
  ];
  for (const [resource, asked, used, capacity] of checks) {
    if (asked === 0 || asked <= capacity - used) continue;
    return reject(
      `OutOf${resource}`,
      `Node didn't have enough resource: ${resource}, requested: ${asked}, used: ${used}, capacity: ${capacity}`,
    );
  }
  return undefined;
}

function matchesNode({ spec = {} }: ApiPod, node: AdmittingNode): boolean {
  for (const key in spec.nodeSelector) if (node.labels[key] !== spec.nodeSelector[key]) return false;
  const terms =
    spec.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  if (terms === undefined) return true;
  // Terms are alternatives; an empty one matches nothing.
  return terms.some(
    ({ matchExpressions = [], matchFields = [] }) =>
      matchExpressions.length + matchFields.length > 0 &&
      matchExpressions.every((requirement) => meets(requirement, node.labels[requirement.key])) &&
      matchFields.every((requirement) => meets(requirement, node.name)),
  );
}

function meets({ operator, values = [] }: ApiRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}

function tolerates({ spec = {} }: ApiPod, taint: NodeTaint): boolean {
  return (spec.tolerations ?? []).some((toleration) => toleratesTaint(toleration, taint));
}

/** Source: ToleratesTaint, k8s.io/api core/v1/toleration.go v0.36.3 */
function toleratesTaint(
  { key = '', operator = 'Equal', value = '', effect = '' }: ApiToleration,
  taint: NodeTaint,
): boolean {
  if (effect !== '' && effect !== taint.effect) return false;
  if (key !== '' && key !== taint.key) return false;
  if (operator === 'Exists') return true;
  if (operator === 'Equal') return key !== '' && value === (taint.value ?? '');
  const bounds = [Number(taint.value), Number(value)] as const;
  return operator === 'Lt' ? bounds[0] < bounds[1] : operator === 'Gt' && bounds[0] > bounds[1];
}
