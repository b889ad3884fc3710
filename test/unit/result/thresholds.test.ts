import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkThreshold,
  decideExitCode,
  judgeThresholds,
  LatencyHistogram,
  parseThreshold,
  type RunResult,
  THRESHOLD_LABEL_VALUES,
  THRESHOLD_METRICS,
  type ThresholdAggregate,
  tightestLimitUs,
  unservedCount,
} from '../../../src/result/index.ts';
import { sampleRun } from '../../helpers/sample-run.ts';

const run = sampleRun();

function check(text: string, result: RunResult = run) {
  return checkThreshold(result, text);
}

function problem(text: string) {
  const parsed = parseThreshold(text);
  return 'message' in parsed ? parsed : undefined;
}

describe('parseThreshold', () => {
  it.each([
    [
      'pod_startup{kind:stateless}.p99 < 5s',
      { metric: 'pod_startup', labels: { kind: 'stateless' }, limit: 5e6 },
    ],
    [
      '  errors . ratio<=1%  ',
      { metric: 'errors', operator: '<=', limit: 0.01, unit: 'ratio', text: 'errors . ratio<=1%' },
    ],
    [
      'errors{class: http-429, verb:create}.count == 0',
      { labels: { class: 'http-429', verb: 'create' }, limit: 0 },
    ],
    ['throughput.rate >= 19.5/s', { operator: '>=', limit: 19.5, unit: 'per-second' }],
    [
      'calls_service{resource:deployments.apps}.p999 < 250ms',
      { labels: { resource: 'deployments.apps' }, limit: 250_000 },
    ],
    ['lease_lateness{}.max < 1m30s', { labels: {}, limit: 90e6 }],
  ])('reads %s', (text, expected) => {
    expect(parseThreshold(text)).toMatchObject(expected);
  });

  it.each([
    ['', /expected metric/],
    ['pod_startup', /expected metric/],
    ['pod_startup.p99', /expected metric/],
    ['pod_statup.p99 < 5s', /unknown metric "pod_statup"/],
    ['constructor.p99 < 5s', /unknown metric "constructor"/],
    ['pod_startup{king:stateless}.p99 < 5s', /unknown label of pod_startup "king"/],
    ['pod_startup{kind:stateles}.p99 < 5s', /unknown kind "stateles"/],
    ['pod_startup{kind}.p99 < 5s', /label kind has no value/],
    ['pod_startup{kind:stateless,kind:stateful}.p99 < 5s', /twice/],
    ['pod_startup.p98 < 5s', /unknown aggregate of pod_startup "p98"/],
    ['pod_startup.toString < 5s', /unknown aggregate/],
    ['pod_startup.rate < 5/s', /unknown aggregate/],
    ['pod_startup.p99 => 5s', /unknown operator "=>"/],
    ['pod_startup.p99 < 5', /expected a duration .* got "5"/],
    ['pod_startup.p99 < 5s or more', /expected a duration/],
    ['errors.ratio < 5', /expected a ratio/],
    ['errors.count < 1%', /expected a number/],
    ['throughput.rate > 20', /expected a rate/],
    ['nodes_lost{phase:churn}.count == 0', /unknown label of nodes_lost "phase"; there is none/],
  ])('refuses %j', (text, message) => {
    expect(problem(text)?.message).toMatch(message);
  });

  it('names the words that were possible, for a suggestion', () => {
    expect(problem('pod_statup.p99 < 5s')).toMatchObject({
      word: 'pod_statup',
      known: Object.keys(THRESHOLD_METRICS),
    });
  });

  it('comes back with a threshold or a problem, whatever the text', () => {
    const piece = fc.oneof(
      fc.string(),
      fc.constantFrom(
        '{',
        '}',
        '.',
        ',',
        ':',
        '<',
        '<=',
        '==',
        'p99',
        'pod_startup',
        'kind',
        'stateless',
        '5s',
        '1%',
        '__proto__',
        '\n',
      ),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const parsed = parseThreshold(pieces.join(''));
        if ('message' in parsed) expect(parsed.message).not.toBe('');
        else expect(Number.isFinite(parsed.limit)).toBe(true);
      }),
    );
  });

  it('reads back every threshold that can be written', () => {
    const written = fc.constantFrom(...Object.entries(THRESHOLD_METRICS)).chain(([metric, info]) =>
      fc.record({
        metric: fc.constant(metric),
        labels: fc
          .subarray([...info.labels])
          .chain((names) =>
            fc.record(
              Object.fromEntries(
                names.map((name) => [
                  name,
                  fc.constantFrom(
                    ...(THRESHOLD_LABEL_VALUES[name] ?? ['pods', 'leases.coordination.k8s.io']),
                  ),
                ]),
              ),
            ),
          ),
        aggregate: fc.constantFrom(...(Object.keys(info.aggregates) as ThresholdAggregate[])),
        operator: fc.constantFrom('<', '<=', '>', '>=', '=='),
        amount: fc.integer({ min: 0, max: 100 }),
      }),
    );
    fc.assert(
      fc.property(written, ({ metric, labels, aggregate, operator, amount }) => {
        const unit =
          THRESHOLD_METRICS[metric as keyof typeof THRESHOLD_METRICS].aggregates[aggregate] ?? 'us';
        const suffix = { us: 'ms', count: '', ratio: '%', 'per-second': '/s' }[unit];
        const list = Object.entries(labels).map(([name, value]) => `${name}:${value}`);
        const text = `${metric}{${list.join(', ')}}.${aggregate} ${operator} ${amount}${suffix}`;
        const factor = { us: 1_000, count: 1, ratio: 0.01, 'per-second': 1 }[unit];
        expect(parseThreshold(text)).toMatchObject({ metric, labels, aggregate, operator, unit });
        const parsed = parseThreshold(text);
        expect('limit' in parsed && parsed.limit).toBeCloseTo(amount * factor, 9);
      }),
    );
  });
});

describe('checkThreshold', () => {
  it('takes the percentile of all matching samples of measured phases together', () => {
    const creates = run.series.filter(
      ({ key }) => key.source === 'load' && key.verb === 'create' && key.phase !== 'warm-up',
    );
    const merged = LatencyHistogram.merged(
      creates.map((one) => LatencyHistogram.fromDistribution(one.response)),
    );
    const found = check('calls_response{verb:create,resource:pods}.p99 < 1s');
    expect(found).toMatchObject({ state: 'pass', sampleCount: merged.count, quantile: 0.99, limitUs: 1e6 });
    // The few creates that were turned away move the rank up by their number.
    const refused = creates.reduce((sum, one) => sum + unservedCount(one.errors), 0);
    const rank = Math.ceil(0.99 * merged.count) + refused;
    expect(found.valueUs).toBe(merged.percentile(rank / merged.count));
  });

  it('takes a phase that is named, measured or not', () => {
    const warmUp = run.series.find(({ key }) => key.phase === 'warm-up' && key.source === 'load');
    expect(check('calls_response{phase:warm-up}.count > 0').sampleCount).toBe(warmUp?.response.summary.count);
  });

  it('fails a limit that is exceeded, with the figure in words', () => {
    const found = check('pod_startup{kind:stateless}.p99 < 1s');
    expect(found).toMatchObject({
      kind: 'threshold',
      state: 'fail',
      subject: 'pod_startup{kind:stateless}.p99 < 1s',
    });
    expect(found.text).toMatch(/^pod_startup\{kind:stateless\}\.p99 < 1s: 1\.\d\d s \([\d,]+ samples\)$/);
  });

  it.each([
    'pod_startup{kind:stateful}.p99 < 5s',
    'calls_response{verb:deletecollection}.count >= 0',
    'errors{source:probe}.ratio < 1%',
    'errors{source:probe}.rate < 1/s',
    'watch_spread{resource:nodes}.p99 < 1s',
    'calls_response{phase:no-such}.rate > 1/s',
  ])('has no data for %s, which is no pass', (text) => {
    const found = check(text);
    expect(found).toMatchObject({ state: 'no-data', sampleCount: 0 });
    expect(found.text).toBe(`${text}: no data`);
  });

  it('counts pods that never started as slower than any other', () => {
    const failed = sampleRun('slo-failure');
    expect(check('pod_startup.max < 10m', failed)).toMatchObject({ state: 'fail' });
    expect(check('pod_startup.max < 10m', failed).text).toContain(': never (');
    expect(check('pods_never_started.count == 0', failed)).toMatchObject({
      state: 'fail',
      threshold: { valueText: '4' },
    });
    expect(check('pod_startup.p50 < 10m', failed).state).toBe('pass');
  });

  it('counts refused calls as slower than any other: failing fast is not fast', () => {
    const result = sampleRun();
    for (const series of result.series) {
      if (series.key.source !== 'load' || series.key.verb !== 'delete') continue;
      const refused = Math.ceil(series.doneCount * 0.02);
      series.doneCount -= refused;
      series.failedCount += refused;
      series.errors = { 'http-429': refused };
    }
    expect(check('calls_response{verb:delete}.p99 < 10s').state).toBe('pass');
    expect(check('calls_response{verb:delete}.p99 < 10s', result)).toMatchObject({ state: 'fail' });
    expect(check('calls_response{verb:delete}.p50 < 10s', result).state).toBe('pass');
    expect(check('errors{verb:delete}.ratio < 1%', result).state).toBe('fail');
    expect(check('errors{verb:delete,class:timeout}.count == 0', result).state).toBe('pass');
  });

  it('cannot decide a percentile from too few samples', () => {
    const result = sampleRun();
    const histogram = new LatencyHistogram();
    for (let i = 0; i < 199; i++) histogram.record(1_000);
    histogram.record(2_000_000);
    result.fleet.registration = histogram.distribution();
    expect(check('registration.p99 < 1s', result)).toMatchObject({
      state: 'inconclusive',
      overLimitCount: 1,
    });
    expect(check('registration.p50 < 1s', result).state).toBe('pass');
  });

  it('has rates over the length of the phases', () => {
    const churnMs = run.phases
      .filter(({ name }) => name === 'churn')
      .reduce((sum, one) => sum + one.endMs - one.startMs, 0);
    const gets = run.series.filter(
      ({ key }) => key.source === 'load' && key.verb === 'get' && key.phase === 'churn',
    );
    const rate = gets.reduce((sum, one) => sum + one.doneCount, 0) / (churnMs / 1_000);
    const text = (limit: number) => `throughput{verb:get,phase:churn}.rate >= ${limit}/s`;
    expect(check(text(Math.floor(rate))).state).toBe('pass');
    expect(check(text(Math.ceil(rate + 1))).state).toBe('fail');
  });

  it('says zero where a rate is zero and calls were made', () => {
    expect(check('errors{verb:get}.rate <= 0/s')).toMatchObject({ state: 'pass' });
  });

  it('knows scheduling, leases and nodes', () => {
    expect(check('scheduling.rate > 15/s').state).toBe('pass');
    expect(check('scheduling.max > 21/s').state).toBe('fail');
    expect(check('leases_missed.count == 0').state).toBe('pass');
    expect(check('nodes_lost.count == 0').state).toBe('pass');
    expect(check('lease_lateness.p99 < 1s').state).toBe('pass');
  });

  it('gives every metric and aggregate a figure or no data, never anything else', () => {
    for (const [metric, { aggregates }] of Object.entries(THRESHOLD_METRICS)) {
      for (const [aggregate, unit] of Object.entries(aggregates)) {
        const limit = { us: '1s', count: '1', ratio: '1%', 'per-second': '1/s' }[unit];
        const found = check(`${metric}.${aggregate} <= ${limit}`);
        expect(['pass', 'fail'], found.text).toContain(found.state);
        expect(found.threshold?.valueText).toMatch(/^[\d,.]+ ?(µs|ms|s|%|\/s)?$/);
      }
    }
  });
});

describe('the threshold verdict', () => {
  it('is not there without thresholds', () => {
    expect(judgeThresholds(run, [])).toBeUndefined();
  });

  it('is judged, and decides the exit code: 1 when one is missed, 3 without data', () => {
    const exitCode = (...texts: string[]) => {
      const verdict = judgeThresholds(run, texts);
      const slo = verdict === undefined ? [] : [verdict];
      return decideExitCode({ state: 'completed', slo, trust: run.verdicts.trust, strict: false }).exitCode;
    };
    expect(exitCode('pod_startup.p99 < 5s')).toBe(0);
    expect(exitCode('pod_startup.p99 < 5s', 'pod_startup.p99 < 1s')).toBe(1);
    expect(exitCode('pod_startup{kind:stateful}.p99 < 5s')).toBe(3);
  });

  it('does not tighten what the trust verdict asks of the schedule', () => {
    const verdict = judgeThresholds(run, ['calls_response.p99 < 50ms', 'errors.count == 0']);
    expect(tightestLimitUs([...run.verdicts.slo, ...(verdict === undefined ? [] : [verdict])])).toBe(1e6);
    expect(tightestLimitUs(verdict === undefined ? [] : [verdict])).toBeUndefined();
  });
});
