/**
 * The SLO verdicts of a run: `client-slo` and `official-sli`, each with its checks, and which of them decides the
 * exit code. Pure functions of what a result holds, so that any verdict can be worked out again offline.
 *
 * A verdict fails if one judged check fails; otherwise it is no-data if one has no data, otherwise inconclusive if
 * one is, otherwise pass. A kind in `judge` without a single sample does not decide as long as another judged kind
 * has samples; its text says that and why it is missing.
 */
import type { RunResult, SloCheck, SloKind, SloVerdict, VerdictState } from './run-result.ts';
import { clientChecks } from './slo-client.ts';
import { type NetworkSloInput, networkChecks } from './slo-network.ts';
import { officialChecks, unscrapedApiServers } from './slo-official.ts';
import type { SloRules } from './slo-rules.ts';

export type SloInput = Pick<RunResult, 'phases' | 'series' | 'podStartup' | 'server'> & NetworkSloInput;

/** The verdicts of client-slo and official-sli, in this order. */
export function judgeSlo(input: SloInput, rules: SloRules): SloVerdict[] {
  const missing = unscrapedApiServers(input.server);
  const verdicts = [
    makeVerdict('client-slo', [...clientChecks(input, rules), ...networkChecks(input, rules.quantile)], []),
    makeVerdict('official-sli', officialChecks(input.server, rules), missing),
  ];
  const anySamples = verdicts.some((verdict) => rules.judge.includes(verdict.kind) && hasSamples(verdict));
  return verdicts.map((verdict) => ({
    ...verdict,
    judged: rules.judge.includes(verdict.kind) && (hasSamples(verdict) || !anySamples),
  }));
}

/**
 * The tightest limit among the judged checks of SLOs that have samples, in microseconds; undefined without any. The
 * suite's own thresholds are left out: most are of no call, and where one is, the slip of the schedule is in its figure
 * and can only make it worse.
 */
export function tightestLimitUs(verdicts: readonly SloVerdict[]): number | undefined {
  const limits = verdicts
    .filter((verdict) => verdict.judged && (verdict.kind === 'client-slo' || verdict.kind === 'official-sli'))
    .flatMap((verdict) => verdict.checks.filter(decidesWithSamples))
    .map((check) => check.limitUs);
  return limits.length === 0 ? undefined : Math.min(...limits);
}

/** The verdict that `checks` come to, not yet judged; `missing` says which parts of the input were not there. */
export function makeVerdict(kind: SloKind, checks: SloCheck[], missing: readonly string[]): SloVerdict {
  const deciding = checks.filter((check) => check.informational !== true);
  const state = worstState(deciding.map((check) => check.state));
  const missingText = missing.length === 0 ? '' : `; not scraped: ${missing.join('; ')}`;
  return { kind, judged: false, state, checks, text: `${verdictText(kind, state, deciding)}${missingText}` };
}

function worstState(states: readonly VerdictState[]): VerdictState {
  const order: readonly VerdictState[] = ['fail', 'no-data', 'inconclusive', 'pass'];
  return order.find((state) => states.includes(state)) ?? 'no-data';
}

function verdictText(kind: SloKind, state: VerdictState, deciding: readonly SloCheck[]): string {
  if (deciding.length === 0) return `${kind}: no data`;
  if (state === 'pass') return `${kind}: all ${deciding.length} limits kept`;
  const culprits = deciding.filter((check) => check.state === state);
  const first = culprits[0]?.text ?? '';
  const more = culprits.length > 1 ? `, and ${culprits.length - 1} more` : '';
  return `${kind}: ${state}: ${first}${more}`;
}

function hasSamples(verdict: SloVerdict): boolean {
  return verdict.checks.some(decidesWithSamples);
}

function decidesWithSamples(check: SloCheck): boolean {
  return check.sampleCount > 0 && check.informational !== true;
}
