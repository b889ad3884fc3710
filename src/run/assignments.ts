/** Who does what: the nodes and the load divided over agents, each with all it needs to know. */

import {
  fleetLabels,
  HOLLOW_TAINT,
  type KubeletServing,
  type NodeTaint,
  nodeName,
  RUN_LABEL,
  shardNodeIndexes,
} from '../../hollow/index.ts';
import type { ProbePath } from '../../loadgen/index.ts';
import { type FleetSettings, zonesInTurn } from '../config/index.ts';
import type { ControlPlane } from '../controlplane/index.ts';
import type { ClientCertificate } from '../kube/index.ts';
import { hasProbes, type PreparedCluster, probeNamespace } from './cluster-setup.ts';
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
  const fleet = fleetAssignments(
    {
      runId,
      seed: suite.seed,
      settings: suite.fleet,
      zones: zonesInTurn(suite.fleet.zones, suite.controlPlane.topology.layout),
      taints: [HOLLOW_TAINT],
      certificates: cluster.certificates,
      kubeletApi: cluster.kubeletApi,
    },
    plane,
    epochUs,
  );
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

/** One prober where the suite has faults, or probes in a phase. */
function probers(
  options: RunOptions,
  plane: ControlPlane,
  cluster: PreparedCluster,
  epochUs: number,
): AgentAssignment[] {
  const { runId } = options;
  const { suite } = options.loaded;
  const { faults, seed } = suite;
  const wanted = hasProbes(suite);
  if (faults === undefined && !wanted) return [];
  const common = {
    seed,
    access: cluster.loadAccess,
    members: probedMembers(plane),
    namespace: probeNamespace(runId),
    labels: { [RUN_LABEL]: runId },
  };
  return [
    {
      runId,
      agentId: 'prober-0',
      epochUs,
      role: 'prober',
      shard: {
        ...(wanted ? { probes: common } : {}),
        ...(faults === undefined
          ? {}
          : {
              canaries: {
                ...common,
                runId,
                admin: plane.admin,
                runSelector: `${RUN_LABEL}=${runId}`,
                podPlacement: loadPlacement(runId),
                rates: {
                  balancedPerSecond: faults.probes.balancedPerSecond,
                  memberPerSecond: faults.probes.memberPerSecond,
                  // Without nodes there is nowhere for their pods to go.
                  deploymentsPerSecond: suite.fleet.nodeCount === 0 ? 0 : faults.probes.deploymentsPerSecond,
                },
                timeoutMs: faults.probes.timeoutMs,
              },
            }),
      },
    },
  ];
}

/** API servers that are probed one by one: those behind a load balancer. */
export function probedMembers(plane: ControlPlane): ProbePath[] {
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

/** The nodes of one run, whole. */
export interface FleetPlan {
  runId: string;
  seed: number;
  settings: FleetSettings;
  zones: readonly string[];
  taints: readonly NodeTaint[];
  /** By node name; with `identity: certificate`. */
  certificates: ReadonlyMap<string, ClientCertificate> | undefined;
  /** By number of the process; empty: kubelets serve nothing. */
  kubeletApi: readonly KubeletServing[];
}

/** One assignment per fleet process. */
export function fleetAssignments(
  { runId, seed, settings, zones, taints, certificates, kubeletApi }: FleetPlan,
  plane: Pick<ControlPlane, 'admin' | 'kubernetesVersion'>,
  epochUs: number,
): AgentAssignment[] {
  const prefix = nodeNamePrefix(runId);
  return Array.from({ length: settings.agentCount }, (_, index): AgentAssignment => {
    const shard = { index, count: settings.agentCount };
    const serving = kubeletApi[index];
    const names = shardNodeIndexes(settings.nodeCount, shard).map((node) => nodeName(prefix, node));
    return {
      runId,
      agentId: `fleet-${index}`,
      epochUs,
      role: 'fleet',
      shard: {
        runId,
        seed,
        nodeNamePrefix: prefix,
        shard,
        settings,
        access: plane.admin,
        kubernetesVersion: plane.kubernetesVersion,
        labels: fleetLabels(runId, settings.labels),
        taints,
        zones,
        ...(certificates === undefined ? {} : { certificates: pick(certificates, names) }),
        ...(serving === undefined ? {} : { kubeletApi: serving }),
        phase: REGISTRATION_PHASE,
      },
    };
  });
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
