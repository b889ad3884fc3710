/**
 * What a cluster needs before the run: namespaces whose default ServiceAccount is there (pods made before it are
 * refused), the identities of load and proxies with what they may do, and a client certificate per node where the
 * suite asks for one. Everything carries the run's label, so that clean-up finds exactly this.
 */
import pLimit from 'p-limit';
import type { KubeletServing } from '../../hollow/index.ts';
import { RUN_LABEL } from '../../hollow/index.ts';
import type { Suite } from '../config/index.ts';
import type { ControlPlane } from '../controlplane/index.ts';
import { type Clock, delay, HarnessError } from '../core/index.ts';
import {
  ApiError,
  type ClientCertificate,
  type ClusterAccess,
  JsonClient,
  nodeCertificateWanted,
  openConnection,
  requestClientCertificates,
} from '../kube/index.ts';
import { nodeNames } from './assignments.ts';
import { prepareKubeletServing } from './kubelet-serving.ts';
import { placeLoad } from './load-placement.ts';
import type { RunOptions } from './options.ts';
import { RESOURCES } from './resources.ts';

const CONCURRENCY = 16;
const SERVICE_ACCOUNT_TIMEOUT_MS = 60_000;
const PROXY_USER = 'system:serviceaccount:kube-system:kube-proxy';

export interface PreparedCluster {
  namespaces: string[];
  /** As the load's own identity. */
  loadAccess: ClusterAccess;
  /** By node name, where the suite asks for certificates. */
  certificates: Map<string, ClientCertificate> | undefined;
  /** By fleet agent; empty where the suite wants no kubelet API. */
  kubeletApi: KubeletServing[];
}

/** @throws ApiError, HM_CLUSTER_STATE, or the signal's reason */
export async function prepareCluster(
  plane: ControlPlane,
  options: RunOptions,
  context: { clock: Clock; signal: AbortSignal; onDetail: (text: string) => void },
): Promise<PreparedCluster> {
  const { suite } = options.loaded;
  const { signal } = context;
  await using connection = await openConnection(plane.admin);
  const client = new JsonClient(connection, context.clock);
  const labels = { [RUN_LABEL]: options.runId };
  const namespaces = Array.from(
    { length: suite.load.namespaceCount },
    (_, index) => `hollow-${options.runId}-${index}`,
  );
  context.onDetail(`${namespaces.length} namespaces`);
  const limit = pLimit({ concurrency: CONCURRENCY, rejectOnClear: true });
  await Promise.all([
    ...namespaces.map((name) =>
      limit(async () => {
        await client.create(RESOURCES.namespaces, { metadata: { name, labels } }, {}, { signal });
        await waitForDefaultServiceAccount(client, name, context);
      }),
    ),
    ...probeNamespaces(options).map((name) =>
      limit(async () => {
        await client.create(RESOURCES.namespaces, { metadata: { name, labels } }, {}, { signal });
        await waitForDefaultServiceAccount(client, name, context);
      }),
    ),
    limit(() => allowLoad(client, options, labels, signal)),
    limit(() => allowProxies(client, options.runId, labels, signal)),
  ]);
  const access = await loadAccess(plane, suite.load.identity);
  const { priorityLevel } = suite.load;
  if (priorityLevel !== undefined) {
    context.onDetail(`load into priority level ${priorityLevel}`);
    const { runId } = options;
    const { user } = suite.load.identity;
    await placeLoad(client, { runId, user, priorityLevel, labels, loadAccess: access }, context);
  }
  return {
    namespaces,
    loadAccess: access,
    certificates:
      suite.fleet.identity === 'certificate'
        ? await nodeCertificates(plane, client, options, labels, context)
        : undefined,
    kubeletApi: suite.fleet.kubeletApi ? await prepareKubeletServing(plane, client, suite.fleet, signal) : [],
  };
}

/** Where the canaries of a run with faults, and the probes of its phases, keep their objects. */
export function probeNamespace(runId: string): string {
  return `hollow-${runId}-probes`;
}

/** Whether a phase of the suite has probes. */
export function hasProbes({ load }: Suite): boolean {
  return load.phases.some(({ actions }) => actions.some(({ action }) => action === 'probes'));
}

function probeNamespaces({ loaded, runId }: RunOptions): string[] {
  return loaded.suite.faults === undefined && !hasProbes(loaded.suite) ? [] : [probeNamespace(runId)];
}

async function waitForDefaultServiceAccount(
  client: JsonClient,
  namespace: string,
  context: { clock: Clock; signal: AbortSignal },
): Promise<void> {
  const untilUs = context.clock.nowUs() + SERVICE_ACCOUNT_TIMEOUT_MS * 1_000;
  for (;;) {
    const { signal } = context;
    if (await client.find(RESOURCES.serviceaccounts, { namespace, name: 'default' }, { signal })) return;
    if (context.clock.nowUs() > untilUs) {
      throw new HarnessError(
        'HM_CLUSTER_STATE',
        `namespace ${namespace} has no default ServiceAccount after ${SERVICE_ACCOUNT_TIMEOUT_MS / 1_000} s`,
        { hint: 'is kube-controller-manager running? it makes them' },
      );
    }
    await delay(50, context);
  }
}

// The load is an ordinary user with an administrator's rights: rights of system:masters would exempt it from
// Priority & Fairness, and rights cut to today's suite would break on the next template.
async function allowLoad(
  client: JsonClient,
  options: RunOptions,
  labels: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  const { user } = options.loaded.suite.load.identity;
  await createBinding(client, {
    name: `hollowmark-load-${options.runId}`,
    labels,
    roleName: 'cluster-admin',
    subject: { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user },
    signal,
  });
}

/** As kubeadm sets kube-proxy up: a ServiceAccount in kube-system bound to the built-in role system:node-proxier. */
export async function allowProxies(
  client: JsonClient,
  runId: string,
  labels: Record<string, string>,
  signal: AbortSignal,
): Promise<void> {
  try {
    await client.create(
      RESOURCES.serviceaccounts,
      { metadata: { name: 'kube-proxy', namespace: 'kube-system', labels } },
      { namespace: 'kube-system' },
      { signal },
    );
  } catch (error) {
    // A cluster with real proxies has it already; it is theirs and stays.
    if (!(error instanceof ApiError && error.status === 409)) throw error;
  }
  await createBinding(client, {
    name: `hollowmark-proxy-${runId}`,
    labels,
    roleName: 'system:node-proxier',
    subject: { kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: PROXY_USER },
    signal,
  });
}

async function createBinding(
  client: JsonClient,
  binding: {
    name: string;
    labels: Record<string, string>;
    roleName: string;
    subject: { kind: string; apiGroup: string; name: string };
    signal: AbortSignal;
  },
): Promise<void> {
  await client.create(
    RESOURCES.clusterrolebindings,
    {
      metadata: { name: binding.name, labels: binding.labels },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: binding.roleName },
      subjects: [binding.subject],
    },
    {},
    { signal: binding.signal },
  );
}

/** A certificate of its own where the authority's key is at hand, impersonation elsewhere. */
async function loadAccess(
  plane: ControlPlane,
  identity: { user: string; groups: readonly string[] },
): Promise<ClusterAccess> {
  if (plane.issueClientCertificate === undefined) {
    return { ...plane.admin, impersonate: { user: identity.user, groups: identity.groups } };
  }
  const pair = await plane.issueClientCertificate({
    commonName: identity.user,
    organizations: identity.groups,
  });
  return { ...plane.admin, credential: { type: 'client-certificate', ...pair } };
}

async function nodeCertificates(
  plane: ControlPlane,
  client: JsonClient,
  options: RunOptions,
  labels: Record<string, string>,
  context: { clock: Clock; signal: AbortSignal; onDetail: (text: string) => void },
): Promise<Map<string, ClientCertificate>> {
  const names = nodeNames(options.runId, options.loaded.suite.fleet.nodeCount);
  const issue = plane.issueClientCertificate;
  if (issue === undefined) {
    const issued = await requestClientCertificates(
      client,
      names.map((name) => nodeCertificateWanted(name, options.runId)),
      {
        ...context,
        labels,
        onIssued: (count) =>
          context.onDetail(`${count} of ${names.length} node certificates signed by the cluster`),
      },
    );
    return new Map([...issued].map(([user, pair]) => [user.replace('system:node:', ''), pair]));
  }
  const certificates = new Map<string, ClientCertificate>();
  for (const name of names) {
    context.signal.throwIfAborted();
    certificates.set(
      name,
      await issue({ commonName: `system:node:${name}`, organizations: ['system:nodes'] }),
    );
    context.onDetail(`${certificates.size} of ${names.length} node certificates`);
  }
  return certificates;
}
