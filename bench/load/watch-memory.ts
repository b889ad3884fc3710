/** What one long watch of the load costs the process that holds it. */
import { WatchLoad } from '../../loadgen/index.ts';
import type { LoadPhase } from '../../src/config/index.ts';
import { collectGarbage, silentLogger, systemClock } from '../../src/core/index.ts';
import type { ClusterAccess } from '../../src/kube/index.ts';
import { benchShard } from './bench-shard.ts';

export interface WatchMemory {
  watchCount: number;
  syncedCount: number;
  rssBytesPerWatch: number;
  openMs: number;
}

const SETTLE_TIMEOUT_MS = 60_000;

export async function measureWatchMemory(access: ClusterAccess, watchCount: number): Promise<WatchMemory> {
  const signal = new AbortController().signal;
  const load = new WatchLoad(benchShard(access), { clock: systemClock, log: silentLogger() });
  await load.start(signal);
  // The first connection brings code and caches that are no watch's.
  await load.startPhase(watchPhase('warm-up', 100), signal);
  await load.endPhase();
  const beforeBytes = residentBytes();
  const startUs = systemClock.nowUs();
  await load.startPhase(watchPhase('hold', watchCount), signal);
  const openMs = (systemClock.nowUs() - startUs) / 1_000;
  const heldBytes = residentBytes() - beforeBytes;
  const { syncedCount } = load.stats();
  await load.stop();
  return { watchCount, syncedCount, rssBytesPerWatch: heldBytes / watchCount, openMs };
}

function residentBytes(): number {
  collectGarbage();
  return process.memoryUsage().rss;
}

function watchPhase(name: string, count: number): LoadPhase {
  return {
    name,
    measured: true,
    durationMs: 0,
    settleTimeoutMs: SETTLE_TIMEOUT_MS,
    actions: [
      {
        action: 'watches',
        name: 'watches',
        resource: { group: '', version: 'v1', plural: 'pods', namespaced: true },
        watcherCount: count,
        scope: 'namespace',
        labelSelector: '',
        fieldSelector: '',
      },
    ],
  };
}
