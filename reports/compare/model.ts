/**
 * A comparison of two sets of runs as a value: every output (terminal, Markdown, page, JSON) shows this and reckons
 * nothing of its own. `A` is the base, `B` what is held against it; a ratio is always B over A.
 */
import type { FingerprintDifference, FingerprintField } from '../model/fingerprints.ts';
import type { HeadlineMetric } from '../model/headline-metrics.ts';

export const COMPARISON_SCHEMA = 'hollowmark.dev/comparison/v1';

/** Two-sided level of all tests of one comparison together. */
export const ALPHA = 0.05;
/** Changes up to this are of no interest, unless the caller says otherwise. */
export const DEFAULT_MARGIN_RATIO = 0.1;

export type ComparisonVerdict = 'REGRESSION' | 'IMPROVEMENT' | 'EQUIVALENT' | 'INCONCLUSIVE';

export interface ComparedRun {
  runId: string;
  startedAt: string;
  /** VALID or DEGRADED; others are left out. */
  trust: string;
  exitCode: number;
}

export interface LeftOutRun {
  side: 'A' | 'B';
  runId: string;
  why: string;
}

export interface ComparisonSide {
  name: 'A' | 'B';
  /** What it is, in few words: a folder, or the settings of one side of an experiment. */
  label: string;
  runs: ComparedRun[];
}

/** One headline metric on both sides. */
export interface MetricComparison {
  metric: HeadlineMetric;
  verdict: ComparisonVerdict;
  /** One value per run that has one, in the order of the runs; for pairs, those of whole pairs only. */
  valuesA: number[];
  valuesB: number[];
  /** Medians of the values; absent where a side has none. */
  medianA?: number;
  medianB?: number;
  /** Hodges-Lehmann estimate of B / A; absent where a side has no value. */
  ratio?: number;
  /** Exact interval of the ratio; null where there are too few runs for a bound. */
  low: number | null;
  high: number | null;
  /** Confidence that the interval really has; absent without bounds. */
  confidence?: number;
  /** Exact two-sided p, alone and after Holm's correction over all metrics. */
  pValue?: number;
  adjustedPValue?: number;
  /** Pairs, or runs on each side, that would probably decide; beyond those there are. Absent where decided or unknown. */
  moreNeeded?: number;
  /** One sentence for people. */
  text: string;
}

/** A hollow cluster against a real one, by the yardstick that Kubemark itself is held to. */
export interface YardstickCheck {
  metric: HeadlineMetric;
  /** B / A with both raised to the floor below which differences are noise. */
  ratio: number;
  lowLimit: number;
  highLimit: number;
  state: 'WITHIN' | 'OUTSIDE';
  /** Within 0.66-1.50, upstream's notion of similar. */
  similar: boolean;
}

export interface YardstickResult {
  name: 'kubemark';
  checks: YardstickCheck[];
  /** Share of the checks that are similar; upstream wants 0.9. */
  similarRatio: number;
  /** Whether what is slow on one side is slow on the other; absent with fewer than five kinds of call and phase. */
  trend?: { rho: number; pValue: number; count: number; agrees: boolean };
  state: 'WITHIN' | 'OUTSIDE' | 'NO-DATA';
  text: string;
}

export interface Comparison {
  schema: typeof COMPARISON_SCHEMA;
  tool: { name: 'hollowmark'; version: string };
  /** `paired`: runs of an experiment, in the order it recorded; `independent`: two sets of runs. */
  design: 'paired' | 'independent';
  a: ComparisonSide;
  b: ComparisonSide;
  /** Pairs, for a paired design. */
  pairCount?: number;
  /** Pairs, or runs on each side, below which nothing can be decided. */
  minimumCount: number;
  /** Whether there are as many; unequal sides can be enough with fewer on one. */
  enough: boolean;
  marginRatio: number;
  alpha: number;
  /** Fields of the fingerprint in which the sides differ on purpose, and every setting behind them. */
  across: FingerprintField[];
  differences: FingerprintDifference[];
  settings: SettingDifference[];
  leftOut: LeftOutRun[];
  metrics: MetricComparison[];
  /** Labels of headline metrics that neither side has. */
  absent: string[];
  verdict: ComparisonVerdict;
  yardstick?: YardstickResult;
  exitCode: number;
  /** What decided the exit code. */
  text: string;
  /** Things a reader must know. */
  notes: string[];
}

/** A setting of the suite that the two sides do not share; undefined where a side does not have it. */
export interface SettingDifference {
  path: string;
  a: string | undefined;
  b: string | undefined;
}
