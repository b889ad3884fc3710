/**
 * The verdict on a run's faults, in the form of every other verdict: one check per fault, one per invariant at the end
 * of the run. A fault that was expected to fall short passes when it does, and fails when it does not.
 */
import type { FaultCard, InvariantCheck } from './faults.ts';
import type { RunResult, SloCheck, SloVerdict, VerdictState } from './run-result.ts';

/** Empty where the run had no faults. */
export function judgeFaults(result: Pick<RunResult, 'faults'>): SloVerdict[] {
  const { faults } = result;
  if (faults === undefined) return [];
  const checks = [...faults.cards.map(faultCheck), ...faults.invariants.map(invariantCheck)];
  const state: VerdictState =
    checks.length === 0 || checks.every((check) => check.state === 'no-data')
      ? 'no-data'
      : checks.some((check) => check.state === 'fail')
        ? 'fail'
        : checks.some((check) => check.state === 'no-data')
          ? 'no-data'
          : 'pass';
  return [{ kind: 'fault-response', judged: true, state, checks, text: `faults: ${faults.verdict.text}` }];
}

function faultCheck(card: FaultCard): SloCheck {
  const { verdict, expectedVerdict } = card;
  const state = verdict.state === 'no-data' ? 'no-data' : verdict.state === expectedVerdict ? 'pass' : 'fail';
  const expected =
    expectedVerdict === 'met'
      ? ''
      : state === 'pass'
        ? 'fell short, as expected here: '
        : state === 'fail'
          ? 'was expected to fall short here: '
          : '';
  return {
    ...checkOf('expected response', state),
    subject: card.id,
    text: `${card.id} (${card.target}): ${expected}${verdict.text}`,
  };
}

function invariantCheck(invariant: InvariantCheck): SloCheck {
  // Nothing to look at is said, and is no failure: a run without pods binds none.
  const state = invariant.state === 'violated' ? 'fail' : 'pass';
  return {
    ...checkOf('invariant', state),
    subject: invariant.name,
    sampleCount: invariant.examinedCount,
    overLimitCount: invariant.violationCount,
    text: `${invariant.name}: ${invariant.text}`,
  };
}

function checkOf(slo: string, state: VerdictState): Omit<SloCheck, 'subject' | 'text'> {
  return {
    kind: 'fault-response',
    slo,
    phase: '',
    state,
    sampleCount: 1,
    quantile: 0,
    limitUs: 0,
    overLimitCount: state === 'fail' ? 1 : 0,
  };
}
