/** Verdicts of a sample run, by the very rules that judge a real one. */
import {
  decideExitCode,
  judgeSlo,
  judgeTrust,
  OFFICIAL_LIMITS,
  type RunResult,
  tightestLimitUs,
  type Verdicts,
} from '../../src/result/index.ts';

export function sampleVerdicts(result: Omit<RunResult, 'verdicts'>): Verdicts {
  const slo = judgeSlo(result, { ...OFFICIAL_LIMITS, judge: ['client-slo', 'official-sli'] });
  const createdCount = result.podStartup.reduce((sum, pods) => sum + pods.createdCount, 0);
  const trust = judgeTrust({
    ...result,
    tightestLimitUs: tightestLimitUs(slo),
    reportPeriodMs: 1_000,
    pods: { createdCount, missingCount: 0, lostInstantCount: 0, observerGapCount: 0 },
  });
  const { exitCode, text } = decideExitCode({ ...result, slo, trust, strict: false });
  return { slo, trust, exitCode, text };
}
