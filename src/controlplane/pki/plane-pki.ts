/**
 * All keys, certificates and kubeconfig files of one control plane, written to a folder only its owner can read.
 * The set and the subjects are those of kubeadm.
 */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Profile } from '../../config/index.ts';
import { diskError } from '../process/managed-process.ts';
import {
  CertificateAuthority,
  type KeyAndCertificate,
  type KeyKind,
  makeSigningKeyPair,
} from './authority.ts';
import { formatKubeconfig } from './kubeconfig.ts';

/** What is needed to make the files of a plane. */
export interface PkiSettings {
  /** Folder to write to; created. */
  directory: string;
  profile: Profile;
  /** URL that every client uses: the API server, or the load balancer in front of several. */
  server: string;
  /** More names and addresses in the API servers' certificates, such as the advertised address. */
  extraNames?: readonly string[];
  extraAddresses?: readonly string[];
  /** Names of instances beside the first of each component, which get a serving certificate of their own. */
  furtherInstances?: readonly string[];
  /** More names under which members of etcd know each other. */
  extraPeerNames?: readonly string[];
}

/** As whom hollowmark asks the components of a plane. */
export interface PlaneIdentities {
  readonly caPem: string;
  /** Identity of hollowmark itself, group system:masters: set-up, clean-up and scrapes. */
  readonly admin: KeyAndCertificate;
  /** Client certificate for etcd, as the API server uses it: health checks and scrapes. */
  readonly etcdCaPem: string;
  readonly etcdClient: KeyAndCertificate;
}

export interface PlanePki extends PlaneIdentities {
  readonly authority: CertificateAuthority;
  /** A serving certificate like the one that the instance was started with. @param validDays below 0: expired */
  issueServing(name: string, validDays?: number): Promise<KeyAndCertificate>;
}

const FIRST_SERVING: Readonly<Record<string, string>> = {
  'etcd-0': 'etcd-server',
  'kube-apiserver-0': 'apiserver',
  'kube-controller-manager-0': 'kube-controller-manager',
  'kube-scheduler-0': 'kube-scheduler',
};

/** Where the serving certificate of an instance is: under kubeadm's name for the first of a component. */
export function servingPaths(directory: string, name: string): { cert: string; key: string } {
  const base = FIRST_SERVING[name] ?? name;
  return { cert: join(directory, `${base}.crt`), key: join(directory, `${base}.key`) };
}

/** Where a plane's files are, given its folder; also valid for a folder inside a container. */
export function pkiPaths(directory: string) {
  const path = (name: string) => join(directory, name);
  return {
    ca: path('ca.crt'),
    caKey: path('ca.key'),
    etcdCa: path('etcd-ca.crt'),
    etcdServer: { cert: path('etcd-server.crt'), key: path('etcd-server.key') },
    etcdPeer: { cert: path('etcd-peer.crt'), key: path('etcd-peer.key') },
    etcdClient: { cert: path('apiserver-etcd-client.crt'), key: path('apiserver-etcd-client.key') },
    apiserver: { cert: path('apiserver.crt'), key: path('apiserver.key') },
    kubeletClient: { cert: path('apiserver-kubelet-client.crt'), key: path('apiserver-kubelet-client.key') },
    frontProxyCa: path('front-proxy-ca.crt'),
    frontProxyClient: { cert: path('front-proxy-client.crt'), key: path('front-proxy-client.key') },
    serviceAccountKey: path('sa.key'),
    serviceAccountPublicKey: path('sa.pub'),
    controllerManager: {
      cert: path('kube-controller-manager.crt'),
      key: path('kube-controller-manager.key'),
    },
    scheduler: { cert: path('kube-scheduler.crt'), key: path('kube-scheduler.key') },
    controllerManagerKubeconfig: path('kube-controller-manager.kubeconfig'),
    schedulerKubeconfig: path('kube-scheduler.kubeconfig'),
    admin: { cert: path('admin.crt'), key: path('admin.key') },
    adminKubeconfig: path('admin.kubeconfig'),
  } as const;
}

/** Names under which pods and clients reach the API server. */
const API_SERVER_NAMES = [
  'localhost',
  'kubernetes',
  'kubernetes.default',
  'kubernetes.default.svc',
  'kubernetes.default.svc.cluster.local',
];

/**
 * Makes and writes everything a plane needs. In `production-like` the keys of the authority, of the API server and of
 * service account tokens are RSA-2048, as kubeadm's are: cheaper ones would change what a handshake and a token cost.
 * All others are P-256, and in `fast` all are: their connections are few and long, so their kind costs nothing.
 * @throws HM_DISK_FULL if the folder cannot be written for want of space.
 */
export async function writePlanePki(settings: PkiSettings): Promise<PlanePki> {
  const kind: KeyKind = settings.profile === 'production-like' ? 'rsa-2048' : 'ec-p256';
  const paths = pkiPaths(settings.directory);
  const [authority, etcdAuthority, frontProxyAuthority, serviceAccount] = await Promise.all([
    CertificateAuthority.create('hollowmark-ca', kind),
    CertificateAuthority.create('hollowmark-etcd-ca', 'ec-p256'),
    CertificateAuthority.create('hollowmark-front-proxy-ca', 'ec-p256'),
    makeSigningKeyPair(kind),
  ]);
  const loopback = { dnsNames: ['localhost'], addresses: ['127.0.0.1'] } as const;
  const issueServing = (name: string, validDays?: number): Promise<KeyAndCertificate> => {
    const validity = validDays === undefined ? {} : { validDays };
    if (name.startsWith('etcd'))
      return etcdAuthority.issue({
        commonName: 'etcd',
        usage: 'server-and-client',
        ...loopback,
        ...validity,
      });
    if (!name.startsWith('kube-apiserver'))
      return authority.issue({
        commonName: name.replace(/-\d+$/, ''),
        usage: 'server',
        ...loopback,
        ...validity,
      });
    return authority.issue({
      commonName: 'kube-apiserver',
      usage: 'server',
      dnsNames: [...API_SERVER_NAMES, ...(settings.extraNames ?? [])],
      addresses: ['127.0.0.1', ...(settings.extraAddresses ?? [])],
      keyKind: kind,
      ...validity,
    });
  };
  const client = (commonName: string, ...organizations: string[]) =>
    authority.issue({ commonName, organizations, usage: 'client' });
  const names = [...Object.keys(FIRST_SERVING), ...(settings.furtherInstances ?? [])];
  const [etcdPeer, ...serving] = await Promise.all([
    etcdAuthority.issue({
      commonName: 'etcd-peer',
      usage: 'server-and-client',
      ...loopback,
      dnsNames: [...loopback.dnsNames, ...(settings.extraPeerNames ?? [])],
    }),
    ...names.map((name) => issueServing(name)),
  ]);
  const [admin, controllerManagerUser, schedulerUser, kubeletClient, etcdClient, frontProxyClient] =
    await Promise.all([
      client('hollowmark-admin', 'system:masters'),
      client('system:kube-controller-manager'),
      client('system:kube-scheduler'),
      client('kube-apiserver-kubelet-client', 'system:masters'),
      etcdAuthority.issue({ commonName: 'kube-apiserver-etcd-client', usage: 'client' }),
      frontProxyAuthority.issue({ commonName: 'front-proxy-client', usage: 'client' }),
    ]);
  const kubeconfig = (name: string, user: KeyAndCertificate) =>
    formatKubeconfig({ name, server: settings.server, caPem: authority.certPem, user });

  const files = new Map<string, string>([
    [paths.ca, authority.certPem],
    [paths.caKey, authority.keyPem],
    [paths.etcdCa, etcdAuthority.certPem],
    [paths.frontProxyCa, frontProxyAuthority.certPem],
    [paths.serviceAccountKey, serviceAccount.privatePem],
    [paths.serviceAccountPublicKey, serviceAccount.publicPem],
    [paths.controllerManagerKubeconfig, kubeconfig('kube-controller-manager', controllerManagerUser)],
    [paths.schedulerKubeconfig, kubeconfig('kube-scheduler', schedulerUser)],
    [paths.adminKubeconfig, kubeconfig('hollowmark', admin)],
  ]);
  const pairs: [{ cert: string; key: string }, KeyAndCertificate][] = [
    [paths.admin, admin],
    [paths.etcdPeer, etcdPeer],
    [paths.etcdClient, etcdClient],
    [paths.kubeletClient, kubeletClient],
    [paths.frontProxyClient, frontProxyClient],
    ...names.flatMap((name, index): [{ cert: string; key: string }, KeyAndCertificate][] => {
      const pair = serving[index];
      return pair === undefined ? [] : [[servingPaths(settings.directory, name), pair]];
    }),
  ];
  for (const [at, pair] of pairs) files.set(at.cert, pair.certPem).set(at.key, pair.keyPem);
  try {
    mkdirSync(settings.directory, { recursive: true, mode: 0o700 });
    for (const [path, text] of files) writeFileSync(path, text, { mode: 0o600 });
  } catch (cause) {
    throw diskError(cause, `certificates cannot be written to ${settings.directory}`);
  }
  return {
    authority,
    issueServing,
    caPem: authority.certPem,
    admin,
    etcdCaPem: etcdAuthority.certPem,
    etcdClient,
  };
}

/** Reads back the identities of a plane whose files are in `directory`. */
export function readPlaneIdentities(directory: string): PlaneIdentities {
  const paths = pkiPaths(directory);
  const read = (path: string) => readFileSync(path, 'utf8');
  const pair = (at: { cert: string; key: string }) => ({ certPem: read(at.cert), keyPem: read(at.key) });
  return {
    caPem: read(paths.ca),
    admin: pair(paths.admin),
    etcdCaPem: read(paths.etcdCa),
    etcdClient: pair(paths.etcdClient),
  };
}
