/**
 * What a run with faults leaves behind: one card per fault with its four parts and what was seen, in the same units as
 * the rest of the result (`…Ms` since the start of the run, durations named as such).
 */

/** Names are part of the result's format. */
export type InvariantName =
  | 'acknowledged-writes'
  | 'no-duplicate'
  | 'no-lost-deletion'
  | 'watch-order'
  | 'one-leader'
  | 'bound-once'
  | 'pods-stay-deleted'
  | 'convergence';

/** One invariant held against what was recorded. */
export interface InvariantCheck {
  name: InvariantName;
  state: 'held' | 'violated' | 'no-data';
  examinedCount: number;
  violationCount: number;
  /** The first ten, in words. */
  violations: string[];
  text: string;
}

/** Latencies of probe calls of one kind in one part of a fault's window; absent figures: no good call. */
export interface ProbeLatency {
  count: number;
  failedCount: number;
  p50Us?: number;
  p99Us?: number;
  maxUs?: number;
}

export interface ProbeParts {
  before: ProbeLatency;
  /** Sent between inducing and healing. */
  during: ProbeLatency;
  after: ProbeLatency;
}

/** One second of probe calls through the load balancer, by the instant at which they were due. */
export interface ProbeSecond {
  /** From the instant at which the fault was induced; negative before it. */
  offsetMs: number;
  okCount: number;
  failedCount: number;
  /** Of reads and writes together, failed ones included by their duration. */
  maxUs: number;
}

/** What the canaries saw on one way to the cluster. */
export interface PathObservation {
  /** `balanced`, or the name of an API server. */
  path: string;
  /** Longest time without a good call, from the fault to the end of its window; milliseconds. */
  writeGapMs: number;
  readGapMs: number;
  writes: ProbeParts;
  reads: ProbeParts;
  /** The watch on this path: longest time from a write's acknowledgement to its event, cuts, lists and their bytes. */
  watch?: { longestDelayMs: number; cutCount: number; relistCount: number; relistBytes: number };
}

/** What a leader did that was paused for longer than its lease, from its waking on. */
export interface WokenLeaderFigures {
  /** `kube-scheduler-0` */
  name: string;
  /** How long it went on saying that it leads, as far as it could be asked; 0: it never did again. */
  ledForMs: number;
  /** Changes that it asked the API for meanwhile, a renewal of its lease among them; absent: it could not be asked. */
  changeCount?: number;
  /** Until its process ended; absent: it went on as a candidate. */
  endedAfterMs?: number;
  /** `exit code 1` */
  ended?: string;
}

/** Everything that was seen of one fault. Durations count from the instant at which it was induced. */
export interface FaultObservation {
  /** First probe call that failed or was over its limit, by when it was sent. */
  firstWrongAnswerMs?: number;
  /** First time the system itself noticed, and by what: `load balancer took kube-apiserver-1 out`. */
  noticed?: { afterMs: number; by: string };
  /** Everything that the system noticed, in order. */
  notices: { afterMs: number; by: string }[];
  /** Through the load balancer. */
  writeGapMs: number;
  readGapMs: number;
  /** Back inside the SLO for good; absent: not within the window. */
  recoveredMs?: number;
  /** The same from healing on; 0 if it was back before. */
  recoveredAfterHealMs?: number;
  /** Good share of writes and reads sent in the window, through the load balancer; absent: none sent. */
  writeAvailabilityRatio?: number;
  readAvailabilityRatio?: number;
  /** Through the load balancer, by kind: `http-500`, `timeout`; attributed to when the call was sent. */
  errors: { kind: 'write' | 'read'; error: string; count: number; firstSentMs: number; lastSentMs: number }[];
  unknownWriteCount: number;
  unknownAppliedCount: number;
  paths: PathObservation[];
  series: ProbeSecond[];
  leaderChanges: { etcd: number; controllerManager: number; scheduler: number };
  /** Longest time that a canary Deployment took to have its pod, and the pod its node; absent: no canary was sent. */
  podMadeMs?: number;
  podBoundMs?: number;
  /** Canary Deployments that never had a bound pod. */
  deploymentsStuckCount: number;
  /** Leaders that were paused and woke; absent: none. */
  wokenLeaders?: WokenLeaderFigures[];
  nodesNotReadyCount: number;
  firstNodeNotReadyMs?: number;
  allNodesReadyMs?: number;
  podsEvictedCount: number;
  podsRescheduledCount: number;
  /** What happened to processes of the plane in the window, in order; absent in results of older versions. */
  processes?: ProcessSighting[];
  /** What the fault itself counted or read; absent: nothing beyond what is seen from outside. */
  findings?: FaultFinding[];
  /** Of the fleet, in the window. */
  fleetReconnectCount: number;
  fleetRelistCount: number;
}

/** A process of the control plane began, ended, or was stopped and woken. */
export interface ProcessSighting {
  afterMs: number;
  /** `kube-apiserver-1` */
  name: string;
  what: 'started' | 'ready' | 'exited' | 'paused' | 'resumed' | 'held' | 'released';
  /** Of `exited`: the fault ended it, and did not merely lead to its end. */
  induced: boolean;
  /** Of `exited`: `signal SIGKILL`, `exit code 1`. */
  detail: string;
}

/** Names are part of the result's format. */
export type FindingName =
  /** Requests of a flood. */
  | 'flood-served'
  | 'flood-rejected'
  /** Evictions asked for while draining. */
  | 'evictions-granted'
  | 'evictions-refused'
  /** NOSPACE alarms of etcd while the fault lasted, and after healing. */
  | 'alarms-raised'
  | 'alarms-left'
  /** Ids of etcd members that differ from before. */
  | 'members-replaced'
  /** Different hashes of the stores of etcd's members at one revision, after healing. */
  | 'store-hashes'
  /** By how much the revision of the store was raised. */
  | 'revisions-raised'
  /** API servers that served the expired certificate, and that serve a valid one after healing. */
  | 'certificates-expired'
  | 'certificates-rotated'
  /** API servers that told the other version, and that tell their own after healing. */
  | 'servers-moved'
  | 'servers-returned';

/** What a fault counted or read while it lasted: things that no probe sees. */
export interface FaultFinding {
  name: FindingName;
  value: number;
  /** What was counted, in words. */
  text: string;
}

/** One figure held against what was expected. */
export interface ExpectationCheck {
  /** `longest time without a good write` */
  name: string;
  met: boolean;
  /** `1.3 s, expected at most 6 s (election 1-2 s, slack 4 s)` */
  text: string;
}

export type FaultVerdictState = 'met' | 'not-met' | 'no-data';

/** One fault of a run. */
export interface FaultCard {
  /** Unique in the run: `3-etcd-leader-kill`. */
  id: string;
  /** Name in the library. */
  fault: string;
  component: string;
  /** What was hit: `kube-apiserver-1`, `zone-a`. */
  target: string;
  /** The four parts. */
  fails: string;
  induced: string;
  expected: string;
  observed: string;
  /** What is known to be wrong with the topology for a fault of this component; absent: nothing. */
  weaknesses?: string[];
  /** Instants in the run; absent where it did not come to that. */
  inducedMs?: number;
  healedMs?: number;
  endMs?: number;
  state: 'completed' | 'not-induced' | 'not-healed' | 'interrupted';
  reason?: string;
  seen?: FaultObservation;
  invariants: InvariantCheck[];
  /** `expected: not-met` in the suite: the response is known to fall short there. */
  expectedVerdict: 'met' | 'not-met';
  verdict: { state: FaultVerdictState; checks: ExpectationCheck[]; text: string };
}

/** The `faults` section of a RunResult. */
export interface FaultsResult {
  /** `3 etcd, 3 kube-apiserver, 2 kube-controller-manager, 2 kube-scheduler, load balancer, 3 zones` */
  topology: string;
  cards: FaultCard[];
  /** At the end of the run, over everything. */
  invariants: InvariantCheck[];
  /** Probe calls through the load balancer over the whole time of the probes. */
  availability: { writeRatio: number; readRatio: number; writeCount: number; readCount: number };
  /** Of the share of calls that may fail or be late (1 - quantile), what is left; negative: overspent. */
  errorBudget: { allowedRatio: number; spentRatio: number; leftRatio: number };
  writes: { acknowledgedCount: number; refusedCount: number; unknownCount: number; lostCount: number };
  probesRatePerSecond: { balanced: number; member: number };
  verdict: { state: FaultVerdictState; text: string };
}
