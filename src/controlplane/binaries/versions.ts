/**
 * Which versions, programs and platforms hollowmark knows how to get.
 */
import { HarnessError } from '../../core/index.ts';

/** Version that is started unless another is named; its go.mod and go.sum are committed beside this file. */
export const DEFAULT_KUBERNETES_VERSION = 'v1.36.3';

/** etcd that goes with the default version; other versions get it too unless told otherwise. */
export const DEFAULT_ETCD_VERSION = 'v3.6.16';

/** The control plane. */
export const PLANE_PROGRAMS = [
  'etcd',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
] as const;
/** What the fidelity tests compare hollow nodes with; fetched or built only on request. */
export const FIDELITY_PROGRAMS = ['kubelet', 'kubemark'] as const;
/** What restores an etcd cluster from a snapshot; fetched or built only on request. */
export const RECOVERY_PROGRAMS = ['etcdutl'] as const;
export type Program =
  | (typeof PLANE_PROGRAMS)[number]
  | (typeof FIDELITY_PROGRAMS)[number]
  | (typeof RECOVERY_PROGRAMS)[number];

export const ALL_PROGRAMS: readonly Program[] = [
  ...PLANE_PROGRAMS,
  ...FIDELITY_PROGRAMS,
  ...RECOVERY_PROGRAMS,
];

/** True for programs of etcd's release, which have etcd's version. */
export function isEtcdProgram(program: Program): program is 'etcd' | 'etcdutl' {
  return program === 'etcd' || program === 'etcdutl';
}

export interface Platform {
  /** As Go and the releases name it: `linux`, `darwin`. */
  os: string;
  /** `amd64`, `arm64` */
  arch: string;
}

/** Platform of this machine. */
export function thisPlatform(): Platform {
  const architectures: Record<string, string> = {
    x64: 'amd64',
    arm64: 'arm64',
    ppc64: 'ppc64le',
    s390x: 's390x',
  };
  return { os: process.platform, arch: architectures[process.arch] ?? process.arch };
}

/**
 * `v1.36.3` of `v1.36.3` or `1.36.3`.
 * @throws HM_USAGE for anything else.
 */
export function parseVersion(text: string): string {
  const match = /^v?(\d+\.\d+\.\d+(?:-[a-z]+\.\d+)?)$/.exec(text.trim());
  if (match === null)
    throw new HarnessError('HM_USAGE', `expected a Kubernetes version such as v1.36.3, got "${text}"`);
  return `v${match[1]}`;
}

/** `v0.36.3` of `v1.36.3`: the version of the staging modules k8s.io/api, k8s.io/client-go, ... */
export function stagingVersion(kubernetesVersion: string): string {
  return kubernetesVersion.replace(/^v1\./, 'v0.');
}
