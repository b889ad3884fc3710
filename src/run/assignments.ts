/** Who does what: the nodes and the load divided over agents, each with all it needs to know. */

import { fleetLabels, HOLLOW_TAINT, nodeName, RUN_LABEL, shardNodeIndexes } from '../../hollow/index.ts';
import { zonesInTurn } from '../config/index.ts';
import type { ControlPlane } from '../controlplane/index.ts';
import { type PreparedCluster, probeNamespace } from './cluster-setup.ts';
import type { RunOptions } from './options.ts';
import type { AgentAssignment } from './protocol.ts';

/** Phase of the fleet's calls before the suite's first. */
const REGISTRATION_PHASE = 'registration';

/** One assignment per agent process: fleet shards, load shards, and one observer. */
export function assignments(
  options: RunOptions,
  plane: ControlPlane,
  cluster: PreparedCluster,
  epochUs: number,
): AgentAssignment[] {
  const { suite } = options.loaded;
  const { runId } = options;
  const prefix = nodeNamePrefix(runId);
  const loadShard = (index: number, count: number) => ({
    runId,
    seed: suite.seed,
    shard: { index, count },
    settings: suite.load,
    access: cluster.loadAccess,
    namespaces: cluster.namespaces,
    labels: { [RUN_LABEL]: runId },
    podPlacement: loadPlacement(runId),
  });
  const fleet = Array.from({ length: suite.fleet.agentCount }, (_, index): AgentAssignment => {
    const shard = { index, count: suite.fleet.agentCount };
    const kubeletApi = cluster.kubeletApi[index];
    const names = shardNodeIndexes(suite.fleet.nodeCount, shard).map((node) => nodeName(prefix, node));
    return {
      runId,
      agentId: `fleet-${index}`,
      epochUs,
      role: 'fleet',
      shard: {
        runId,
        seed: suite.seed,
        nodeNamePrefix: prefix,
        shard,
        settings: suite.fleet,
        access: plane.admin,
        kubernetesVersion: plane.kubernetesVersion,
        labels: fleetLabels(runId, suite.fleet.labels),
        taints: [HOLLOW_TAINT],
        zones: zonesInTurn(suite.fleet.zones, suite.controlPlane.topology.layout),
        ...(cluster.certificates === undefined ? {} : { certificates: pick(cluster.certificates, names) }),
        ...(kubeletApi === undefined ? {} : { kubeletApi }),
        phase: REGISTRATION_PHASE,
      },
    };
  });
  const load = Array.from(
    { length: suite.load.agentCount },
    (_, index): AgentAssignment => ({
      runId,
      agentId: `load-${index}`,
      epochUs,
      role: 'load',
      shard: loadShard(index, suite.load.agentCount),
    }),
  );
  const observer: AgentAssignment = {
    runId,
    agentId: 'observer-0',
    epochUs,
    role: 'observer',
    shard: {
      runId,
      access: plane.admin,
      podLabelSelector: `${RUN_LABEL}=${runId}`,
      load: loadShard(0, 1),
    },
  };
  return [...fleet, ...load, observer, ...probers(options, plane, cluster, epochUs)];
}

/** One prober where the suite has faults. */
function probers(
  options: RunOptions,
  plane: ControlPlane,
  cluster: PreparedCluster,
  epochUs: number,
): AgentAssignment[] {
  const { runId } = options;
  const { faults, seed } = options.loaded.suite;
  if (faults === undefined) return [];
  const { balancedPerSecond, memberPerSecond, deploymentsPerSecond } = faults.probes;
  return [
    {
      runId,
      agentId: 'prober-0',
      epochUs,
      role: 'prober',
      shard: {
        runId,
        seed,
        access: cluster.loadAccess,
        admin: plane.admin,
        members: probedMembers(plane),
        namespace: probeNamespace(runId),
        labels: { [RUN_LABEL]: runId },
        runSelector: `${RUN_LABEL}=${runId}`,
        podPlacement: loadPlacement(runId),
        rates: {
          balancedPerSecond,
          memberPerSecond,
          // Without nodes there is nowhere for their pods to go.
          deploymentsPerSecond: options.loaded.suite.fleet.nodeCount === 0 ? 0 : deploymentsPerSecond,
        },
        timeoutMs: faults.probes.timeoutMs,
      },
    },
  ];
}

/** API servers that are probed one by one: those behind a load balancer. */
export function probedMembers(plane: ControlPlane): { name: string; server: string }[] {
  const { members, server } = plane.admin;
  const names = plane.components
    .filter(({ component }) => component === 'kube-apiserver')
    .map(({ name }) => name);
  return members
    .map((member, index) => ({ name: names[index] ?? `kube-apiserver-${index}`, server: member }))
    .filter((member) => member.server !== server);
}

/** Keeps pods of the run on its hollow nodes. */
function loadPlacement(runId: string) {
  return {
    nodeSelector: { [RUN_LABEL]: runId },
    tolerations: [{ key: HOLLOW_TAINT.key, operator: 'Exists' as const, effect: HOLLOW_TAINT.effect }],
  };
}

/** Names of the hollow nodes, by index over all agents. */
export function nodeNames(runId: string, nodeCount: number): string[] {
  return Array.from({ length: nodeCount }, (_, index) => nodeName(nodeNamePrefix(runId), index));
}

// The run's date and time tell two runs on one cluster apart; the suite's name would only make names longer.
function nodeNamePrefix(runId: string): string {
  return `hollow-${runId.slice(0, 15)}-`;
}

function pick<T>(values: ReadonlyMap<string, T>, keys: readonly string[]): Record<string, T> {
  const picked: Record<string, T> = {};
  for (const key of keys) {
    const value = values.get(key);
    if (value !== undefined) picked[key] = value;
  }
  return picked;
}
