import { describe, expect, it } from 'vitest';
import {
  decideExitCode,
  type ExitInput,
  judgeSlo,
  OFFICIAL_LIMITS,
  type RunResult,
  type TrustState,
} from '../../../src/result/index.ts';
import { callSeries, histogramOf, runResult } from '../../helpers/results.ts';

const series = {
  pass: [callSeries(histogramOf({ us: 5_000, count: 1_000 }))],
  fail: [callSeries(histogramOf({ us: 2_000_000, count: 1_000 }))],
  inconclusive: [callSeries(histogramOf({ us: 5_000, count: 199 }, { us: 2_000_000, count: 1 }))],
  noData: [],
  failAndNoData: [
    callSeries(histogramOf({ us: 2_000_000, count: 1_000 })),
    callSeries(histogramOf(), { verb: 'delete' }, { offeredCount: 9 }),
  ],
} satisfies Record<string, RunResult['series']>;

function exitOf(calls: keyof typeof series, rest: Partial<ExitInput> = {}, trust: TrustState = 'VALID') {
  const slo = judgeSlo(runResult({ series: series[calls], podStartup: [], server: [] }), {
    ...OFFICIAL_LIMITS,
    judge: ['client-slo'],
  });
  const checks = [{ name: 'agent CPU', state: trust, text: '99 %' }];
  return decideExitCode({
    state: 'completed',
    slo,
    trust: { state: trust, checks, notes: [] },
    strict: false,
    ...rest,
  });
}

describe('exit code', () => {
  it.each([
    { calls: 'pass', exitCode: 0, why: 'every limit kept' },
    { calls: 'fail', exitCode: 1, why: 'a limit exceeded' },
    { calls: 'inconclusive', exitCode: 4, why: 'too few samples is neither pass nor fail' },
    { calls: 'noData', exitCode: 3, why: 'no data never passes' },
    { calls: 'failAndNoData', exitCode: 3, why: 'no data wins over failed' },
    { calls: 'pass', trust: 'INVALID', exitCode: 3, why: 'figures that cannot be believed' },
    { calls: 'fail', trust: 'INVALID', exitCode: 3, why: 'invalid wins over failed' },
    { calls: 'pass', trust: 'DEGRADED', exitCode: 0, why: 'degraded only warns' },
    { calls: 'fail', trust: 'DEGRADED', exitCode: 1, why: 'degraded does not excuse' },
    { calls: 'pass', trust: 'DEGRADED', rest: { strict: true }, exitCode: 3, why: '--strict' },
    { calls: 'fail', trust: 'INVALID', rest: { state: 'interrupted' }, exitCode: 130, why: 'interrupted' },
    { calls: 'pass', rest: { state: 'failed', failureExitCode: 5 }, exitCode: 5, why: 'control plane died' },
    { calls: 'pass', rest: { state: 'failed' }, exitCode: 3, why: 'failed without an error of its own' },
    { calls: 'pass', rest: { slo: [] }, exitCode: 3, why: 'nothing judged' },
  ] as const)('is $exitCode: $why', (row) => {
    const rest: Partial<ExitInput> = 'rest' in row ? row.rest : {};
    const trust: TrustState = 'trust' in row ? row.trust : 'VALID';
    const { exitCode, text } = exitOf(row.calls, rest, trust);
    expect(exitCode).toBe(row.exitCode);
    expect(text).not.toBe('');
  });

  it('says what decided', () => {
    expect(exitOf('fail').text).toContain('create configmaps (resource)');
    expect(exitOf('pass', {}, 'DEGRADED').text).toContain('trust DEGRADED');
    expect(exitOf('fail', {}, 'INVALID').text).toContain('agent CPU: 99 %');
    expect(exitOf('failAndNoData').text).toContain('delete configmaps (resource): no call ended, of 9');
  });
});
