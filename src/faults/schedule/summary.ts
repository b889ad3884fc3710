/** The `faults` section of a result: cards, the run's availability and error budget, and the verdict over all. */
import { BALANCED_PATH, type FaultCard, type FaultsResult, type InvariantCheck } from '../../result/index.ts';
import type { ProbeLog } from '../canaries/probe-log.ts';
import { isGood, type ProbeLimits } from '../observation/window.ts';

export interface SummaryInput {
  topology: string;
  cards: readonly FaultCard[];
  invariants: readonly InvariantCheck[];
  log: ProbeLog;
  limits: ProbeLimits;
  ratesPerSecond: FaultsResult['probesRatePerSecond'];
  /** The schedule played from here on; calls due before do not count. */
  fromUs: number;
  untilUs: number;
}

/** Everything a report says of the run's faults as a whole. */
export function summarize(input: SummaryInput): FaultsResult {
  const { log, limits, cards, invariants } = input;
  const balanced = log.calls.filter(
    ({ path, dueUs }) => path === BALANCED_PATH && dueUs >= input.fromUs && dueUs < input.untilUs,
  );
  const share = (kind: 'write' | 'read') => {
    const own = balanced.filter((call) => call.kind === kind);
    const good = own.filter((call) => isGood(call, limits)).length;
    return { count: own.length, ratio: own.length === 0 ? 0 : good / own.length };
  };
  const writes = share('write');
  const reads = share('read');
  const count = writes.count + reads.count;
  const goodRatio = count === 0 ? 0 : (writes.ratio * writes.count + reads.ratio * reads.count) / count;
  const allowedRatio = 1 - limits.quantile;
  const outcomes = log.ledger.counts(0, Number.POSITIVE_INFINITY);
  const lost = invariants.find(({ name }) => name === 'acknowledged-writes')?.violationCount ?? 0;
  return {
    topology: input.topology,
    cards: [...cards],
    invariants: [...invariants],
    availability: {
      writeRatio: writes.ratio,
      readRatio: reads.ratio,
      writeCount: writes.count,
      readCount: reads.count,
    },
    errorBudget: {
      allowedRatio,
      spentRatio: 1 - goodRatio,
      leftRatio: allowedRatio === 0 ? 0 : (allowedRatio - (1 - goodRatio)) / allowedRatio,
    },
    writes: {
      acknowledgedCount: outcomes.acknowledged,
      refusedCount: outcomes.refused,
      unknownCount: outcomes.unknown,
      lostCount: lost,
    },
    probesRatePerSecond: input.ratesPerSecond,
    verdict: verdictOf(cards, invariants),
  };
}

/** Every fault as it was expected to end, and every invariant held at the end of the run. */
function verdictOf(
  cards: readonly FaultCard[],
  invariants: readonly InvariantCheck[],
): FaultsResult['verdict'] {
  const violated = invariants.filter(({ state }) => state === 'violated');
  const wrong = cards.filter(({ verdict, expectedVerdict }) => verdict.state !== expectedVerdict);
  const met = cards.length - wrong.length;
  if (violated.length > 0)
    return {
      state: 'not-met',
      text: `${violated.map(({ name }) => name).join(', ')} violated at the end of the run`,
    };
  if (wrong.length === 0 && cards.length > 0)
    return {
      state: 'met',
      text: `${met} of ${cards.length} faults ended as expected, nothing acknowledged was lost`,
    };
  const state = wrong.every(({ verdict }) => verdict.state === 'no-data') ? 'no-data' : 'not-met';
  const names = wrong.map(({ id, verdict }) => `${id} (${verdict.state})`).join(', ');
  return { state, text: `${met} of ${cards.length} faults ended as expected; not ${names}` };
}
