/** The limit that a row of figures is shown against: the one the run judged by, or the official one. */
import {
  callSlo,
  OFFICIAL_LIMITS,
  type PodKind,
  type RunResult,
  type SeriesKey,
  SLO_NAME,
} from '../../src/result/index.ts';

type CallShape = Pick<SeriesKey, 'verb' | 'resource' | 'subresource' | 'scope'>;

/** Limit of the 99th percentile in microseconds; undefined for calls that no SLO speaks of. */
export function callLimitUs(result: RunResult, call: CallShape): number | undefined {
  const official = callSlo(call, OFFICIAL_LIMITS);
  if (official === undefined) return undefined;
  return (
    clientLimitUs(result, official.subject) ?? sameNameLimitUs(result, official.slo, call) ?? official.limitUs
  );
}

/** Limit of the 99th percentile in microseconds; undefined for stateful pods, which are promised nothing. */
export function podStartupLimitUs(result: RunResult, kind: PodKind): number | undefined {
  if (kind !== 'stateless') return undefined;
  const checks = result.verdicts.slo.flatMap((verdict) => verdict.checks);
  const check = checks.find((one) => one.kind === 'client-slo' && one.slo === SLO_NAME.podStartup);
  return check?.limitUs ?? OFFICIAL_LIMITS.podStartupLimitMs * 1_000;
}

function clientLimitUs(result: RunResult, subject: string): number | undefined {
  return result.verdicts.slo
    .flatMap((verdict) => verdict.checks)
    .find((check) => check.kind === 'client-slo' && check.subject === subject)?.limitUs;
}

// The fleet's calls are not judged, but the suite's own limit for such calls tells more than the official one.
function sameNameLimitUs(result: RunResult, slo: string, call: CallShape): number | undefined {
  return result.verdicts.slo
    .flatMap((verdict) => verdict.checks)
    .find((check) => check.slo === slo && check.subject.endsWith(`(${call.scope})`))?.limitUs;
}
