/**
 * Resources by the name that people give them (`pods`, `deployments.apps`) and by kind: the built-in ones with their
 * preferred version and scope, any other as `PLURAL.VERSION.GROUP`.
 */
import type { ResourceRef } from './suite.ts';

/** Kind, plural and scope, by group and preferred version. Source: `kubectl api-resources` of Kubernetes 1.36. */
const BUILT_IN: readonly [group: string, version: string, kinds: string][] = [
  [
    '',
    'v1',
    'ConfigMap Endpoints Event LimitRange PersistentVolumeClaim Pod PodTemplate ReplicationController ' +
      'ResourceQuota Secret Service ServiceAccount *Namespace *Node *PersistentVolume',
  ],
  ['apps', 'v1', 'ControllerRevision DaemonSet Deployment ReplicaSet StatefulSet'],
  ['autoscaling', 'v2', 'HorizontalPodAutoscaler'],
  ['batch', 'v1', 'CronJob Job'],
  ['certificates.k8s.io', 'v1', '*CertificateSigningRequest'],
  ['coordination.k8s.io', 'v1', 'Lease'],
  ['discovery.k8s.io', 'v1', 'EndpointSlice'],
  ['events.k8s.io', 'v1', 'Event'],
  ['flowcontrol.apiserver.k8s.io', 'v1', '*FlowSchema *PriorityLevelConfiguration'],
  ['networking.k8s.io', 'v1', 'Ingress NetworkPolicy *IngressClass *IPAddress *ServiceCIDR'],
  ['node.k8s.io', 'v1', '*RuntimeClass'],
  ['policy', 'v1', 'PodDisruptionBudget'],
  ['rbac.authorization.k8s.io', 'v1', 'Role RoleBinding *ClusterRole *ClusterRoleBinding'],
  ['resource.k8s.io', 'v1', 'ResourceClaim ResourceClaimTemplate *DeviceClass *ResourceSlice'],
  ['scheduling.k8s.io', 'v1', '*PriorityClass'],
  ['storage.k8s.io', 'v1', 'CSIStorageCapacity *CSIDriver *CSINode *StorageClass *VolumeAttachment'],
  [
    'admissionregistration.k8s.io',
    'v1',
    '*MutatingWebhookConfiguration *ValidatingWebhookConfiguration *ValidatingAdmissionPolicy ' +
      '*ValidatingAdmissionPolicyBinding',
  ],
  ['apiextensions.k8s.io', 'v1', '*CustomResourceDefinition'],
  ['apiregistration.k8s.io', 'v1', '*APIService'],
];

interface BuiltInResource {
  kind: string;
  ref: ResourceRef;
}

const RESOURCES: readonly BuiltInResource[] = BUILT_IN.flatMap(([group, version, kinds]) =>
  kinds.split(' ').map((entry) => {
    const kind = entry.replace('*', '');
    return { kind, ref: { group, version, plural: pluralOf(kind), namespaced: !entry.startsWith('*') } };
  }),
);

const BY_NAME = new Map(RESOURCES.map((resource) => [resourceLabel(resource.ref), resource]));

/** Names of every built-in resource: `pods`, `deployments.apps`, … */
export const BUILT_IN_RESOURCE_NAMES: readonly string[] = [...BY_NAME.keys()];

/** `pods`, `deployments.apps`: the plural, with the group where there is one. */
export function resourceLabel(ref: ResourceRef): string {
  return ref.group === '' ? ref.plural : `${ref.plural}.${ref.group}`;
}

/**
 * The resource named `pods`, `deployments.apps`, `deployments.v1.apps` or `widgets.v1.example.com`; undefined for a
 * name that is neither built in nor carries its version. `namespaced` is for those that are not built in.
 */
export function parseResource(name: string, namespaced: boolean | undefined): ResourceRef | undefined {
  const built = BY_NAME.get(name);
  if (built !== undefined) return { ...built.ref };
  const match =
    /^([a-z][a-z0-9-]*)\.(v[0-9]+(?:(?:alpha|beta)[0-9]+)?)(?:\.([a-z0-9-]+(?:\.[a-z0-9-]+)*))?$/.exec(name);
  if (match === null) return undefined;
  const [, plural = '', version = '', group = ''] = match;
  const known = BY_NAME.get(group === '' ? plural : `${plural}.${group}`);
  return { group, version, plural, namespaced: known?.ref.namespaced ?? namespaced ?? true };
}

/** The built-in resource of a manifest's apiVersion and kind, in that version. */
export function resourceOfKind(apiVersion: string, kind: string): ResourceRef | undefined {
  const { group, version } = splitApiVersion(apiVersion);
  const found = RESOURCES.find((resource) => resource.kind === kind && resource.ref.group === group);
  return found === undefined ? undefined : { ...found.ref, version };
}

/** `apps/v1` is group `apps`, version `v1`; `v1` is the core group, an empty one. */
export function splitApiVersion(apiVersion: string): { group: string; version: string } {
  const slash = apiVersion.indexOf('/');
  return slash === -1
    ? { group: '', version: apiVersion }
    : { group: apiVersion.slice(0, slash), version: apiVersion.slice(slash + 1) };
}

/** Built-in resources that differ from `name` in the group only: what someone who wrote `deployments` meant. */
export function resourceWithPlural(plural: string): string | undefined {
  return BUILT_IN_RESOURCE_NAMES.find((name) => name.startsWith(`${plural}.`));
}

/**
 * The plural that an API would have by English custom, in lower case: a guess for kinds that are not built in.
 * Source: apimachinery pkg/api/meta UnsafeGuessKindToResource.
 */
export function pluralOf(kind: string): string {
  const singular = kind.toLowerCase();
  if (singular.endsWith('endpoints')) return singular;
  if (singular.endsWith('s') || singular.endsWith('x') || singular.endsWith('ch')) return `${singular}es`;
  if (singular.endsWith('y') && !/[aeiou]y$/.test(singular)) return `${singular.slice(0, -1)}ies`;
  return `${singular}s`;
}
