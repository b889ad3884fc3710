/**
 * What the probes of a phase found: whether the API answered, how long a write took to reach its watchers, whether a
 * write that was acknowledged was read back. The latencies of the probes' own calls are series of source `probe`.
 */
import type { Distribution } from './run-result.ts';

/** Name of the way through the load balancer (or to the only server); every other path is an API server's name. */
export const BALANCED_PATH = 'balanced';

export interface PhaseProbes {
  phase: string;
  /** By path, `balanced` first; empty where it was not probed. */
  availability: PathAvailability[];
  propagation?: WatchPropagation;
  /** By path and verb; empty where it was not probed. */
  readYourWrite: ReadBack[];
  /** Sent minus due of all probes: how late they were by the harness's own doing. */
  slip: Distribution;
}

/** What became of the availability probes on one path: good / (good + bad) is the availability. */
export interface PathAvailability {
  path: string;
  /** What was asked for, such as `/readyz`. */
  endpoint: string;
  /** Answered 200 in time. */
  goodCount: number;
  /** Any other status, no answer in time, or no connection. */
  badCount: number;
  /** Runs of bad probes, and the longest: bad probes in a row, in order of their due instants, times the period. */
  outageCount: number;
  longestOutageUs: number;
}

/** Writes of one writer at all watchers of the object that it writes. */
export interface WatchPropagation {
  watcherCount: number;
  /** Writes that were sent, and of these: refused, cut off or too late, and seen by no watcher. */
  writeCount: number;
  failedCount: number;
  /** Writes that every watcher saw, and those that some or all missed. The rest failed, or was on its way at the end. */
  completeCount: number;
  incompleteCount: number;
  /** Of the incomplete ones: acknowledged, and seen by none. */
  unseenCount: number;
  /** Write sent → the first watcher has its event. */
  first: Distribution;
  /** Write sent → the last watcher has its event; complete writes. */
  last: Distribution;
  /** First watcher → last watcher; complete writes. */
  spread: Distribution;
  /** Watches that broke and were opened again. */
  reconnectCount: number;
}

/** Consistent reads on one path of what had been acknowledged just before. */
export interface ReadBack {
  path: string;
  verb: 'get' | 'list';
  /** Answered. */
  readCount: number;
  /** Answered with an older state than the one acknowledged, or without the object. */
  staleCount: number;
  /** Not answered, or refused. */
  failedCount: number;
}
