/** The percentile plots of a comparison: the calls and the pod startups that both sides made, one line for each side. */
import type { Distribution, RunResult } from '../../src/result/index.ts';
import { curveLine } from '../html/chart-data.ts';
import type { CallCurves } from '../html/chart-types.ts';
import { type CallRow, measuredCallRows, SOURCE_LABEL } from '../model/call-rows.ts';
import { mergeDistributions } from '../model/distributions.ts';
import { orderedPodStartup } from '../model/pods.ts';
import { podStartupLimitUs } from '../model/slo-limits.ts';

/** Curves beyond these are left to the reports of the runs. */
const MAX_CURVES = 24;

/** Runs of one side taken together; both sides must have samples of a curve for it to be there. */
export function comparisonCurves(
  a: readonly RunResult[],
  b: readonly RunResult[],
  labels: { a: string; b: string },
): CallCurves[] {
  const left = distributionsOf(a);
  const right = distributionsOf(b);
  return [...left]
    .flatMap(([id, one]) => {
      const other = right.get(id);
      if (other === undefined) return [];
      return {
        label: one.label,
        limitUs: one.limitUs,
        lines: [
          curveLine(labels.a, mergeDistributions(one.distributions)),
          { ...curveLine(labels.b, mergeDistributions(other.distributions)), dash: true },
        ],
      };
    })
    .slice(0, MAX_CURVES);
}

interface Gathered {
  label: string;
  limitUs: number | null;
  distributions: Distribution[];
}

/** By kind of call; pod startup first, which most readers come for. */
function distributionsOf(runs: readonly RunResult[]): Map<string, Gathered> {
  const gathered = new Map<string, Gathered>();
  const add = (label: string, limitUs: number | undefined, distribution: Distribution | undefined) => {
    if (distribution === undefined || distribution.summary.count === 0) return;
    const known = gathered.get(label);
    if (known === undefined)
      gathered.set(label, { label, limitUs: limitUs ?? null, distributions: [distribution] });
    else known.distributions.push(distribution);
  };
  for (const run of runs) {
    for (const { pods, measured } of orderedPodStartup(run)) {
      if (!measured) continue;
      add(`startup of ${pods.kind} pods`, podStartupLimitUs(run, pods.kind), pods.phases.pod_startup);
    }
  }
  for (const run of runs) {
    for (const row of measuredCallRows(run)) add(callLabel(row), row.limitUs, row.response);
  }
  return gathered;
}

function callLabel(row: CallRow): string {
  return `${SOURCE_LABEL[row.source]}: ${row.call}, ${row.scope}`;
}
