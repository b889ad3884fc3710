/** In which order and after which pauses the faults of a schedule come: pure, the same for the same seed. */
import type { FaultSettings, FaultsSettings } from '../../config/index.ts';
import { seededRandom } from '../../core/index.ts';

/** One fault with when it may begin. */
export interface ScheduledFault {
  /** From 1, in the order in which they come. */
  number: number;
  settings: FaultSettings;
  /** Not before this long after the start of the phase. */
  notBeforeMs: number;
  /** Quiet time before it. */
  pauseMs: number;
}

/**
 * The faults in order. With `times` they come at their instants, later where the one before is not over: two faults at
 * once are asked for by `with`. With `random` order and pauses are drawn by seed, pauses between one and three times
 * the suite's.
 */
export function scheduleOf(faults: FaultsSettings, seed: number): ScheduledFault[] {
  const random = seededRandom(`${seed}/faults`);
  const entries = [...faults.schedule];
  if (faults.order === 'times') entries.sort((a, b) => (a.atMs ?? 0) - (b.atMs ?? 0));
  if (faults.order === 'random') {
    // Fisher-Yates.
    for (let i = entries.length - 1; i > 0; i--) {
      const j = random.integer(i + 1);
      const [a, b] = [entries[i], entries[j]];
      if (a === undefined || b === undefined) continue;
      entries[i] = b;
      entries[j] = a;
    }
  }
  return entries.map((settings, index) => ({
    number: index + 1,
    settings,
    notBeforeMs: settings.atMs ?? 0,
    pauseMs: faults.order === 'random' ? faults.pauseMs * random.uniform(1, 3) : faults.pauseMs,
  }));
}
