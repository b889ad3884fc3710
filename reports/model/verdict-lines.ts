/**
 * The two answers of a run in one line each: did it meet its objectives, and can the figures be trusted. All reports
 * use these words, so that terminal, page and pull request never disagree.
 */
import type { RunResult, SloCheck, SloVerdict, TrustCheck, VerdictState } from '../../src/result/index.ts';

/** Worst first: what several verdicts come to together. */
const STATE_ORDER: readonly VerdictState[] = ['fail', 'no-data', 'inconclusive', 'pass'];

export const STATE_WORD: Readonly<Record<VerdictState, string>> = {
  pass: 'PASS',
  fail: 'FAIL',
  inconclusive: 'INCONCLUSIVE',
  'no-data': 'NO DATA',
};

export const KIND_LABEL: Readonly<Record<SloVerdict['kind'], string>> = {
  'client-slo': 'as clients felt it',
  'official-sli': 'by the API server’s own SLI',
  'fault-response': 'Faults and invariants',
  threshold: 'thresholds of the suite',
};

/** State of the verdicts that decide the exit code, taken together; `no-data` when there is none. */
export function sloState(result: RunResult): VerdictState {
  const judged = result.verdicts.slo.filter((verdict) => verdict.judged);
  return STATE_ORDER.find((state) => judged.some((verdict) => verdict.state === state)) ?? 'no-data';
}

/** Checks that did not pass, of judged verdicts first, the worst first. */
export function openChecks(result: RunResult): { verdict: SloVerdict; check: SloCheck }[] {
  const over = (check: SloCheck) => (check.limitUs > 0 ? (check.valueUs ?? 0) / check.limitUs : 0);
  return result.verdicts.slo
    .flatMap((verdict) => verdict.checks.map((check) => ({ verdict, check })))
    .filter(({ check }) => check.state !== 'pass' && check.informational !== true)
    .sort(
      (a, b) =>
        Number(b.verdict.judged) - Number(a.verdict.judged) ||
        STATE_ORDER.indexOf(a.check.state) - STATE_ORDER.indexOf(b.check.state) ||
        over(b.check) - over(a.check),
    );
}

/** Why the SLO verdict is what it is, in words: `client-slo 8 of 8; official-sli 9 of 9`. */
export function sloReason(result: RunResult): string {
  const state = sloState(result);
  if (result.verdicts.slo.length === 0) return 'nothing was judged';
  const worst = openChecks(result).find(({ verdict, check }) => verdict.judged && check.state === state);
  const counts = result.verdicts.slo.map(verdictCount).join('; ');
  if (worst === undefined) return counts;
  const more = openChecks(result).filter(({ verdict }) => verdict.judged).length - 1;
  return `${worst.check.text}${more > 0 ? ` (and ${more} more)` : ''}`;
}

/** `client-slo: 8 of 9 checks pass`; says so when the verdict is shown without deciding. */
export function verdictCount(verdict: SloVerdict): string {
  const deciding = verdict.checks.filter((check) => check.informational !== true);
  const passed = deciding.filter((check) => check.state === 'pass').length;
  const counted = deciding.length === 0 ? 'no data' : `${passed} of ${deciding.length} checks pass`;
  return `${verdict.kind}: ${counted}${verdict.judged ? '' : ' (not judged)'}`;
}

/** Trust checks that are not VALID, INVALID before DEGRADED. */
export function openTrustChecks(result: RunResult): TrustCheck[] {
  return result.verdicts.trust.checks
    .filter((check) => check.state !== 'VALID')
    .sort((a, b) => Number(b.state === 'INVALID') - Number(a.state === 'INVALID'));
}

/** Why the figures can or cannot be trusted, in words. */
export function trustReason(result: RunResult): string {
  const open = openTrustChecks(result);
  const [worst] = open;
  const { checks } = result.verdicts.trust;
  if (worst === undefined) {
    return checks.length === 0 ? 'no self-check ran' : `all ${checks.length} self-checks within their limits`;
  }
  return `${trustText(worst)}${open.length > 1 ? ` (and ${open.length - 1} more)` : ''}`;
}

/** `schedule slip: 3.1 ms (p99), limit 50 ms`. */
export function trustText(check: TrustCheck): string {
  return `${check.name}: ${check.text}`;
}

/** `, phase churn` where a check is of one phase; empty where it is of all measured phases together. */
export function phaseNote(phase: string): string {
  return phase === '' ? '' : `, phase ${phase}`;
}
