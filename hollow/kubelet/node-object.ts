/**
 * The Node object a kubelet registers with, and its conditions. The image list, which makes most of a real Node's size,
 * is the same text for all nodes of a fleet and is built once.
 * Source: pkg/kubelet/kubelet_node_status.go, pkg/kubelet/nodestatus/setters.go v1.36.3; reference captures.
 */
import type { FleetSettings, Pressure } from '../../src/config/index.ts';
import { hash32 } from '../../src/core/index.ts';
import type { WireForm } from '../wire-form.ts';
import { rfc3339Seconds } from './timestamps.ts';

export interface NodeTaint {
  key: string;
  value?: string;
  effect: 'NoSchedule' | 'PreferNoSchedule' | 'NoExecute';
}

/** What all nodes of a fleet have in common. */
export interface NodeShape {
  readonly form: WireForm;
  readonly kubernetesVersion: string;
  readonly capacity: FleetSettings['capacity'];
  /** Beyond the standard ones. */
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  /** JSON of `status.images`. */
  readonly imagesJson: string;
}

export interface NodeIdentity {
  readonly name: string;
  /** InternalIP. */
  readonly address: string;
  /** Of the kubelet API, whether anything answers there or not. */
  readonly kubeletPort: number;
  /** Address of pods on the host's network: Endpoints refuse loopback addresses. */
  readonly hostNetworkAddress: string;
  readonly zone: string | undefined;
}

export type NodeConditionType = 'MemoryPressure' | 'DiskPressure' | 'PIDPressure' | 'Ready';
/** In the order of the kubelet; Ready is last. */
export const NODE_CONDITIONS: readonly NodeConditionType[] = [
  'MemoryPressure',
  'DiskPressure',
  'PIDPressure',
  'Ready',
];

const HEALTHY: Readonly<Record<NodeConditionType, { status: string; reason: string; message: string }>> = {
  MemoryPressure: {
    status: 'False',
    reason: 'KubeletHasSufficientMemory',
    message: 'kubelet has sufficient memory available',
  },
  DiskPressure: {
    status: 'False',
    reason: 'KubeletHasNoDiskPressure',
    message: 'kubelet has no disk pressure',
  },
  PIDPressure: {
    status: 'False',
    reason: 'KubeletHasSufficientPID',
    message: 'kubelet has sufficient PID available',
  },
  Ready: { status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' },
};
const SHORT_OF = {
  memory: {
    status: 'True',
    reason: 'KubeletHasInsufficientMemory',
    message: 'kubelet has insufficient memory available',
  },
  disk: { status: 'True', reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' },
} as const;
const NO_PRESSURES: ReadonlySet<Pressure> = new Set();
const NOT_READY = { status: 'False', reason: 'KubeletNotReady', message: 'CSINode is not yet initialized' };

/** Source: NodeStatusMaxImages, pkg/kubelet/apis/config/v1beta1/defaults.go v1.36.3 */
const MAX_IMAGE_COUNT = 50;
/** Everything of a Node but its images, as JSON with managed fields, roughly. */
const NODE_WITHOUT_IMAGES_BYTES = 3_500;
/** In-tree volume plugins that have moved to CSI drivers, as the kubelet lists them on its CSINode. */
const MIGRATED_PLUGINS =
  'kubernetes.io/aws-ebs,kubernetes.io/azure-disk,kubernetes.io/azure-file,kubernetes.io/cinder,kubernetes.io/gce-pd,kubernetes.io/portworx-volume,kubernetes.io/vsphere-volume';

/** JSON of an image list that brings a Node object to about `nodeObjectBytes`: at most 50 images, biggest first. */
export function imageListJson(nodeObjectBytes: number): string {
  const wantedBytes = nodeObjectBytes - NODE_WITHOUT_IMAGES_BYTES;
  if (wantedBytes < 200) return '[]';
  // A real entry has a digest and a tag and about 300 bytes; beyond 50 of them names grow instead.
  const count = Math.max(1, Math.min(MAX_IMAGE_COUNT, Math.round(wantedBytes / 300)));
  const images: string[] = [];
  for (let index = 0; index < count; index++) {
    const digest = Array.from({ length: 8 }, (_, part) =>
      hash32(`image ${index} ${part}`).toString(16).padStart(8, '0'),
    ).join('');
    const sizeBytes = 400_000_000 - index * 7_654_321;
    const entry = (name: string) =>
      `{"names":["${name}@sha256:${digest}","${name}:v1.${index}.0"],"sizeBytes":${sizeBytes}}`;
    const stem = `registry.example.com/hollow/image-${String(index).padStart(2, '0')}`;
    const padding = Math.max(0, Math.floor((wantedBytes / count - entry(stem).length - 1) / 2));
    images.push(entry(padding > 1 ? `${stem}-${'x'.repeat(padding - 1)}` : stem));
  }
  return `[${images.join(',')}]`;
}

/** Labels that a kubelet sets on its node, and those of the fleet. */
export function nodeLabels(shape: NodeShape, identity: NodeIdentity): Record<string, string> {
  return {
    'beta.kubernetes.io/arch': 'amd64',
    'beta.kubernetes.io/os': 'linux',
    'kubernetes.io/arch': 'amd64',
    'kubernetes.io/hostname': identity.name,
    'kubernetes.io/os': 'linux',
    ...(identity.zone === undefined ? {} : { 'topology.kubernetes.io/zone': identity.zone }),
    ...shape.labels,
  };
}

/** Body of the POST that creates the node, with the whole status; `ready` from the start on light nodes only. */
export function nodeBody(shape: NodeShape, identity: NodeIdentity, wallMs: number, ready = false): string {
  const { form } = shape;
  const node = {
    kind: 'Node',
    apiVersion: 'v1',
    metadata: {
      name: identity.name,
      labels: nodeLabels(shape, identity),
      ...(form.controllerAttach
        ? { annotations: { 'volumes.kubernetes.io/controller-managed-attach-detach': 'true' } }
        : {}),
    },
    spec: {
      providerID: `${form.providerScheme}://${identity.name}`,
      ...(shape.taints.length === 0 ? {} : { taints: shape.taints }),
    },
  };
  const status = JSON.stringify(nodeStatus(shape, identity, wallMs, ready));
  const head = JSON.stringify(node);
  return `${head.slice(0, -1)},"status":${status.slice(0, -1)},"images":${shape.imagesJson}}}`;
}

/** What the server has of a condition, as far as it matters. */
export interface SeenCondition {
  status: string;
  heartbeatTime: string;
}

/**
 * Body of the PATCH of nodes/NAME/status that brings the conditions up to date, and how many changed in more than
 * their heartbeat. `{}` where even the heartbeat's second is the same.
 */
export function nodeStatusPatch(
  seen: ReadonlyMap<string, SeenCondition>,
  ready: boolean,
  wallMs: number,
  pressures: ReadonlySet<Pressure> = NO_PRESSURES,
): { body: string; turnedCount: number } {
  const now = rfc3339Seconds(wallMs);
  const conditions: Record<string, string>[] = [];
  let turnedCount = 0;
  for (const type of NODE_CONDITIONS) {
    const wanted = type === 'Ready' && !ready ? NOT_READY : (shortageOf(type, pressures) ?? HEALTHY[type]);
    const before = seen.get(type);
    if (before !== undefined && before.status === wanted.status) {
      if (before.heartbeatTime !== now) conditions.push({ lastHeartbeatTime: now, type });
      continue;
    }
    turnedCount++;
    conditions.push({
      lastHeartbeatTime: now,
      lastTransitionTime: now,
      message: wanted.message,
      reason: wanted.reason,
      status: wanted.status,
      type,
    });
  }
  if (conditions.length === 0) return { body: '{}', turnedCount };
  const order = NODE_CONDITIONS.map((type) => ({ type }));
  return {
    body: JSON.stringify({ status: { '$setElementOrder/conditions': order, conditions } }),
    turnedCount,
  };
}

function shortageOf(type: NodeConditionType, pressures: ReadonlySet<Pressure>) {
  if (type === 'MemoryPressure' && pressures.has('memory')) return SHORT_OF.memory;
  return type === 'DiskPressure' && pressures.has('disk') ? SHORT_OF.disk : undefined;
}

/** Body of the POST that creates the node's CSINode, without drivers. */
export function csiNodeBody(name: string, nodeUid: string): string {
  return JSON.stringify({
    kind: 'CSINode',
    apiVersion: 'storage.k8s.io/v1',
    metadata: {
      name,
      annotations: { 'storage.alpha.kubernetes.io/migrated-plugins': MIGRATED_PLUGINS },
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid: nodeUid }],
    },
    spec: { drivers: null },
  });
}

function nodeStatus(
  shape: NodeShape,
  identity: NodeIdentity,
  wallMs: number,
  ready: boolean,
): Record<string, unknown> {
  const { capacity, form, kubernetesVersion } = shape;
  const now = rfc3339Seconds(wallMs);
  const resources = {
    cpu: capacity.cpu,
    'ephemeral-storage': capacity.ephemeralStorage,
    'hugepages-1Gi': '0',
    'hugepages-2Mi': '0',
    memory: capacity.memory,
    pods: String(capacity.podCount),
  };
  const uuid = uuidOf(identity.name);
  return {
    capacity: resources,
    allocatable: resources,
    conditions: NODE_CONDITIONS.map((type) => {
      const { status, reason, message } = type === 'Ready' && !ready ? NOT_READY : HEALTHY[type];
      return { type, status, lastHeartbeatTime: now, lastTransitionTime: now, reason, message };
    }),
    addresses: [
      { type: 'InternalIP', address: identity.address },
      { type: 'Hostname', address: identity.name },
    ],
    daemonEndpoints: { kubeletEndpoint: { Port: identity.kubeletPort } },
    nodeInfo: {
      machineID: uuid.replaceAll('-', ''),
      systemUUID: uuid,
      bootID: uuidOf(`${identity.name} boot`),
      kernelVersion: '6.12.0-hollowmark',
      osImage: 'hollowmark',
      containerRuntimeVersion: form.runtimeVersion,
      kubeletVersion: kubernetesVersion,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: 'amd64',
    },
    declaredFeatures: form.declaredFeatures,
  };
}

/** A UUID that belongs to `text` for ever. */
export function uuidOf(text: string): string {
  const hex = Array.from({ length: 4 }, (_, part) =>
    hash32(`${text}/${part}`).toString(16).padStart(8, '0'),
  ).join('');
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-4${hex.slice(13, 16)}-8${hex.slice(17, 20)}-${hex.slice(20)}`;
}
