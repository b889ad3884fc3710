/**
 * The one place that decides how a finished run exits. In the order of precedence:
 *
 * | outcome                                               | code |
 * |-------------------------------------------------------|------|
 * | interrupted                                           | 130  |
 * | failed (control plane, cluster, internal)             | of its error, 3 where it has none |
 * | trust INVALID, or DEGRADED with --strict              | 3    |
 * | no judged verdict has data, or a judged check has none | 3   |
 * | a judged limit is exceeded                            | 1    |
 * | a judged limit cannot be decided (too few samples)    | 4    |
 * | every judged limit is kept                            | 0    |
 *
 * Inconclusive is neither failure (1) nor success: only a pass exits 0.
 */
import { EXIT_CODE, type ExitCode } from '../core/index.ts';
import type { RunResult, SloVerdict, TrustVerdict } from './run-result.ts';

export interface ExitInput extends Pick<RunResult, 'state' | 'reason'> {
  slo: readonly SloVerdict[];
  trust: TrustVerdict;
  /** `--strict`: DEGRADED counts as INVALID. */
  strict: boolean;
  /** Exit code of the error that ended a failed run. */
  failureExitCode?: ExitCode | undefined;
}

/** Exit code of a run, and one line that says what decided it. */
export function decideExitCode(input: ExitInput): { exitCode: ExitCode; text: string } {
  const { state, reason, slo, trust, strict } = input;
  if (state === 'interrupted') {
    return { exitCode: EXIT_CODE.interrupted, text: `interrupted: ${reason ?? 'partial results kept'}` };
  }
  if (state === 'failed') {
    const exitCode = input.failureExitCode ?? EXIT_CODE.invalid;
    return { exitCode, text: `run failed: ${reason ?? 'reason unknown'}` };
  }
  if (trust.state === 'INVALID' || (strict && trust.state === 'DEGRADED')) {
    const culprits = trust.checks.filter((check) => check.state === trust.state);
    const why = culprits.map((check) => `${check.name}: ${check.text}`).join('; ');
    return { exitCode: EXIT_CODE.invalid, text: `run ${trust.state}: ${why}` };
  }
  const judged = slo.filter((verdict) => verdict.judged);
  const find = (wanted: SloVerdict['state']) => judged.find((verdict) => verdict.state === wanted);
  const failed = find('fail');
  // A check without data under a failed verdict is no-data too, and 3 wins over 1.
  const blind = judged.find((verdict) =>
    verdict.checks.some((check) => check.informational !== true && check.state === 'no-data'),
  );
  const noData = find('no-data') ?? blind;
  if (judged.length === 0) return { exitCode: EXIT_CODE.invalid, text: 'no data: nothing was judged' };
  if (noData !== undefined) {
    const check = noData.checks.find((one) => one.informational !== true && one.state === 'no-data');
    return { exitCode: EXIT_CODE.invalid, text: `no data: ${check?.text ?? noData.text}` };
  }
  if (failed !== undefined) return { exitCode: EXIT_CODE.sloFailed, text: failed.text };
  const inconclusive = find('inconclusive');
  if (inconclusive !== undefined) return { exitCode: EXIT_CODE.inconclusive, text: inconclusive.text };
  const warning = trust.state === 'DEGRADED' ? ' (trust DEGRADED)' : '';
  return {
    exitCode: EXIT_CODE.pass,
    text: `${judged.map((verdict) => verdict.text).join('; ')}${warning}`,
  };
}
