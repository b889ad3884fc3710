/** Which runs of a history a run is held against: accepted, of the same fingerprint, before it, the newest first. */
import type { RunResult } from '../../src/result/index.ts';
import { type FingerprintDifference, fingerprintDifferences } from '../model/fingerprints.ts';
import { GATE_RULES } from './metric.ts';

/** A run of the history, as the folder has it. */
export interface HistoryEntry {
  result: RunResult;
  /** What the gate said of it where that is known: runs that it did not let pass are no baseline. */
  gateState?: string;
}

export interface Baseline {
  /** Newest first, at most GATE_RULES.maxRunCount. */
  runs: RunResult[];
  /** Runs that are no baseline, by reason. */
  leftOut: { why: string; count: number }[];
  /** The nearest other fingerprint where no run has this one: fewest differing fields, then the newest. */
  nearest?: { runId: string; differences: FingerprintDifference[] };
}

/** The baseline of `run` in `history`. */
export function selectBaseline(run: RunResult, history: readonly HistoryEntry[]): Baseline {
  const leftOut = new Map<string, number>();
  const accepted: RunResult[] = [];
  const others: { runId: string; startedAt: string; differences: FingerprintDifference[] }[] = [];
  for (const { result, gateState } of history) {
    const why = reasonAgainst(run, result, gateState);
    if (why !== undefined) {
      if (why !== '') leftOut.set(why, (leftOut.get(why) ?? 0) + 1);
      continue;
    }
    const differences = fingerprintDifferences(result.fingerprint, run.fingerprint);
    if (differences.length === 0) accepted.push(result);
    else others.push({ runId: result.runId, startedAt: result.startedAt, differences });
  }
  const newestFirst = (a: { startedAt: string }, b: { startedAt: string }) =>
    a.startedAt < b.startedAt ? 1 : -1;
  if (others.length > 0) leftOut.set('another fingerprint', others.length);
  const [nearest] = others.sort(newestFirst).sort((a, b) => a.differences.length - b.differences.length);
  return {
    runs: accepted.sort(newestFirst).slice(0, GATE_RULES.maxRunCount),
    leftOut: [...leftOut].map(([why, count]) => ({ why, count })),
    ...(accepted.length > 0 || nearest === undefined
      ? {}
      : { nearest: { runId: nearest.runId, differences: nearest.differences } }),
  };
}

/** Undefined for a run that may be a baseline; empty for the run itself, which nobody expects there. */
function reasonAgainst(run: RunResult, other: RunResult, gateState: string | undefined): string | undefined {
  if (other.runId === run.runId && other.startedAt === run.startedAt) return '';
  if (other.startedAt >= run.startedAt) return 'later than this run';
  if (other.verdicts.exitCode !== 0) return 'not passed';
  if (gateState === 'FAIL' || gateState === 'SUSPECT') return 'stopped by the gate';
  return undefined;
}
