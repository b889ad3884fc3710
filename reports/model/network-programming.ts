/** Network programming as all reports show it: the phases in which something was programmed, and how it is split. */
import type { Distribution, NetworkProgramming, RunResult } from '../../src/result/index.ts';

/** One line of a report. */
export interface NetworkRow {
  phase: string;
  /** `from the change`: upstream's SLI. `in the proxy`: the part of it after the event had arrived. */
  part: 'from the change' | 'in the proxy';
  distribution: Distribution;
}

/** Phases with samples, in the run's order. */
export function programmedPhases(result: RunResult): NetworkProgramming[] {
  return (result.networkProgramming ?? []).filter(({ programming }) => programming.summary.count > 0);
}

/** Two rows for each phase with samples. */
export function networkRows(result: RunResult): NetworkRow[] {
  return programmedPhases(result).flatMap(({ phase, programming, proxyDelay }): NetworkRow[] => [
    { phase, part: 'from the change', distribution: programming },
    { phase, part: 'in the proxy', distribution: proxyDelay },
  ]);
}
