/** Whether the members of etcd hold the same. */
import { delay, HarnessError } from '../../core/index.ts';
import type { FaultWorld } from './fault.ts';
import { isEvents, running } from './targets.ts';

const POLL_MS = 200;
const PATIENCE_MS = 20_000;

/**
 * Hash of each member's store at one revision, by name; a member that has not come to that revision, or to the others'
 * compaction, is waited for.
 * @throws HM_CLUSTER_STATE
 */
export async function storeHashes(
  { levers, clock }: Pick<FaultWorld, 'levers' | 'clock'>,
  signal: AbortSignal,
): Promise<Map<string, number>> {
  const names = running(levers, 'etcd').filter((name) => !isEvents(name));
  const untilUs = clock.nowUs() + PATIENCE_MS * 1_000;
  for (;;) {
    const statuses = await Promise.all(names.map((name) => levers.etcd.status(name, signal)));
    // The lowest one is there on all of them, and has not been compacted yet.
    const revision = Math.min(...statuses.map((status) => status.revision));
    const asked = await Promise.allSettled(names.map((name) => levers.etcd.hashKv(name, revision, signal)));
    signal.throwIfAborted();
    const hashes = new Map<string, number>();
    const compacted = new Set<number>();
    for (const [index, one] of asked.entries()) {
      if (one.status !== 'fulfilled') continue;
      hashes.set(names[index] ?? '', one.value.hash);
      compacted.add(one.value.compactRevision);
    }
    // What one has compacted and another not yet is in the hash of the one only.
    if (hashes.size === names.length && compacted.size === 1) return hashes;
    if (clock.nowUs() > untilUs)
      throw new HarnessError('HM_CLUSTER_STATE', `members of etcd do not tell their hash at ${revision}`);
    await delay(POLL_MS, { signal, clock });
  }
}
