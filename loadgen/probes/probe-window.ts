/** What the probes of a phase found since the last window, on its way from the agent to the run: JSON as it stands. */
import type { EncodedHistogram, ReadBack } from '../../src/result/index.ts';

export interface ProbeWindow {
  phase: string;
  /** Outages are those of the phase so far; all other counts are of the window. */
  availability: AvailabilityWindow[];
  propagation?: PropagationWindow;
  readYourWrite: ReadBack[];
  /** Sent minus due. */
  slip: EncodedHistogram;
}

export interface AvailabilityWindow {
  path: string;
  endpoint: string;
  goodCount: number;
  badCount: number;
  outageCount: number;
  longestOutageUs: number;
}

export interface PropagationWindow {
  watcherCount: number;
  writeCount: number;
  failedCount: number;
  completeCount: number;
  incompleteCount: number;
  unseenCount: number;
  reconnectCount: number;
  first: EncodedHistogram;
  last: EncodedHistogram;
  spread: EncodedHistogram;
}
