/** The probes of a sample run: one API server of two was out for a moment. */
import type { Random } from '../../src/core/index.ts';
import { BALANCED_PATH, type RunResult } from '../../src/result/index.ts';
import type { SamplePhase, SampleVariant } from './sample-calls.ts';
import { distribution } from './sample-surroundings.ts';

/** Probes of the last phase of the quickstart sample; absent elsewhere. */
export function sampleProbes(
  variant: SampleVariant,
  phases: readonly SamplePhase[],
  parent: Random,
): Pick<RunResult, 'probes'> {
  const phase = phases.at(-1);
  if (variant !== 'quickstart' || phase === undefined) return {};
  const random = parent.fork('probes');
  const path = (name: string, badCount: number) => ({
    path: name,
    endpoint: '/readyz',
    goodCount: 300 - badCount,
    badCount,
    outageCount: badCount === 0 ? 0 : 1,
    longestOutageUs: badCount * 200_000,
  });
  return {
    probes: [
      {
        phase: phase.name,
        availability: [path(BALANCED_PATH, 0), path('kube-apiserver-0', 0), path('kube-apiserver-1', 7)],
        propagation: {
          watcherCount: 20,
          writeCount: 500,
          failedCount: 0,
          completeCount: 500,
          incompleteCount: 0,
          unseenCount: 0,
          reconnectCount: 1,
          first: distribution(random, 500, 3_100),
          last: distribution(random, 500, 6_400),
          spread: distribution(random, 500, 3_200),
        },
        readYourWrite: [
          { path: BALANCED_PATH, verb: 'get', readCount: 60, staleCount: 0, failedCount: 0 },
          { path: BALANCED_PATH, verb: 'list', readCount: 60, staleCount: 0, failedCount: 0 },
        ],
        slip: distribution(random, 500, 480),
      },
    ],
  };
}
