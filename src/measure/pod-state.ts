/**
 * What a pod's object says that the pod startup SLI asks about, as pure functions.
 *
 * Source: kubernetes/community sig-scalability/slos/pod_startup_latency.md @ 24e7d8f5.
 */
import type { PodKind } from '../result/index.ts';

/** The few fields of a pod that are looked at; everything else is passed over. */
export interface ObservedPod {
  metadata: {
    name: string;
    namespace: string;
    uid: string;
    creationTimestamp?: string;
    deletionTimestamp?: string;
  };
  spec?: {
    nodeName?: string;
    containers?: readonly { name: string }[];
    initContainers?: readonly { name: string; restartPolicy?: string }[];
    volumes?: readonly Readonly<Record<string, unknown>>[];
  };
  status?: {
    phase?: string;
    containerStatuses?: readonly ContainerStatus[];
    initContainerStatuses?: readonly ContainerStatus[];
  };
}

export interface ContainerStatus {
  name?: string;
  restartCount?: number;
  state?: { waiting?: unknown; running?: unknown; terminated?: { exitCode?: number } };
  lastState?: { terminated?: unknown };
}

/** Sources that keep a pod stateless; `projected` is what every service account token comes in. */
const STATELESS_SOURCES: ReadonlySet<string> = new Set([
  'secret',
  'configMap',
  'downwardAPI',
  'emptyDir',
  'projected',
]);

/** Stateless: every volume comes from the cluster's own objects or from nowhere. */
export function podKind(pod: ObservedPod): PodKind {
  const stateless = (pod.spec?.volumes ?? []).every((volume) =>
    Object.keys(volume).every((field) => field === 'name' || STATELESS_SOURCES.has(field)),
  );
  return stateless ? 'stateless' : 'stateful';
}

/**
 * True once every container is reported to have been started at least once, and the pod is past Pending. The official
 * text asks for the former; the latter is what ClusterLoader2 looks at. Readiness is not asked for by either. A pod
 * that has run to its end has started too.
 */
export function hasStarted(pod: ObservedPod): boolean {
  const { phase, containerStatuses = [] } = pod.status ?? {};
  if (phase !== 'Running' && phase !== 'Succeeded' && phase !== 'Failed') return false;
  const containerCount = pod.spec?.containers?.length ?? 0;
  return (
    containerCount > 0 &&
    containerStatuses.length >= containerCount &&
    containerStatuses.every(
      ({ state, lastState, restartCount = 0 }) =>
        state?.running != null ||
        state?.terminated != null ||
        lastState?.terminated != null ||
        restartCount > 0,
    )
  );
}

/**
 * How far a pod's init containers are: `none` where it has none or none has run, `begun`, `done` once all have ended
 * well. Sidecars, which run beside the containers until the end, are none: their restartPolicy is Always.
 */
export function initProgress(pod: ObservedPod): 'none' | 'begun' | 'done' {
  const ordinary = (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy !== 'Always');
  if (ordinary.length === 0) return 'none';
  const names = new Set(ordinary.map(({ name }) => name));
  const statuses = (pod.status?.initContainerStatuses ?? []).filter(({ name = '' }) => names.has(name));
  const begun = statuses.filter(({ state }) => state?.running != null || state?.terminated != null);
  const done = statuses.filter(({ state }) => state?.terminated?.exitCode === 0);
  if (done.length === ordinary.length) return 'done';
  return begun.length > 0 ? 'begun' : 'none';
}
