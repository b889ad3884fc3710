/**
 * What the prober records and sends: plain data. All instants are microseconds of CLOCK_MONOTONIC unless the name says
 * wall time.
 */
import type { LedgerWrite } from '../ledger/ledger.ts';

/** One probe call that ended. */
export interface ProbeCall {
  path: string;
  kind: 'write' | 'read';
  /** Of its schedule. */
  dueUs: number;
  /** When it went to an open connection; absent: it never did. */
  sentUs?: number;
  endUs: number;
  ok: boolean;
  /** `http-500`, `timeout`, `connection`, …; empty where ok. */
  error: string;
  /** Present on writes. */
  write?: LedgerWrite;
}

/** A part of a watch's life between two lists. */
export interface WatchStretch {
  /** Path that the watch goes through. */
  watch: string;
  listedVersion: number;
  /** Of its events, in order of arrival. */
  versions: number[];
  /** Highest version that events or bookmarks have told. */
  highWaterVersion: number;
}

/** Since the last batch: `stretch` counts lists of this watch from 0. */
export interface WatchProgress {
  watch: string;
  stretch: number;
  listedVersion: number;
  /** Version and instant of receipt of each event. */
  events: [version: number, seenUs: number][];
  highWaterVersion: number;
}

/** The watch was cut, resumed, or had to list again. */
export interface WatchIncident {
  watch: string;
  atUs: number;
  what: 'ended' | 'resumed' | 'relisted';
  text: string;
  /** Of a list: what it cost. */
  receivedBytes?: number;
}

/** A Lease of leader election as the API told it. */
export interface LeaseSample {
  atUs: number;
  /** `kube-controller-manager` */
  lease: string;
  /** Empty when it was released. */
  holder: string;
  acquiredWallMs: number;
  renewedWallMs: number;
  durationMs: number;
  transitionCount: number;
  /** The holder gave it up: holder emptied, or the duration cut to a second as client-go does on release. */
  released: boolean;
}

/** What replicas say of themselves in `leader_election_master_status`. */
export interface MasterSample {
  atUs: number;
  component: string;
  /** Names of the replicas that say they lead. */
  acting: string[];
  /** Those of them that were paused and woke a moment ago; absent: none. */
  woken?: string[];
}

/** A leader that was paused, and what it did from its waking on. */
export interface WokenLeader {
  component: string;
  name: string;
  wokeUs: number;
  /** When it last said that it leads; absent: it never did again. */
  ledUntilUs?: number;
  /** Changes that it had asked the API for by then, a renewal of its lease among them. */
  changeCount?: number;
  /** When and how its process ended; absent: it did not. */
  endedUs?: number;
  ended?: string;
}

/** One event of the prober's watch on pods of the run. */
export interface PodSighting {
  atUs: number;
  uid: string;
  name: string;
  namespace: string;
  version: number;
  /** Empty until bound. */
  node: string;
  running: boolean;
  gone: boolean;
  /** Reason of its DisruptionTarget condition, such as `DeletionByTaintManager`; empty without one. */
  disruption: string;
}

/** A hollow node's Ready condition changed. */
export interface NodeSighting {
  atUs: number;
  name: string;
  zone: string;
  ready: 'True' | 'False' | 'Unknown';
  gone: boolean;
}

/** A Deployment made to see whether controllers and scheduler are at work. */
export interface DeploymentCanary {
  name: string;
  dueUs: number;
  /** Its creation acknowledged; absent: the create failed, and it says nothing about controllers. */
  createdUs?: number;
  podSeenUs?: number;
  boundUs?: number;
}

/** Everything since the last report. */
export interface ProbeBatch {
  calls: ProbeCall[];
  watches: WatchProgress[];
  incidents: WatchIncident[];
  leases: LeaseSample[];
  pods: PodSighting[];
  nodes: NodeSighting[];
  /** Canaries that changed. */
  deployments: DeploymentCanary[];
}
