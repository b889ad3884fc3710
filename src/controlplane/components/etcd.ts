/**
 * etcd: one member of a cluster of any size, for all objects or for events alone.
 */

import type { Profile } from '../../config/index.ts';
import type { pkiPaths } from '../pki/plane-pki.ts';
import type { ComponentInstance } from './component.ts';
import { type FlagSet, formatFlags } from './flags.ts';

export interface EtcdPeer {
  /** `etcd-0` */
  name: string;
  /** `https://127.0.0.1:2380`: where its peers find it. */
  peerUrl: string;
}

export interface EtcdSettings {
  /** `etcd-0`; also the member's name. */
  name: string;
  clientPort: number;
  peerPort: number;
  /** Every member of the cluster, this one included. */
  members: readonly EtcdPeer[];
  /** Unique to the cluster, so that members of two planes never talk to each other. */
  clusterToken: string;
  dataDirectory: string;
  pki: ReturnType<typeof pkiPaths>;
  profile: Profile;
  flags?: FlagSet | undefined;
  /** URL of a proxy that connections to peers go through. */
  forwardProxy?: string | undefined;
}

/** Largest database etcd's makers recommend; its default of 2 GiB fills up in large tests. */
export const ETCD_QUOTA_BYTES = 8 * 1024 ** 3;

export function etcd(settings: EtcdSettings): ComponentInstance {
  const { pki } = settings;
  const clientUrl = `https://127.0.0.1:${settings.clientPort}`;
  const peerUrl = settings.members.find(({ name }) => name === settings.name)?.peerUrl ?? '';
  const own: FlagSet = {
    name: settings.name,
    'data-dir': settings.dataDirectory,
    'listen-client-urls': clientUrl,
    'advertise-client-urls': clientUrl,
    'listen-peer-urls': `https://127.0.0.1:${settings.peerPort}`,
    'initial-advertise-peer-urls': peerUrl,
    'initial-cluster': settings.members.map((member) => `${member.name}=${member.peerUrl}`).join(','),
    'initial-cluster-state': 'new',
    'initial-cluster-token': settings.clusterToken,
    'cert-file': pki.etcdServer.cert,
    'key-file': pki.etcdServer.key,
    'client-cert-auth': true,
    'trusted-ca-file': pki.etcdCa,
    'peer-cert-file': pki.etcdPeer.cert,
    'peer-key-file': pki.etcdPeer.key,
    'peer-client-cert-auth': true,
    'peer-trusted-ca-file': pki.etcdCa,
    'quota-backend-bytes': ETCD_QUOTA_BYTES,
    // The three that kubeadm 1.36 sets beside its own paths.
    'snapshot-count': 10_000,
    'feature-gates': 'InitialCorruptCheck=true',
    'watch-progress-notify-interval': '5s',
    ...(settings.profile === 'fast' ? { 'unsafe-no-fsync': true } : {}),
  };
  return {
    component: 'etcd',
    name: settings.name,
    args: formatFlags(own, settings.flags),
    readyPath: '/readyz',
    address: `127.0.0.1:${settings.clientPort}`,
    identity: 'etcd-client',
    ...(settings.forwardProxy === undefined ? {} : { environment: { HTTPS_PROXY: settings.forwardProxy } }),
  };
}
