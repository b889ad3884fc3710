import { describe, expect, it } from 'vitest';
import {
  checkThreshold,
  judgeSlo,
  LatencyHistogram,
  type NetworkProgramming,
  OFFICIAL_LIMITS,
  tightestLimitUs,
} from '../../../src/result/index.ts';
import { sampleRun } from '../../helpers/sample-run.ts';

function programmed(phase: string, us: number, count: number): NetworkProgramming {
  const histogram = new LatencyHistogram();
  for (let i = 0; i < count; i++) histogram.record(us);
  const distribution = histogram.distribution();
  return { phase, programming: distribution, proxyDelay: distribution, syncCount: count, maxRuleCount: 1 };
}

const PHASES = ['warm-up', 'churn', 'storm'].map((name) => ({
  name,
  measured: name !== 'warm-up',
  startMs: 0,
  endMs: 1,
  state: 'completed' as const,
  actions: [],
}));
const RULES = { ...OFFICIAL_LIMITS, judge: ['client-slo' as const] };

describe('the check of network programming', () => {
  const judge = (networkProgramming: NetworkProgramming[]) =>
    judgeSlo({ phases: PHASES, series: [], podStartup: [], server: [], networkProgramming }, RULES)[0];

  it('is over all measured phases together, against 30 s', () => {
    const verdict = judge([
      programmed('warm-up', 90_000_000, 500),
      programmed('churn', 1_000_000, 390),
      programmed('storm', 31_000_000, 10),
    ]);
    expect(verdict?.checks).toMatchObject([
      {
        slo: 'network programming latency',
        sampleCount: 400,
        overLimitCount: 10,
        state: 'fail',
        limitUs: 30_000_000,
        phase: '',
        informational: true,
      },
    ]);
  });

  it('decides nothing: neither the verdict, nor which verdict is judged, nor the tightest limit', () => {
    const verdict = judge([programmed('churn', 31_000_000, 400)]);
    expect([verdict?.state, verdict?.checks[0]?.state]).toEqual(['no-data', 'fail']);
    expect(verdict === undefined ? 0 : tightestLimitUs([verdict])).toBeUndefined();
  });

  it('is not made where nothing was programmed', () => {
    expect(judge([programmed('warm-up', 1, 5)])?.checks).toEqual([]);
    expect(judge([])?.checks).toEqual([]);
  });
});

describe('a threshold of network programming', () => {
  it('decides, by phase and stage, and has no data in older results', () => {
    const run = sampleRun('quickstart');
    const state = (text: string) => checkThreshold(run, text).state;
    expect(state('network_programming.p99 < 30s')).toBe('pass');
    expect(state('network_programming{phase:churn}.p99 < 1s')).toBe('fail');
    expect(state('network_programming{stage:proxy_delay}.p50 < 1s')).toBe('pass');
    delete run.networkProgramming;
    expect(state('network_programming.p99 < 30s')).toBe('no-data');
  });
});
