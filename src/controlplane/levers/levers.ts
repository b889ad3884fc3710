/**
 * How a plane that hollowmark started is broken on purpose and mended again: one lever for each way in which a member
 * fails. Levers act and tell; whether what followed was right is for those who pull them. An instance is meant by its
 * name (`etcd-0`), and a name that the plane does not have is HM_USAGE everywhere.
 */
import type { ClusterAccess } from '../../kube/index.ts';
import type { InstanceKind } from '../components/component.ts';

/** One process of the plane, as it is now. */
export interface PlaneInstance {
  /** `etcd-0`, `kube-apiserver-2` */
  name: string;
  component: InstanceKind;
  /** Absent for what stands outside all zones, as load balancers do. */
  zone?: string;
  /** Of the process that runs; absent while there is none. */
  pid?: number;
  /** `paused`: stopped by SIGSTOP. `held`: not running, and not to be started again. `ended`: will be restarted. */
  state: 'running' | 'paused' | 'held' | 'ended';
  /** Exits since the plane was started, wanted ones included. */
  exitCount: number;
  /** Kubernetes version it was last started with, where a lever changed it. */
  changedVersion?: string;
}

/** What happened to a process, in order; instants are of the clock the plane was started with. */
export interface PlaneEvent {
  atUs: number;
  name: string;
  component: InstanceKind;
  kind:
    | 'started'
    /** Its health check was answered for the first time since it was started. */
    | 'ready'
    /** Ended; `induced` tells whether a lever was the reason. */
    | 'exited'
    | 'paused'
    | 'resumed'
    | 'held'
    | 'released';
  /** Of `exited`: a lever ended it. An exit that merely follows from a fault (a lost lease) is not induced. */
  induced: boolean;
  /** Of `exited`: `exit code 1`, `signal SIGKILL`; of `started`: `restart in 1000 ms` was due, or empty. */
  detail: string;
}

/** When an ended process is started again. */
export interface RestartPolicy {
  firstDelayMs: number;
  /** Each further exit in a row multiplies the delay by this, up to `maxDelayMs`. */
  factor: number;
  maxDelayMs: number;
  /** A process that ran for this long begins with the first delay again. */
  resetAfterMs: number;
}

export interface RestartChange {
  /** Flags in place of the instance's own or beside them, without dashes; kept for later restarts. */
  flags?: Readonly<Record<string, string>>;
  /** Kubernetes version to go on with, such as `v1.35.4`; kept for later restarts. */
  version?: string;
}

/** Levers on processes, which every local plane has. */
export interface ProcessLevers {
  /** All processes, in starting order. */
  instances(): readonly PlaneInstance[];
  /** True while its process lives, paused or not. */
  isRunning(name: string): boolean;
  /** Access to the instance's own port, past every load balancer; undefined for what has none. */
  access(name: string): ClusterAccess | undefined;
  /** SIGKILL; resolves when the process is gone. The supervisor starts it again unless it is held. */
  kill(name: string): Promise<void>;
  /** SIGTERM, and SIGKILL after the usual grace; resolves when the process is gone. Restarted unless held. */
  terminate(name: string): Promise<void>;
  /** SIGSTOP: alive, connected, and silent. */
  pause(name: string): void;
  /** SIGCONT; nothing if it is not paused. */
  resume(name: string): void;
  /**
   * Lets the process run for only this share of each 100 ms, by SIGSTOP and SIGCONT: a slow member. 1 ends it.
   * An instance that is throttled cannot be paused as well.
   */
  throttle(name: string, runRatio: number): void;
  /** Do not start it again when it ends, until release(). */
  hold(name: string): void;
  /** Undoes hold(), and starts the process if it is not running. */
  release(name: string): void;
  /** Resolves when the instance's health check is answered; it may have to be restarted meanwhile. */
  awaitReady(name: string, signal: AbortSignal): Promise<void>;
  /**
   * SIGTERM, then a start at once with the changes; resolves when it is ready.
   * @throws HM_COMPONENT_EXITED if it ends instead (the supervisor tries again), HM_COMPONENT_NOT_READY
   */
  restart(name: string, change: RestartChange, signal: AbortSignal): Promise<void>;
  /** Everything that happened to processes since the plane was started. */
  readonly events: readonly PlaneEvent[];
  /** Calls `listener` with each event as it comes; returns what ends that. */
  onEvent(listener: (event: PlaneEvent) => void): () => void;
  readonly restartPolicy: RestartPolicy;
}

/** One backend of the load balancer, as it sees it. */
export interface BackendServer {
  /** Name of the API server: `kube-apiserver-0`. */
  name: string;
  /** As HAProxy says it: `UP`, `DOWN`, `DRAIN`, `MAINT`, `no check`, or a step between two such as `UP 1/2`. */
  state: string;
  sessionCount: number;
  /** How often it went from up to down since the load balancer was started. */
  downCount: number;
  /** Of the last health check: `L7OK`, `L7STS`, `L4CON`, ... */
  check: string;
  /** Milliseconds since the state changed. */
  sinceMs: number;
}

/** Levers on HAProxy, through its socket. */
export interface LoadBalancerLevers {
  /** `haproxy-0` */
  readonly name: string;
  servers(signal: AbortSignal): Promise<BackendServer[]>;
  /** `drain`: no new sessions; `maint`: neither sessions nor checks; `ready`: as the checks say. */
  setServerState(server: string, state: 'ready' | 'drain' | 'maint', signal: AbortSignal): Promise<void>;
  /** Takes a server for healthy or not whatever its checks say; `auto` lets them decide again. */
  forceHealth(server: string, health: 'up' | 'down' | 'auto', signal: AbortSignal): Promise<void>;
  /** Closes every session of one server. */
  shutdownSessions(server: string, signal: AbortSignal): Promise<void>;
}

/** What a directed link does to the bytes that go from one member to another. */
export interface LinkRule {
  /**
   * `drop`: nothing arrives and connections stall, as behind a firewall that drops packets; they go on when healed.
   * `reset`: connections are closed and new ones refused.
   */
  cut?: 'drop' | 'reset';
  /** Added to every byte's way, one way. */
  delayMs?: number;
  /**
   * Share of chunks that are held back by one retransmission time (200 ms) each: what loss is to those who speak TCP.
   */
  lossRatio?: number;
  throttleBytesPerSecond?: number;
}

/** Levers on the network between members; only in planes that were started with `links: proxied`. */
export interface LinkLevers {
  /** Every directed pair there is: etcd to etcd, and API server to etcd both ways. */
  pairs(): readonly { from: string; to: string }[];
  /** Sets what happens to bytes from one to another; an empty rule heals. */
  set(from: string, to: string, rule: LinkRule, signal: AbortSignal): Promise<void>;
  /** Cuts a set of members off from all others, both ways. Returns the pairs that were cut. */
  isolate(
    names: readonly string[],
    rule: LinkRule,
    signal: AbortSignal,
  ): Promise<{ from: string; to: string }[]>;
  healAll(signal: AbortSignal): Promise<void>;
  /** Open connections and bytes carried by each pair so far. */
  counts(
    signal: AbortSignal,
  ): Promise<{ from: string; to: string; connectionCount: number; carriedBytes: number }[]>;
}

/** One member of the etcd cluster that holds the objects. */
export interface EtcdMember {
  /** `etcd-0`; empty for a member that was added and has not started yet. */
  name: string;
  /** Decimal, as etcd's JSON has it. */
  id: string;
  learner: boolean;
}

export interface EtcdStatus {
  name: string;
  memberId: string;
  /** Id of the leader this member knows; '0' for none. */
  leaderId: string;
  raftTerm: number;
  databaseBytes: number;
  databaseInUseBytes: number;
  revision: number;
}

/** Levers on the etcd cluster that holds the objects. They ask a member that answers unless told which. */
export interface EtcdLevers {
  /** Name of the leader, agreed upon by a majority of those members that answer; undefined during an election. */
  leader(signal: AbortSignal): Promise<string | undefined>;
  members(signal: AbortSignal): Promise<EtcdMember[]>;
  status(name: string, signal: AbortSignal): Promise<EtcdStatus>;
  /** Hash of the member's key-value store up to a revision; equal on all members that are compacted alike. */
  hashKv(
    name: string,
    revision: number | undefined,
    signal: AbortSignal,
  ): Promise<{ hash: number; revision: number; compactRevision: number }>;
  /** Writes a snapshot of one member to `path`; returns its size in bytes. */
  snapshot(path: string, signal: AbortSignal): Promise<number>;
  /**
   * Every member begins anew from the snapshot, as a new cluster, with revisions bumped by 10^9 and the old ones marked
   * compacted unless `bumpRevision` is false; API servers are restarted. @throws HM_BINARIES_UNAVAILABLE without etcdutl
   */
  restore(path: string, options: { bumpRevision: boolean }, signal: AbortSignal): Promise<void>;
  /** Removes a member with all its data, adds it again as a learner, and promotes it once it has caught up. */
  replaceMember(name: string, signal: AbortSignal): Promise<void>;
  alarms(signal: AbortSignal): Promise<{ memberId: string; alarm: string }[]>;
  /** Bytes at which members refuse writes. */
  quotaBytes(): number;
  /**
   * Sets the quota of every member by a rolling restart (no restart where they have it already, by
   * `controlPlane.flags.etcd`; each takes about 8 s) and writes filler until NOSPACE is raised. Returns the database's
   * size in bytes.
   */
  fillTo(quotaBytes: number, signal: AbortSignal): Promise<number>;
  /** Deletes the filler, compacts, defragments each member and disarms NOSPACE; the quota goes back to what it was. */
  recoverSpace(signal: AbortSignal): Promise<void>;
  compact(signal: AbortSignal): Promise<number>;
  defragment(name: string, signal: AbortSignal): Promise<void>;
  disarmAlarms(signal: AbortSignal): Promise<void>;
}

/** Levers on serving certificates. Programs that watch their files take new ones without a restart. */
export interface CertificateLevers {
  /** Replaces the instance's serving certificate with one that has expired. */
  expire(name: string): Promise<void>;
  /** Issues a new, valid one; returns its serial number in hexadecimal. */
  rotate(name: string): Promise<string>;
  /** Serial number and end of validity of what the instance serves now. */
  served(name: string, signal: AbortSignal): Promise<{ serial: string; notAfter: string }>;
}

export interface LeaseHolders {
  /** Names of the acting leaders; undefined where a lease has no holder, has expired, or names nobody of the plane. */
  controllerManager: string | undefined;
  scheduler: string | undefined;
}

/** All levers of a plane. */
export interface PlaneLevers extends ProcessLevers {
  /** Absent without a load balancer. */
  readonly loadBalancer?: LoadBalancerLevers;
  /** Absent unless the plane was started with proxied links. */
  readonly links?: LinkLevers;
  readonly etcd: EtcdLevers;
  readonly certificates: CertificateLevers;
  /** Who holds the leases of kube-controller-manager and kube-scheduler. @throws what a failed request throws */
  leaders(signal: AbortSignal): Promise<LeaseHolders>;
  /**
   * Every fsync and fdatasync of the instance takes this much longer (strace is attached to it); 0 ends that. Resolves
   * when it is in force. @throws HM_PREFLIGHT_FAILED without strace or the right to trace
   */
  slowDisk(name: string, delayMs: number, signal: AbortSignal): Promise<void>;
  /** Heals whatever is still broken by any lever, and resolves when every instance is ready. */
  healAll(signal: AbortSignal): Promise<void>;
}
