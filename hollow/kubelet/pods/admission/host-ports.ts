/**
 * Ports of the node that pods ask for.
 * Source: GetHostPorts, pkg/scheduler/util/utils.go; HostPortInfo, k8s.io/kube-scheduler framework/types.go v1.36.3
 */
import type { ApiContainer, ApiPod } from '../pod-object.ts';

export interface HostPort {
  /** `0.0.0.0`: every address of the node. */
  readonly ip: string;
  readonly protocol: string;
  readonly port: number;
}

const NO_PORTS: readonly HostPort[] = Object.freeze([]);
const EVERY_ADDRESS = '0.0.0.0';

/** Those of the main containers and sidecars; pods without any share one object. */
export function readHostPorts({ spec = {} }: ApiPod): readonly HostPort[] {
  const ports: HostPort[] = [];
  const read = (container: ApiContainer) => {
    for (const { hostIP, hostPort = 0, protocol } of container.ports ?? []) {
      if (hostPort > 0) {
        ports.push({ ip: hostIP || EVERY_ADDRESS, protocol: protocol || 'TCP', port: hostPort });
      }
    }
  };
  for (const container of spec.initContainers ?? [])
    if (container.restartPolicy === 'Always') read(container);
  for (const container of spec.containers ?? []) read(container);
  return ports.length === 0 ? NO_PORTS : ports;
}

/** True if both cannot be had on one node. */
export function portsConflict(a: HostPort, b: HostPort): boolean {
  if (a.port !== b.port || a.protocol !== b.protocol) return false;
  return a.ip === b.ip || a.ip === EVERY_ADDRESS || b.ip === EVERY_ADDRESS;
}
