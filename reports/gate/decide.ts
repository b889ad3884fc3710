/**
 * The gate's verdict on one run, in this order: is the run valid, does it keep its absolute limits, and is it within
 * what runs of the same fingerprint did before. Pure: the history and the re-runs are handed in.
 *
 * | state        | exit code | |
 * |--------------|-----------|-|
 * | INVALID      | 3 | the run cannot be trusted, or has no data: neither passes nor fails, enters no history |
 * | FAIL         | 1 | an absolute limit is exceeded; or a suspicion was confirmed by the median of three |
 * | SUSPECT      | 4 | slower than its history, to be confirmed by two re-runs |
 * | INCONCLUSIVE | 4 | an absolute limit could not be decided |
 * | NOT GATED    | 0 | absolute limits kept; fewer than ten runs to compare with |
 * | PASS         | 0 | |
 */
import { EXIT_CODE, type ExitCode } from '../../src/core/index.ts';
import type { RunResult } from '../../src/result/index.ts';
import { describeDifference, fingerprintDifferences } from '../model/fingerprints.ts';
import { type HeadlineFigure, headlineFigures } from '../model/headline-metrics.ts';
import { median } from '../statistics/index.ts';
import { type Baseline, type HistoryEntry, selectBaseline } from './baseline.ts';
import { GATE_RULES, judgeMetric, type MetricVerdict } from './metric.ts';
import { describeMedianOfThree, describeSuspicion } from './words.ts';

export type GateState = 'PASS' | 'NOT GATED' | 'FAIL' | 'SUSPECT' | 'INCONCLUSIVE' | 'INVALID';

export const GATE_EXIT_CODE: Readonly<Record<GateState, ExitCode>> = {
  PASS: EXIT_CODE.pass,
  'NOT GATED': EXIT_CODE.pass,
  FAIL: EXIT_CODE.sloFailed,
  SUSPECT: EXIT_CODE.inconclusive,
  INCONCLUSIVE: EXIT_CODE.inconclusive,
  INVALID: EXIT_CODE.invalid,
};

/** `open`: neither passed nor failed, and needs somebody to look. */
export type GateStepState = 'passed' | 'stopped' | 'open';

/** One step of the decision, in words. */
export interface GateStep {
  name: 'validity' | 'absolute limits' | 'history' | 'median of three';
  state: GateStepState;
  text: string;
}

/** One suspect metric of three runs. */
export interface MedianOfThree {
  /** Of the run and its two re-runs; absent ones as null. */
  values: (number | null)[];
  /** The verdict on their median. */
  verdict: MetricVerdict;
}

export interface GateVerdict {
  schema: 'hollowmark.dev/gate/v1';
  state: GateState;
  exitCode: ExitCode;
  /** One line: what decided. */
  text: string;
  runId: string;
  steps: GateStep[];
  /** Metrics that neither the run nor its history has are left out. */
  metrics: MetricVerdict[];
  /** Present after two re-runs. */
  medianOfThree?: MedianOfThree[];
  baseline: {
    runIds: string[];
    leftOut: Baseline['leftOut'];
    nearest?: Baseline['nearest'];
  };
  /** Repeats the run. */
  command: string[];
}

export const GATE_SCHEMA = 'hollowmark.dev/gate/v1';

/**
 * The verdict on `run`. `reruns`, two or none, are runs of the same command made after a first verdict of SUSPECT;
 * without that they are not looked at.
 */
export function decideGate(
  run: RunResult,
  history: readonly HistoryEntry[],
  reruns: readonly RunResult[] = [],
): GateVerdict {
  const baseline = selectBaseline(run, history);
  const historyFigures = baseline.runs.map(headlineFigures);
  const metrics = headlineFigures(run)
    .map((figure, i) => judgeMetric(figure, valuesOf(historyFigures, i)))
    .filter((verdict) => verdict.value !== undefined || verdict.baseline !== undefined);
  const steps = [validity(run)];
  if (steps[0]?.state === 'passed') steps.push(absolute(run));
  if (steps[1] !== undefined && steps[1].state !== 'stopped') steps.push(relative(metrics, baseline));
  const suspects = metrics.filter(({ state }) => state === 'suspect');
  const judged: Judged = { steps, metrics };
  if (reruns.length > 0 && steps[2]?.state === 'open') {
    const confirmed = confirm(run, reruns, suspects, historyFigures);
    steps.push(confirmed.step);
    if (confirmed.medianOfThree !== undefined) judged.medianOfThree = confirmed.medianOfThree;
  }
  const state = stateOf(steps, metrics, baseline);
  return {
    schema: GATE_SCHEMA,
    state,
    exitCode: GATE_EXIT_CODE[state],
    text: decisiveText(steps, state),
    runId: run.runId,
    ...judged,
    baseline: {
      runIds: baseline.runs.map(({ runId }) => runId),
      leftOut: baseline.leftOut,
      ...(baseline.nearest === undefined ? {} : { nearest: baseline.nearest }),
    },
    command: [...run.command],
  };
}

type Judged = Pick<GateVerdict, 'steps' | 'metrics' | 'medianOfThree'>;

// The run's own exit code has weighed its state, its trust and its limits; 1 is the only one left that says "failed".
function validity({ state, verdicts }: RunResult): GateStep {
  const usable = [EXIT_CODE.pass, EXIT_CODE.sloFailed, EXIT_CODE.inconclusive].some(
    (code) => code === verdicts.exitCode,
  );
  if (!usable) return { name: 'validity', state: 'stopped', text: verdicts.text };
  // Only a threshold with abort-on-fail ends a run early and with a verdict.
  const text =
    state === 'completed'
      ? `the run can be relied on (trust ${verdicts.trust.state})`
      : 'the run was ended by its own threshold';
  return { name: 'validity', state: 'passed', text };
}

function absolute({ verdicts }: RunResult): GateStep {
  const state =
    verdicts.exitCode === EXIT_CODE.pass
      ? 'passed'
      : verdicts.exitCode === EXIT_CODE.sloFailed
        ? 'stopped'
        : 'open';
  return { name: 'absolute limits', state, text: verdicts.text };
}

function relative(metrics: readonly MetricVerdict[], { runs, nearest }: Baseline): GateStep {
  const step = (state: GateStepState, text: string): GateStep => ({ name: 'history', state, text });
  const { minRunCount } = GATE_RULES;
  if (nearest !== undefined) {
    const fields = nearest.differences.map(describeDifference).join(', ');
    return step(
      'passed',
      `not gated: no run of the history has this fingerprint; the nearest, ${nearest.runId}, differs in ${fields}`,
    );
  }
  if (runs.length < minRunCount)
    return step('passed', `not gated: ${runs.length} of the ${minRunCount} accepted runs that it takes`);
  const suspects = metrics.filter(({ state }) => state === 'suspect');
  const gatedCount = metrics.filter(({ state }) => state !== 'not gated').length;
  if (suspects.length > 0) return step('open', suspects.map(describeSuspicion).join('; '));
  return gatedCount === 0
    ? step('passed', `not gated: no metric is in ${minRunCount} of the ${runs.length} accepted runs`)
    : step(
        'passed',
        `${gatedCount} ${gatedCount === 1 ? 'metric' : 'metrics'} within what ${runs.length} accepted runs did`,
      );
}

/** Whether the median of three is as bad as the first run was, for the metrics that were suspect. */
function confirm(
  run: RunResult,
  reruns: readonly RunResult[],
  suspects: readonly MetricVerdict[],
  historyFigures: readonly HeadlineFigure[][],
): { step: GateStep; medianOfThree?: MedianOfThree[] } {
  const step = (state: GateStepState, text: string): GateStep => ({ name: 'median of three', state, text });
  for (const rerun of reruns) {
    const differences = fingerprintDifferences(rerun.fingerprint, run.fingerprint);
    if (differences.length > 0)
      return {
        step: step(
          'open',
          `${rerun.runId} is no re-run: it differs in ${differences.map(describeDifference).join(', ')}`,
        ),
      };
    if (validity(rerun).state !== 'passed')
      return { step: step('open', `re-run ${rerun.runId} is not to be relied on: ${rerun.verdicts.text}`) };
    if (absolute(rerun).state === 'stopped')
      return { step: step('stopped', `re-run ${rerun.runId}: ${rerun.verdicts.text}`) };
  }
  if (reruns.length !== 2)
    return { step: step('open', `it takes two re-runs, and there is ${reruns.length}`) };
  const three = [run, ...reruns].map(headlineFigures);
  const medianOfThree = suspects.map(({ metric }): MedianOfThree => {
    const index = three[0]?.findIndex((figure) => figure.metric.id === metric.id) ?? -1;
    const figures = three.flatMap((figures) => figures[index] ?? []);
    return {
      values: figures.map(({ value }) => value ?? null),
      verdict: judgeMetric(medianFigure(figures), valuesOf(historyFigures, index)),
    };
  });
  const confirmed = medianOfThree.filter(({ verdict }) => verdict.state === 'suspect');
  return {
    step:
      confirmed.length > 0
        ? step('stopped', confirmed.map(describeMedianOfThree).join('; '))
        : step(
            'passed',
            `the re-runs do not confirm it: ${medianOfThree.map(describeMedianOfThree).join('; ')}`,
          ),
    medianOfThree,
  };
}

/** The middle of three figures, of which a missing one is the worst there can be. */
function medianFigure(figures: readonly HeadlineFigure[]): HeadlineFigure {
  const [first] = figures;
  if (first === undefined) throw new RangeError('a median needs a figure');
  const worst = first.metric.better === 'lower' ? Number.POSITIVE_INFINITY : Number.NEGATIVE_INFINITY;
  const value = median(figures.map((figure) => figure.value ?? worst));
  const sampleCount = Math.min(...figures.map((figure) => figure.sampleCount));
  if (Number.isFinite(value)) return { metric: first.metric, value, sampleCount };
  const missing = figures.find((figure) => figure.missing !== undefined)?.missing ?? 'missing';
  return { metric: first.metric, sampleCount, missing };
}

function stateOf(
  steps: readonly GateStep[],
  metrics: readonly MetricVerdict[],
  baseline: Baseline,
): GateState {
  const step = (name: GateStep['name']) => steps.find((one) => one.name === name)?.state;
  if (step('validity') === 'stopped') return 'INVALID';
  if (step('absolute limits') === 'stopped' || step('median of three') === 'stopped') return 'FAIL';
  const confirmation = step('median of three');
  if (step('history') === 'open' && confirmation !== 'passed') return 'SUSPECT';
  if (step('absolute limits') === 'open') return 'INCONCLUSIVE';
  const gated = baseline.runs.length > 0 && metrics.some(({ state }) => state !== 'not gated');
  return gated ? 'PASS' : 'NOT GATED';
}

function decisiveText(steps: readonly GateStep[], state: GateState): string {
  const open = steps.find((step) => step.state === 'open');
  return (state === 'INCONCLUSIVE' ? open : steps.at(-1))?.text ?? '';
}

function valuesOf(figures: readonly HeadlineFigure[][], index: number): number[] {
  return figures.flatMap((figuresOfRun) => figuresOfRun[index]?.value ?? []);
}
