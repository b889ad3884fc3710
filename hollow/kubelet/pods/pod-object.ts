/**
 * The parts of a v1 Pod that a hollow kubelet reads, as the API server sends them. Nothing here is kept beyond the
 * event or the read that brought it.
 */

export type RestartPolicy = 'Always' | 'OnFailure' | 'Never';
export type PodPhase = 'Pending' | 'Running' | 'Succeeded' | 'Failed' | 'Unknown';

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

/** Resource names to quantities: `{ cpu: '500m' }`. */
export type ApiQuantities = Record<string, string | number>;

export interface ApiProbe {
  httpGet?: { port?: number | string };
  tcpSocket?: { port?: number | string };
  grpc?: { port?: number };
  exec?: unknown;
  initialDelaySeconds?: number;
  periodSeconds?: number;
  successThreshold?: number;
  failureThreshold?: number;
  terminationGracePeriodSeconds?: number;
}

export interface ApiRestartRule {
  action?: string;
  exitCodes?: { operator?: string; values?: number[] };
}

export interface ApiContainer {
  name: string;
  image?: string;
  restartPolicy?: RestartPolicy;
  restartPolicyRules?: ApiRestartRule[];
  resources?: { requests?: ApiQuantities; limits?: ApiQuantities };
  volumeMounts?: ApiVolumeMount[];
  startupProbe?: ApiProbe;
  readinessProbe?: ApiProbe;
  livenessProbe?: ApiProbe;
  lifecycle?: { preStop?: { sleep?: { seconds?: number }; exec?: unknown; httpGet?: unknown } };
  ports?: { hostPort?: number; protocol?: string; hostIP?: string; containerPort?: number; name?: string }[];
  env?: { valueFrom?: { configMapKeyRef?: ApiKeyRef; secretKeyRef?: ApiKeyRef } }[];
  envFrom?: { configMapRef?: ApiKeyRef; secretRef?: ApiKeyRef }[];
}

export interface ApiKeyRef {
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

interface ApiTerminated {
  exitCode?: number;
  startedAt?: string | null;
  finishedAt?: string | null;
  reason?: string;
}

export interface ApiContainerStatus {
  name: string;
  restartCount?: number;
  ready?: boolean;
  started?: boolean;
  state?: {
    waiting?: { reason?: string };
    running?: { startedAt?: string };
    terminated?: ApiTerminated;
  };
  lastState?: { terminated?: ApiTerminated };
}

export interface ApiPodStatus {
  phase?: PodPhase;
  reason?: string;
  message?: string;
  conditions?: ApiCondition[];
  containerStatuses?: ApiContainerStatus[];
  initContainerStatuses?: ApiContainerStatus[];
  podIP?: string;
  startTime?: string;
  qosClass?: string;
  [field: string]: unknown;
}

export interface ApiToleration {
  key?: string;
  operator?: string;
  value?: string;
  effect?: string;
}

export interface ApiSelectorTerm {
  matchExpressions?: ApiRequirement[];
  matchFields?: ApiRequirement[];
}

export interface ApiRequirement {
  key: string;
  operator: string;
  values?: string[];
}

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
    terminationGracePeriodSeconds?: number;
    activeDeadlineSeconds?: number;
    priority?: number;
    readinessGates?: { conditionType: string }[];
    nodeSelector?: Record<string, string>;
    affinity?: {
      nodeAffinity?: {
        requiredDuringSchedulingIgnoredDuringExecution?: { nodeSelectorTerms?: ApiSelectorTerm[] };
      };
    };
    tolerations?: ApiToleration[];
    overhead?: ApiQuantities;
    imagePullSecrets?: ApiKeyRef[];
    resources?: { requests?: ApiQuantities; limits?: ApiQuantities };
    initContainers?: ApiContainer[];
    containers?: ApiContainer[];
    volumes?: ApiVolume[];
  };
  status?: ApiPodStatus;
}

/** True of the phases that a pod never leaves. */
export function isTerminalPhase(phase: PodPhase): boolean {
  return phase === 'Succeeded' || phase === 'Failed';
}
