/** Longest time without a good answer, and the time until a service is back inside its SLO. */
import type { ProbeCall } from '../canaries/records.ts';
import { type FaultWindow, isGood, type ProbeLimits, sentOf } from './window.ts';

/**
 * Longest time in milliseconds between two successful answers, from the last one before the fault to the end of the
 * window. An answer counts when it arrives: while writes queue behind an election there is none.
 */
export function longestGapMs(calls: readonly ProbeCall[], window: FaultWindow): number {
  const answers = calls
    .filter(({ ok, endUs }) => ok && endUs <= window.endUs)
    .map(({ endUs }) => endUs)
    .sort((a, b) => a - b);
  let lastUs = answers.findLast((atUs) => atUs <= window.inducedUs) ?? window.inducedUs;
  let longestUs = 0;
  for (const atUs of answers) {
    if (atUs <= window.inducedUs) continue;
    longestUs = Math.max(longestUs, atUs - lastUs);
    lastUs = atUs;
  }
  return Math.max(longestUs, window.endUs - lastUs) / 1_000;
}

/** Bad calls count together within this time: long enough for one slow call in a hundred not to matter. */
export const RECOVERY_SPAN_US = 5e6;

/**
 * When the calls are back inside the SLO for good: the first good call due after the last instant at which, over the
 * five seconds that follow it, more than the allowed share was bad. Undefined if that is not within the window; the
 * instant of the fault if nothing was amiss.
 *
 *   bad(t) = bad calls due in [t, t + 5 s) > max(1, (1 - quantile) × calls due in it)
 *
 * One bad call in five seconds is no outage: with a few dozen calls a share of 1 % cannot be told from one.
 */
export function recoveredUs(
  calls: readonly ProbeCall[],
  window: FaultWindow,
  limits: ProbeLimits,
): number | undefined {
  const sent = calls
    .filter((call) => call.dueUs >= window.inducedUs && call.dueUs < window.endUs)
    .sort((a, b) => a.dueUs - b.dueUs);
  const bad = sent.map((call) => !isGood(call, limits));
  let lastBad = -1;
  let from = 0;
  let badInSpan = 0;
  // `from` is the oldest call of the span that ends with call i: a bad call counts if the span around it is bad.
  for (let i = 0; i < sent.length; i++) {
    const call = sent[i];
    if (call === undefined) continue;
    if (bad[i]) badInSpan++;
    while (from < i && (sent[from]?.dueUs ?? 0) <= call.dueUs - RECOVERY_SPAN_US) {
      if (bad[from]) badInSpan--;
      from++;
    }
    if (bad[i] && badInSpan > Math.max(1, (1 - limits.quantile) * (i - from + 1))) lastBad = i;
  }
  if (lastBad === -1) return window.inducedUs;
  const next = sent.slice(lastBad + 1).find((call) => isGood(call, limits));
  return next === undefined ? undefined : sentOf(next);
}
