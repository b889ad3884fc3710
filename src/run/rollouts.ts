/**
 * Whether workloads have reached what was last asked of them, as `kubectl rollout status` decides it. Nothing is said of
 * how: the pods' own timelines tell that.
 *
 * Source: kubernetes/kubectl v0.36.3, pkg/polymorphichelpers/rollout_status.go.
 */
import type { LoadPhase, ResourceRef } from '../config/index.ts';
import { resourceLabel } from '../config/index.ts';
import type { JsonClient, KubeObject } from '../kube/index.ts';

/** Resources that roll out. */
const JUDGES: Readonly<Record<string, (object: Workload) => boolean>> = {
  'deployments.apps': deploymentIsDone,
  'statefulsets.apps': statefulSetIsDone,
  'daemonsets.apps': daemonSetIsDone,
};

/** The parts of a workload that are looked at; absent counts are 0. */
interface Workload {
  metadata: { generation?: number };
  spec?: { replicas?: number };
  status?: Partial<
    Record<
      | 'observedGeneration'
      | 'replicas'
      | 'updatedReplicas'
      | 'availableReplicas'
      | 'readyReplicas'
      | 'desiredNumberScheduled'
      | 'updatedNumberScheduled'
      | 'numberAvailable',
      number
    >
  > & { currentRevision?: string; updateRevision?: string };
}

/** Resources whose rollouts `phase` waits for. */
export function awaitedResources(phase: LoadPhase): ResourceRef[] {
  const awaited = new Map<string, ResourceRef>();
  for (const action of phase.actions) {
    if ((action.action === 'update' || action.action === 'scale') && action.waitFor === 'rollout')
      awaited.set(resourceLabel(action.resource), action.resource);
  }
  return [...awaited.values()];
}

/**
 * How many of the workloads that `labelSelector` selects have not reached what was asked of them.
 * @throws ApiError, TransportError, or the signal's reason
 */
export async function openRolloutCount(
  client: JsonClient,
  resources: readonly ResourceRef[],
  labelSelector: string,
  signal: AbortSignal,
): Promise<number> {
  let openCount = 0;
  for (const resource of resources) {
    const { items } = await client.list(resource, { labelSelector }, { signal });
    openCount += items.filter((item) => !isRolledOut(resource, item)).length;
  }
  return openCount;
}

/** Whether `object` has reached what was asked of it; true of a resource that does not roll out. */
export function isRolledOut(resource: ResourceRef, object: KubeObject): boolean {
  return JUDGES[resourceLabel(resource)]?.(object) ?? true;
}

function deploymentIsDone({ metadata, spec, status = {} }: Workload): boolean {
  const { observedGeneration = 0, replicas = 0, updatedReplicas = 0, availableReplicas = 0 } = status;
  return (
    observedGeneration >= (metadata.generation ?? 0) &&
    updatedReplicas >= (spec?.replicas ?? 1) &&
    replicas <= updatedReplicas &&
    availableReplicas >= updatedReplicas
  );
}

function statefulSetIsDone({ metadata, spec, status = {} }: Workload): boolean {
  const { observedGeneration = 0, replicas = 0, readyReplicas = 0, currentRevision, updateRevision } = status;
  return (
    observedGeneration >= (metadata.generation ?? 0) &&
    readyReplicas >= (spec?.replicas ?? 1) &&
    // kubectl leaves scaling down aside; a set that was told to shrink has reached it when its pods are gone.
    replicas <= (spec?.replicas ?? 1) &&
    currentRevision === updateRevision
  );
}

function daemonSetIsDone({ metadata, status = {} }: Workload): boolean {
  const { observedGeneration = 0, desiredNumberScheduled = 0 } = status;
  const { updatedNumberScheduled = 0, numberAvailable = 0 } = status;
  return (
    observedGeneration >= (metadata.generation ?? 0) &&
    updatedNumberScheduled >= desiredNumberScheduled &&
    numberAvailable >= desiredNumberScheduled
  );
}
