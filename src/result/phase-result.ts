/** One phase of a run: when it was, what its actions offered and achieved, and where the API server placed its calls. */

export interface PhaseResult {
  name: string;
  /** Warm-up phases are shown and left out of verdicts. */
  measured: boolean;
  startMs: number;
  endMs: number;
  state: 'completed' | 'interrupted' | 'failed';
  reason?: string;
  actions: PhaseAction[];
  /** Where Priority & Fairness put the load's calls of the phase, most first. */
  flowPlacements?: FlowPlacement[];
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
