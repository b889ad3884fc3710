/** What the faults of a run act upon and are checked against: levers, fleet, administrator, lists of probe objects. */
import { RUN_LABEL } from '../../hollow/index.ts';
import type { ControlPlane } from '../controlplane/index.ts';
import { type Clock, delay, HarnessError, type Logger, seededRandom } from '../core/index.ts';
import {
  type ConvergenceView,
  type FaultWorld,
  type FleetLever,
  type FloodCounts,
  type Listing,
  timingsOf,
} from '../faults/index.ts';
import {
  type ClusterAccess,
  type Connection,
  JsonClient,
  type KubeObject,
  openConnection,
  openHttp1Pool,
} from '../kube/index.ts';
import type { Agents } from './agents.ts';
import { probedMembers } from './assignments.ts';
import { probeNamespace } from './cluster-setup.ts';
import type { RunOptions } from './options.ts';
import { RESOURCES } from './resources.ts';
import { runShellCommand } from './shell-command.ts';

/**
 * Calls of the flood that are under way at any time, for each API server: more than Priority & Fairness lets one user
 * have, which are the seats of its level (49 of 600) and 6 queues of 50.
 * Source: k8s.io/api flowcontrol bootstrap of `global-default`, handSize 6, queueLengthLimit 50.
 */
const FLOOD_CALLS_PER_SERVER = 450;
/** Between an answer and the next call of the same caller: a rejection costs little and comes at once. */
const FLOOD_PAUSE_MS = 250;
const LIST_TIMEOUT_MS = 15_000;
const PROBE_LABEL = 'hollowmark.dev/probe';
const CONFIG_MAPS = { group: '', version: 'v1', plural: 'configmaps', namespaced: true };

export interface FaultWorldParts {
  options: RunOptions;
  plane: ControlPlane;
  agents: Agents;
  connection: Connection;
  /** As the load's own identity. */
  loadAccess: ClusterAccess;
  clock: Clock;
  log: Logger;
}

/** The world of one run. */
export function faultWorld(parts: FaultWorldParts): FaultWorld {
  const { options, plane, agents, connection, clock, log } = parts;
  const { suite } = options.loaded;
  return {
    get levers() {
      if (plane.levers === undefined)
        throw new HarnessError('HM_USAGE', 'a cluster that hollowmark did not start has no levers');
      return plane.levers;
    },
    fleet: fleetLever(agents),
    admin: new JsonClient(connection, clock),
    adminConnection: connection,
    random: seededRandom(`${suite.seed}/fault-targets`),
    clock,
    log,
    directory: options.directory,
    runSelector: `${RUN_LABEL}=${options.runId}`,
    nodeCount: suite.fleet.nodeCount,
    kubernetesVersion: plane.kubernetesVersion,
    timings: timingsOf(suite),
    runCommand: (command, signal) => {
      const { kubeconfigPath } = plane;
      // Attached without a path: the command finds the cluster as hollowmark did.
      const env = { ...process.env, ...(kubeconfigPath === '' ? {} : { KUBECONFIG: kubeconfigPath }) };
      return runShellCommand(command, { env, signal, clock });
    },
    flood: () => flood(parts),
  };
}

/** Consistent lists of the probe objects, through the load balancer and every API server that answers. */
export async function listProbes(
  plane: ControlPlane,
  runId: string,
  context: { clock: Clock; log: Logger; signal: AbortSignal },
): Promise<Listing[]> {
  const { clock, log, signal } = context;
  const paths = [{ name: 'the load balancer', server: plane.admin.server }, ...probedMembers(plane)];
  const listings: Listing[] = [];
  for (const { name, server } of paths) {
    await using connection = await openConnection(plane.admin, { server, clock });
    try {
      const { items } = await new JsonClient(connection, clock).list(
        CONFIG_MAPS,
        { namespace: probeNamespace(runId), labelSelector: PROBE_LABEL, limit: 2_000 },
        { signal, timeoutMs: LIST_TIMEOUT_MS },
      );
      listings.push({ through: name, objects: items.map(listedProbe) });
    } catch (error) {
      signal.throwIfAborted();
      // Through the load balancer it must work; a single member may still be on its way back.
      if (listings.length === 0) throw error;
      log.warn({ through: name, error: String(error) }, 'probe objects not listed');
    }
  }
  return listings;
}

/** Nodes and pods as the API has them, those of canaries too, beside what the fleet says. */
export async function countConvergence(
  admin: JsonClient,
  of: { runSelector: string; canaryNamespace: string },
  fleet: { wantedCount: number; runningPodCount: number; podsInMotionCount: number },
  signal: AbortSignal,
): Promise<ConvergenceView> {
  const options = { signal, timeoutMs: LIST_TIMEOUT_MS };
  const labelSelector = of.runSelector;
  const nodes = await admin.list(RESOURCES.nodes, { labelSelector, limit: 500 }, options);
  const own = await admin.list(RESOURCES.pods, { labelSelector, limit: 500 }, options);
  // They run on the nodes without being the run's own.
  const canaries = await admin.list(RESOURCES.pods, { namespace: of.canaryNamespace, limit: 500 }, options);
  const alive = [...own.items, ...canaries.items].filter(
    ({ metadata }) => metadata.deletionTimestamp === undefined,
  );
  return {
    nodesListedCount: nodes.items.length,
    nodesReadyCount: nodes.items.filter(isReady).length,
    nodesWantedCount: fleet.wantedCount,
    podsRunningCount: alive.filter((pod) => phaseOf(pod) === 'Running').length,
    podsRunningOnNodesCount: fleet.runningPodCount,
    podsUnboundCount: alive.filter((pod) => nodeOf(pod) === '' && phaseOf(pod) === 'Pending').length,
    podsInMotionCount: fleet.podsInMotionCount,
  };
}

function fleetLever(agents: Agents): FleetLever {
  let count = 0;
  return {
    async begin(disturbance, selection, signal) {
      const id = `fault-${++count}`;
      const started = await agents.beginStorm({ type: 'storm', id, disturbance, selection }, signal);
      return { id, nodeNames: started.nodeNames };
    },
    async end(id, signal) {
      agents.healStorm(id);
      await agents.stormEnded(id, signal);
    },
  };
}

/**
 * Lists of everything by a user of its own, a fixed number at a time. Closed loop on purpose: it stands for clients
 * that ask for as much as they are given.
 */
async function flood({
  options,
  plane,
  connection,
  clock,
  log,
}: FaultWorldParts): Promise<{ stop(): Promise<FloodCounts> }> {
  const user = `hollowmark-flood-${options.runId}`;
  const admin = new JsonClient(connection, clock);
  await admin.create(RESOURCES.clusterrolebindings, {
    metadata: { name: user, labels: { [RUN_LABEL]: options.runId } },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: user }],
  });
  const access: ClusterAccess = {
    ...plane.admin,
    impersonate: { user, groups: ['system:authenticated'] },
  };
  const callCount = FLOOD_CALLS_PER_SERVER * Math.max(1, probedMembers(plane).length);
  const pool = await openHttp1Pool(access, { clock, connectionCount: callCount });
  const ended = new AbortController();
  const counts = { served: 0, rejected: 0, failed: 0 };
  const ask = async () => {
    while (!ended.signal.aborted) {
      try {
        const path = '/api/v1/configmaps';
        const { status } = await pool.request({ method: 'GET', path, discardBody: true }, ended.signal);
        if (status === 429) counts.rejected++;
        else counts.served++;
      } catch {
        // Cut, or the flood is over.
        counts.failed++;
      }
      await delay(FLOOD_PAUSE_MS, { signal: ended.signal, clock }).catch(() => {});
    }
  };
  const asking = Array.from({ length: callCount }, ask);
  return {
    async stop() {
      ended.abort();
      await pool.close();
      await Promise.all(asking);
      log.info(counts, 'flood is over');
      // The flood is over either way; what an API server does not take now, the run's clean-up finds by its label.
      await admin.delete(RESOURCES.clusterrolebindings, { name: user }).catch((error: unknown) => {
        log.warn({ err: error, user }, 'the right of the flood to read is removed at the end of the run');
      });
      return counts;
    },
  };
}

function listedProbe({ metadata, ...rest }: KubeObject): Listing['objects'][number] {
  const data = rest['data'];
  const nonce = typeof data === 'object' && data !== null && 'nonce' in data ? String(data.nonce) : '';
  return {
    name: metadata.name,
    uid: metadata.uid ?? '',
    object: metadata.labels?.[PROBE_LABEL] ?? '',
    nonce,
  };
}

function isReady(node: KubeObject): boolean {
  const { conditions = [] } = (node['status'] ?? {}) as { conditions?: { type: string; status: string }[] };
  return conditions.some(({ type, status }) => type === 'Ready' && status === 'True');
}

function phaseOf(pod: KubeObject): string {
  return ((pod['status'] ?? {}) as { phase?: string }).phase ?? '';
}

function nodeOf(pod: KubeObject): string {
  return ((pod['spec'] ?? {}) as { nodeName?: string }).nodeName ?? '';
}
