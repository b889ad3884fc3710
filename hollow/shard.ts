/**
 * A fleet's share for one process, as it comes to an agent: plain JSON. Node i of the fleet belongs to shard
 * i mod count, so that shares differ by one node at most and every shard starts its nodes in the fleet's order.
 */
import type { FleetSettings } from '../src/config/index.ts';
import type { ClusterAccess } from '../src/kube/index.ts';
import type { NodeTaint } from './kubelet/node-object.ts';
import type { KubeletServing } from './kubelet/server/kubelet-server.ts';

export interface FleetShard {
  runId: string;
  seed: number;
  /** Node names are this with a number of five digits: `hollow-` gives `hollow-00042`. */
  nodeNamePrefix: string;
  shard: { index: number; count: number };
  settings: FleetSettings;
  /**
   * A credential that may impersonate nodes and the kube-proxy ServiceAccount. With client certificates it still
   * speaks for the proxies, by impersonation.
   */
  access: ClusterAccess;
  /** By node name; required with `identity: certificate`. */
  certificates?: Readonly<Record<string, { certPem: string; keyPem: string }>>;
  /** Present: each node's kubelet can be asked, on this host. */
  kubeletApi?: KubeletServing;
  /** gitVersion of the API server, and what the kubelets claim to be. */
  kubernetesVersion: string;
  /** Labels of every node beside the kubelet's own; fleetLabels() gives the usual ones. */
  labels: Readonly<Record<string, string>>;
  taints: readonly NodeTaint[];
  /** Zones that nodes are spread over by their number; absent: none. */
  zones?: readonly string[];
  /** Phase under which calls are recorded until setPhase(). */
  phase: string;
}

/** Key of the taint that keeps real workload off hollow nodes; load pods tolerate it. */
export const HOLLOW_TAINT_KEY = 'hollowmark.dev/hollow';
/** Label with the run's id on everything that a run makes. */
export const RUN_LABEL = 'hollowmark.dev/run';

/** The taint of every hollow node. */
export const HOLLOW_TAINT: NodeTaint = { key: HOLLOW_TAINT_KEY, value: 'true', effect: 'NoSchedule' };

/** Labels of a run's hollow nodes: the run, `type=hollow`, and the suite's. */
export function fleetLabels(
  runId: string,
  suiteLabels: Readonly<Record<string, string>>,
): Record<string, string> {
  return { ...suiteLabels, type: 'hollow', [RUN_LABEL]: runId };
}

/** Name of node `index` (from 0, over the whole fleet). */
export function nodeName(prefix: string, index: number): string {
  return `${prefix}${String(index).padStart(5, '0')}`;
}

/** Numbers of the nodes that belong to a shard, ascending. */
export function shardNodeIndexes(nodeCount: number, shard: { index: number; count: number }): number[] {
  const indexes: number[] = [];
  for (let index = shard.index; index < nodeCount; index += shard.count) indexes.push(index);
  return indexes;
}
