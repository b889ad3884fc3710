/**
 * Command line flags: hollowmark's own, then the user's on top.
 */
import type { ConfigProblem } from '../../core/index.ts';
import { COMPONENT_NAMES, type ComponentName } from './component.ts';

/** Flags by name without dashes; a list repeats the flag. */
export type FlagSet = Readonly<Record<string, string | number | boolean | readonly string[]>>;

/** User flags by component name, added to hollowmark's or in their place; see flagProblems(). */
export type ComponentFlags = Readonly<Record<string, FlagSet | undefined>>;

// What ties the components to each other, to their ports and to their certificates: another value would cut the
// plane apart or open it to the network.
const OWNED_FLAGS: Readonly<Record<ComponentName, readonly (string | RegExp)[]>> = {
  etcd: [
    'name',
    'data-dir',
    'wal-dir',
    'config-file',
    'unsafe-no-fsync',
    /^listen-/,
    /^initial-/,
    'advertise-client-urls',
    /(^|-)(cert|key|trusted-ca)-file$/,
    /client-cert-auth$/,
    /^client-crl|^peer-crl/,
  ],
  'kube-apiserver': [
    'bind-address',
    'advertise-address',
    'secure-port',
    /^etcd-(servers|servers-overrides|cafile|certfile|keyfile|prefix)$/,
    /-(file|cafile)$/,
    'cert-dir',
    /^kubelet-client-/,
    /^proxy-client-/,
    'service-cluster-ip-range',
    'authentication-config',
    'authorization-config',
    'audit-log-path',
  ],
  'kube-controller-manager': [
    'bind-address',
    'secure-port',
    'kubeconfig',
    /-kubeconfig$/,
    'master',
    /-(file|cafile)$/,
    /^cluster-signing-.*(cert|key)-file$/,
    'cert-dir',
    'service-cluster-ip-range',
    'cluster-cidr',
  ],
  'kube-scheduler': [
    'bind-address',
    'secure-port',
    'kubeconfig',
    /-kubeconfig$/,
    'master',
    'client-ca-file',
    'tls-cert-file',
    'tls-private-key-file',
    'cert-dir',
  ],
};

/**
 * Everything wrong with user flags, one problem each: a component that does not exist, a flag that hollowmark owns,
 * a name with dashes in front. Names that the program itself does not know are its own to refuse at start.
 */
export function flagProblems(flags: ComponentFlags, place: string): ConfigProblem[] {
  const problems: ConfigProblem[] = [];
  for (const [component, set] of Object.entries(flags)) {
    if (!isComponentName(component)) {
      const message = `expected one of ${COMPONENT_NAMES.join(', ')}, got "${component}"`;
      problems.push({ place, path: `flags.${component}`, message });
      continue;
    }
    for (const name of Object.keys(set ?? {})) {
      const path = `flags.${component}.${name}`;
      if (!/^[a-z][a-z0-9-]*$/.test(name))
        problems.push({
          place,
          path,
          message: `expected a flag's name without dashes in front, got "${name}"`,
        });
      else if (isOwned(component, name))
        problems.push({ place, path, message: ownedMessage(component, name) });
    }
  }
  return problems;
}

/** `--name=value` for each flag, user's values in place of hollowmark's, in a stable order. */
export function formatFlags(own: FlagSet, user: FlagSet = {}): string[] {
  const merged = { ...own, ...user };
  return Object.entries(merged).flatMap(([name, value]) =>
    (isList(value) ? value : [value]).map((item) => `--${name}=${item}`),
  );
}

function isOwned(component: ComponentName, name: string): boolean {
  return OWNED_FLAGS[component].some((rule) => (typeof rule === 'string' ? rule === name : rule.test(name)));
}

function ownedMessage(component: ComponentName, name: string): string {
  if (component === 'etcd' && name === 'unsafe-no-fsync') return 'set by the profile: use profile `fast`';
  if (name === 'audit-log-path') return 'set by hollowmark when an audit policy is given';
  return `"${name}" is set by hollowmark: it ties ${component} to the rest of the plane`;
}

function isComponentName(name: string): name is ComponentName {
  return COMPONENT_NAMES.some((known) => known === name);
}

function isList(value: FlagSet[string]): value is readonly string[] {
  return Array.isArray(value);
}

/** Arguments with some flags replaced in their place, and the others appended. */
export function changeFlags(
  args: readonly string[],
  changes: Readonly<Record<string, string>>,
): readonly string[] {
  const left = new Map(Object.entries(changes));
  const kept = args.flatMap((arg) => {
    const name = /^--([^=]+)=/.exec(arg)?.[1];
    if (name === undefined || !(name in changes)) return [arg];
    const value = left.get(name);
    // A repeated flag is replaced as a whole.
    left.delete(name);
    return value === undefined ? [] : [`--${name}=${value}`];
  });
  return [...kept, ...[...left].map(([name, value]) => `--${name}=${value}`)];
}
