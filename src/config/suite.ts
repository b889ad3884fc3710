/**
 * A suite as it is run: every default filled in, every size relative to the node count worked out, every quantity a
 * number with its unit in the name. Deep-frozen; nothing further in says `?? default`.
 */

import type { NamedBehaviour } from './behaviours.ts';
import type { FaultsSettings } from './faults.ts';
import type { ProbesAction } from './probes.ts';
import type { StormAction } from './storm.ts';
import type { TopologySettings } from './topology.ts';

/** How far a control plane's settings are from production; recorded in every result, part of its fingerprint. */
export type Profile = 'production-like' | 'fast';

export interface Suite {
  name: string;
  description: string;
  /** Same seed, same schedule, names and pod behaviour. */
  seed: number;
  controlPlane: ControlPlaneSettings;
  fleet: FleetSettings;
  load: LoadSettings;
  /** Absent: nothing is broken, and nothing probes. */
  faults?: FaultsSettings;
  slo: SloSettings;
  thresholds: readonly ThresholdSettings[];
}

export interface ControlPlaneSettings {
  provider: 'local' | 'kubeconfig';
  /** `v1.36.3`; local only. */
  version: string;
  profile: Profile;
  /** Extra flags by component, without dashes: `{"kube-apiserver": {"max-requests-inflight": "800"}}`. */
  flags: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** A separate etcd for events. */
  eventsEtcd: boolean;
  /** Local only. */
  topology: TopologySettings;
}

export interface FleetSettings {
  nodeCount: number;
  /** Processes that the nodes are spread over. */
  agentCount: number;
  /** Kubelet and kube-proxy as themselves through impersonation headers, or a client certificate per node. */
  identity: 'impersonation' | 'certificate';
  /** `per-node`: one connection for the kubelet and one for the proxy; `shared`: pools of <= 90 streams. */
  connections: 'per-node' | 'shared';
  /**
   * `full`: every node talks as a kubelet and a kube-proxy do. `light`: what schedulers and controllers need of nodes, at
   * the least cost; no figures about the API server are to be had of it.
   */
  fidelity: 'full' | 'light';
  /** `kubemark` switches off what upstream's hollow node cannot do. */
  compat: 'none' | 'kubemark';
  /** Nodes that begin to register per second, over all agents. */
  rampPerSecond: number;
  /** All nodes Ready within this, or the run is invalid. */
  readyTimeoutMs: number;
  /** Bytes that a Node object is padded to, as a real one's image list would. */
  nodeObjectBytes: number;
  leaseDurationMs: number;
  statusReportMs: number;
  /** Events that a real kubelet posts. */
  events: boolean;
  proxy: boolean;
  /** Each node's kubelet answers on loopback of this host: logs, metrics, stats. */
  kubeletApi: boolean;
  /** Where it does so instead, for API servers on other machines: an address of this host. */
  kubeletAddress?: string;
  /** Time that writing the rules of one node is modelled to take: `baseUs` + `perRuleUs` for each rule. */
  proxySync: { baseUs: number; perRuleUs: number };
  capacity: { cpu: string; memory: string; podCount: number; ephemeralStorage: string };
  labels: Readonly<Record<string, string>>;
  /** Zones that nodes are spread over by their number; empty: nodes have none. */
  zones: readonly string[];
  pods: PodBehaviour;
  /** What pods can ask for by label or annotation, by name. */
  behaviours: Readonly<Record<string, NamedBehaviour>>;
  /** gzip for replies over 128 KiB, as Go clients ask for. */
  compression: boolean;
}

/** How long a hollow container takes from volumes mounted to running, and so on; seeded per pod. */
export interface PodBehaviour {
  /** Volumes mounted and sandbox ready, after the first sync. Uniform between the two. */
  sandboxMs: { low: number; high: number };
  /** Container started and seen running, after the sandbox. */
  startMs: { low: number; high: number };
  /** Containers stopped after a deletion, capped by the grace period. */
  stopMs: { low: number; high: number };
}

export interface LoadSettings {
  agentCount: number;
  /** Namespaces made for the load; object i goes to namespace i mod count. */
  namespaceCount: number;
  /** User and groups of the load; never system:masters unless asked for. */
  identity: { user: string; groups: readonly string[] };
  /** Level of Priority & Fairness that the load is put into; absent: where its user and groups belong. */
  priorityLevel?: string;
  connectionCount: number;
  maxInFlightCount: number;
  requestTimeoutMs: number;
  /** Send a call that got a 429 once more after its Retry-After; false: the 429 is its outcome. */
  honourRetryAfter: boolean;
  phases: readonly LoadPhase[];
}

export interface LoadPhase {
  name: string;
  /** False: shown and left out of the verdicts. */
  measured: boolean;
  /** Present in warm-up phases. */
  warmUp?: WarmUpSettings;
  /** The phase ends no earlier; 0 where the actions' own lengths decide. */
  durationMs: number;
  /** Longest wait after the last arrival for calls in flight and for `waitFor`. */
  settleTimeoutMs: number;
  actions: readonly LoadAction[];
}

/** When a warm-up phase is over; the rule itself is src/result/warm-up.ts. */
export type WarmUpSettings =
  | { until: 'time'; durationMs: number }
  | { until: 'steady'; windowCount: number; toleranceRatio: number; atMostMs: number };

export type LoadAction =
  | CreateAction
  | ChurnAction
  | UpdateAction
  | ScaleAction
  | ReadsAction
  | WatchesAction
  | ProbesAction
  | StormAction;

/** How arrivals are spread: evenly, or with exponential gaps (seeded). */
export type Arrival = 'constant' | 'poisson';

/** A rate that changes over time; the last one goes on for as long as the action does. */
export type RateShape =
  | { kind: 'ramp'; fromPerSecond: number; toPerSecond: number; overMs: number }
  | { kind: 'steps'; steps: readonly { ratePerSecond: number; forMs: number }[] }
  /** `size` arrivals at once, the first of them at the start. */
  | { kind: 'burst'; size: number; everyMs: number };

/** When a paced action's arrivals come. */
export interface ActionPacing {
  /** With a shape its highest rate; the mean of bursts. */
  ratePerSecond: number;
  arrival: Arrival;
  /** Absent: `ratePerSecond` throughout. */
  shape?: RateShape;
}

/** Creates `objectCount` objects at a rate; they stay until clean-up. */
export interface CreateAction extends ActionPacing {
  action: 'create';
  name: string;
  object: ObjectTemplate;
  objectCount: number;
  /** The phase waits until every object's pods are Running. */
  waitFor: 'nothing' | 'running';
}

/** Creates objects at a rate for a duration and deletes each after its lifetime: both on the absolute schedule. */
export interface ChurnAction extends ActionPacing {
  action: 'churn';
  name: string;
  object: ObjectTemplate;
  durationMs: number;
  lifetimeMs: number;
}

/** Patches objects that the load has made, each in its turn: rolling updates where the patch changes a pod template. */
export interface UpdateAction extends ActionPacing {
  action: 'update';
  name: string;
  resource: ResourceRef;
  durationMs: number;
  /** JSON merge patch, with variables as in manifests; differs by `${index}`, so that each is a change. */
  patch: Readonly<Record<string, unknown>>;
  /** True for a workload whose pod template changes: its pods are replaced. */
  rolls: boolean;
  /** `rollout`: the phase waits until the workloads have reached what was asked of them. */
  waitFor: 'nothing' | 'rollout';
}

/** Scales workloads that the load has made, each in its turn, to the counts in turn. */
export interface ScaleAction extends ActionPacing {
  action: 'scale';
  name: string;
  resource: ResourceRef;
  durationMs: number;
  replicas: readonly number[];
  /** As in updates. */
  waitFor: 'nothing' | 'rollout';
}

/** A weighted mix of GETs and LISTs at a rate for a duration. */
export interface ReadsAction extends ActionPacing {
  action: 'reads';
  name: string;
  durationMs: number;
  mix: readonly ReadTemplate[];
}

/**
 * `cached`: resourceVersion=0. `consistent`: no resourceVersion. `paged`: limit and continue, a page a call. `exact`: a
 * list as of a resourceVersion of the last seconds. `streaming`: a watch that begins with the list, up to its end.
 */
export type ReadConsistency = 'cached' | 'consistent' | 'paged' | 'exact' | 'streaming';

export interface ReadTemplate {
  verb: 'get' | 'list';
  /** Group, version and plural: `pods`, `deployments.apps`, `leases.coordination.k8s.io`. */
  resource: ResourceRef;
  scope: 'namespace' | 'cluster';
  consistency: ReadConsistency;
  /** Page size for `paged`. */
  limit: number;
  labelSelector: string;
  fieldSelector: string;
  weight: number;
}

/** Long watches, held for the whole phase. */
export interface WatchesAction {
  action: 'watches';
  name: string;
  watcherCount: number;
  resource: ResourceRef;
  scope: 'namespace' | 'cluster';
  labelSelector: string;
  fieldSelector: string;
}

export interface ResourceRef {
  group: string;
  version: string;
  plural: string;
  namespaced: boolean;
}

/** A manifest with variables: `${name}`, `${namespace}`, `${index}`, `${run}`, `${phase}`, `${random}`. */
export interface ObjectTemplate {
  resource: ResourceRef;
  apiVersion: string;
  kind: string;
  manifest: Readonly<Record<string, unknown>>;
  /** Pods that one object stands for: 1 for a bare pod, replicas for a Deployment, 0 for a ConfigMap. */
  podCount: number;
  /** Schedulers that the objects' pods name, in turn; absent: what the manifest says. */
  schedulerNames?: readonly string[];
  /** Objects made and removed together with it, under the same name: the further documents of a template. */
  companions?: readonly ObjectTemplate[];
}

export interface SloSettings {
  /** Which verdicts decide the exit code. */
  judge: readonly ('client-slo' | 'official-sli')[];
  mutatingLimitMs: number;
  readResourceLimitMs: number;
  readNamespaceLimitMs: number;
  readClusterLimitMs: number;
  podStartupLimitMs: number;
  /** 0..1; 0.99 in the official text. */
  quantile: number;
}

/** A threshold as code. Its text has been parsed once, so it can be parsed again. */
export interface ThresholdSettings {
  /** `pod_startup{kind:stateless}.p99 < 5s` */
  expression: string;
  /** The run ends as soon as the threshold is missed. */
  abortOnFail: boolean;
  /** From the start of the first phase that counts; missed before, nothing happens. */
  graceMs: number;
}
