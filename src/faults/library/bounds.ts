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
 * HAProxy finds out about a server that hangs: a check begins within 2 s (inter) and has 2 s for its TLS handshake, a
 * second one begins after 250 ms (fastinter); then it cuts the sessions.
 */
export const HUNG_SERVER_MS = 6_500;
/** As HUNG_SERVER_MS, of a server that refuses: two checks, 2 s and 250 ms apart. */
export const DEAD_SERVER_MS = 2_500;

/** etcd: election timeout 1 s, randomised to 1-2 s, and one round of votes. Source: etcd-io/raft raft.go. */
export const ELECTION_MS = 2_500;
/** etcd: a request gives up after 5 s plus two election timeouts. Source: server/config/config.go, ReqTimeout. */
export const ETCD_REQUEST_TIMEOUT_MS = 7_000;
/** A killed process is back: an API server was ready 3.3 s after its start, with three of them 11 s. */
export const PROCESS_START_MS = 12_000;
