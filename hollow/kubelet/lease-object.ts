/**
 * The node's lease as text. A renewal sends back the whole object that the last reply brought, with another renew
 * time: the text is spliced, never parsed, because a fleet does this hundreds of times a second.
 */
import { rfc3339Micros } from './timestamps.ts';

const RENEW_TIME = '"renewTime":"';

/** Body of the POST that creates the lease. */
export function leaseBody(name: string, nodeUid: string, durationSeconds: number, wallMs: number): string {
  return JSON.stringify({
    kind: 'Lease',
    apiVersion: 'coordination.k8s.io/v1',
    metadata: {
      name,
      namespace: 'kube-node-lease',
      ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name, uid: nodeUid }],
    },
    spec: {
      holderIdentity: name,
      leaseDurationSeconds: durationSeconds,
      renewTime: rfc3339Micros(wallMs),
    },
  });
}

/** The lease `text` (a reply of the server) with another renew time; undefined where it has none. */
export function renewedLease(text: string, wallMs: number): string | undefined {
  // The last one: managed fields name it too, without a value.
  const start = text.lastIndexOf(RENEW_TIME);
  if (start === -1) return undefined;
  const valueStart = start + RENEW_TIME.length;
  const end = text.indexOf('"', valueStart);
  return text.slice(0, valueStart) + rfc3339Micros(wallMs) + text.slice(end);
}
