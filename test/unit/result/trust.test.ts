import { describe, expect, it } from 'vitest';
import { judgeTrust, type TrustInput, type TrustState } from '../../../src/result/index.ts';
import {
  agentHealth,
  apiServer,
  callSeries,
  histogramOf,
  podStartup,
  runResult,
  timelineWindow,
  trustInput,
} from '../../helpers/results.ts';

const healthy = runResult();
const slip = (us: number) => [agentHealth({ slip: histogramOf({ us, count: 1_000 }).distribution() })];
const lag = (us: number) => [agentHealth({ loopLag: histogramOf({ us, count: 1_000 }).distribution() })];
const leaseSlip = (us: number) => ({
  fleet: {
    ...healthy.fleet,
    leaseSlip: histogramOf({ us: 1_000, count: 99 }, { us, count: 1 }).distribution(),
  },
});
const pods = (rest: Partial<TrustInput['pods']>) => ({
  pods: { createdCount: 600, missingCount: 0, lostInstantCount: 0, observerGapCount: 0, ...rest },
});
const slowLoad = [callSeries(histogramOf({ us: 900_000, count: 1_000 }))];

const rows: { name: string; input: Partial<TrustInput>; check: string; state: TrustState; text?: string }[] =
  [
    { name: 'a healthy run', input: {}, check: 'completion', state: 'VALID' },
    {
      name: 'an interrupted run',
      input: { state: 'interrupted', reason: 'Ctrl-C' },
      check: 'completion',
      state: 'INVALID',
      text: 'Ctrl-C',
    },
    {
      name: 'an agent lost',
      input: { agents: [agentHealth({ state: 'lost', reason: 'exited with signal SIGKILL' })] },
      check: 'agents',
      state: 'INVALID',
      text: 'load-0 lost: exited with signal SIGKILL',
    },
    {
      name: 'an agent silent for three periods',
      input: { agents: [agentHealth({ maxReportGapMs: 30_000 })] },
      check: 'agent silence',
      state: 'VALID',
    },
    {
      name: 'an agent silent for longer',
      input: { agents: [agentHealth({ maxReportGapMs: 30_001 })] },
      check: 'agent silence',
      state: 'INVALID',
    },
    {
      name: 'slip of 5 % of the limit',
      input: { agents: slip(50_000), series: slowLoad },
      check: 'schedule slip',
      state: 'VALID',
    },
    {
      name: 'slip over 5 % of the limit',
      input: { agents: slip(50_100), series: slowLoad },
      check: 'schedule slip',
      state: 'INVALID',
      text: 'limit 50.0 ms',
    },
    {
      name: '99 % started in the worst window',
      input: { timeline: [timelineWindow({ startedCount: 990 })] },
      check: 'achieved rate',
      state: 'VALID',
    },
    {
      name: 'one window below 99 %, though the run as a whole is above',
      input: {
        timeline: [
          timelineWindow(),
          timelineWindow(),
          timelineWindow({ startMs: 20_000, startedCount: 989 }),
        ],
      },
      check: 'achieved rate',
      state: 'INVALID',
      text: 'at 20.0 s',
    },
    {
      name: 'slow answers of the server, everything sent in time',
      input: { timeline: [timelineWindow({ achievedCount: 100 })] },
      check: 'achieved rate',
      state: 'VALID',
    },
    {
      name: '0.1 % dropped',
      input: {
        series: [
          callSeries(histogramOf({ us: 5_000, count: 999 }), {}, { offeredCount: 1_000, droppedCount: 1 }),
        ],
      },
      check: 'dropped arrivals',
      state: 'VALID',
    },
    {
      name: 'more than 0.1 % dropped',
      input: {
        series: [
          callSeries(histogramOf({ us: 5_000, count: 998 }), {}, { offeredCount: 1_000, droppedCount: 2 }),
        ],
      },
      check: 'dropped arrivals',
      state: 'INVALID',
      text: '2 of 1,000',
    },
    {
      name: 'a pod that nobody saw',
      input: pods({ missingCount: 1 }),
      check: 'missing pods',
      state: 'INVALID',
    },
    {
      name: 'instants lost on the way',
      input: pods({ lostInstantCount: 7 }),
      check: 'missing pods',
      state: 'INVALID',
      text: '7 instants lost',
    },
    {
      name: 'a node that never was Ready',
      input: { fleet: { ...healthy.fleet, readyCount: 99 } },
      check: 'fleet',
      state: 'INVALID',
    },
    {
      name: 'a node lost on the way',
      input: { fleet: { ...healthy.fleet, lostCount: 1 } },
      check: 'fleet',
      state: 'DEGRADED',
    },
    {
      name: 'a lease 10 s late by the fleet',
      input: leaseSlip(10_000_000),
      check: 'lease slip',
      state: 'VALID',
    },
    {
      name: 'a lease later than that by the fleet',
      input: leaseSlip(10_001_000),
      check: 'lease slip',
      state: 'INVALID',
    },
    {
      name: 'leases late because the server is slow',
      input: {
        fleet: { ...healthy.fleet, leaseLateness: histogramOf({ us: 39e6, count: 100 }).distribution() },
      },
      check: 'lease slip',
      state: 'VALID',
    },
    {
      name: 'slip of 2 ms, however fast the server',
      input: { agents: slip(2_000) },
      check: 'slip in latency',
      state: 'VALID',
    },
    {
      name: 'slip over a tenth of the measured p99',
      input: { agents: slip(2_100) },
      check: 'slip in latency',
      state: 'DEGRADED',
      text: 'measured p99 of 5.00 ms',
    },
    {
      name: 'the same slip under slow answers',
      input: { agents: slip(2_100), series: slowLoad },
      check: 'slip in latency',
      state: 'VALID',
    },
    {
      name: 'event-loop lag of 20 ms',
      input: { agents: lag(20_000) },
      check: 'event-loop lag',
      state: 'VALID',
    },
    {
      name: 'event-loop lag over 20 ms',
      input: { agents: lag(20_100) },
      check: 'event-loop lag',
      state: 'DEGRADED',
    },
    {
      name: 'over 5 % of time in collections',
      input: { agents: [agentHealth({ gcRatio: 0.051 })] },
      check: 'garbage collection',
      state: 'DEGRADED',
    },
    {
      name: 'one collection over 100 ms',
      input: { agents: [agentHealth({ maxGcPauseMs: 101 })] },
      check: 'garbage collection',
      state: 'DEGRADED',
    },
    {
      name: 'a load agent near a whole core',
      input: { agents: [agentHealth({ maxCpuRatio: 0.86 })] },
      check: 'agent CPU',
      state: 'DEGRADED',
    },
    {
      name: 'a fleet busy only while its nodes register',
      input: { agents: [agentHealth({ role: 'fleet', maxCpuRatio: 1, meanCpuRatio: 0.3 })] },
      check: 'agent CPU',
      state: 'VALID',
    },
    {
      name: 'steal over 2 %',
      input: { hostHealth: { ...healthy.hostHealth, stealRatio: 0.021 } },
      check: 'host CPU',
      state: 'DEGRADED',
    },
    {
      name: 'throttling by the cgroup',
      input: { hostHealth: { ...healthy.hostHealth, throttledCount: 1 } },
      check: 'host CPU',
      state: 'DEGRADED',
    },
    {
      name: 'a host that does not tell its steal',
      input: { hostHealth: { ...healthy.hostHealth, stealRatio: Number.NaN } },
      check: 'host CPU',
      state: 'VALID',
      text: 'unknown',
    },
    {
      name: 'gaps between scrapes',
      input: { server: [apiServer([], { scrapeGapCount: 2 })] },
      check: 'scrapes',
      state: 'DEGRADED',
      text: '2 gaps',
    },
    {
      name: 'components that could never be scraped',
      input: { server: [apiServer(undefined, { unreachable: '403 Forbidden' })] },
      check: 'scrapes',
      state: 'VALID',
      text: '403 Forbidden',
    },
    {
      name: "the observer's watch dropped",
      input: pods({ observerGapCount: 1 }),
      check: 'observer',
      state: 'DEGRADED',
    },
    {
      name: 'a wrong clock',
      input: {
        podStartup: [
          podStartup(histogramOf({ us: 9, count: 5 }), {
            serverClockDifferenceMs: { count: 5, minMs: -9_000, medianMs: -8_500, maxMs: -8_000 },
          }),
        ],
      },
      check: 'server clock',
      state: 'DEGRADED',
      text: '8.00 s',
    },
    {
      name: 'late events under a right clock',
      input: {
        podStartup: [
          podStartup(histogramOf({ us: 9, count: 5 }), {
            serverClockDifferenceMs: { count: 5, minMs: -9_000, medianMs: -8_000, maxMs: -400 },
          }),
        ],
      },
      check: 'server clock',
      state: 'VALID',
      text: '400 ms',
    },
  ];

describe('trust verdict', () => {
  it.each(rows)('$name: $check is $state', ({ input, check, state, text }) => {
    const verdict = judgeTrust(trustInput(input));
    const found = verdict.checks.find((one) => one.name === check);
    expect(found?.state).toBe(state);
    if (text !== undefined) expect(found?.text).toContain(text);
    expect(verdict.state).toBe(state);
  });

  it('lets INVALID win over DEGRADED and keeps every reason', () => {
    const agents = [agentHealth({ state: 'lost', maxCpuRatio: 0.99 })];
    const verdict = judgeTrust(trustInput({ agents }));
    expect(verdict.state).toBe('INVALID');
    expect(verdict.checks.filter((check) => check.state !== 'VALID').map((check) => check.name)).toEqual([
      'agents',
      'agent CPU',
    ]);
  });

  it('gives a figure for every rule also when all is well', () => {
    const { checks, state } = judgeTrust(trustInput());
    expect(state).toBe('VALID');
    for (const check of checks) expect(check.text).not.toBe('');
    expect(checks.filter((check) => check.text.startsWith('unknown')).map((check) => check.name)).toEqual([
      'server clock',
    ]);
  });

  it('says what it cannot know without scheduled load', () => {
    const { checks, state } = judgeTrust(
      trustInput({ agents: [], series: [], timeline: [], tightestLimitUs: undefined }),
    );
    expect(state).toBe('VALID');
    expect(checks.find((check) => check.name === 'schedule slip')?.text).toContain('unknown');
  });

  it('notes facts that are no fault', () => {
    const input = trustInput({
      controlPlane: { ...healthy.controlPlane, colocated: true, profile: 'fast' },
      series: [
        callSeries(
          histogramOf({ us: 3_700_000_000, count: 2 }),
          {},
          { inFlightAtEndCount: 3, errors: { timeout: 1 } },
        ),
      ],
      agents: [agentHealth({ slip: histogramOf().distribution() })],
    });
    const notes = judgeTrust(input).notes.join('\n');
    for (const part of [
      'share one host',
      'no fsync',
      'over 1 h',
      '3 calls had not ended',
      '1 calls of the load failed',
    ])
      expect(notes).toContain(part);
  });
});
