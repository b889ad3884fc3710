/**
 * Whether a node admits a pod that was bound to it: the scheduler's own arithmetic, done once more by the kubelet,
 * because somebody else may have bound the pod, or two schedulers at once.
 *
 *   in this order                                                   reason
 *   --------------------------------------------------------------  ------------------------------------------
 *   node short of something, and the pod is not critical            Evicted
 *   pods, cpu, memory, ephemeral storage, as far as asked for       OutOfpods, OutOfcpu, OutOfmemory, ...
 *   node selector and required node affinity                        NodeAffinity
 *   ports of the node                                               NodePorts
 *   NoExecute taints                                                TaintToleration
 *
 * For a critical pod that only lacks room others are ended. What a node does not have at all, such as extended resources
 * here, is not held against it: a kubelet takes it for something that the cluster provides.
 *
 * Source: pkg/kubelet/eviction/eviction_manager.go (Admit), pkg/kubelet/lifecycle/predicate.go,
 * AdmissionCheck, pkg/scheduler/eventhandlers.go;
 * pkg/scheduler/framework/plugins/noderesources/fit.go v1.36.3
 */
import { type FleetSettings, type Pressure, parseResourceQuantity } from '../../../../src/config/index.ts';
import type { NodeTaint } from '../../node-object.ts';
import type { ApiPod, ApiRequirement, ApiToleration } from '../pod-object.ts';
import type { PodSpec } from '../pod-spec.ts';
import { CRITICAL_PRIORITY, isActive, type PodMachine, type PodVerdict } from '../pod-state.ts';
import { portsConflict } from './host-ports.ts';
import { podsToPreempt, type Shortage } from './pod-preemption.ts';

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

/** What becomes of a pod that was bound to a node. */
export interface Admission {
  /** Why the node does not take it; undefined where it does. */
  readonly rejection: PodVerdict | undefined;
  /** Pods that are ended first, to make room. */
  readonly victims: readonly PodMachine[];
}

/** Whether `node`, which has `others`, admits the pod. */
export function admissionOf(
  object: ApiPod,
  spec: PodSpec,
  node: AdmittingNode,
  others: Iterable<PodMachine>,
): Admission {
  const critical = spec.priority >= CRITICAL_PRIORITY;
  if (node.pressures.size > 0 && !critical && !enduresPressure(object, spec, node)) {
    const conditions = [...node.pressures].map((pressure) => PRESSURE_CONDITIONS[pressure]).join(' ');
    return refuse('Evicted', `The node had condition: [${conditions}]. `);
  }
  const active = [...others].filter(isActive);
  const lacks = lacking(spec, node.capacity, active);
  const [first] = lacks;
  // Room can be made for a critical pod, a node that does not suit it cannot be changed.
  if (first !== undefined && !critical) return refuse(`OutOf${first.resource}`, outOf(first));
  const misfit = misfitOf(object, spec, node, active);
  if (misfit !== undefined) return misfit;
  if (first === undefined) return ADMITTED;
  const shortages = lacks.map(
    ({ resource, asked, used, capacity }): Shortage => ({ resource, amount: asked - (capacity - used) }),
  );
  const preemption = podsToPreempt(spec, active, shortages);
  if ('victims' in preemption) return { rejection: undefined, victims: preemption.victims };
  return refuse(
    'UnexpectedAdmissionError',
    `Unexpected error while attempting to recover from admission failure: preemption: error finding a set of pods to preempt: ${preemption.missing}`,
  );
}

const ADMITTED: Admission = Object.freeze({ rejection: undefined, victims: Object.freeze([]) });

function refuse(reason: string, message: string): Admission {
  return {
    rejection: { kind: 'rejected', reason, message: `Pod was rejected: ${message}` },
    victims: ADMITTED.victims,
  };
}

/** What does not suit the pod, however much room there is. */
function misfitOf(
  object: ApiPod,
  spec: PodSpec,
  node: AdmittingNode,
  active: readonly PodMachine[],
): Admission | undefined {
  if (!matchesNode(object, node)) return misfit('NodeAffinity', "didn't match Pod's node affinity/selector");
  const taken = spec.hostPorts.some((port) =>
    active.some((other) => other.spec.hostPorts.some((its) => portsConflict(port, its))),
  );
  if (taken) return misfit('NodePorts', "didn't have free ports for the requested pod ports");
  if (node.taints.every((taint) => taint.effect !== 'NoExecute' || tolerates(object, taint)))
    return undefined;
  return misfit('TaintToleration', "had taints that the pod didn't tolerate");
}

function misfit(predicate: string, why: string): Admission {
  return refuse(predicate, `Predicate ${predicate} failed: node(s) ${why}`);
}

function enduresPressure(object: ApiPod, spec: PodSpec, node: AdmittingNode): boolean {
  if (node.pressures.size !== 1 || !node.pressures.has('memory')) return false;
  return (
    !spec.requests.bestEffort ||
    tolerates(object, { key: 'node.kubernetes.io/memory-pressure', effect: 'NoSchedule' })
  );
}

/** A resource of which there is too little. */
interface Lack {
  readonly resource: Shortage['resource'];
  readonly asked: number;
  readonly used: number;
  readonly capacity: number;
}

function outOf({ resource, asked, used, capacity }: Lack): string {
  return `Node didn't have enough resource: ${resource}, requested: ${asked}, used: ${used}, capacity: ${capacity}`;
}

function lacking({ requests }: PodSpec, room: NodeRoom, active: readonly PodMachine[]): Lack[] {
  let cpuMillis = 0;
  let memoryBytes = 0;
  let ephemeralStorageBytes = 0;
  for (const { spec } of active) {
    cpuMillis += spec.requests.cpuMillis;
    memoryBytes += spec.requests.memoryBytes;
    ephemeralStorageBytes += spec.requests.ephemeralStorageBytes;
  }
  const checks: readonly Lack[] = [
    { resource: 'pods', asked: 1, used: active.length, capacity: room.podCount },
    { resource: 'cpu', asked: requests.cpuMillis, used: cpuMillis, capacity: room.cpuMillis },
    { resource: 'memory', asked: requests.memoryBytes, used: memoryBytes, capacity: room.memoryBytes },
    {
      resource: 'ephemeral-storage',
      asked: requests.ephemeralStorageBytes,
      used: ephemeralStorageBytes,
      capacity: room.ephemeralStorageBytes,
    },
  ];
  return checks.filter(({ asked, used, capacity }) => asked > 0 && asked > capacity - used);
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
