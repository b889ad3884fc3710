/** A clock that moves only when told to: timers fire in order of their due time, at exactly their due time. */
import type { Clock } from '../../src/core/index.ts';

export interface VirtualClock extends Clock {
  /** Moves time on by `ms`, firing due timers in order, and lets promises settle between them. */
  advance(ms: number): Promise<void>;
  /** Number of timers that have not fired. */
  pending(): number;
}

/** Starts at monotonic 0 and at wall time `wallStartMs` (2026-01-01T00:00:00Z unless told). */
export function virtualClock(wallStartMs = Date.UTC(2026, 0, 1)): VirtualClock {
  let nowUs = 0;
  let sequence = 0;
  let timers: { dueUs: number; sequence: number; callback: () => void }[] = [];
  // Several turns: a chain of awaits behind a timer needs more than one.
  const settle = async () => {
    for (let turn = 0; turn < 20; turn++) await Promise.resolve();
  };
  return {
    nowUs: () => nowUs,
    wallMs: () => wallStartMs + nowUs / 1_000,
    setTimer(callback, delayMs) {
      const timer = { dueUs: nowUs + Math.max(0, delayMs) * 1_000, sequence: sequence++, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
    async advance(ms) {
      const endUs = nowUs + ms * 1_000;
      await settle();
      for (;;) {
        const due = timers
          .filter((timer) => timer.dueUs <= endUs)
          .sort((a, b) => a.dueUs - b.dueUs || a.sequence - b.sequence)[0];
        if (due === undefined) break;
        timers = timers.filter((other) => other !== due);
        nowUs = Math.max(nowUs, due.dueUs);
        due.callback();
        await settle();
      }
      nowUs = endUs;
    },
    pending: () => timers.length,
  };
}
