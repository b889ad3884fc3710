/** Phases that are not measured, in one sentence each. */
import type { PhaseResult, RunResult } from '../../src/result/index.ts';
import { formatLength } from './words.ts';

/** `warm-up, 42 s, not measured: p50 steady within 10 % over 3 windows: 3.10 ms, 3.22 ms, 3.05 ms`, for each phase. */
export function warmUpTexts(result: Pick<RunResult, 'phases'>): string[] {
  return result.phases.filter(({ measured }) => !measured).map(warmUpText);
}

function warmUpText({ name, startMs, endMs, warmUp }: PhaseResult): string {
  const how = warmUp === undefined || warmUp.state === 'time' ? '' : `: ${warmUp.text}`;
  return `${name}, ${formatLength(endMs - startMs)}, not measured${how}`;
}
