import { describe, expect, it } from 'vitest';
import {
  callSlo,
  judgeQuantile,
  judgeSlo,
  minSampleCount,
  OFFICIAL_LIMITS,
  type RunResult,
  type SloKind,
  type SloRules,
  tightestLimitUs,
} from '../../../src/result/index.ts';
import {
  apiServer,
  callSeries,
  histogramOf,
  podStartup,
  runResult,
  serverSli,
} from '../../helpers/results.ts';

const rules: SloRules = { ...OFFICIAL_LIMITS, judge: ['client-slo', 'official-sli'] };

function verdictOf(result: Partial<RunResult>, kind: SloKind = 'client-slo', use: SloRules = rules) {
  const verdict = judgeSlo(runResult({ podStartup: [], ...result }), use).find((one) => one.kind === kind);
  if (verdict === undefined) throw new Error(`no ${kind}`);
  return verdict;
}

/** `count` calls, `over` of them at 2 s, the others at 5 ms. */
const calls = (count: number, over: number) =>
  histogramOf({ us: 5_000, count: count - over }, { us: 2_000_000, count: over });

describe('small samples', () => {
  it.each([
    { quantile: 0.5, needed: 6 },
    { quantile: 0.9, needed: 36 },
    { quantile: 0.95, needed: 72 },
    { quantile: 0.99, needed: 368 },
    { quantile: 0.999, needed: 3_688 },
  ])(
    'needs $needed samples before quantile $quantile has an upper confidence limit',
    ({ quantile, needed }) => {
      expect(minSampleCount(quantile)).toBe(needed);
    },
  );

  it.each([
    { count: 0, over: 0, state: 'no-data', why: 'nothing was measured' },
    { count: 1, over: 0, state: 'pass', why: 'one sample within the limit' },
    { count: 1, over: 1, state: 'fail', why: 'more than 1 % exceed' },
    { count: 99, over: 1, state: 'fail', why: 'one of 99 is more than 1 %' },
    { count: 100, over: 1, state: 'inconclusive', why: 'exactly 1 % of a small sample' },
    { count: 367, over: 0, state: 'pass', why: 'small, but the maximum is within' },
    { count: 367, over: 3, state: 'inconclusive', why: '0.8 % of one sample too few' },
    { count: 367, over: 4, state: 'fail', why: '1.09 % exceed' },
    { count: 368, over: 3, state: 'pass', why: 'enough samples, 0.8 % exceed' },
    { count: 368, over: 4, state: 'fail', why: 'enough samples, 1.09 % exceed' },
    { count: 100_000, over: 1_000, state: 'pass', why: 'exactly 1 % may exceed' },
    { count: 100_000, over: 1_001, state: 'fail', why: 'one more than 1 %' },
  ])('$over of $count over the limit is $state: $why', ({ count, over, state }) => {
    expect(judgeQuantile(count, over, 0.99)).toBe(state);
  });
});

describe('official names and keys', () => {
  it.each([
    {
      verb: 'create',
      resource: 'pods',
      subresource: '',
      scope: 'resource',
      subject: 'create pods (resource)',
      limitMs: 1_000,
    },
    {
      verb: 'patch',
      resource: 'pods',
      subresource: 'status',
      scope: 'resource',
      subject: 'patch pods/status (resource)',
      limitMs: 1_000,
    },
    {
      verb: 'get',
      resource: 'pods',
      subresource: '',
      scope: 'resource',
      subject: 'read pods (resource)',
      limitMs: 1_000,
    },
    {
      verb: 'list',
      resource: 'deployments.apps',
      subresource: '',
      scope: 'namespace',
      subject: 'read deployments.apps (namespace)',
      limitMs: 30_000,
    },
    {
      verb: 'list',
      resource: 'pods',
      subresource: '',
      scope: 'cluster',
      subject: 'read pods (cluster)',
      limitMs: 30_000,
    },
    {
      verb: 'create',
      resource: 'leases.coordination.k8s.io',
      subresource: '',
      scope: 'resource',
      subject: 'create leases.coordination.k8s.io (resource)',
      limitMs: 1_000,
    },
  ] as const)('$verb $resource/$subresource ($scope) falls under $limitMs ms', (row) => {
    const slo = callSlo(row, rules);
    expect(slo?.subject).toBe(row.subject);
    expect(slo?.limitUs).toBe(row.limitMs * 1_000);
  });

  it.each([
    {
      verb: 'watch',
      resource: 'pods',
      subresource: '',
      scope: 'cluster',
      why: 'streams have no duration to judge',
    },
    {
      verb: 'deletecollection',
      resource: 'pods',
      subresource: '',
      scope: 'namespace',
      why: 'single objects only',
    },
    { verb: 'get', resource: 'pods', subresource: 'log', scope: 'resource', why: 'a stream by another name' },
    {
      verb: 'create',
      resource: 'widgets.example.com',
      subresource: '',
      scope: 'resource',
      why: 'custom resource',
    },
    {
      verb: 'list',
      resource: 'pods.metrics.k8s.io',
      subresource: '',
      scope: 'cluster',
      why: 'aggregated API',
    },
    {
      verb: 'create',
      resource: 'tokenreviews.authentication.k8s.io',
      subresource: '',
      scope: 'resource',
      why: 'virtual resource',
    },
  ] as const)('$verb $resource/$subresource is outside the text: $why', (row) => {
    expect(callSlo(row, rules)).toBeUndefined();
  });
});

describe('client-slo', () => {
  it.each([
    { name: 'passes 1,000 calls with 10 slow ones', series: [callSeries(calls(1_000, 10))], state: 'pass' },
    { name: 'fails 1,000 calls with 11 slow ones', series: [callSeries(calls(1_000, 11))], state: 'fail' },
    {
      name: 'is inconclusive for one slow call of 200',
      series: [callSeries(calls(200, 1))],
      state: 'inconclusive',
    },
    { name: 'passes few calls that are all fast', series: [callSeries(calls(20, 0))], state: 'pass' },
    {
      name: 'has no data when calls were asked for and none ended',
      series: [callSeries(histogramOf(), {}, { offeredCount: 50, inFlightAtEndCount: 50 })],
      state: 'no-data',
    },
    { name: 'has no data without any series', series: [], state: 'no-data' },
    {
      name: 'fails a server that refuses quickly',
      series: [callSeries(calls(1_000, 0), {}, { errors: { 'http-429': 20 } })],
      state: 'fail',
    },
    {
      name: 'passes conflicts and missing objects, which are answers',
      series: [callSeries(calls(1_000, 0), {}, { errors: { 'http-409': 500, 'http-4xx': 300 } })],
      state: 'pass',
    },
    {
      name: 'takes 2 s for a LIST of a namespace as within its 30 s',
      series: [callSeries(calls(1_000, 500), { verb: 'list', scope: 'namespace' })],
      state: 'pass',
    },
    {
      name: 'fails if one key fails, however many pass',
      series: [
        callSeries(calls(1_000, 0), { resource: 'pods', verb: 'delete' }),
        callSeries(calls(1_000, 100), { verb: 'delete' }),
      ],
      state: 'fail',
    },
    {
      name: 'judges read variants of one resource and scope together',
      series: [
        callSeries(calls(300, 0), { verb: 'get', variant: 'cached' }),
        callSeries(calls(300, 6), { verb: 'get', variant: 'consistent' }),
      ],
      state: 'pass',
    },
  ])('$name', ({ series, state }) => {
    const verdict = verdictOf({ series });
    expect(verdict.state).toBe(state);
    expect(verdict.text).toContain('client-slo');
  });

  it('leaves out calls of the fleet, of set-up and of unmeasured phases', () => {
    const slow = calls(1_000, 1_000);
    const verdict = verdictOf({
      phases: [
        { name: 'warm-up', measured: false, startMs: 0, endMs: 1, state: 'completed', actions: [] },
        { name: 'churn', measured: true, startMs: 1, endMs: 2, state: 'completed', actions: [] },
      ],
      series: [
        callSeries(slow, { source: 'kubelet' }),
        callSeries(slow, { source: 'setup' }),
        callSeries(slow, { phase: 'warm-up' }),
        callSeries(calls(1_000, 0)),
      ],
    });
    expect(verdict.state).toBe('pass');
    expect(verdict.checks).toHaveLength(1);
  });

  it('judges a key over all measured phases and shows each phase beside it', () => {
    const phase = (name: string) => ({
      name,
      measured: true,
      startMs: 0,
      endMs: 1,
      state: 'completed' as const,
      actions: [],
    });
    const verdict = verdictOf({
      phases: [phase('ramp'), phase('steady')],
      series: [callSeries(calls(500, 9), { phase: 'ramp' }), callSeries(calls(500, 0), { phase: 'steady' })],
    });
    const shown = verdict.checks.map(({ phase: name, state, informational, sampleCount }) => ({
      name,
      state,
      informational,
      sampleCount,
    }));
    expect(shown).toEqual([
      { name: '', state: 'pass', informational: undefined, sampleCount: 1_000 },
      { name: 'ramp', state: 'fail', informational: true, sampleCount: 500 },
      { name: 'steady', state: 'pass', informational: true, sampleCount: 500 },
    ]);
    expect(verdict.state).toBe('pass');
  });

  it('names value, samples and limit in words', () => {
    const [check] = verdictOf({ series: [callSeries(calls(1_000, 20))] }).checks;
    expect(check?.text).toBe('create configmaps (resource): p99 2.00 s of 1,000 calls, limit 1 s, 20 slower');
    expect(check?.overLimitCount).toBe(20);
  });

  it('gives the share of good 5-minute windows, summed over the series of a key', () => {
    const windows = [
      { startMs: 0, count: 100, overLimitCount: 1 },
      { startMs: 300_000, count: 100, overLimitCount: 2 },
      { startMs: 600_000, count: 0, overLimitCount: 0 },
    ];
    const other = [{ startMs: 300_000, count: 100, overLimitCount: 0 }];
    const series = [
      callSeries(calls(200, 3), { verb: 'get', variant: 'a' }, { windows }),
      callSeries(calls(200, 0), { verb: 'get', variant: 'b' }, { windows: other }),
    ];
    expect(verdictOf({ series }).checks[0]?.goodWindowRatio).toBe(1);
    expect(verdictOf({ series: series.slice(0, 1) }).checks[0]?.goodWindowRatio).toBe(0.5);
    expect(verdictOf({ series: [callSeries(calls(400, 0))] }).checks[0]).not.toHaveProperty(
      'goodWindowRatio',
    );
  });
});

describe('pod startup', () => {
  const pods = (count: number, over: number) =>
    histogramOf({ us: 900_000, count: count - over }, { us: 6_000_000, count: over });
  it.each([
    { name: 'passes 400 pods with 4 slow ones', startup: podStartup(pods(400, 4)), state: 'pass' },
    { name: 'fails 400 pods with 5 slow ones', startup: podStartup(pods(400, 5)), state: 'fail' },
    {
      name: 'counts pods that never started as over the limit',
      startup: podStartup(pods(400, 0), { neverStartedCount: 5 }),
      state: 'fail',
    },
    {
      name: 'fails when no pod ever started',
      startup: podStartup(histogramOf(), { neverStartedCount: 10 }),
      state: 'fail',
    },
    {
      name: 'has no data when every pod was deleted too young to say',
      startup: podStartup(histogramOf(), { censoredCount: 10 }),
      state: 'no-data',
    },
    {
      name: 'leaves stateful pods out',
      startup: podStartup(pods(400, 400), { kind: 'stateful' }),
      state: 'no-data',
    },
  ] as const)('$name', ({ startup, state }) => {
    expect(verdictOf({ series: [], podStartup: [startup] }).state).toBe(state);
  });

  it('has no data when pods were asked for and no timeline came', () => {
    const series = [callSeries(calls(400, 0), { resource: 'pods' })];
    const verdict = verdictOf({ series, podStartup: [] });
    expect(verdict.state).toBe('no-data');
    expect(verdict.text).toContain('none of 400 can be judged');
  });

  it('says that the quantile never started when that many never did', () => {
    const [check] = verdictOf({
      series: [],
      podStartup: [podStartup(pods(90, 0), { neverStartedCount: 10 })],
    }).checks;
    expect(check?.text).toContain('p99 never started of 100 pods');
    expect(check).not.toHaveProperty('valueUs');
  });
});

describe('official-sli', () => {
  const official = (server: RunResult['server'], use = rules) => verdictOf({ server }, 'official-sli', use);
  it.each([
    {
      name: 'says <50 ms without a number below the first bucket',
      sli: serverSli({ '0.05': 1_000, '1': 1_000, '+Inf': 1_000 }),
      state: 'pass',
      text: 'p99 <50 ms of 1,000 calls, limit 1 s',
      valueUs: undefined,
    },
    {
      name: 'gives a bucket by its edges',
      sli: serverSli({ '0.05': 500, '0.6': 900, '0.8': 1_000, '1': 1_000, '+Inf': 1_000 }),
      state: 'pass',
      text: 'p99 600 ms to 800 ms of 1,000 calls',
      valueUs: 800_000,
    },
    {
      name: 'fails by the share over the edge',
      sli: serverSli({ '0.05': 900, '1': 980, '1.25': 995, '+Inf': 1_000 }),
      state: 'fail',
      text: '20 slower',
      valueUs: 1_250_000,
    },
    {
      name: 'says above the last edge',
      sli: serverSli({ '0.05': 900, '1': 980, '60': 985, '+Inf': 1_000 }),
      state: 'fail',
      text: 'p99 >60 s',
      valueUs: 60_000_000,
    },
    {
      name: 'is inconclusive for one slow call of 200',
      sli: serverSli({ '0.05': 199, '1': 199, '+Inf': 200 }),
      state: 'inconclusive',
      text: 'small n: needs 368',
      valueUs: undefined,
    },
    {
      name: 'gives reads of a namespace 30 s',
      sli: serverSli({ '0.05': 0, '1': 0, '30': 1_000, '+Inf': 1_000 }, { verb: 'LIST', scope: 'namespace' }),
      state: 'pass',
      text: 'read pods (namespace)',
      valueUs: 30_000_000,
    },
  ])('$name', ({ sli, state, text, valueUs }) => {
    const verdict = official([apiServer([sli])]);
    expect(verdict.state).toBe(state);
    expect(verdict.checks[0]?.text).toContain(text);
    expect(verdict.checks[0]?.valueUs).toBe(valueUs);
  });

  it('is inconclusive where a limit between two edges cannot be told', () => {
    const sli = serverSli({ '0.05': 900, '0.4': 950, '0.6': 1_000, '+Inf': 1_000 });
    expect(official([apiServer([sli])], { ...rules, mutatingLimitMs: 500 }).state).toBe('inconclusive');
    expect(official([apiServer([sli])], { ...rules, mutatingLimitMs: 600 }).state).toBe('pass');
    expect(official([apiServer([sli])], { ...rules, mutatingLimitMs: 300 }).state).toBe('fail');
  });

  it('judges several API servers one by one, because a sum hides the bad one', () => {
    const good = apiServer([serverSli({ '0.05': 10_000, '1': 10_000, '+Inf': 10_000 })], { name: 'a' });
    const bad = apiServer([serverSli({ '0.05': 350, '1': 380, '+Inf': 400 })], { name: 'b' });
    const verdict = official([good, bad]);
    expect(verdict.state).toBe('fail');
    expect(verdict.text).toContain('create pods (resource) @ b');
  });

  it('ignores watches, custom resources and calls that never happened', () => {
    const verdict = official([
      apiServer([
        serverSli({ '+Inf': 5 }, { verb: 'WATCH', scope: 'cluster' }),
        serverSli({ '+Inf': 5 }, { group: 'example.com' }),
        serverSli({ '+Inf': 0 }),
      ]),
    ]);
    expect(verdict.state).toBe('no-data');
  });
});

describe('what decides', () => {
  const series = [callSeries(calls(1_000, 0))];
  it('does not judge a missing server beside a client with data, but says why it is missing', () => {
    const server = [apiServer(undefined, { unreachable: 'get /metrics: 403 Forbidden' })];
    const [client, official] = judgeSlo(runResult({ series, podStartup: [], server }), rules);
    expect(client?.judged).toBe(true);
    expect(official).toMatchObject({ judged: false, state: 'no-data' });
    expect(official?.text).toContain('403 Forbidden');
  });

  it('judges a missing server if nothing else is judged', () => {
    const server = [apiServer(undefined)];
    const [client, official] = judgeSlo(runResult({ series, server }), { ...rules, judge: ['official-sli'] });
    expect(client?.judged).toBe(false);
    expect(official).toMatchObject({ judged: true, state: 'no-data' });
  });

  it('takes the tightest limit from judged checks with samples', () => {
    const lists = [callSeries(calls(1_000, 0), { verb: 'list', scope: 'cluster' })];
    const verdicts = judgeSlo(runResult({ series: lists, podStartup: [], server: [] }), rules);
    expect(tightestLimitUs(verdicts)).toBe(30_000_000);
    expect(tightestLimitUs([])).toBeUndefined();
  });
});
