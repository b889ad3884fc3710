/**
 * What became of one action's arrivals, on this shard. Every offered arrival ends in exactly one of done, failed and
 * dropped, or is in flight.
 */
import { LatencyHistogram } from '../../src/result/index.ts';

/**
 * Why an arrival could not start. `in-flight-cap`: as many calls as allowed were in flight. `stopped`: it was due when
 * the phase was called off. `no-object`: nothing is known to exist that it could read or delete.
 */
export type DropReason = 'in-flight-cap' | 'stopped' | 'no-object';
export const DROP_REASONS: readonly DropReason[] = ['in-flight-cap', 'stopped', 'no-object'];

export class ActionTally {
  offeredCount = 0;
  doneCount = 0;
  failedCount = 0;
  readonly droppedCounts: Record<DropReason, number> = { 'in-flight-cap': 0, stopped: 0, 'no-object': 0 };
  /** Second attempts after a 429's Retry-After: part of their call, not calls of their own. */
  retriedCount = 0;
  /** Deletes that were due before their creation was acknowledged, and were sent when it was. */
  deferredCount = 0;
  /** Deletes that were never offered, because the creation before them was dropped or refused. */
  voidedCount = 0;
  /** Arrivals after the instant at which the phase was called off: never offered. */
  notOfferedCount = 0;
  /** Objects whose creation was acknowledged. */
  createdCount = 0;
  /** Pods that these stand for. */
  createdPodCount = 0;
  /** Sent minus intended, of first attempts. */
  readonly slip = new LatencyHistogram();

  get droppedCount(): number {
    return DROP_REASONS.reduce((sum, reason) => sum + this.droppedCounts[reason], 0);
  }
}
