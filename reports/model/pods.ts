/** Pod startup in the order in which every report shows it. */
import type { PodStartup, RunResult } from '../../src/result/index.ts';

/** Startups of which there is anything to say, those of measured phases first. */
export function orderedPodStartup(result: RunResult): { pods: PodStartup; measured: boolean }[] {
  const measured = new Set(result.phases.filter((phase) => phase.measured).map((phase) => phase.name));
  return result.podStartup
    .filter((pods) => pods.createdCount > 0)
    .map((pods) => ({ pods, measured: measured.has(pods.phase) }))
    .sort((a, b) => Number(b.measured) - Number(a.measured));
}
