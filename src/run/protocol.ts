/**
 * What the coordinator of a run and its agents say to each other, over HTTP with a bearer token that belongs to the
 * run. The agent always calls: it registers, reports once a second, and takes commands by long poll, so that an
 * agent needs no port of its own and may sit behind anything. All instants are microseconds of CLOCK_MONOTONIC,
 * which agents of one host share with the coordinator.
 *
 *   POST /v1/agents/:id              registration → AgentAssignment
 *   GET  /v1/agents/:id/commands     ?after=SEQ, waits up to COMMAND_POLL_MS → AgentCommand[]
 *   POST /v1/agents/:id/reports      AgentReport → 204
 */
import type {
  FleetCommand,
  FleetShard,
  FleetStats,
  FleetWindow,
  StormEnded,
  StormStarted,
} from '../../hollow/index.ts';
import type {
  LoadPhaseOutcome,
  LoadShard,
  LoadStats,
  PhaseProbesShard,
  ProbeWindow,
} from '../../loadgen/index.ts';
import type { LoadPhase } from '../config/index.ts';
import type { ProbeBatch, ProbeShard } from '../faults/index.ts';
import type { ClusterAccess } from '../kube/index.ts';
import type { CallWindow, HealthWindow, PodInstantBatch } from '../measure/index.ts';
import type { AgentRole, WatchFanOut } from '../result/index.ts';

export const REPORT_PERIOD_MS = 1_000;
/** Windows of the time series and of .hlog: what a kill may cost. */
export const WINDOW_MS = 10_000;
export const COMMAND_POLL_MS = 20_000;
/** Silence after which an agent is given up; ten reports and a garbage collection or two. */
export const AGENT_SILENCE_LIMIT_MS = 15_000;

/** Calls in flight when a phase is cut short get this long to end. */
export const CUT_SHORT_GRACE_MS = 5_000;

/** What the observer watches beside the long watches of the load. */
export interface ObserverShard {
  runId: string;
  access: ClusterAccess;
  /** Selects the pods to follow. */
  podLabelSelector: string;
  /** For the `watches` actions. */
  load: LoadShard;
}

/** The canaries of a suite with faults, the probes of its phases, or both. */
export interface ProberShard {
  canaries?: ProbeShard;
  probes?: PhaseProbesShard;
}

export interface AgentRegistration {
  pid: number;
}

export type AgentAssignment = {
  runId: string;
  agentId: string;
  /** Start of window 0. */
  epochUs: number;
} & (
  | { role: 'fleet'; shard: FleetShard }
  | { role: 'load'; shard: LoadShard }
  | { role: 'observer'; shard: ObserverShard }
  | { role: 'prober'; shard: ProberShard }
);

/** Sequence numbers rise by one per agent, starting at 1. */
export type AgentCommand = { sequence: number } & (
  | { type: 'phase'; phase: LoadPhase; startUs: number }
  /** For load agents: the schedule ends now, in order. */
  | { type: 'curtail-phase' }
  /** Starts nothing new; what runs may finish. */
  | { type: 'end-phase' }
  /** For fleet agents; answered by `storm-started`, and at a storm's end by `storm-ended`. */
  | { type: 'fleet'; command: FleetCommand }
  | { type: 'stop' }
);

/** Things that happen once; they ride on the next report. */
export type AgentEvent =
  | { type: 'ready' }
  | { type: 'phase-done'; phase: string; outcome: PhaseOutcome }
  | { type: 'storm-started'; started: StormStarted }
  | { type: 'storm-ended'; ended: StormEnded }
  | { type: 'failed'; code: string; message: string };

/** What one agent says of a phase it finished. */
export interface PhaseOutcome {
  load?: LoadPhaseOutcome;
  watches?: WatchFanOut[];
}

export interface AgentReport {
  sequence: number;
  sentUs: number;
  events: AgentEvent[];
  fleet?: FleetStats;
  load?: LoadStats;
  /** What the canaries saw since the last report. */
  probes?: ProbeBatch;
  /** Present on the first report after a window closed, and on the last. */
  window?: AgentWindow;
  /** Pod instants since the last report. */
  pods?: PodInstantBatch;
  /** The agent says goodbye after this one. */
  last: boolean;
}

/** One closed window of an agent. */
export interface AgentWindow {
  index: number;
  calls: CallWindow[];
  health: HealthWindow;
  fleet?: FleetWindow;
  /** What the probes of phases found in it. */
  probes?: ProbeWindow[];
}

/** One agent, as the run knows it. */
export interface AgentIdentity {
  id: string;
  role: AgentRole;
}
