/**
 * The window of one fault, and what "good" means in it. A call belongs to the part of the window in which it was
 * *sent*: after an election the service is back in a second while errors of calls sent before it arrive for seven more.
 */
import type { ProbeCall } from '../canaries/records.ts';

/** Instants of CLOCK_MONOTONIC in microseconds. */
export interface FaultWindow {
  /** Undisturbed time before the fault begins here. */
  beforeUs: number;
  inducedUs: number;
  healedUs: number;
  /** The observation ends. */
  endUs: number;
}

/** What a probe call is held against: the SLO of the suite. */
export interface ProbeLimits {
  writeLimitUs: number;
  readLimitUs: number;
  /** Share of calls that must be good: 0.99. */
  quantile: number;
}

/** When the call was sent; when it was due if it never was. */
export function sentOf(call: ProbeCall): number {
  return call.sentUs ?? call.dueUs;
}

/** Answered with success, within the limit from the instant at which it was due. */
export function isGood(call: ProbeCall, limits: ProbeLimits): boolean {
  return (
    call.ok && call.endUs - call.dueUs <= (call.kind === 'write' ? limits.writeLimitUs : limits.readLimitUs)
  );
}
