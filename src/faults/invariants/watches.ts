/**
 * Each watch saw each event once and in order, also over reconnects.
 *
 * Every acknowledged probe write has a resourceVersion, so the acknowledged writes are the stamped sequence that each
 * watch must show. A watch resumes from the last resourceVersion it saw; a relist (410, or a fresh start) begins a new
 * stretch, and what lies between the two stretches was in the list and not in the watch.
 *
 *   stretch k:  listed at L_k,  events e_1 < e_2 < … < e_n,  high-water mark H_k
 *   required:   strictly rising;  every acknowledged version v with L_k < v <= H_k is among the events
 */
import type { InvariantCheck } from '../../result/index.ts';
import type { WatchStretch } from '../canaries/records.ts';
import type { LedgerWrite } from '../ledger/ledger.ts';
import { invariantCheck } from './check.ts';

/**
 * The invariant over the stretches of all watches, each watch's in order. With `settled`, the last stretch must also
 * reach the newest acknowledged write: a watch that fell silent has not converged.
 */
export function checkWatches(
  stretches: readonly WatchStretch[],
  writes: readonly LedgerWrite[],
  settled: boolean,
): InvariantCheck {
  const acknowledged = writes
    .filter(({ outcome, resourceVersion }) => outcome === 'acknowledged' && resourceVersion !== undefined)
    .map(({ resourceVersion }) => Number(resourceVersion))
    .sort((a, b) => a - b);
  const newest = acknowledged.at(-1) ?? 0;
  const last = new Map<string, WatchStretch>();
  const violations: string[] = [];
  let examinedCount = 0;
  for (const stretch of stretches) {
    last.set(stretch.watch, stretch);
    examinedCount += stretch.versions.length;
    violations.push(...outOfOrder(stretch));
    const seen = new Set(stretch.versions);
    const highWater = Math.max(stretch.listedVersion, stretch.highWaterVersion, ...lastOf(stretch.versions));
    for (const version of acknowledged) {
      if (version <= stretch.listedVersion) continue;
      if (version > highWater) break;
      if (!seen.has(version))
        violations.push(`the watch ${stretch.watch} did not show acknowledged version ${version}`);
    }
  }
  if (settled) {
    for (const stretch of last.values()) {
      const reached = Math.max(stretch.listedVersion, stretch.highWaterVersion, ...lastOf(stretch.versions));
      if (reached < newest)
        violations.push(`the watch ${stretch.watch} stands at ${reached}, the newest write is ${newest}`);
    }
  }
  return invariantCheck('watch-order', examinedCount, violations, 'watch events');
}

function outOfOrder(stretch: WatchStretch): string[] {
  const violations: string[] = [];
  let before = stretch.listedVersion;
  for (const version of stretch.versions) {
    if (version === before) violations.push(`the watch ${stretch.watch} showed version ${version} twice`);
    else if (version < before)
      violations.push(`the watch ${stretch.watch} went back from version ${before} to ${version}`);
    before = Math.max(before, version);
  }
  return violations;
}

function lastOf(versions: readonly number[]): number[] {
  const version = versions.at(-1);
  return version === undefined ? [] : [version];
}
