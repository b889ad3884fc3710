/**
 * When a warm-up is over: a pure rule on the windows of the time series, so that everybody can check it on the chart.
 *
 *   steady = the last k whole windows of the phase have at least MIN_WARM_UP_CALLS calls each, and
 *            max(p50) - min(p50) <= max(x * min(p50), WARM_UP_GRAIN_US)
 *
 * p50 is that of the response times of all the load's calls that ended in the window. A drift slower than x over k
 * windows passes for steady; a window with too few calls starts the count anew.
 */
import { formatUs } from '../core/index.ts';

export interface WarmUpRule {
  /** k, at least 2. */
  windowCount: number;
  /** x, above 0. */
  toleranceRatio: number;
}

/** One whole window of the phase. */
export interface WarmUpWindow {
  startMs: number;
  endMs: number;
  /** Calls of the load that ended in it. */
  callCount: number;
  /** Absent where none ended. */
  p50Us?: number;
}

/** How a warm-up phase ended. */
export interface WarmUpResult {
  /** `time`: it was to last for a time. `not-steady`: its longest time was over, or the run. */
  state: 'steady' | 'not-steady' | 'time';
  /** Every whole window; empty where a time was asked for. */
  windows: WarmUpWindow[];
  /** `p50 steady within 10 % over 3 windows: 3.10 ms, 3.22 ms, 3.05 ms` */
  text: string;
}

/** The median of fewer calls says too little. */
export const MIN_WARM_UP_CALLS = 20;
/** Medians closer than this are equal: half a grain of the timer that paces the load. */
export const WARM_UP_GRAIN_US = 500;

/** True when the windows so far, oldest first, end in a steady stretch. */
export function isSteady(windows: readonly WarmUpWindow[], rule: WarmUpRule): boolean {
  const medians = lastMedians(windows, rule);
  if (medians.length < rule.windowCount) return false;
  const [low, high] = [Math.min(...medians), Math.max(...medians)];
  return high - low <= Math.max(rule.toleranceRatio * low, WARM_UP_GRAIN_US);
}

/** The result of a warm-up that ended after `windows`. */
export function warmUpResult(windows: readonly WarmUpWindow[], rule: WarmUpRule): WarmUpResult {
  const steady = isSteady(windows, rule);
  const medians = lastMedians(windows, rule).map((median) => formatUs(median));
  const shown = medians.length === 0 ? 'no window with enough calls' : medians.join(', ');
  return {
    state: steady ? 'steady' : 'not-steady',
    windows: [...windows],
    text: `p50 ${steady ? '' : 'not '}steady within ${Number((rule.toleranceRatio * 100).toFixed(1))} % over ${rule.windowCount} windows: ${shown}`,
  };
}

/** p50 of the last windows that count: at most k, none before one with too few calls. */
function lastMedians(windows: readonly WarmUpWindow[], { windowCount }: WarmUpRule): number[] {
  const medians: number[] = [];
  for (const { callCount, p50Us } of windows.slice(-windowCount)) {
    if (p50Us === undefined || callCount < MIN_WARM_UP_CALLS) medians.length = 0;
    else medians.push(p50Us);
  }
  return medians;
}
