/**
 * What a hollow kubelet keeps of a pod: the few fields that decide what it does. The object itself is dropped after
 * reading, because a node with a hundred pods would otherwise hold half a megabyte of managed fields; the status
 * writer reads the pod from the API server again before each write, as a kubelet does, and takes the rest from there.
 */
import { type HostPort, readHostPorts } from './admission/host-ports.ts';
import type {
  ApiCondition,
  ApiContainer,
  ApiKeyRef,
  ApiPod,
  ApiProbe,
  ApiVolume,
  PodPhase,
  RestartPolicy,
} from './pod-object.ts';
import { type PodRequests, readPodRequests } from './pod-requests.ts';

/** `init` runs to its end before the next one; `sidecar` is an init container that stays. */
export type ContainerKind = 'init' | 'sidecar' | 'main';

export interface ContainerSpec {
  readonly name: string;
  readonly image: string;
  readonly kind: ContainerKind;
  /** The container's own policy; undefined: the pod's. */
  readonly restartPolicy: RestartPolicy | undefined;
  /** Come before its own policy. */
  readonly restartRules: readonly RestartRule[];
  readonly startupProbe: ProbeSpec | undefined;
  readonly readinessProbe: ProbeSpec | undefined;
  readonly livenessProbe: ProbeSpec | undefined;
  /** Seconds that its preStop hook sleeps; `as-planned`: an exec or HTTP hook, which takes as long as its behaviour says. */
  readonly preStop: number | 'as-planned';
}

/** A container that exits with one of `codes` (or with none of them: `negated`) is restarted. */
export interface RestartRule {
  readonly negated: boolean;
  readonly codes: readonly number[];
  /** All containers of the pod are restarted. */
  readonly all: boolean;
}

export interface ProbeSpec {
  readonly how: 'http' | 'tcp' | 'grpc' | 'exec';
  readonly port: string;
  readonly initialDelaySeconds: number;
  readonly periodMs: number;
  readonly successThreshold: number;
  readonly failureThreshold: number;
  /** Of a kill that this probe asks for; undefined: the pod's. */
  readonly graceSeconds: number | undefined;
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
  /** Of a stop that nobody else gives a grace period to. */
  readonly graceSeconds: number;
  /** Longest time on the node; undefined: no limit. */
  readonly activeDeadlineSeconds: number | undefined;
  readonly priority: number;
  /** As the API server worked it out. */
  readonly qosClass: 'BestEffort' | 'Burstable' | 'Guaranteed';
  readonly hostPorts: readonly HostPort[];
  /** Conditions that others set and that readiness waits for. */
  readonly readinessGates: readonly string[];
  readonly requests: PodRequests;
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
  /** All conditions of the server; not kept. */
  readonly conditions: readonly ApiCondition[];
  readonly podIp: string | undefined;
}

/** Service-account tokens of pods that do not say how long they last. Source: pkg/apis/core/v1/defaults.go v1.36.3 */
const DEFAULT_TOKEN_SECONDS = 3_600;
/** Source: DefaultTerminationGracePeriodSeconds, k8s.io/api core/v1 */
const DEFAULT_GRACE_SECONDS = 30;
const NO_TEXT: Readonly<Record<string, string>> = Object.freeze({});
const NO_RULES: readonly RestartRule[] = Object.freeze([]);
const NO_CONDITIONS: readonly ApiCondition[] = Object.freeze([]);
const NO_GATES: readonly string[] = Object.freeze([]);

/** Reads what stays the same for a pod's life. Strings that many pods share come from `intern`. */
export function readPodSpec(pod: ApiPod, intern: (text: string) => string): PodSpec {
  const { metadata, spec = {} } = pod;
  const containers: ContainerSpec[] = [];
  for (const container of spec.initContainers ?? []) {
    const kind = container.restartPolicy === 'Always' ? 'sidecar' : 'init';
    containers.push(readContainer(container, kind, intern));
  }
  for (const container of spec.containers ?? []) containers.push(readContainer(container, 'main', intern));
  return {
    uid: metadata.uid ?? '',
    namespace: intern(metadata.namespace ?? 'default'),
    name: metadata.name,
    resourceVersion: metadata.resourceVersion ?? '',
    restartPolicy: spec.restartPolicy ?? 'Always',
    hostNetwork: spec.hostNetwork === true,
    serviceAccount: intern(spec.serviceAccountName ?? 'default'),
    graceSeconds: spec.terminationGracePeriodSeconds ?? DEFAULT_GRACE_SECONDS,
    activeDeadlineSeconds: spec.activeDeadlineSeconds,
    priority: spec.priority ?? 0,
    qosClass: qosClassOf(pod),
    hostPorts: readHostPorts(pod),
    readinessGates: spec.readinessGates?.map(({ conditionType }) => intern(conditionType)) ?? NO_GATES,
    requests: readPodRequests(pod),
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
    conditions: status.conditions ?? NO_CONDITIONS,
    podIp: status.podIP,
  };
}

function readContainer(
  container: ApiContainer,
  kind: ContainerKind,
  intern: (text: string) => string,
): ContainerSpec {
  return {
    name: intern(container.name),
    image: intern(container.image ?? ''),
    kind,
    restartPolicy: container.restartPolicy,
    restartRules:
      container.restartPolicyRules?.map(({ action, exitCodes }) => ({
        all: action === 'RestartAllContainers',
        negated: exitCodes?.operator === 'NotIn',
        codes: exitCodes?.values ?? [],
      })) ?? NO_RULES,
    startupProbe: readProbe(container.startupProbe),
    readinessProbe: readProbe(container.readinessProbe),
    livenessProbe: readProbe(container.livenessProbe),
    preStop: readPreStop(container),
  };
}

function readPreStop({ lifecycle }: ApiContainer): ContainerSpec['preStop'] {
  const { exec, httpGet, sleep } = lifecycle?.preStop ?? {};
  return exec === undefined && httpGet === undefined ? (sleep?.seconds ?? 0) : 'as-planned';
}

function qosClassOf({ status }: ApiPod): PodSpec['qosClass'] {
  const qosClass = status?.qosClass;
  return qosClass === 'Guaranteed' || qosClass === 'Burstable' ? qosClass : 'BestEffort';
}

/** Defaults as the API server fills them in. Source: SetDefaults_Probe, pkg/apis/core/v1/defaults.go v1.36.3 */
function readProbe(probe: ApiProbe | undefined): ProbeSpec | undefined {
  if (probe === undefined) return undefined;
  const { httpGet, tcpSocket, grpc } = probe;
  const network = httpGet ?? tcpSocket ?? grpc;
  const how =
    httpGet !== undefined ? 'http' : tcpSocket !== undefined ? 'tcp' : grpc !== undefined ? 'grpc' : 'exec';
  return {
    how,
    port: String(network?.port ?? ''),
    initialDelaySeconds: probe.initialDelaySeconds ?? 0,
    periodMs: (probe.periodSeconds ?? 10) * 1_000,
    successThreshold: probe.successThreshold ?? 1,
    failureThreshold: probe.failureThreshold ?? 3,
    graceSeconds: probe.terminationGracePeriodSeconds,
  };
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
