/**
 * What a suite is expected to cost, from figures that were measured side by side on one machine of two cores with
 * Kubernetes 1.36.3, and from the request rates of a kubelet. Every constant says where it comes from; those marked
 * "estimate" were not measured. Memory is resident memory in bytes, CPU is cores.
 *
 *   measured (largest resident memory)        kube-apiserver   model     etcd      model
 *   1,000 nodes, 8,000 watches                1.78 GB          1.91 GB
 *   3,000 nodes, 23,834 watches               5.2 GB           5.2 GB    370 MB    371 MB
 *
 * docs/operations.md has the suites that were held against it.
 */
import type { FleetSettings, StormAction, Suite } from '../config/index.ts';

const MB = 1e6;

type StormKind = StormAction['disturbance']['kind'];

/** kube-apiserver without nodes: its share of 0.48 GB for the whole idle plane (estimate of the share). */
const APISERVER_BASE_BYTES = 250 * MB;
/** Slope of the two measured points above. */
const APISERVER_BYTES_PER_WATCH = 0.208 * MB;
/** An object in the watch cache, its encodings and its history (estimate). */
const APISERVER_BYTES_PER_OBJECT = 20_000;
/**
 * A pod with its events and what its writes leave to the garbage collector: 3,000 and 3,500 pods made in a minute and
 * in two and a half, on 100 nodes (scheduler-throughput and density).
 */
const APISERVER_BYTES_PER_POD = 0.18 * MB;
const ETCD_BASE_BYTES = 50 * MB;
/** 0.37 GB at 3,000 nodes of 15 KB. */
const ETCD_BYTES_PER_NODE = 0.107 * MB;
/** Ten revisions of 2.5 KB between two compactions, which are 5 minutes apart (estimate). */
const ETCD_BYTES_PER_OBJECT = 25_000;
/** A pod's revisions and those of its events: the same two suites. */
const ETCD_BYTES_PER_POD = 42_000;
/** Controller manager and scheduler: the rest of the idle plane, then a copy of each node and object (estimate). */
const CONTROLLERS_BASE_BYTES = 180 * MB;
const CONTROLLERS_BYTES_PER_NODE = 60_000;
const CONTROLLERS_BYTES_PER_OBJECT = 20_000;
/** The same two suites: 353 and 356 MB at 3,000 pods. */
const CONTROLLERS_BYTES_PER_POD = 55_000;
/** A fleet agent before its first node, and an observer without watches of the load. */
const AGENT_BASE_BYTES = 130 * MB;
/** 0.35 MB for a node with two connections of its own, 0.24 MB with one; without any by extrapolation. */
const FLEET_BYTES_PER_NODE = 0.13 * MB;
const FLEET_BYTES_PER_CONNECTION = 0.11 * MB;
/** 200 MB instead of 165 at 100 nodes with 30 pods each. */
const FLEET_BYTES_PER_POD = 12_000;
/** The client of the load at 64 connections. */
const LOAD_AGENT_BYTES = 140 * MB;
/** Of the observer: 195 MB at 1,000 watches that received 5,000 events a second. */
const LOAD_BYTES_PER_WATCH = 60_000;

/** An idle node costs the API server 0.23 ms/s and the fleet 0.09 ms/s. */
const APISERVER_CORES_PER_NODE = 0.23e-3;
const FLEET_CORES_PER_NODE = 0.09e-3;
/** Two shared cores had 1,000 nodes Ready after 40 s and 3,000 after 142 s. */
const READY_PER_SECOND = 22;

/** A kubelet's own watches: services, runtime classes, CSI drivers, its node, its pods. */
const KUBELET_WATCHES = 5;
/** A kube-proxy's: services, endpoint slices, service CIDRs, its node; upstream's hollow proxy has no node watch. */
const PROXY_WATCHES = 4;
const KUBEMARK_PROXY_WATCHES = 3;
/** A process of light nodes: nodes and pods. */
const LIGHT_WATCHES = 2;
/** Streams that share a pooled connection. */
const STREAMS_PER_CONNECTION = 90;
/** Leases are renewed at a quarter of their duration plus up to 4 %, status reports at up to 4 % more as well. */
const JITTER = 1.02;

/** Requests of the kubelet for each pod that starts and for each that is deleted (facts of Kubernetes 1.36). */
const KUBELET_CALLS_PER_POD = {
  started: { get: 2.5, patch: 2.5, token: 1, events: 3.5 },
  deleted: { get: 3.5, patch: 2, delete: 1, events: 1 },
} as const;
/** Of light nodes: one write each. */
const LIGHT_CALLS_PER_POD = { started: 1, deleted: 1 } as const;
/** A full node's, with its lists and its lease; a light one writes its Node and its lease. */
const REGISTRATION_CALLS = { full: 25, light: 2 } as const;
/** A node that is back from a silence renews its lease and reports its status. */
const RETURN_CALLS = 2;
/** Events that a watch of pods delivers for one pod's start, and for its deletion. */
export const POD_EVENTS = { started: 5, deleted: 4 } as const;

/** Standing and created numbers that memory depends on. */
export interface Population {
  /** Objects of the load that exist at once, at most, with the pods that controllers make of them. */
  standingObjectCount: number;
  /** The same plus those that were deleted within the last compaction period. */
  recentObjectCount: number;
  /** Pods among the two. */
  standingPodCount: number;
  recentPodCount: number;
  loadWatchCount: number;
}

export interface MemoryEstimate {
  fleetBytes: number;
  loadBytes: number;
  /** Absent control-plane figures are 0: an attached cluster's memory is elsewhere. */
  apiserverBytes: number;
  etcdBytes: number;
  controllersBytes: number;
  /** Of what runs on this machine. */
  totalBytes: number;
}

/** Watches that the fleet holds, for `podCount` pods spread over `namespaceCount` namespaces. */
export function fleetWatches(fleet: FleetSettings, podCount: number, namespaceCount: number): number {
  if (fleet.fidelity === 'light') return LIGHT_WATCHES * fleet.agentCount;
  const proxy = fleet.compat === 'kubemark' ? KUBEMARK_PROXY_WATCHES : PROXY_WATCHES;
  // A node watches each ConfigMap and Secret that its pods mount: here the CA bundle of each namespace it has pods of.
  const podsPerNode = fleet.nodeCount === 0 ? 0 : podCount / fleet.nodeCount;
  const perObject = Math.min(namespaceCount, podsPerNode);
  return Math.round(fleet.nodeCount * (KUBELET_WATCHES + (fleet.proxy ? proxy : 0) + perObject));
}

/** Requests of a kubelet for one pod that starts, and for one that is deleted. */
export function kubeletCallsPerPod(fleet: FleetSettings): { started: number; deleted: number } {
  if (fleet.fidelity === 'light') return LIGHT_CALLS_PER_POD;
  const { started, deleted } = KUBELET_CALLS_PER_POD;
  return {
    started: started.get + started.patch + started.token + (fleet.events ? started.events : 0),
    deleted: deleted.get + deleted.patch + deleted.delete + (fleet.events ? deleted.events : 0),
  };
}

/**
 * Requests that `nodeCount` nodes send all at once because of a storm: registrations after a restart, watches that are
 * opened again after a cut, heartbeats of nodes that come back. Slow nodes send none; nor do those that flap, at once.
 */
export function stormRequests(kind: StormKind, fleet: FleetSettings, nodeCount: number): number {
  const watches = fleet.nodeCount === 0 ? 0 : fleetWatches(fleet, 0, 0) / fleet.nodeCount;
  const perNode: Record<StormKind, number> = {
    restart: REGISTRATION_CALLS[fleet.fidelity],
    'drop-connections': watches,
    'expire-certificates': watches,
    silence: RETURN_CALLS,
    flap: RETURN_CALLS,
    slow: 0,
  };
  return Math.round(perNode[kind] * nodeCount);
}

/** Connections of the fleet to the API server. */
export function fleetConnections(fleet: FleetSettings, watchCount: number): number {
  if (fleet.connections === 'per-node') return fleet.nodeCount * (fleet.proxy ? 2 : 1);
  return Math.ceil(watchCount / STREAMS_PER_CONNECTION);
}

/** Lease renewals and status writes in a second while nothing happens. */
export function heartbeats(fleet: FleetSettings): { leasesPerSecond: number; statusPerSecond: number } {
  return {
    leasesPerSecond: fleet.nodeCount / ((fleet.leaseDurationMs / 4_000) * JITTER),
    statusPerSecond: fleet.nodeCount / ((fleet.statusReportMs / 1_000) * JITTER),
  };
}

/** Expected peak memory. */
export function estimateMemory(
  suite: Suite,
  population: Population,
  fleetWatchCount: number,
): MemoryEstimate {
  const { fleet, load } = suite;
  const { topology } = suite.controlPlane;
  const watchCount = fleetWatchCount + population.loadWatchCount;
  const local = suite.controlPlane.provider === 'local' ? 1 : 0;
  const { standingPodCount: pods, recentPodCount: recentPods } = population;
  const objects = population.standingObjectCount - pods;
  const estimate = {
    fleetBytes:
      fleet.agentCount * AGENT_BASE_BYTES +
      fleet.nodeCount * FLEET_BYTES_PER_NODE +
      fleetConnections(fleet, fleetWatchCount) * FLEET_BYTES_PER_CONNECTION +
      pods * FLEET_BYTES_PER_POD,
    // With the observer.
    loadBytes:
      load.agentCount * LOAD_AGENT_BYTES +
      AGENT_BASE_BYTES +
      population.loadWatchCount * LOAD_BYTES_PER_WATCH,
    apiserverBytes:
      local *
      // Watches are spread over the API servers; each caches every object.
      (watchCount * APISERVER_BYTES_PER_WATCH +
        topology.apiserverCount *
          (APISERVER_BASE_BYTES + objects * APISERVER_BYTES_PER_OBJECT + pods * APISERVER_BYTES_PER_POD)),
    etcdBytes:
      local *
      topology.etcdCount *
      (ETCD_BASE_BYTES +
        fleet.nodeCount * ETCD_BYTES_PER_NODE +
        (population.recentObjectCount - recentPods) * ETCD_BYTES_PER_OBJECT +
        recentPods * ETCD_BYTES_PER_POD),
    controllersBytes:
      local *
      // Candidates without the lease hold about their share of the idle plane and no objects.
      ((CONTROLLERS_BASE_BYTES * (topology.controllerManagerCount + topology.schedulerCount)) / 2 +
        fleet.nodeCount * CONTROLLERS_BYTES_PER_NODE +
        objects * CONTROLLERS_BYTES_PER_OBJECT +
        pods * CONTROLLERS_BYTES_PER_POD),
  };
  return { ...estimate, totalBytes: Object.values(estimate).reduce((sum, bytes) => sum + bytes, 0) };
}

/** Cores that idle nodes keep busy. */
export function idleCpuCores(fleet: FleetSettings): { apiserver: number; fleet: number } {
  return {
    apiserver: fleet.nodeCount * APISERVER_CORES_PER_NODE,
    fleet: fleet.nodeCount * FLEET_CORES_PER_NODE,
  };
}

/** From the first registration to the last Ready node, in milliseconds. */
export function registrationMs(fleet: FleetSettings): number {
  // Light nodes are Ready with the one write that makes them.
  const perSecond = fleet.fidelity === 'light' ? Number.POSITIVE_INFINITY : READY_PER_SECOND;
  return (fleet.nodeCount / Math.min(fleet.rampPerSecond, perSecond)) * 1_000;
}
