/**
 * What a kubelet knows of its own Node object from its watch: identity, conditions and pod CIDR. Fifteen kilobytes of
 * image list are dropped after reading.
 */
import type { SeenCondition } from './node-object.ts';

export interface OwnNode {
  uid: string;
  podCidr: string | undefined;
  readonly conditions: ReadonlyMap<string, SeenCondition>;
}

interface ApiNode {
  metadata?: { uid?: string };
  spec?: { podCIDR?: string };
  status?: { conditions?: { type: string; status: string; lastHeartbeatTime?: string }[] };
}

/** Reads a v1 Node (parsed JSON). */
export function readNode(object: unknown): OwnNode {
  const node = object as ApiNode;
  const conditions = new Map<string, SeenCondition>();
  for (const { type, status, lastHeartbeatTime } of node.status?.conditions ?? []) {
    conditions.set(type, { status, heartbeatTime: lastHeartbeatTime ?? '' });
  }
  return { uid: node.metadata?.uid ?? '', podCidr: node.spec?.podCIDR, conditions };
}

/** True if the server's copy says Ready. */
export function isReady(node: OwnNode | undefined): boolean {
  return node?.conditions.get('Ready')?.status === 'True';
}
