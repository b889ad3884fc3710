/**
 * What every component of a control plane comes down to: a program, its arguments, and where it answers. Each
 * component has one file that yields this from identity, ports, peers and settings; a plane is a list of them.
 */
import type { ClusterAccess } from '../../kube/index.ts';
import type { PlaneIdentities } from '../pki/plane-pki.ts';

export const COMPONENT_NAMES = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
] as const;
export type ComponentName = (typeof COMPONENT_NAMES)[number];

/** Kinds of processes of a plane: its components, and what stands between them. */
export type InstanceKind = ComponentName | 'haproxy' | 'link-proxy';

/** One instance of a component, as plain data: it can be saved and started again by another process. */
export interface ComponentInstance {
  component: InstanceKind;
  /** Unique within the plane: `etcd-0`, `etcd-events-0`, `kube-apiserver-0`. */
  name: string;
  args: readonly string[];
  /** Path of the health check on `address`. */
  readyPath: string;
  /** `127.0.0.1:20001`: where health and metrics are served, over TLS. */
  address: string;
  /** As whom: the plane's admin, or the API server's etcd client. */
  identity: 'admin' | 'etcd-client';
  /** Absolute path of the program, where it is none of the binaries'. */
  program?: string | undefined;
  /** Host name to run under, where there are several of its kind. */
  hostname?: string | undefined;
  /** Added to the process's environment. */
  environment?: Readonly<Record<string, string>> | undefined;
  zone?: string | undefined;
}

/** Access to one instance's own port, for its health and its metrics. */
export function instanceAccess(instance: ComponentInstance, pki: PlaneIdentities): ClusterAccess {
  const server = `https://${instance.address}`;
  const pair = instance.identity === 'admin' ? pki.admin : pki.etcdClient;
  return {
    server,
    members: [server],
    caPem: instance.identity === 'admin' ? pki.caPem : pki.etcdCaPem,
    credential: { type: 'client-certificate', certPem: pair.certPem, keyPem: pair.keyPem },
  };
}
