/**
 * Defaults of the suite language, in the form users write, each with its source. The schema is the only reader: past
 * it every value is filled in.
 */

/** The version that hollowmark builds and tests against; its go.mod is committed. */
export const DEFAULT_KUBERNETES_VERSION = 'v1.36.3';
/** Same seed, same run: a fixed one, so that two runs of one suite are the same run unless asked otherwise. */
export const DEFAULT_SEED = 1;

/** Kubelet `nodeLeaseDurationSeconds`; renewed every quarter of it (pkg/kubelet/apis/config/v1beta1/defaults.go). */
export const DEFAULT_LEASE_DURATION = '40s';
/** Kubelet `nodeStatusReportFrequency` (pkg/kubelet/apis/config/v1beta1/defaults.go). */
export const DEFAULT_STATUS_REPORT = '5m';
/** Registrations per second that two shared cores take without delaying each other: 40 ms of API server CPU a node. */
export const DEFAULT_RAMP = '20/s';
/** 3,000 nodes on two cores needed 142 s; slower machines are given the same again. */
export const DEFAULT_READY_TIMEOUT = '5m';
/** Upstream's hollow node pads its Node object with an image list of about this size, as real nodes have. */
export const DEFAULT_NODE_OBJECT_SIZE = '15KiB';
/** Nodes that one fleet process holds by default: one event loop carries that many with leases on time. */
export const NODES_PER_FLEET_AGENT = 1_000;
/** A large machine, so that pods are limited by the pod count and not by CPU or memory. */
export const DEFAULT_CAPACITY = { cpu: '32', memory: '256Gi', pods: 110, ephemeralStorage: '1Ti' } as const;

/** A real kubelet 1.36.3 with containerd took 370-600 ms from its first status write to a ready sandbox. */
export const DEFAULT_POD_SANDBOX = '300ms..600ms';
/** The same kubelet: 100-200 ms from a ready sandbox to Running. */
export const DEFAULT_POD_START = '100ms..200ms';
/** The same kubelet: 100-300 ms from the deletion to the stopped pause container. */
export const DEFAULT_POD_STOP = '100ms..300ms';
/** Seen of upstream's hollow node between its requests: nothing in it takes time, its loops and its writer do. */
export const KUBEMARK_POD_SANDBOX = '200ms..350ms';
export const KUBEMARK_POD_START = '20ms..150ms';
export const KUBEMARK_POD_STOP = '10ms..200ms';

/** The load's own user and group: no built-in rights, no exempt priority level. */
export const DEFAULT_LOAD_USER = 'hollowmark:load';
export const DEFAULT_LOAD_GROUPS: readonly string[] = ['hollowmark:load'];
/** Enough for the in-flight calls of 1,000 requests/s at 100 ms; an idle connection costs next to nothing. */
export const DEFAULT_LOAD_CONNECTIONS = 128;
/** What may be in flight before arrivals are counted as dropped: 10 s of stall at 200 requests/s. */
export const DEFAULT_MAX_IN_FLIGHT = 2_000;
/** kube-apiserver `--request-timeout`. */
export const DEFAULT_REQUEST_TIMEOUT = '60s';
export const DEFAULT_NAMESPACES = 1;
/** Twice the longest read limit, so that a slow call ends as a slow call and not as a cancelled one. */
export const DEFAULT_SETTLE_TIMEOUT = '60s';
/** Half a minute of medians that agree within a tenth; three minutes are more than a small plane's caches take. */
export const DEFAULT_WARM_UP = { windows: 3, within: '10%', atMost: '3m' } as const;
/** client-go's page size for lists (tools/pager). */
export const DEFAULT_PAGE_LIMIT = 500;

/** Official API call latency SLOs (sig-scalability/slos/api_call_latency.md) and pod startup SLO. */
export const DEFAULT_SLO = {
  mutating: '1s',
  readResource: '1s',
  readNamespace: '30s',
  readCluster: '30s',
  podStartup: '5s',
  quantile: 0.99,
} as const;
