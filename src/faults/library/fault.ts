/**
 * What a fault is: four parts as data (what fails, how it is induced, which response is expected, how it is observed)
 * and the two functions that induce and heal it. All are required: a fault that leaves one out does not compile.
 */
import type { FaultName, FaultSettings } from '../../config/index.ts';
import type { PlaneLevers } from '../../controlplane/index.ts';
import type { Clock, Logger, Random } from '../../core/index.ts';
import type { ApiConnection, JsonClient } from '../../kube/index.ts';
import type { FaultFinding } from '../../result/index.ts';
import type { Expectation } from '../observation/judge.ts';
import type { FleetLever } from './fleet-lever.ts';
import type { Timings } from './timings.ts';

/** What faults act upon. */
export interface FaultWorld {
  /** @throws HM_USAGE on a cluster that hollowmark did not start */
  readonly levers: PlaneLevers;
  readonly fleet: FleetLever;
  /** As the administrator, not as a probe. */
  readonly admin: JsonClient;
  /** The same, without repeats. */
  readonly adminConnection: Pick<ApiConnection, 'request'>;
  readonly random: Random;
  readonly clock: Clock;
  readonly log: Logger;
  /** For files that a fault needs, such as snapshots. */
  readonly directory: string;
  /** Selects the run's nodes and pods: `hollowmark.dev/run=…`. */
  readonly runSelector: string;
  readonly nodeCount: number;
  readonly kubernetesVersion: string;
  /** What the suite's flags make of upstream's time-outs. */
  readonly timings: Timings;
  /** Runs a command that the user gave for an attached cluster. */
  runCommand(command: string, signal: AbortSignal): Promise<void>;
  /** Floods the API as one user; resolves when it runs, and ends with what it returns. */
  flood(signal: AbortSignal): Promise<{ stop(): Promise<FloodCounts> }>;
}

/** What became of the requests of a flood. */
export interface FloodCounts {
  served: number;
  /** 429 */
  rejected: number;
  /** Without an answer, or cut off by the end of the flood. */
  failed: number;
}

/** A fault that is under way. */
export interface InducedFault {
  /** What was hit: names, joined for the card. */
  targets: readonly string[];
  /** The cluster's state went back to this instant: what was acknowledged after it is gone, and rightly. */
  rewoundToUs?: number;
  /** Ends it; called once, also on interrupt and failure. */
  heal(signal: AbortSignal): Promise<void>;
  /** What the fault itself counted or read that no probe sees; asked once it is healed. */
  findings?(): readonly FaultFinding[];
}

/** One fault of the library. */
export interface Fault {
  name: FaultName;
  /** What fails, in a sentence. */
  fails: string;
  /** How it is induced, in a sentence: the means, not the purpose. */
  induced: string;
  /** Which response is expected, in a sentence; `expectations` are its figures. */
  expected: string;
  /** How it is observed, in a sentence. */
  observed: string;
  /** Time between inducing and healing unless the suite says otherwise; 0 where inducing is all. */
  durationMs: number;
  /** Longest time that the response takes after healing: the window stays open for at least this long. */
  settleMs: number;
  expectations(settings: FaultSettings, timings: Timings): readonly Expectation[];
  /** Breaks it; whatever it broke before it threw is healed by `undo`, then by the levers' healAll. */
  induce(world: FaultWorld, settings: FaultSettings, signal: AbortSignal): Promise<InducedFault>;
  /** Mends what induce() broke before it threw or was interrupted, where no lever knows of it. */
  undo?(world: FaultWorld, settings: FaultSettings, signal: AbortSignal): Promise<void>;
}
