import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import {
  findLimiter,
  LIMITER_LIMITS,
  type LimiterName,
  type MeasuredServer,
  type RunResult,
} from '../../../src/result/index.ts';
import {
  agentHealth,
  apiServer,
  callSeries,
  histogramOf,
  runResult,
  timelineWindow,
} from '../../helpers/results.ts';

/** Ten measured seconds of a component that did nothing else. */
function component(name: string, measured: Partial<MeasuredServer> = {}) {
  return apiServer([], {
    component: name,
    name: `${name}-0`,
    measured: { durationMs: 10_000, maxCpuCount: 2, serialSeconds: {}, ...measured },
  });
}
const idle = () =>
  ['kube-apiserver', 'etcd', 'kube-controller-manager', 'kube-scheduler'].map((one) => component(one));
const limiterOf = (rest: Partial<RunResult>) => findLimiter(runResult({ server: idle(), ...rest }));
const FSYNC = 'etcd_disk_wal_fsync_duration_seconds';
const ALGORITHM = 'scheduler_scheduling_algorithm_duration_seconds';

describe('the limiter', () => {
  it('is none where everything had something left', () => {
    expect(limiterOf({})).toMatchObject({ state: 'none', limiters: [] });
  });

  it('is unknown where no component told of the measured phases', () => {
    expect(limiterOf({ server: [] }).state).toBe('unknown');
    expect(limiterOf({ server: [apiServer([])] }).state).toBe('unknown');
  });

  const cases: { why: string; name: LimiterName; text: RegExp; run: Partial<RunResult> }[] = [
    {
      why: '30 calls held for 4 s each in 10 s are 12 at any moment',
      name: 'controller client limit',
      text: /kube-controller-manager-0, .* held 12\.0 calls back at any moment, 4\.00 s a call/,
      run: {
        server: [
          component('kube-controller-manager', { rateLimiterWaitSeconds: 120, rateLimiterWaitCount: 30 }),
        ],
      },
    },
    {
      why: 'the same of the scheduler is its own limit',
      name: 'scheduler client limit',
      text: /held 0\.6 calls back/,
      run: { server: [component('kube-scheduler', { rateLimiterWaitSeconds: 6, rateLimiterWaitCount: 30 })] },
    },
    {
      why: 'requests stood in a queue all the time',
      name: 'Priority & Fairness',
      text: /priority level workload-low, 2\.0 requests queued/,
      run: {
        server: [
          component('kube-apiserver', {
            priorityLevels: [
              { name: 'workload-low', dispatchedCount: 900, rejectedCount: 0, waitSeconds: 20 },
            ],
          }),
        ],
      },
    },
    {
      why: 'a full queue turns away',
      name: 'Priority & Fairness',
      text: /5 of 1,005 rejected/,
      run: {
        server: [
          component('kube-apiserver', {
            priorityLevels: [
              { name: 'workload-low', dispatchedCount: 1_000, rejectedCount: 5, waitSeconds: 0 },
            ],
          }),
        ],
      },
    },
    {
      why: 'the scheduling cycle takes one pod at a time',
      name: 'scheduler',
      text: /80\.0 % of the time finding nodes for pods/,
      run: { server: [component('kube-scheduler', { serialSeconds: { [ALGORITHM]: 8 } })] },
    },
    {
      why: 'one log, one sync at a time',
      name: 'etcd',
      text: /90\.0 % of the time syncing its log/,
      run: { server: [component('etcd', { serialSeconds: { [FSYNC]: 9 } })] },
    },
    {
      why: '18 CPU seconds in 10 s of two processors',
      name: 'API server CPU',
      text: /90\.0 % of 2 CPUs/,
      run: { server: [component('kube-apiserver', { cpuSeconds: 18 })] },
    },
    {
      why: 'a host that all share was busy, and the API server took most of it',
      name: 'API server CPU',
      text: /with 1\.1 CPUs the greatest consumer of a host that was 95\.0 % busy/,
      run: {
        server: [component('kube-apiserver', { cpuSeconds: 11 }), component('etcd', { cpuSeconds: 2 })],
        controlPlane: { ...runResult().controlPlane, colocated: true },
        timeline: [timelineWindow({ gauges: { hostCpuRatio: 0.95, fleetCpuCores: 0.3, loadCpuCores: 0.2 } })],
      },
    },
    {
      why: 'or the fleet did',
      name: 'fleet',
      text: /with 1\.3 CPUs the greatest consumer/,
      run: {
        server: [component('kube-apiserver', { cpuSeconds: 3 })],
        controlPlane: { ...runResult().controlPlane, colocated: true },
        timeline: [timelineWindow({ gauges: { hostCpuRatio: 0.95, fleetCpuCores: 1.3 } })],
      },
    },
    {
      why: 'a fleet on one core for the whole run',
      name: 'fleet',
      text: /fleet-0, 97\.0 % of one core/,
      run: { agents: [agentHealth({ id: 'fleet-0', role: 'fleet', meanCpuRatio: 0.97 })] },
    },
    {
      why: 'arrivals found no place in flight',
      name: 'generator',
      text: /20 of 1,020 arrivals dropped with up to 3 calls in flight/,
      run: {
        series: [
          callSeries(histogramOf({ us: 5_000, count: 1_000 }), {}, { offeredCount: 1_020, droppedCount: 20 }),
        ],
      },
    },
    {
      why: 'calls waited 40 of 50 ms for a connection',
      name: 'generator',
      text: /80\.0 % of their response time waiting for a connection/,
      run: {
        series: [callSeries(histogramOf({ us: 50_000, count: 1_000 }))],
        agents: [agentHealth({ slip: histogramOf({ us: 40_000, count: 1_000 }).distribution() })],
      },
    },
    {
      why: 'a load agent on one core',
      name: 'generator',
      text: /load-0, 91\.0 % of one core/,
      run: { agents: [agentHealth({ maxCpuRatio: 0.91 })] },
    },
  ];
  it.each(cases)('is the $name: $why', ({ name, text, run }) => {
    const found = limiterOf(run);
    expect(found.limiters.map((one) => one.name)).toEqual([name]);
    expect(found.text).toMatch(new RegExp(`^${name}: `));
    expect(found.text).toMatch(text);
  });

  it('is the generator before a queue, and a queue before what was busy', () => {
    const found = limiterOf({
      agents: [agentHealth({ maxCpuRatio: 0.91 })],
      server: [
        component('etcd', { serialSeconds: { [FSYNC]: 9.9 } }),
        component('kube-scheduler', { rateLimiterWaitSeconds: 6 }),
        component('kube-controller-manager', { rateLimiterWaitSeconds: 60 }),
      ],
    });
    expect(found.limiters.map((one) => one.name)).toEqual([
      'generator',
      'controller client limit',
      'scheduler client limit',
      'etcd',
    ]);
  });

  it('of several API servers is said of each by its name', () => {
    const levels = (waitSeconds: number) => ({
      priorityLevels: [{ name: 'catch-all', dispatchedCount: 10, rejectedCount: 0, waitSeconds }],
    });
    const second = { ...component('kube-apiserver', levels(30)), name: 'kube-apiserver-1' };
    const found = limiterOf({ server: [component('kube-apiserver', levels(10)), second] });
    expect(found.limiters.map((one) => one.subject)).toEqual([
      'kube-apiserver-1, priority level catch-all',
      'kube-apiserver-0, priority level catch-all',
    ]);
  });

  it('is no slip of a timer, no busy window outside the measured phases, and no drop of an interrupted run', () => {
    const short = histogramOf({ us: 2_000, count: 1_000 });
    const dropped = { offeredCount: 1_020, droppedCount: 20 };
    for (const run of [
      { series: [callSeries(short)], agents: [agentHealth({ slip: short.distribution() })] },
      {
        controlPlane: { ...runResult().controlPlane, colocated: true },
        timeline: [timelineWindow({ phase: '', gauges: { hostCpuRatio: 1 } }), timelineWindow()],
      },
      { state: 'interrupted' as const, series: [callSeries(short, {}, dropped)] },
    ]) {
      expect(limiterOf(run).state).toBe('none');
    }
  });

  it('stands in docs/measurements.md with its thresholds', () => {
    const text = readFileSync(new URL('../../../docs/measurements.md', import.meta.url), 'utf8');
    const section = text.slice(text.indexOf('## The limiter'), text.indexOf('## The servers'));
    const limits = [...section.matchAll(/^\| .* \| (?:([\d.]+) %|([\d.]+)) \|$/gm)].map(
      ([, percent, plain]) =>
        percent === undefined ? Number(plain) : Number((Number(percent) / 100).toFixed(4)),
    );
    const { droppedRatio, waitInGeneratorRatio, agentCpuRatio, heldCallCount, queuedRequestCount } =
      LIMITER_LIMITS;
    const { rejectedRatio, serialBusyRatio, processCpuRatio, hostCpuRatio } = LIMITER_LIMITS;
    expect(limits).toEqual([
      droppedRatio,
      waitInGeneratorRatio,
      agentCpuRatio,
      heldCallCount,
      queuedRequestCount,
      rejectedRatio,
      serialBusyRatio,
      processCpuRatio,
      agentCpuRatio,
      hostCpuRatio,
    ]);
    expect(section).toContain(`at p99 more than ${LIMITER_LIMITS.waitInGeneratorFloorMs} ms`);
  });
});
