/** One phase of a run: when it was, what its actions offered and achieved, and where the API server placed its calls. */

import type { WarmUpResult } from './warm-up.ts';

export interface PhaseResult {
  name: string;
  /** False: shown, and left out of verdicts. */
  measured: boolean;
  /** Present in warm-up phases: how they ended. */
  warmUp?: WarmUpResult;
  startMs: number;
  endMs: number;
  state: 'completed' | 'interrupted' | 'failed';
  reason?: string;
  actions: PhaseAction[];
  /** Present where the phase waited for rollouts. */
  rollouts?: RolloutWait;
  /** Where Priority & Fairness put the load's calls of the phase, most first. */
  flowPlacements?: FlowPlacement[];
}

/** How long workloads took to roll out after the last call of the phase. */
export interface RolloutWait {
  waitMs: number;
  /** Workloads that had not when the phase's patience was over. */
  openCount: number;
}

export interface PhaseAction {
  action: string;
  description: string;
  offeredPerSecond: number;
  achievedPerSecond: number;
  /** Calls sent once more after a 429's Retry-After; absent where none was. */
  retriedCount?: number;
}

/** Calls that one flow schema matched; names are UIDs where they could not be resolved, and empty where the server gave none. */
export interface FlowPlacement {
  flowSchema: string;
  priorityLevel: string;
  callCount: number;
}
