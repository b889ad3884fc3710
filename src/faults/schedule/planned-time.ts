/** How long a schedule takes, before anything runs: what the suite says, and each fault's own times where it says nothing. */
import type { FaultsSettings } from '../../config/index.ts';
import { scheduleOf } from './order.ts';
import { faultOf } from './together.ts';

/** Lists through every path, and the prober's last report, before a fault is judged. */
const LOOK_MS = 4_000;

/** Milliseconds until the last fault is healed; inducing and healing that take time themselves come on top. */
export function plannedFaultsMs(faults: FaultsSettings, seed: number): number {
  let overMs = 0;
  let healedMs = 0;
  for (const { settings, notBeforeMs, pauseMs } of scheduleOf(faults, seed)) {
    const fault = faultOf(settings);
    healedMs = Math.max(overMs + pauseMs, notBeforeMs) + (settings.durationMs ?? fault.durationMs);
    overMs = healedMs + (settings.settleMs ?? fault.settleMs) + LOOK_MS;
  }
  return healedMs;
}
