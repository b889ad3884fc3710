/**
 * Text work on go.mod files: which staging modules a version of Kubernetes has, and the go.mod that builds it.
 */
import { stagingVersion } from './versions.ts';

/**
 * Modules of the Kubernetes repository itself (`k8s.io/api`, `k8s.io/client-go`, ...), from its go.mod: those that it
 * requires at v0.0.0, because it replaces them by folders. A module outside the repository must name each version.
 */
export function stagingModules(upstreamGoMod: string): string[] {
  const found = [...upstreamGoMod.matchAll(/^\s*(?:require\s+)?(k8s\.io\/[\w-]+)\s+v0\.0\.0(?:\s|$)/gm)];
  return [...new Set(found.flatMap((match) => match[1] ?? []))].sort();
}

/** A go.mod with the programs as tools; `go mod tidy` completes it. */
export function formatGoMod(options: {
  kubernetesVersion: string;
  etcdVersion: string;
  upstream: string;
  staging: readonly string[];
  packages: readonly string[];
}): string {
  const goLine = /^go \S+$/m.exec(options.upstream)?.[0] ?? 'go 1.26.0';
  const version = stagingVersion(options.kubernetesVersion);
  return [
    'module hollowmark.dev/controlplane',
    '',
    goLine,
    '',
    'tool (',
    ...options.packages.map((name) => `\t${name}`),
    ')',
    '',
    'require (',
    `\tgo.etcd.io/etcd/etcdutl/v3 ${options.etcdVersion}`,
    `\tgo.etcd.io/etcd/server/v3 ${options.etcdVersion}`,
    `\tk8s.io/kubernetes ${options.kubernetesVersion}`,
    ')',
    '',
    'replace (',
    ...options.staging.map((name) => `\t${name} => ${name} ${version}`),
    ')',
    '',
  ].join('\n');
}
