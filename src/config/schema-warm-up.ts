/** `warmUp` of a phase: it ends by a rule or after a time, and is not measured. */
import { z } from 'zod';
import { DEFAULT_WARM_UP } from './defaults.ts';
import type { ReportProblem } from './parameters.ts';
import type { Path } from './paths.ts';
import { duration, integer, ratio } from './quantities.ts';
import type { LoadAction, WarmUpSettings } from './suite.ts';

export const warmUpSchema = z
  .union(
    [
      duration(),
      z.strictObject({
        windows: integer(2, 100)
          .default(DEFAULT_WARM_UP.windows)
          .describe('Windows of 10s in a row whose p50 must be alike.'),
        within: ratio()
          .prefault(DEFAULT_WARM_UP.within)
          .describe('How far the largest p50 of them may lie above the smallest.'),
        atMost: duration()
          .prefault(DEFAULT_WARM_UP.atMost)
          .describe('The phase ends after this all the same, and the run says that it was not steady.'),
      }),
    ],
    { error: 'expected a duration such as 60s, or a mapping of windows, within and atMost' },
  )
  .meta({ title: 'duration, or mapping' });

export type WarmUpInput = z.output<typeof warmUpSchema>;

/** What a warm-up phase does is asked of its actions for this long, at most. */
export function warmUpLengthMs(input: WarmUpInput): number {
  return typeof input === 'number' ? input : input.atMost;
}

export function warmUpSettings(input: WarmUpInput): WarmUpSettings {
  if (typeof input === 'number') return { until: 'time', durationMs: input };
  return {
    until: 'steady',
    windowCount: input.windows,
    toleranceRatio: input.within,
    atMostMs: input.atMost,
  };
}

/** Reports what cannot be in a warm-up phase of `actions`. */
export function checkWarmUp(
  phase: { warmUp: WarmUpInput; measured?: boolean | undefined; duration?: number | undefined },
  actions: readonly LoadAction[],
  path: Path,
  report: ReportProblem,
): void {
  if (phase.measured === true)
    report([...path, 'measured'], 'a warm-up is not measured: expected false, or no key');
  if (phase.duration !== undefined)
    report([...path, 'duration'], 'expected the length in warmUp: a duration, or a mapping with atMost');
  if (typeof phase.warmUp === 'number') return;
  const windowsMs = phase.warmUp.windows * 10_000;
  if (phase.warmUp.atMost < windowsMs + 10_000)
    report(
      [...path, 'warmUp', 'atMost'],
      `expected at least ${windowsMs / 1_000 + 10}s: ${phase.warmUp.windows} whole windows of 10s must lie in it`,
    );
  if (actions.some(({ action }) => action === 'create'))
    report(
      [...path, 'warmUp'],
      'a rule would end a create at any number of objects: expected a duration, or another phase for it',
    );
  if (!actions.some(({ action }) => ['churn', 'reads', 'update', 'scale'].includes(action)))
    report(
      [...path, 'warmUp'],
      'the rule needs calls of the load: expected churn, reads, update or scale in the phase',
    );
}
