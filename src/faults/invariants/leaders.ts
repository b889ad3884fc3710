/**
 * One acting leader at a time. The invariant has two sides: the Lease never passes on before it has run out or was
 * released, and never do two replicas say of themselves that they lead. A lock in the API is no fence, so there is one
 * exception by upstream's design: a leader that was paused for longer than its lease goes on when it wakes, until its
 * renew deadline (10 s) at the latest. That is observed and told, with a bound, and not held against the cluster.
 */
import type { InvariantCheck } from '../../result/index.ts';
import type { LeaseSample, MasterSample } from '../canaries/records.ts';
import { invariantCheck } from './check.ts';

/** Renewal instants in a Lease come from the holder's clock; on one host only their rounding differs. */
const CLOCK_TOLERANCE_MS = 500;

/** Over samples of the Leases in the order in which they were taken, and what replicas said of themselves. */
export function checkLeaders(
  leases: readonly LeaseSample[],
  masters: readonly MasterSample[],
): InvariantCheck {
  const violations: string[] = [];
  const last = new Map<string, LeaseSample>();
  for (const sample of leases) {
    const before = last.get(sample.lease);
    last.set(sample.lease, sample);
    if (
      before === undefined ||
      before.holder === '' ||
      sample.holder === '' ||
      before.holder === sample.holder
    )
      continue;
    const ranOutMs = before.renewedWallMs + before.durationMs;
    if (sample.acquiredWallMs < ranOutMs - CLOCK_TOLERANCE_MS && !before.released)
      violations.push(
        `${sample.lease}: ${sample.holder} took the lease ${ranOutMs - sample.acquiredWallMs} ms before that of ${before.holder} ran out`,
      );
  }
  for (const { component, acting, woken = [] } of masters) {
    if (acting.filter((name) => !woken.includes(name)).length > 1)
      violations.push(`${component}: ${acting.join(' and ')} led at the same time`);
  }
  return invariantCheck('one-leader', leases.length + masters.length, violations, 'samples of leaders');
}
