/**
 * What a kubelet knows of its own Node object from its watch: identity, conditions, pod CIDR, labels and taints. Fifteen kilobytes of
 * image list are dropped after reading.
 */
import type { NodeTaint, SeenCondition } from './node-object.ts';

export interface OwnNode {
  uid: string;
  podCidr: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
  readonly taints: readonly NodeTaint[];
  /** Cordoned. */
  readonly unschedulable: boolean;
  readonly conditions: ReadonlyMap<string, SeenCondition>;
}

interface ApiNode {
  metadata?: { uid?: string; labels?: Record<string, string> };
  spec?: { podCIDR?: string; taints?: NodeTaint[]; unschedulable?: boolean };
  status?: { conditions?: { type: string; status: string; lastHeartbeatTime?: string }[] };
}

const NO_LABELS: Readonly<Record<string, string>> = Object.freeze({});
const NO_TAINTS: readonly NodeTaint[] = Object.freeze([]);

/** Reads a v1 Node (parsed JSON). */
export function readNode(object: unknown): OwnNode {
  const node = object as ApiNode;
  const conditions = new Map<string, SeenCondition>();
  for (const { type, status, lastHeartbeatTime } of node.status?.conditions ?? []) {
    conditions.set(type, { status, heartbeatTime: lastHeartbeatTime ?? '' });
  }
  return {
    uid: node.metadata?.uid ?? '',
    podCidr: node.spec?.podCIDR,
    labels: node.metadata?.labels ?? NO_LABELS,
    taints: node.spec?.taints ?? NO_TAINTS,
    unschedulable: node.spec?.unschedulable === true,
    conditions,
  };
}

/** True if the server's copy says Ready. */
export function isReady(node: OwnNode | undefined): boolean {
  return node?.conditions.get('Ready')?.status === 'True';
}
