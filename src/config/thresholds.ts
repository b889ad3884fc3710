/** The suite's thresholds: parsed, so that a mistyped one is a problem of the suite and never a threshold that passes. */
import { parseThreshold } from '../result/index.ts';
import type { ReportProblem } from './parameters.ts';
import type { Path } from './paths.ts';
import type { SuiteInput } from './schema.ts';
import { didYouMean } from './suggest.ts';
import type { ThresholdSettings } from './suite.ts';

/** The thresholds of `input` as they are run; what is wrong with one is reported at its place. */
export function resolveThresholds(
  input: Pick<SuiteInput, 'thresholds' | 'load'>,
  report: ReportProblem,
): ThresholdSettings[] {
  const phases = input.load.phases.map((phase) => phase.name);
  return input.thresholds.map((threshold, index) => {
    const path: Path = ['thresholds', index];
    if (typeof threshold === 'string') {
      checkExpression(threshold, phases, (message) => report(path, message));
      return { expression: threshold.trim(), abortOnFail: false, graceMs: 0 };
    }
    const { expr, abortOnFail, grace } = threshold;
    checkExpression(expr, phases, (message) => report([...path, 'expr'], message));
    if (abortOnFail && isCountFloor(expr))
      report(
        [...path, 'abortOnFail'],
        'would end every run at once: a count has not reached its floor before the end',
      );
    if (grace > 0 && !abortOnFail)
      report([...path, 'grace'], 'is for abortOnFail: true; at the end of a run every threshold is judged');
    return { expression: expr.trim(), abortOnFail, graceMs: grace };
  });
}

function checkExpression(text: string, phases: readonly string[], report: (message: string) => void): void {
  const parsed = parseThreshold(text);
  if ('message' in parsed) {
    const suggestion = parsed.word === undefined ? '' : didYouMean(parsed.word, parsed.known ?? []);
    report(`${parsed.message}${suggestion}`);
    return;
  }
  const phase = parsed.labels['phase'];
  if (phase !== undefined && !phases.includes(phase))
    report(`unknown phase "${phase}"; known: ${phases.join(', ')}${didYouMean(phase, phases)}`);
}

function isCountFloor(text: string): boolean {
  const parsed = parseThreshold(text);
  if ('message' in parsed || parsed.aggregate !== 'count') return false;
  return (
    parsed.operator === '>' || parsed.operator === '>=' || (parsed.operator === '==' && parsed.limit > 0)
  );
}
