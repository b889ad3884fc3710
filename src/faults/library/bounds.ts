/**
 * Bounds of responses, from upstream's own timeouts. Every bound of the library is one of these plus slack; the slack
 * is for a small machine on which the control plane, the nodes and the load share two cores.
 */

/** Slack on bounds that are themselves seconds. */
export const SLACK_MS = 4_000;
/** Slack on takeovers of leaders, which wait on a lease of 15 s. */
export const TAKEOVER_SLACK_MS = 8_000;

/** Redispatch to another server after a refused connection, plus slack: a refused connection costs no time-out. */
export const REDISPATCH_GAP_MS = 1_000;
/**
 * HAProxy finds out about a server that hangs: the check that is under way (inter 1 s, check time-out 1 s), a second
 * one after fastinter 250 ms; then it cuts the sessions.
 */
export const HUNG_SERVER_MS = 3_500;
/** As HUNG_SERVER_MS, of a server that refuses: two checks, 1 s and 250 ms apart. */
export const DEAD_SERVER_MS = 1_500;

/** etcd: election timeout 1 s, randomised to 1-2 s, and one round of votes. Source: etcd-io/raft raft.go. */
export const ELECTION_MS = 2_500;
/** etcd: a request gives up after 5 s plus two election timeouts. Source: server/config/config.go, ReqTimeout. */
export const ETCD_REQUEST_TIMEOUT_MS = 7_000;
/** A killed process is back: an API server was ready 3.3 s after its start, with three of them 11 s. */
export const PROCESS_START_MS = 12_000;

/**
 * A leader is replaced: lease 15 s, candidates look each 2 s with a jitter of 1.2 (2 to 4.4 s).
 * Source: component-base config/v1alpha1/defaults.go, client-go tools/leaderelection.
 */
export const TAKEOVER_MS = 15_000 + 4_400;
/** A leader gives up without a renewal for this long. Source: the same, RenewDeadline. */
export const RENEW_DEADLINE_MS = 10_000;

/**
 * The node controller looks each 5 s and takes a node for Unknown 50 s after its last heartbeat (Kubernetes 1.32 on).
 * Source: pkg/controller/nodelifecycle/config/v1alpha1/defaults.go, NodeMonitorGracePeriod.
 */
export const NODE_UNKNOWN_MS = 50_000 + 5_000;
/** Kubelet: a lease each 10 s, so the last heartbeat may be this old when a node falls silent. */
export const LEASE_PERIOD_MS = 10_000;
