/**
 * kube-apiserver, with the flags kubeadm would give it.
 */
import type { pkiPaths } from '../pki/plane-pki.ts';
import type { ComponentInstance } from './component.ts';
import { type FlagSet, formatFlags } from './flags.ts';

/** Range of Service addresses; kubeadm's default. */
export const SERVICE_CIDR = '10.96.0.0/12';

export interface ApiServerSettings {
  /** `kube-apiserver-0` */
  name: string;
  port: number;
  /** @default '127.0.0.1'. In a container: `0.0.0.0`, so that its port can be published. */
  bindAddress?: string | undefined;
  /**
   * Address in the endpoints of the Service `kubernetes`, unique to each API server. Endpoints refuse 127.0.0.0/8, so
   * it is one of 192.0.2.0/24 (documentation addresses, RFC 5737): nothing answers there, and nothing in a hollow
   * cluster calls it.
   */
  advertiseAddress: string;
  /** Client URLs of etcd, all members. */
  etcdServers: readonly string[];
  /** Client URLs of the etcd that holds events only; absent: events are with everything else. */
  eventsEtcdServers?: readonly string[] | undefined;
  pki: ReturnType<typeof pkiPaths>;
  /** Paths of an audit policy and of the log to write; absent: no audit. */
  audit?: { policyPath: string; logPath: string } | undefined;
  flags?: FlagSet | undefined;
}

export function kubeApiserver(settings: ApiServerSettings): ComponentInstance {
  const { pki } = settings;
  const own: FlagSet = {
    'bind-address': settings.bindAddress ?? '127.0.0.1',
    'secure-port': settings.port,
    'advertise-address': settings.advertiseAddress,
    'etcd-servers': settings.etcdServers.join(','),
    'etcd-cafile': pki.etcdCa,
    'etcd-certfile': pki.etcdClient.cert,
    'etcd-keyfile': pki.etcdClient.key,
    ...(settings.eventsEtcdServers === undefined
      ? {}
      : { 'etcd-servers-overrides': `/events#${settings.eventsEtcdServers.join(';')}` }),
    'authorization-mode': 'Node,RBAC',
    'enable-admission-plugins': 'NodeRestriction',
    'enable-bootstrap-token-auth': true,
    'allow-privileged': true,
    'client-ca-file': pki.ca,
    'tls-cert-file': pki.apiserver.cert,
    'tls-private-key-file': pki.apiserver.key,
    'kubelet-client-certificate': pki.kubeletClient.cert,
    'kubelet-client-key': pki.kubeletClient.key,
    // Hollow nodes have no names in DNS: logs and metrics go to their address.
    'kubelet-preferred-address-types': 'InternalIP',
    'proxy-client-cert-file': pki.frontProxyClient.cert,
    'proxy-client-key-file': pki.frontProxyClient.key,
    'requestheader-client-ca-file': pki.frontProxyCa,
    'requestheader-allowed-names': 'front-proxy-client',
    'requestheader-username-headers': 'X-Remote-User',
    'requestheader-group-headers': 'X-Remote-Group',
    'requestheader-extra-headers-prefix': 'X-Remote-Extra-',
    'service-account-issuer': 'https://kubernetes.default.svc.cluster.local',
    'service-account-key-file': pki.serviceAccountPublicKey,
    'service-account-signing-key-file': pki.serviceAccountKey,
    'service-cluster-ip-range': SERVICE_CIDR,
    ...(settings.audit === undefined
      ? {}
      : { 'audit-policy-file': settings.audit.policyPath, 'audit-log-path': settings.audit.logPath }),
  };
  return {
    component: 'kube-apiserver',
    name: settings.name,
    args: formatFlags(own, settings.flags),
    readyPath: '/readyz',
    address: `127.0.0.1:${settings.port}`,
    identity: 'admin',
  };
}
