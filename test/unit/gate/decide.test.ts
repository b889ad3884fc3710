import { describe, expect, it } from 'vitest';
import {
  decideGate,
  type HistoryEntry,
  renderGateMarkdown,
  renderGateTerminal,
} from '../../../reports/index.ts';
import type { RunResult } from '../../../src/result/index.ts';
import { gateHistory, gateRun } from '../../helpers/gate-runs.ts';
import { sampleRun } from '../../helpers/sample-run.ts';

const entries = (runs: readonly RunResult[]): HistoryEntry[] => runs.map((result) => ({ result }));
const history = entries(gateHistory(20));
const slow = (day: number, startupMs = 1_400) => gateRun({ day, startupMs });
const state = (verdict: ReturnType<typeof decideGate>, id: string) =>
  verdict.metrics.find(({ metric }) => metric.id === id)?.state;
const paths = { run: 'results/latest', history: 'history' };

describe('the gate', () => {
  it('passes a run like those before it', () => {
    const verdict = decideGate(gateRun({ day: 40 }), history);
    expect(verdict).toMatchObject({
      state: 'PASS',
      exitCode: 0,
      text: '5 metrics within what 20 accepted runs did',
    });
    expect(verdict.baseline.runIds).toHaveLength(20);
    expect(verdict.baseline.runIds[0]).toBe('20260120-020000-nightly');
  });

  it('suspects a slower run, names the metric, and says how to repeat it', () => {
    const verdict = decideGate(slow(40), history);
    expect(verdict).toMatchObject({ state: 'SUSPECT', exitCode: 4 });
    expect(verdict.text).toMatch(
      /^startup of stateless pods, p50: 1\.40 s, \+40 % on the median of 20 runs \(1000 ms\), z \d+\.\d; startup of stateless pods, p99: /,
    );
    expect(state(verdict, 'mutating.p99')).toBe('ok');
    const text = renderGateTerminal(verdict, { colour: false, paths });
    expect(text).toContain(
      `\n  ${verdict.command.join(' ')}\n  ${verdict.command.join(' ')}\n  hollowmark gate results/latest RERUN1 RERUN2 --history history\n`,
    );
    for (const line of text.split('\n')) expect(line.length).toBeLessThanOrEqual(100);
    expect(renderGateMarkdown(verdict, { paths })).toContain('hollowmark gate results/latest RERUN1 RERUN2');
  });

  it('suspects less throughput, and shows more of it as improved', () => {
    expect(decideGate(gateRun({ day: 40, boundPerSecond: 14 }), history).state).toBe('SUSPECT');
    const better = decideGate(gateRun({ day: 40, boundPerSecond: 30 }), history);
    expect(better.state).toBe('PASS');
    expect(state(better, 'scheduling.rate')).toBe('improved');
  });

  it('fails on the median of three, and passes where the re-runs clear it', () => {
    const fail = decideGate(slow(40), history, [slow(41, 1_350), slow(42, 1_000)]);
    expect(fail).toMatchObject({ state: 'FAIL', exitCode: 1 });
    expect(fail.text).toContain('median 1.35 s of 1.40 s, 1.35 s, 1.00 s, +35 %');
    const clear = decideGate(slow(40), history, [slow(41, 1_010), slow(42, 1_900)]);
    // One slow re-run beside a slow first run is a median that is slow.
    expect(clear.state).toBe('FAIL');
    const cleared = decideGate(slow(40), history, [slow(41, 1_010), slow(42, 990)]);
    expect(cleared).toMatchObject({ state: 'PASS', exitCode: 0 });
    expect(cleared.text).toMatch(/^the re-runs do not confirm it: /);
  });

  it('looks again only at what was suspect', () => {
    const odd = (day: number) => gateRun({ day, startupMs: 1_000, createMs: 30 });
    expect(decideGate(slow(40), history, [odd(41), odd(42)]).state).toBe('PASS');
  });

  it('stays SUSPECT where a re-run is invalid or is none, and fails where one exceeds a limit', () => {
    const bad = (verdicts: Partial<RunResult['verdicts']>) => {
      const run = slow(41);
      return { ...run, verdicts: { ...run.verdicts, ...verdicts } };
    };
    const invalid = decideGate(slow(40), history, [
      bad({ exitCode: 3, text: 'run INVALID: schedule slip' }),
      slow(42),
    ]);
    expect(invalid).toMatchObject({ state: 'SUSPECT', exitCode: 4 });
    expect(invalid.text).toContain('not to be relied on: run INVALID: schedule slip');
    const failed = decideGate(slow(40), history, [bad({ exitCode: 1, text: 'client-slo: fail' }), slow(42)]);
    expect(failed).toMatchObject({ state: 'FAIL', exitCode: 1 });
    const other = { ...slow(41), fingerprint: { ...slow(41).fingerprint, nodeCount: 5 } };
    expect(decideGate(slow(40), history, [other, slow(42)])).toMatchObject({ state: 'SUSPECT' });
    expect(decideGate(slow(40), history, [slow(41)])).toMatchObject({ state: 'SUSPECT' });
  });

  it('counts a figure that vanished as the worst, in the run and in its re-runs', () => {
    const gone = (day: number) => gateRun({ day, startupMs: null });
    const verdict = decideGate(gone(40), history);
    expect(verdict.state).toBe('SUSPECT');
    expect(verdict.text).toContain('no figure (no stateless pod can be judged)');
    expect(decideGate(gone(40), history, [gone(41), slow(42, 1_000)]).state).toBe('FAIL');
    expect(decideGate(gone(40), history, [slow(41, 1_000), slow(42, 1_000)]).state).toBe('PASS');
  });

  it('says that a metric of the run has too little history', () => {
    const young = entries(gateHistory(20).map((run, i) => (i < 14 ? { ...run, podStartup: [] } : run)));
    const verdict = decideGate(slow(40), young);
    expect(verdict.state).toBe('PASS');
    expect(state(verdict, 'pod_startup.p99')).toBe('not gated');
    expect(renderGateTerminal(verdict, { colour: false, paths })).toMatch(
      /startup of stateless pods, p99 .* 6 of 10/,
    );
  });
});

describe('before the history, the gate asks', () => {
  it('whether the run is valid: an invalid one is neither passed nor failed', () => {
    for (const variant of ['invalid', 'interrupted', 'no-data'] as const) {
      const verdict = decideGate(sampleRun(variant), history);
      expect(verdict, variant).toMatchObject({ state: 'INVALID', exitCode: 3 });
      expect(verdict.steps).toHaveLength(1);
    }
  });

  it('whether it keeps its absolute limits, also without any history', () => {
    expect(decideGate(sampleRun('slo-failure'), [])).toMatchObject({ state: 'FAIL', exitCode: 1 });
  });

  it('and leaves a limit that cannot be decided undecided, unless the history speaks', () => {
    const open = (run: RunResult) => ({
      ...run,
      verdicts: { ...run.verdicts, exitCode: 4, text: 'too few samples' },
    });
    expect(decideGate(open(gateRun({ day: 40 })), history)).toMatchObject({
      state: 'INCONCLUSIVE',
      exitCode: 4,
      text: 'too few samples',
    });
    expect(decideGate(open(slow(40)), history)).toMatchObject({ state: 'SUSPECT', exitCode: 4 });
  });
});

describe('the baseline', () => {
  it('is reported and not gated under ten runs', () => {
    const verdict = decideGate(slow(40), history.slice(0, 9));
    expect(verdict).toMatchObject({ state: 'NOT GATED', exitCode: 0 });
    expect(verdict.text).toBe('not gated: 9 of the 10 accepted runs that it takes');
    expect(verdict.metrics.every((one) => one.state === 'not gated' && one.effectRatio !== undefined)).toBe(
      true,
    );
  });

  it('says which field differs where no run has the same fingerprint', () => {
    const older = gateHistory(20).map((run) => ({
      ...run,
      fingerprint: { ...run.fingerprint, kubernetesVersion: 'v1.35.2' },
    }));
    const strange = older.map((run) => ({
      ...run,
      fingerprint: { ...run.fingerprint, nodeCount: 7, machineClass: 'other' },
    }));
    const run = slow(40);
    const verdict = decideGate(run, entries([...older, ...strange]));
    expect(verdict).toMatchObject({ state: 'NOT GATED', exitCode: 0 });
    expect(verdict.text).toBe(
      `not gated: no run of the history has this fingerprint; the nearest, 20260120-020000-nightly, differs in Kubernetes version (v1.35.2 there, ${run.fingerprint.kubernetesVersion} here)`,
    );
    expect(verdict.baseline.leftOut).toEqual([{ why: 'another fingerprint', count: 40 }]);
  });

  it('is of runs that passed, came before and are not the run itself; the newest thirty', () => {
    const run = slow(100);
    const [one, two, three, four, ...rest] = gateHistory(40);
    if (one === undefined || two === undefined || three === undefined || four === undefined)
      throw new Error('short');
    const failed = { ...one, verdicts: { ...one.verdicts, exitCode: 1 } };
    const later = { ...two, startedAt: '2027-01-01T00:00:00.000Z' };
    const verdict = decideGate(run, [
      { result: run },
      { result: failed },
      { result: later },
      { result: three, gateState: 'FAIL' },
      { result: four, gateState: 'PASS' },
      ...entries(rest),
    ]);
    expect(verdict.baseline.runIds).toHaveLength(30);
    expect(verdict.baseline.runIds.at(-1)).toBe('20260111-020000-nightly');
    expect(verdict.baseline.leftOut).toEqual([
      { why: 'not passed', count: 1 },
      { why: 'later than this run', count: 1 },
      { why: 'stopped by the gate', count: 1 },
    ]);
  });
});
