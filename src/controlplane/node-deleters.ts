/**
 * Whether something in a cluster would delete nodes that have no machine behind them: a cluster autoscaler, Karpenter,
 * or a cloud's controller manager. Judged from what any reader of the cluster can see; a hint, not a proof.
 */

/** What was seen of a cluster. */
export interface ClusterSigns {
  /** Names and images of workloads and system pods: `kube-system/cluster-autoscaler`, `registry.../karpenter:1.2`. */
  workloads: readonly { name: string; images: readonly string[] }[];
  nodes: readonly { name: string; providerId: string; labels: Readonly<Record<string, string>> }[];
  /** API groups that are served. */
  apiGroups: readonly string[];
  /** True if kube-system has the ConfigMap in which a cluster autoscaler reports. */
  autoscalerStatus: boolean;
}

const WORKLOAD_SIGNS: readonly { pattern: RegExp; what: string }[] = [
  { pattern: /cluster-autoscaler/i, what: 'the cluster autoscaler' },
  { pattern: /karpenter/i, what: 'Karpenter' },
  {
    pattern: /cloud-controller-manager|cloud-node-manager|-ccm\b|openstack-cloud-controller/i,
    what: 'a cloud controller manager',
  },
];

// Managed clusters run their controllers out of sight; their nodes give them away.
const PROVIDERS: readonly { prefix: string; name: string }[] = [
  { prefix: 'aws://', name: 'AWS' },
  { prefix: 'gce://', name: 'Google Cloud' },
  { prefix: 'azure://', name: 'Azure' },
  { prefix: 'digitalocean://', name: 'DigitalOcean' },
  { prefix: 'openstack://', name: 'OpenStack' },
  { prefix: 'vsphere://', name: 'vSphere' },
  { prefix: 'hcloud://', name: 'Hetzner Cloud' },
  { prefix: 'ibm://', name: 'IBM Cloud' },
  { prefix: 'oci://', name: 'Oracle Cloud' },
  { prefix: 'ocid1.', name: 'Oracle Cloud' },
  { prefix: 'linode://', name: 'Akamai (Linode)' },
];

/** One warning, for people, for each thing found that would delete hollow nodes; empty if nothing was seen. */
export function nodeDeleterWarnings(signs: ClusterSigns): string[] {
  const warnings: string[] = [];
  for (const { pattern, what } of WORKLOAD_SIGNS) {
    const found = signs.workloads.find(({ name, images }) =>
      [name, ...images].some((text) => pattern.test(text)),
    );
    if (found !== undefined)
      warnings.push(
        `${what} runs as ${found.name}: it may delete hollow nodes, or add real ones for load pods`,
      );
  }
  const named = (what: string) => warnings.some((warning) => warning.startsWith(what));
  if (signs.autoscalerStatus && !named('the cluster autoscaler'))
    warnings.push(
      'a cluster autoscaler reports in ConfigMap kube-system/cluster-autoscaler-status: it may delete hollow nodes, or add real ones',
    );
  if (signs.apiGroups.some((group) => group === 'karpenter.sh') && !named('Karpenter'))
    warnings.push(
      'the API group karpenter.sh is served: Karpenter may delete hollow nodes, or add real ones',
    );
  const provider = PROVIDERS.find(({ prefix }) =>
    signs.nodes.some((node) => node.providerId.startsWith(prefix)),
  );
  if (provider !== undefined && !named('a cloud controller manager'))
    warnings.push(
      `nodes belong to ${provider.name}: its cloud controller deletes nodes whose machine it cannot find`,
    );
  return warnings;
}
