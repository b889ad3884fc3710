/** Probe calls of one window in figures: latencies by part, errors by kind, seconds for the chart. */
import type { FaultObservation, ProbeLatency, ProbeParts, ProbeSecond } from '../../result/index.ts';
import type { ProbeCall } from '../canaries/records.ts';
import { type FaultWindow, isGood, type ProbeLimits, sentOf } from './window.ts';

/** Latencies from the due instant, of calls sent before, during and after the fault. */
export function partsOf(calls: readonly ProbeCall[], window: FaultWindow): ProbeParts {
  const within = (fromUs: number, untilUs: number) =>
    latencyOf(calls.filter((call) => sentOf(call) >= fromUs && sentOf(call) < untilUs));
  return {
    before: within(window.beforeUs, window.inducedUs),
    during: within(window.inducedUs, window.healedUs),
    after: within(window.healedUs, window.endUs),
  };
}

/** Good share of the calls sent from the fault to the end of the window; undefined without calls. */
export function availability(
  calls: readonly ProbeCall[],
  window: FaultWindow,
  limits: ProbeLimits,
): number | undefined {
  const sent = calls.filter((call) => sentOf(call) >= window.inducedUs && sentOf(call) < window.endUs);
  if (sent.length === 0) return undefined;
  return sent.filter((call) => isGood(call, limits)).length / sent.length;
}

/** Failed calls sent in the window, by kind of call and of error; most frequent first. */
export function errorsOf(calls: readonly ProbeCall[], window: FaultWindow): FaultObservation['errors'] {
  const sums = new Map<string, FaultObservation['errors'][number]>();
  for (const call of calls) {
    const atUs = sentOf(call);
    if (call.ok || atUs < window.inducedUs || atUs >= window.endUs) continue;
    const sentMs = Math.round((atUs - window.inducedUs) / 1_000);
    const key = `${call.kind} ${call.error}`;
    const sum = sums.get(key);
    if (sum === undefined) {
      const { kind, error } = call;
      sums.set(key, { kind, error, count: 1, firstSentMs: sentMs, lastSentMs: sentMs });
    } else {
      sum.count++;
      sum.firstSentMs = Math.min(sum.firstSentMs, sentMs);
      sum.lastSentMs = Math.max(sum.lastSentMs, sentMs);
    }
  }
  return [...sums.values()].sort((a, b) => b.count - a.count);
}

/** Calls by the second in which they were due, from the fault on and before it. */
export function secondsOf(calls: readonly ProbeCall[], window: FaultWindow): ProbeSecond[] {
  const first = Math.ceil((window.beforeUs - window.inducedUs) / 1e6);
  const last = Math.ceil((window.endUs - window.inducedUs) / 1e6);
  const seconds: ProbeSecond[] = [];
  for (let second = first; second < last; second++)
    seconds.push({ offsetMs: second * 1_000, okCount: 0, failedCount: 0, maxUs: 0 });
  for (const call of calls) {
    const second = seconds[Math.floor((call.dueUs - window.inducedUs) / 1e6) - first];
    if (second === undefined) continue;
    if (call.ok) second.okCount++;
    else second.failedCount++;
    second.maxUs = Math.max(second.maxUs, Math.round(call.endUs - call.dueUs));
  }
  return seconds;
}

function latencyOf(calls: readonly ProbeCall[]): ProbeLatency {
  const durations = calls
    .filter(({ ok }) => ok)
    .map(({ dueUs, endUs }) => Math.round(endUs - dueUs))
    .sort((a, b) => a - b);
  const counts = { count: calls.length, failedCount: calls.length - durations.length };
  const at = (quantile: number) => durations[Math.max(0, Math.ceil(quantile * durations.length) - 1)];
  const [p50Us, p99Us, maxUs] = [at(0.5), at(0.99), durations.at(-1)];
  return p50Us === undefined || p99Us === undefined || maxUs === undefined
    ? counts
    : { ...counts, p50Us, p99Us, maxUs };
}
