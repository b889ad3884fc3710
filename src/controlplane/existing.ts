/**
 * The provider for clusters that are there already: reached through a kubeconfig, used only with consent that names
 * the cluster itself, left as they are.
 */
import { z } from 'zod';
import { type Clock, describeError, HarnessError, type Logger } from '../core/index.ts';
import { type ApiConnection, type ClusterAccess, loadKubeconfig, openConnection } from '../kube/index.ts';
import { type ClusterSigns, nodeDeleterWarnings } from './node-deleters.ts';
import type { ComponentInfo, ControlPlane } from './provider.ts';

export interface AttachOptions {
  /** Absent: $KUBECONFIG, ~/.kube/config, then the pod's own service account. */
  kubeconfigPath?: string | undefined;
  /** Absent: the file's current context. */
  context?: string | undefined;
  /** UID of kube-system in the cluster that load may be put on: the user's consent. */
  allowClusterUid?: string | undefined;
  /** The same for breaking it: consent to run `faultCommands`. */
  allowFaultsUid?: string | undefined;
  /** Commands of the suite that break and mend the cluster; none: no consent to them is asked for. */
  faultCommands?: readonly string[] | undefined;
}

export interface AttachContext {
  signal: AbortSignal;
  clock: Clock;
  log: Logger;
}

/** Milliseconds for each question asked while attaching. */
const QUESTION_TIMEOUT_MS = 15_000;

const nameSchema = z.object({ name: z.string(), namespace: z.string().optional() });
const containersSchema = z.object({ containers: z.array(z.object({ image: z.string().optional() })) });
const workloadListSchema = z.object({
  items: z.array(
    z.object({ metadata: nameSchema, spec: z.object({ template: z.object({ spec: containersSchema }) }) }),
  ),
});
const podListSchema = z.object({
  items: z.array(
    z.object({
      metadata: nameSchema.extend({ labels: z.record(z.string(), z.string()).optional() }),
      spec: containersSchema,
    }),
  ),
});
const nodeListSchema = z.object({
  items: z.array(
    z.object({
      metadata: z.object({ name: z.string(), labels: z.record(z.string(), z.string()).optional() }),
      spec: z.object({ providerID: z.string().optional() }),
    }),
  ),
});
const groupListSchema = z.object({ groups: z.array(z.object({ name: z.string() })) });
const uidSchema = z.object({ metadata: z.object({ uid: z.string() }) });
const versionSchema = z.object({ gitVersion: z.string() });

/**
 * Attaches to the cluster that a kubeconfig names.
 * @throws HM_KUBECONFIG_INVALID, HM_CLUSTER_UNREACHABLE, or HM_CONSENT_MISSING with the flag that would give consent.
 */
export async function attachControlPlane(
  options: AttachOptions,
  context: AttachContext,
): Promise<ControlPlane> {
  const admin = loadKubeconfig(options.kubeconfigPath, options.context);
  await using connection = await openConnection(admin, { clock: context.clock });
  const ask = makeAsk(connection, admin, context.signal);

  const clusterUid = (await ask.must('/api/v1/namespaces/kube-system', uidSchema)).metadata.uid;
  checkConsent(options.allowClusterUid, clusterUid, admin.server);
  checkFaultConsent(options.allowFaultsUid, clusterUid, admin.server, options.faultCommands ?? []);
  const { gitVersion } = await ask.must('/version', versionSchema);
  const [signs, components] = await Promise.all([readSigns(ask), findComponents(ask, admin)]);
  const warnings = nodeDeleterWarnings(signs);
  for (const warning of warnings)
    context.log.warn({ server: admin.server, warning }, 'the cluster may delete hollow nodes');
  return {
    provider: 'kubeconfig',
    admin,
    clusterUid,
    kubernetesVersion: gitVersion,
    profile: 'attached',
    provenance: { source: 'unknown', kubernetesVersion: gitVersion, checksums: {} },
    components,
    warnings,
    kubeconfigPath: options.kubeconfigPath ?? '',
    // Its processes are not ours to watch; a cluster that goes away shows in the calls.
    failed: new Promise(() => {}),
    stop: async () => {},
    [Symbol.asyncDispose]: async () => {},
  };
}

/** @throws HM_CONSENT_MISSING unless `allowed` is the cluster's UID. */
export function checkConsent(allowed: string | undefined, clusterUid: string, server: string): void {
  if (allowed === clusterUid) return;
  const message =
    allowed === undefined
      ? `no consent to put load on the cluster at ${server}`
      : `consent is for cluster ${allowed}, but the cluster at ${server} is ${clusterUid}`;
  throw new HarnessError('HM_CONSENT_MISSING', message, {
    hint: `if this is the cluster to test, say so with --allow-cluster ${clusterUid}`,
  });
}

/**
 * Load that is too much can be taken away; what a command breaks may stay broken. So it takes a consent of its own.
 * @throws HM_CONSENT_MISSING if there are commands and `allowed` is not the cluster's UID
 */
export function checkFaultConsent(
  allowed: string | undefined,
  clusterUid: string,
  server: string,
  commands: readonly string[],
): void {
  if (commands.length === 0 || allowed === clusterUid) return;
  const told = commands.map((command) => `\`${command}\``).join(', ');
  const message =
    allowed === undefined
      ? `no consent to break the cluster at ${server} with ${told}`
      : `consent to faults is for cluster ${allowed}, but the cluster at ${server} is ${clusterUid}`;
  throw new HarnessError('HM_CONSENT_MISSING', message, {
    hint: `if these commands may be run against this cluster, say so with --allow-faults ${clusterUid}`,
  });
}

interface Ask {
  /** Status and body of GET `path`. */
  raw(path: string): Promise<{ status: number; body: string }>;
  /** The reply of GET `path`; undefined if it is refused or of another form. */
  maybe<T>(path: string, schema: z.ZodType<T>): Promise<T | undefined>;
  /** As `maybe`, but without it there is no attaching. */
  must<T>(path: string, schema: z.ZodType<T>): Promise<T>;
}

function makeAsk(connection: ApiConnection, access: ClusterAccess, signal: AbortSignal): Ask {
  const raw = (path: string) =>
    connection.request({ method: 'GET', path, timeoutMs: QUESTION_TIMEOUT_MS }, signal);
  return {
    raw,
    async maybe(path, schema) {
      const reply = await raw(path);
      if (reply.status !== 200) return undefined;
      const parsed = schema.safeParse(JSON.parse(reply.body));
      return parsed.success ? parsed.data : undefined;
    },
    async must(path, schema) {
      let reply: { status: number; body: string };
      try {
        reply = await raw(path);
      } catch (cause) {
        signal.throwIfAborted();
        throw new HarnessError('HM_CLUSTER_UNREACHABLE', `cluster at ${access.server} does not answer`, {
          cause,
        });
      }
      if (reply.status !== 200)
        throw new HarnessError(
          'HM_CLUSTER_UNREACHABLE',
          `GET ${path} at ${access.server} answers ${reply.status}${reason(reply.body)}`,
          {
            hint: "hollowmark sets up and cleans as the kubeconfig's user: it needs an administrator's rights",
          },
        );
      return schema.parse(JSON.parse(reply.body));
    },
  };
}

async function readSigns(ask: Ask): Promise<ClusterSigns> {
  const [deployments, daemonSets, pods, nodes, groups, status] = await Promise.all([
    ask.maybe('/apis/apps/v1/deployments?limit=500', workloadListSchema),
    ask.maybe('/apis/apps/v1/daemonsets?limit=500', workloadListSchema),
    ask.maybe('/api/v1/namespaces/kube-system/pods?limit=500', podListSchema),
    ask.maybe('/api/v1/nodes?limit=100', nodeListSchema),
    ask.maybe('/apis', groupListSchema),
    ask.raw('/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status'),
  ]);
  const place = (kind: string, metadata: z.infer<typeof nameSchema>) =>
    `${kind} ${metadata.namespace ?? ''}/${metadata.name}`;
  const images = (spec: z.infer<typeof containersSchema>) =>
    spec.containers.flatMap(({ image }) => image ?? []);
  const sets = (kind: string, list: z.infer<typeof workloadListSchema> | undefined) =>
    (list?.items ?? []).map(({ metadata, spec }) => ({
      name: place(kind, metadata),
      images: images(spec.template.spec),
    }));
  return {
    workloads: [
      ...sets('Deployment', deployments),
      ...sets('DaemonSet', daemonSets),
      ...(pods?.items ?? []).map(({ metadata, spec }) => ({
        name: place('Pod', metadata),
        images: images(spec),
      })),
    ],
    nodes: (nodes?.items ?? []).map(({ metadata, spec }) => ({
      name: metadata.name,
      providerId: spec.providerID ?? '',
      labels: metadata.labels ?? {},
    })),
    apiGroups: (groups?.groups ?? []).map(({ name }) => name),
    autoscalerStatus: status.status === 200,
  };
}

// The label that kubeadm's and most installers' static pods carry, and the port each serves its metrics on.
const CONTROLLERS: readonly { component: string; port: number }[] = [
  { component: 'kube-controller-manager', port: 10257 },
  { component: 'kube-scheduler', port: 10259 },
];

async function findComponents(ask: Ask, admin: ClusterAccess): Promise<ComponentInfo[]> {
  const found: ComponentInfo[] = [
    { component: 'kube-apiserver', name: 'kube-apiserver', ...(await metricsAt(ask, admin, '/metrics')) },
  ];
  for (const { component, port } of CONTROLLERS) {
    const selector = encodeURIComponent(`component=${component}`);
    const pods = await ask.maybe(
      `/api/v1/namespaces/kube-system/pods?labelSelector=${selector}`,
      podListSchema,
    );
    for (const { metadata } of pods?.items ?? []) {
      const path = `/api/v1/namespaces/kube-system/pods/https:${metadata.name}:${port}/proxy/metrics`;
      found.push({ component, name: metadata.name, ...(await metricsAt(ask, admin, path)) });
    }
    if ((pods?.items.length ?? 0) === 0)
      found.push({ component, name: component, unreachable: 'it runs out of sight of the cluster' });
  }
  return found;
}

async function metricsAt(
  ask: Ask,
  access: ClusterAccess,
  metricsPath: string,
): Promise<{ metrics: ClusterAccess; metricsPath: string } | { unreachable: string }> {
  try {
    const { status, body } = await ask.raw(metricsPath);
    if (status === 200) return { metrics: access, metricsPath };
    return { unreachable: `GET ${metricsPath} answers ${status}${reason(body)}` };
  } catch (error) {
    return { unreachable: `GET ${metricsPath}: ${describeError(error)}` };
  }
}

function reason(body: string): string {
  try {
    const parsed: unknown = JSON.parse(body);
    if (typeof parsed === 'object' && parsed !== null && 'message' in parsed)
      return ` (${String(parsed.message)})`;
  } catch {
    // Not a Status object: the number has to do.
  }
  return '';
}
