/**
 * What every source of a control plane offers, whether hollowmark started it or found it.
 */
import type { Profile } from '../config/index.ts';
import type { ClusterAccess } from '../kube/index.ts';
import type { PlaneLevers } from './levers/levers.ts';

/** One process of a control plane, as far as it is known. */
export interface ComponentInfo {
  /** `etcd`, `kube-apiserver`, `kube-controller-manager`, `kube-scheduler`, `haproxy`, `link-proxy`. */
  component: string;
  /** Unique within the plane: `etcd-0`. */
  name: string;
  /** Operating-system process id, where hollowmark started it. */
  pid?: number;
  /** Where its /metrics is and as whom to read it; absent: not reachable, `unreachable` says why. */
  metrics?: ClusterAccess;
  /** Path of the metrics on that server. @default '/metrics' */
  metricsPath?: string;
  unreachable?: string;
  /** Where it belongs to one. */
  zone?: string;
  /** Command line as started, without the program's path. */
  args?: readonly string[];
  logPath?: string;
}

/** Where the binaries came from: results of different provenance are never compared silently. */
export interface BinaryProvenance {
  source: 'explicit' | 'download' | 'go-build' | 'images' | 'unknown';
  /** `v1.36.3` */
  kubernetesVersion: string;
  etcdVersion?: string;
  /** `go1.26.8`, for go-build. */
  goVersion?: string;
  /** sha256 by file name. */
  checksums: Readonly<Record<string, string>>;
}

/** A control plane that answers, until stop(). */
export interface ControlPlane extends AsyncDisposable {
  readonly provider: 'local' | 'kubeconfig';
  /** As the administrator (group system:masters where local): set-up, clean-up and scrapes, never measured load. */
  readonly admin: ClusterAccess;
  /** UID of the namespace kube-system: the cluster's identity. */
  readonly clusterUid: string;
  /** gitVersion of the API server. */
  readonly kubernetesVersion: string;
  readonly profile: Profile | 'attached';
  readonly provenance: BinaryProvenance;
  readonly components: readonly ComponentInfo[];
  /** What the user should know about the cluster before load is put on it; absent or empty: nothing. */
  readonly warnings?: readonly string[];
  /** Path of a kubeconfig for the administrator, for kubectl and other tools. */
  readonly kubeconfigPath: string;
  /**
   * Issues a client certificate signed by the cluster's own authority; absent where the key is not at hand
   * (attached clusters use the CertificateSigningRequest API instead).
   */
  readonly issueClientCertificate?: (subject: {
    commonName: string;
    organizations: readonly string[];
  }) => Promise<{ certPem: string; keyPem: string }>;
  /** Issues a serving certificate; absent where the key of the authority is not at hand. */
  readonly issueServingCertificate?: (subject: {
    commonName: string;
    dnsNames: readonly string[];
    addresses: readonly string[];
  }) => Promise<{ certPem: string; keyPem: string }>;
  /** Resolves with the first component that exits without having been asked to; never rejects. */
  readonly failed: Promise<ComponentFailure>;
  /** Breaks and mends the plane's members; absent for attached clusters. */
  readonly levers?: PlaneLevers;
  /** Ends what was started, in reverse order; attached clusters are left as they are. Idempotent. */
  stop(): Promise<void>;
}

export interface ComponentFailure {
  name: string;
  /** Exit code or signal, and the last lines of standard error. */
  message: string;
}
