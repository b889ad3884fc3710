/**
 * What a suite will do, before anything runs: calls by kind and rate, watches, the fleet's own traffic, peak in
 * flight, memory, duration, and what it goes beyond. Pure: the same suite gives the same plan.
 */
import type { Suite } from '../config/index.ts';
import { sum } from './plan-actions.ts';
import { type PlanWarning, planWarnings } from './plan-limits.ts';
import {
  estimateMemory,
  fleetConnections,
  fleetWatches,
  heartbeats,
  idleCpuCores,
  type MemoryEstimate,
  registrationMs,
} from './plan-model.ts';
import { type PlannedPhase, planPhase } from './plan-phases.ts';
import { deletedCount, type PlanTotals, totalsOf } from './plan-totals.ts';

export interface RunPlan {
  suite: string;
  nodeCount: number;
  phases: readonly PlannedPhase[];
  fleet: PlannedFleet;
  totals: PlanTotals;
  memory: MemoryEstimate;
  /** Cores that the fleet keeps busy while nothing happens. */
  idleCpuCores: { apiserver: number; fleet: number };
  duration: PlannedDuration;
  warnings: readonly PlanWarning[];
}

export interface PlannedFleet {
  connectionCount: number;
  watchCount: number;
  leasesPerSecond: number;
  statusPerSecond: number;
}

/** Milliseconds. */
export interface PlannedDuration {
  startMs: number;
  registrationMs: number;
  phasesMs: number;
  cleanUpMs: number;
  totalMs: number;
}

/** A local plane was ready after 2.9 s. */
const CONTROL_PLANE_START_MS = 3_000;
const NAMESPACES_PER_SECOND = 20;
/** 3,000 pods were deleted and gone after 13 s; nodes go about as fast. */
const CLEAN_UP_PER_SECOND = 230;
const CLEAN_UP_BASE_MS = 3_000;
/** kube-apiserver `--etcd-compaction-interval`. */
const COMPACTION_MS = 300_000;

/** The plan of `suite`. */
export function planRun(suite: Suite): RunPlan {
  const phases: PlannedPhase[] = [];
  let startMs = 0;
  for (const phase of suite.load.phases) {
    const planned = planPhase(phase, suite, startMs);
    phases.push(planned);
    startMs += planned.durationMs;
  }
  const totals = totalsOf(suite, phases);
  const watchCount = fleetWatches(suite.fleet, totals.peakPodCount, suite.load.namespaceCount);
  const standing = sum(Object.values(totals.peakObjects));
  const recentRatio = Math.min(1, COMPACTION_MS / Math.max(1, startMs));
  const deleted = deletedCount(suite);
  const memory = estimateMemory(
    suite,
    {
      standingObjectCount: standing,
      recentObjectCount: standing + recentRatio * deleted.objects,
      standingPodCount: totals.peakPodCount,
      recentPodCount: totals.peakPodCount + recentRatio * deleted.pods,
      loadWatchCount: totals.watcherCount,
    },
    watchCount,
  );
  return {
    suite: suite.name,
    nodeCount: suite.fleet.nodeCount,
    phases,
    fleet: {
      connectionCount: fleetConnections(suite.fleet, watchCount),
      watchCount,
      ...heartbeats(suite.fleet),
    },
    totals,
    memory,
    idleCpuCores: idleCpuCores(suite.fleet),
    duration: durationOf(suite, startMs, totals),
    warnings: planWarnings(suite, phases, totals),
  };
}

function durationOf(suite: Suite, phasesMs: number, totals: PlanTotals): PlannedDuration {
  const duration = {
    startMs:
      (suite.controlPlane.provider === 'local' ? CONTROL_PLANE_START_MS : 0) +
      (suite.load.namespaceCount / NAMESPACES_PER_SECOND) * 1_000,
    registrationMs: registrationMs(suite.fleet),
    phasesMs,
    cleanUpMs:
      CLEAN_UP_BASE_MS +
      ((sum(Object.values(totals.peakObjects)) + suite.fleet.nodeCount) / CLEAN_UP_PER_SECOND) * 1_000,
  };
  return { ...duration, totalMs: sum(Object.values(duration)) };
}
