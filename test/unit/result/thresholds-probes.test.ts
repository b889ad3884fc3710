import { describe, expect, it } from 'vitest';
import { checkThreshold, type PhaseProbes, type ThresholdInput } from '../../../src/result/index.ts';
import { histogramOf, runResult } from '../../helpers/results.ts';

const path = (name: string, goodCount: number, badCount: number) => ({
  path: name,
  endpoint: '/readyz',
  goodCount,
  badCount,
  outageCount: badCount > 0 ? 1 : 0,
  longestOutageUs: badCount * 200_000,
});

const probes: PhaseProbes = {
  phase: 'churn',
  availability: [path('balanced', 1_000, 0), path('api-0', 990, 10)],
  propagation: {
    watcherCount: 5,
    writeCount: 403,
    failedCount: 0,
    completeCount: 400,
    incompleteCount: 3,
    unseenCount: 0,
    reconnectCount: 0,
    first: histogramOf({ us: 2_000, count: 403 }).distribution(),
    last: histogramOf({ us: 9_000, count: 400 }).distribution(),
    spread: histogramOf({ us: 7_000, count: 400 }).distribution(),
  },
  readYourWrite: [
    { path: 'balanced', verb: 'get', readCount: 200, staleCount: 0, failedCount: 0 },
    { path: 'api-0', verb: 'list', readCount: 200, staleCount: 2, failedCount: 1 },
  ],
  slip: histogramOf().distribution(),
};

const input: ThresholdInput = {
  ...runResult(),
  phases: [{ name: 'churn', measured: true, startMs: 0, endMs: 100_000 }],
  probes: [probes, { ...probes, phase: 'warm-up', availability: [path('balanced', 0, 50)] }],
};

describe('thresholds on probes', () => {
  it.each([
    { text: 'availability.ratio == 1', state: 'pass', why: 'the balanced path unless another is named' },
    { text: 'availability{path:api-0}.ratio >= 99.5%', state: 'fail', why: '990 of 1,000' },
    { text: 'availability{path:api-0}.ratio >= 99%', state: 'pass', why: '990 of 1,000' },
    { text: 'availability{path:api-9}.ratio >= 99%', state: 'no-data', why: 'no such path' },
    { text: 'availability{phase:warm-up}.ratio > 50%', state: 'fail', why: 'a phase that is named counts' },
    { text: 'outage{path:api-0}.max < 2s', state: 'fail', why: 'ten bad probes of 200 ms' },
    { text: 'outage{path:api-0}.max <= 2s', state: 'pass', why: 'ten bad probes of 200 ms' },
    { text: 'outage{path:api-0}.count == 1', state: 'pass', why: 'one run of bad probes' },
    { text: 'watch_propagation{reach:first}.p99 < 3ms', state: 'pass', why: 'all 2 ms' },
    { text: 'watch_propagation.p99 < 10ms', state: 'pass', why: 'three of 403 were missed, four may be' },
    { text: 'watch_propagation.p999 < 10ms', state: 'fail', why: 'writes that were missed are the slowest' },
    { text: 'watch_propagation{reach:spread}.p50 < 5ms', state: 'fail', why: 'all 7 ms' },
    { text: 'stale_reads.count == 0', state: 'fail', why: 'two were stale on one path' },
    { text: 'stale_reads{path:balanced}.count == 0', state: 'pass', why: 'none through the load balancer' },
    { text: 'stale_reads{verb:list}.ratio <= 1%', state: 'pass', why: 'two of 200' },
  ])('$text: $state, $why', ({ text, state }) => {
    expect(checkThreshold(input, text).state).toBe(state);
  });

  it('have no data where nothing was probed', () => {
    const { probes: _probes, ...without } = input;
    for (const text of ['availability.ratio >= 0.9', 'watch_propagation.p99 < 1s', 'stale_reads.count == 0'])
      expect(checkThreshold(without, text).state).toBe('no-data');
  });
});
