/** The suite's faults as they are run: names, targets, times and what probes them. */
import type { FaultName } from './fault-kinds.ts';

export interface FaultsSettings {
  /** Canaries, which also run in suites without a single fault. */
  probes: {
    balancedPerSecond: number;
    memberPerSecond: number;
    deploymentsPerSecond: number;
    timeoutMs: number;
  };
  /** Phase beside which the faults run; the last one by default. */
  phase: string;
  /**
   * `sequence`: one after the other, each when the one before it is over; `times`: at the instants that each names;
   * `random`: in sequence, in an order and with pauses drawn by seed.
   */
  order: 'sequence' | 'times' | 'random';
  /** Quiet time before each fault, and after healing on top of what the fault itself needs. */
  pauseMs: number;
  schedule: readonly FaultSettings[];
}

/** One entry of the schedule. */
export interface FaultSettings {
  fault: FaultName;
  /** From the start of the phase; `order: times` only. */
  atMs?: number;
  /** Between inducing and healing; absent: as the fault has it. */
  durationMs?: number;
  /** The window stays open this long after healing; absent: as the fault has it. */
  settleMs?: number;
  /** Member, zone, or what else the fault may be told to hit; absent: by seed, or by role. */
  target?: string;
  /** Share: of nodes, of packets lost, of time left to a slow member. */
  ratio?: number;
  delayMs?: number;
  /** Of `upgrade`. */
  version?: string;
  /** Shell commands of `command`. */
  induce?: string;
  heal?: string;
  /** Faults induced together with this one, and healed with it. */
  with: readonly FaultName[];
  /** `not-met`: the response is known to fall short, as on a topology that is wrong on purpose. */
  expect: 'met' | 'not-met';
}
