/**
 * What a hollow kubelet keeps of a pod: the few fields that decide what it does. The object itself is dropped after
 * reading, because a node with a hundred pods would otherwise hold half a megabyte of managed fields; the status
 * writer reads the pod from the API server again before each write, as a kubelet does, and takes the rest from there.
 */

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';
export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

/** `init` runs to its end before the next one; `sidecar` is an init container that stays. */
export type ContainerKind = 'init' | 'sidecar' | 'main';

export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly kind: ContainerKind;
}

/** A ConfigMap or Secret that the pod cannot start without (or can: `optional`). */
export interface ObjectReference {
  readonly resource: 'configmaps' | 'secrets';
  readonly name: string;
  readonly optional: boolean;
  /** Volume that mounts it; absent where it is read for environment variables. */
  readonly volume?: string;
}

export interface PodSpec {
  readonly uid: string;
  readonly namespace: string;
  readonly name: string;
  /** Of the object when it was first seen on this node; events refer to it. */
  readonly resourceVersion: string;
  readonly restartPolicy: RestartPolicy;
  readonly hostNetwork: boolean;
  readonly serviceAccount: string;
  /** A bound token is asked for: lifetime in seconds of each projected token, empty for none. */
  readonly tokens: readonly { audience: string; expirationSeconds: number }[];
  readonly objects: readonly ObjectReference[];
  /** Init containers first, then the main ones, each in the order of the spec. */
  readonly containers: readonly ContainerSpec[];
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
}

/** What changes of a pod while it lives, as one watch event says it. */
export interface PodSighting {
  readonly generation: number;
  readonly deleting: boolean;
  /** Seconds; undefined while not deleting. */
  readonly deletionGraceSeconds: number | undefined;
  readonly phase: PodPhase;
  /** Ready condition as the server has it. */
  readonly ready: boolean;
  readonly podIp: string | undefined;
}

export interface ApiCondition {
  type: string;
  status: string;
  lastProbeTime?: string | null;
  lastTransitionTime?: string | null;
  reason?: string;
  message?: string;
  observedGeneration?: number;
}

export interface ApiVolumeMount {
  name: string;
  mountPath: string;
  readOnly?: boolean;
  recursiveReadOnly?: string;
}

export interface ApiContainer {
  name: string;
  image?: string;
  restartPolicy?: string;
  resources?: Record<string, unknown>;
  volumeMounts?: ApiVolumeMount[];
  env?: { valueFrom?: { configMapKeyRef?: ApiKeyRef; secretKeyRef?: ApiKeyRef } }[];
  envFrom?: { configMapRef?: ApiKeyRef; secretRef?: ApiKeyRef }[];
}

interface ApiKeyRef {
  name?: string;
  optional?: boolean;
}

interface ApiProjection {
  serviceAccountToken?: { audience?: string; expirationSeconds?: number };
  configMap?: ApiKeyRef;
  secret?: ApiKeyRef;
}

export interface ApiVolume {
  name: string;
  configMap?: ApiKeyRef;
  secret?: { secretName?: string; optional?: boolean };
  projected?: { sources?: ApiProjection[] };
}

export interface ApiContainerStatus {
  name: string;
  restartCount?: number;
  state?: {
    waiting?: { reason?: string };
    running?: { startedAt?: string };
    terminated?: { exitCode?: number; startedAt?: string; finishedAt?: string; reason?: string };
  };
}

export interface ApiPodStatus {
  phase?: PodPhase;
  conditions?: ApiCondition[];
  containerStatuses?: ApiContainerStatus[];
  initContainerStatuses?: ApiContainerStatus[];
  podIP?: string;
  startTime?: string;
  [field: string]: unknown;
}

/** The parts of a v1 Pod that are read. */
export interface ApiPod {
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    deletionTimestamp?: string;
    deletionGracePeriodSeconds?: number;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
  };
  spec?: {
    restartPolicy?: RestartPolicy;
    hostNetwork?: boolean;
    serviceAccountName?: string;
    imagePullSecrets?: ApiKeyRef[];
    resources?: Record<string, unknown>;
    initContainers?: ApiContainer[];
    containers?: ApiContainer[];
    volumes?: ApiVolume[];
  };
  status?: ApiPodStatus;
}

/** Service-account tokens of pods that do not say how long they last. Source: pkg/apis/core/v1/defaults.go v1.36.3 */
const DEFAULT_TOKEN_SECONDS = 3_600;
const NO_TEXT: Readonly<Record<string, string>> = Object.freeze({});

/** Reads what stays the same for a pod's life. Strings that many pods share come from `intern`. */
export function readPodSpec(pod: ApiPod, intern: (text: string) => string): PodSpec {
  const { metadata, spec = {} } = pod;
  const containers: ContainerSpec[] = [];
  for (const container of spec.initContainers ?? []) {
    const kind = container.restartPolicy === 'Always' ? 'sidecar' : 'init';
    containers.push({ name: intern(container.name), image: intern(container.image ?? ''), kind });
  }
  for (const container of spec.containers ?? []) {
    containers.push({ name: intern(container.name), image: intern(container.image ?? ''), kind: 'main' });
  }
  return {
    uid: metadata.uid ?? '',
    namespace: intern(metadata.namespace ?? 'default'),
    name: metadata.name,
    resourceVersion: metadata.resourceVersion ?? '',
    restartPolicy: spec.restartPolicy ?? 'Always',
    hostNetwork: spec.hostNetwork === true,
    serviceAccount: intern(spec.serviceAccountName ?? 'default'),
    tokens: readTokens(spec.volumes ?? []),
    objects: readObjects(pod, intern),
    containers,
    labels: metadata.labels ?? NO_TEXT,
    annotations: metadata.annotations ?? NO_TEXT,
  };
}

/** Reads what one watch event says of a pod's progress. */
export function readPodSighting(pod: ApiPod): PodSighting {
  const { metadata, status = {} } = pod;
  const deleting = metadata.deletionTimestamp !== undefined;
  return {
    generation: metadata.generation ?? 1,
    deleting,
    deletionGraceSeconds: deleting ? (metadata.deletionGracePeriodSeconds ?? 0) : undefined,
    phase: status.phase ?? 'Pending',
    ready: status.conditions?.some((c) => c.type === 'Ready' && c.status === 'True') ?? false,
    podIp: status.podIP,
  };
}

export function isTerminalPhase(phase: PodPhase): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}

function readTokens(volumes: readonly ApiVolume[]): PodSpec['tokens'] {
  const tokens: { audience: string; expirationSeconds: number }[] = [];
  for (const volume of volumes) {
    for (const source of volume.projected?.sources ?? []) {
      const token = source.serviceAccountToken;
      if (token === undefined) continue;
      tokens.push({
        audience: token.audience ?? '',
        expirationSeconds: token.expirationSeconds ?? DEFAULT_TOKEN_SECONDS,
      });
    }
  }
  return tokens;
}

function readObjects(pod: ApiPod, intern: (text: string) => string): ObjectReference[] {
  const found = new Map<string, ObjectReference>();
  const add = (
    resource: ObjectReference['resource'],
    ref: ApiKeyRef | undefined,
    optional: boolean,
    volume?: string,
  ) => {
    if (ref?.name === undefined || ref.name === '') return;
    const key = `${resource}/${ref.name}`;
    const known = found.get(key);
    // One required use makes the object required.
    if (known !== undefined && (!known.optional || optional)) return;
    found.set(key, {
      resource,
      name: intern(ref.name),
      optional,
      ...(volume === undefined ? {} : { volume }),
    });
  };
  for (const volume of pod.spec?.volumes ?? []) {
    add('configmaps', volume.configMap, volume.configMap?.optional === true, volume.name);
    const secret = volume.secret;
    if (secret?.secretName !== undefined) {
      add('secrets', { name: secret.secretName }, secret.optional === true, volume.name);
    }
    for (const source of volume.projected?.sources ?? []) {
      add('configmaps', source.configMap, source.configMap?.optional === true, volume.name);
      add('secrets', source.secret, source.secret?.optional === true, volume.name);
    }
  }
  for (const container of [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])]) {
    for (const { valueFrom } of container.env ?? []) {
      add('configmaps', valueFrom?.configMapKeyRef, valueFrom?.configMapKeyRef?.optional === true);
      add('secrets', valueFrom?.secretKeyRef, valueFrom?.secretKeyRef?.optional === true);
    }
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      add('configmaps', configMapRef, configMapRef?.optional === true);
      add('secrets', secretRef, secretRef?.optional === true);
    }
  }
  // A pull secret that is missing does not hold the pod back: the pull is tried without it.
  for (const ref of pod.spec?.imagePullSecrets ?? []) add('secrets', ref, true);
  return [...found.values()];
}
