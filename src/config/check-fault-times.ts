/**
 * Faults that cannot be over when the load of their phase is. The run would wait for them and heal them all the same,
 * but what was to be seen under load would be seen without it. Only times that the suite itself gives are counted: what
 * a fault needs by itself is for the plan to say.
 */
import type { FaultSettings } from './faults.ts';
import { quote } from './issues.ts';
import type { ReportProblem } from './parameters.ts';
import type { LoadPhase, Suite } from './suite.ts';

/** Reports the first fault that is healed after the end of the phase that it belongs to. */
export function checkFaultTimes(suite: Suite, report: ReportProblem): void {
  const { faults } = suite;
  const phase = suite.load.phases.find(({ name }) => name === faults?.phase);
  if (faults === undefined || phase === undefined) return;
  const limitMs = knownDurationMs(phase);
  if (limitMs === undefined) return;
  const entries = faults.schedule.map((entry, index) => ({ entry, index }));
  if (faults.order === 'times') entries.sort((a, b) => (a.entry.atMs ?? 0) - (b.entry.atMs ?? 0));
  let overMs = 0;
  for (const { entry, index } of entries) {
    const inducedMs = Math.max(overMs + faults.pauseMs, entry.atMs ?? 0);
    const healedMs = inducedMs + (entry.durationMs ?? 0);
    if (healedMs > limitMs) {
      const place = ['faults', 'schedule', index, placeOf(entry)];
      const when = entry.durationMs === undefined ? 'is induced' : 'is healed';
      report(
        place,
        `${entry.fault} ${when} ${healedMs / 1_000} s after the start of phase ${quote(phase.name)} at the earliest, and its load ends after ${limitMs / 1_000} s`,
      );
      return;
    }
    overMs = healedMs + (entry.settleMs ?? 0);
  }
}

/** Undefined where the phase's actions decide how long it is. */
function knownDurationMs({ durationMs, actions }: LoadPhase): number | undefined {
  const isOpen = durationMs === 0 || actions.some(({ action }) => action === 'create');
  return isOpen ? undefined : durationMs;
}

function placeOf(entry: FaultSettings): string {
  if (entry.atMs !== undefined) return 'at';
  return entry.durationMs === undefined ? 'fault' : 'duration';
}
