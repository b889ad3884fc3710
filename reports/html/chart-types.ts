/** What the page's script draws, as it stands in the page as JSON. Shared by the writer and the script. */

/** Points of a percentile curve for each step of x = log10(1 / (1 - quantile)). */
export const CURVE_POINTS_PER_NINE = 20;

/** Microseconds at x = 0, 1/20, 2/20, …; the last is the maximum, which has no place on such an axis. */
export type Curve = number[];

export interface CallCurves {
  label: string;
  limitUs: number | null;
  lines: CurveLine[];
}

/** `response` and `service` of one run, or the two sides of a comparison. */
export interface CurveLine {
  label: string;
  count: number;
  curve: Curve;
  dash: boolean;
}

export interface StartupCurves {
  label: string;
  limitUs: number | null;
  /** Share of pods, in ten-thousandths, that took no longer than `us`. */
  lines: { label: string; us: number[]; share: number[]; total: boolean }[];
}

/** Something that lasts and is marked behind the time series: a phase, later a fault. */
export interface TimeMark {
  kind: 'phase' | 'warm-up' | 'fault';
  label: string;
  startMs: number;
  endMs: number;
}

export type TimeUnit = 'rate' | 'us' | 'count' | 'cores' | 'bytes';

export interface TimeChart {
  id: string;
  title: string;
  unit: TimeUnit;
  log: boolean;
  lines: { label: string; values: (number | null)[]; dash: boolean }[];
}

export interface ChartData {
  /** End of each window, milliseconds since the start of the run. */
  startMs: number[];
  endMs: number[];
  marks: TimeMark[];
  time: TimeChart[];
  /** Upper edges of the heatmap's rows. */
  rowsUs: number[];
  /** Counts by window and row; trailing zeros left out. */
  heat: number[][];
  calls: CallCurves[];
  startup: StartupCurves[];
}
