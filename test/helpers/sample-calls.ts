/** The calls of a sample run: traffic by phase, played window by window into series, heat rows and server buckets. */
import type { Random } from '../../src/core/index.ts';
import {
  type CallSeries,
  type CallSource,
  LATENCY_ROWS_US,
  LatencyHistogram,
  type Scope,
  type SeriesKey,
  type ServerSli,
  type TimelineWindow,
  type Verb,
} from '../../src/result/index.ts';

export type SampleVariant =
  | 'quickstart'
  | 'slo-failure'
  | 'degraded'
  | 'invalid'
  | 'interrupted'
  | 'no-data'
  | 'watch-fan-out'
  | 'nodes-5000';

export const SAMPLE_VARIANTS: readonly SampleVariant[] = [
  'quickstart',
  'slo-failure',
  'degraded',
  'invalid',
  'interrupted',
  'no-data',
  'watch-fan-out',
  'nodes-5000',
];

export interface CallTraffic {
  source: CallSource;
  verb: Verb;
  resource: string;
  subresource?: string;
  scope: Scope;
  variant?: string;
  ratePerSecond: number;
  medianUs: number;
  /** Log-normal spread. */
  sigma: number;
  bodyBytes: number;
}

export interface SamplePhase {
  name: string;
  measured: boolean;
  startMs: number;
  endMs: number;
  traffic: CallTraffic[];
}

const WINDOW_MS = 5_000;
const SLI_EDGES_SECONDS = [
  0.05, 0.1, 0.2, 0.4, 0.6, 0.8, 1, 1.25, 1.5, 2, 3, 4, 5, 6, 8, 10, 15, 20, 30, 45, 60,
];

/** The phases of the quickstart suite with what each of its callers does. */
export function samplePhases(variant: SampleVariant, nodeCount: number): SamplePhase[] {
  if (variant === 'no-data') return [];
  const slow = variant === 'slo-failure' ? 9 : variant === 'nodes-5000' ? 2.2 : 1;
  const call = (
    source: CallSource,
    verb: Verb,
    resource: string,
    scope: Scope,
    ratePerSecond: number,
    medianUs: number,
    more: Partial<CallTraffic> = {},
  ): CallTraffic => ({
    source,
    verb,
    resource,
    scope,
    ratePerSecond,
    medianUs,
    sigma: 0.45,
    bodyBytes: 1_800,
    ...more,
  });
  const heartbeat = [
    call('kubelet', 'update', 'leases.coordination.k8s.io', 'resource', nodeCount / 10, 2_600, {
      bodyBytes: 620,
    }),
    call('kubelet', 'get', 'nodes', 'resource', nodeCount / 50, 2_100, {
      variant: 'cached',
      bodyBytes: 14_800,
    }),
    call('kubelet', 'patch', 'nodes', 'resource', nodeCount / 300, 5_900, {
      subresource: 'status',
      bodyBytes: 14_900,
    }),
  ];
  const kubeletPods = (podsPerSecond: number) => [
    call('kubelet', 'get', 'pods', 'resource', podsPerSecond * 3, 2_000, { bodyBytes: 3_100 }),
    call('kubelet', 'patch', 'pods', 'resource', podsPerSecond * 3, 5_200, {
      subresource: 'status',
      bodyBytes: 3_400,
    }),
    call('kubelet', 'create', 'serviceaccounts', 'resource', podsPerSecond, 4_100, {
      subresource: 'token',
      bodyBytes: 1_500,
    }),
  ];
  const saturate: SamplePhase = {
    name: 'saturate',
    measured: true,
    startMs: 8_000,
    endMs: 60_000,
    traffic: [call('load', 'create', 'pods', 'resource', 20, 6_100 * slow), ...kubeletPods(20), ...heartbeat],
  };
  const churn: SamplePhase = {
    name: 'churn',
    measured: true,
    startMs: 62_000,
    endMs: variant === 'interrupted' ? 94_000 : 122_000,
    traffic: [
      call('load', 'create', 'pods', 'resource', 10, 6_400 * slow, {
        sigma: variant === 'slo-failure' ? 1.6 : 0.5,
      }),
      call('load', 'delete', 'pods', 'resource', 10, 5_800 * slow),
      call('load', 'get', 'pods', 'resource', 24, 2_300),
      call('load', 'list', 'pods', 'namespace', 10, 9_800 * slow, { variant: 'cached', bodyBytes: 812_000 }),
      call('load', 'list', 'nodes', 'cluster', 6, 21_000 * slow, {
        variant: 'consistent',
        bodyBytes: 14_800 * nodeCount,
        sigma: 0.6,
      }),
      ...kubeletPods(10),
      ...heartbeat,
      call('kube-proxy', 'list', 'services', 'cluster', 0.1, 3_900, { bodyBytes: 42_000 }),
    ],
  };
  return [
    {
      name: 'warm-up',
      measured: false,
      startMs: 3_000,
      endMs: 8_000,
      traffic: [call('load', 'create', 'pods', 'resource', 5, 11_000), ...heartbeat],
    },
    saturate,
    churn,
  ];
}

/** Plays the traffic window by window, so that series, heat rows and server-side buckets hold the same samples. */
export class SampleRecorder {
  readonly #variant: SampleVariant;
  readonly #nodeCount: number;
  readonly #phases: readonly SamplePhase[];
  readonly #random: Random;

  constructor(variant: SampleVariant, nodeCount: number, phases: readonly SamplePhase[], random: Random) {
    this.#variant = variant;
    this.#nodeCount = nodeCount;
    this.#phases = phases;
    this.#random = random;
  }

  run(): { series: CallSeries[]; timeline: TimelineWindow[]; sli: ServerSli[] } {
    const series: CallSeries[] = [];
    const timeline: TimelineWindow[] = [];
    const sli = new Map<string, ServerSli>();
    let podCount = 0;
    for (const phase of this.#phases) {
      const open = phase.traffic.map((call) => ({
        call,
        response: new LatencyHistogram(),
        service: new LatencyHistogram(),
        doneCount: 0,
        failedCount: 0,
        droppedCount: 0,
        carry: 0,
      }));
      for (let startMs = phase.startMs; startMs < phase.endMs; startMs += WINDOW_MS) {
        const windowEndMs = Math.min(phase.endMs, startMs + WINDOW_MS);
        const heat = LATENCY_ROWS_US.map(() => 0);
        const load: number[] = [];
        let offeredCount = 0;
        let droppedCount = 0;
        let failedCount = 0;
        const slipRandom = this.#random.fork(`slip/${startMs}`);
        for (const entry of open) {
          const exact = (entry.call.ratePerSecond * (windowEndMs - startMs)) / 1_000 + entry.carry;
          const count = Math.floor(exact);
          entry.carry = exact - count;
          for (let i = 0; i < count; i++) {
            const isLoad = entry.call.source === 'load';
            if (isLoad) offeredCount++;
            if (isLoad && this.#variant === 'invalid' && this.#random.next() < 0.07) {
              droppedCount++;
              entry.droppedCount++;
              continue;
            }
            const serviceUs = this.#latencyUs(entry.call, startMs);
            const slipUs = isLoad
              ? Math.round(slipRandom.exponential(this.#variant === 'invalid' ? 24_000 : 600))
              : 0;
            const responseUs = serviceUs + slipUs;
            entry.response.record(responseUs);
            entry.service.record(serviceUs);
            entry.doneCount++;
            if (isLoad && entry.call.verb === 'create' && this.#random.next() < 0.0015) {
              entry.doneCount--;
              entry.failedCount++;
              failedCount++;
            }
            addToSli(sli, entry.call, serviceUs * 0.92);
            if (isLoad) {
              load.push(responseUs);
              const row = LATENCY_ROWS_US.findIndex((edgeUs) => responseUs <= edgeUs);
              const at = row === -1 ? LATENCY_ROWS_US.length - 1 : row;
              heat[at] = (heat[at] ?? 0) + 1;
            }
            if (isLoad && entry.call.verb === 'create') podCount++;
            if (isLoad && entry.call.verb === 'delete') podCount--;
          }
        }
        load.sort((a, b) => a - b);
        const at = (q: number) => load[Math.min(load.length - 1, Math.ceil(q * load.length) - 1)] ?? 0;
        const ramp = Math.min(1, (startMs + 4_000) / 12_000);
        timeline.push({
          startMs,
          endMs: windowEndMs,
          phase: phase.name,
          offeredCount,
          achievedCount: load.length,
          droppedCount,
          failedCount,
          ...(load.length === 0 ? {} : { p50Us: at(0.5), p99Us: at(0.99), maxUs: at(1) }),
          slipP99Us: Math.round(this.#random.uniform(1_600, 3_800) * (this.#variant === 'invalid' ? 40 : 1)),
          loopLagP99Us: Math.round(
            this.#random.uniform(900, 2_400) * (this.#variant === 'degraded' ? 14 : 1),
          ),
          heat,
          gauges: {
            nodesReady: Math.round(this.#nodeCount * ramp),
            podsPending: Math.round(this.#random.uniform(4, 34)),
            podsRunning: Math.max(0, podCount - 12),
            inFlight: Math.round(this.#random.uniform(1, 9)),
            apiserverCpuCores: this.#random.uniform(0.7, 1.4) * (this.#nodeCount > 1_000 ? 4 : 1),
            apiserverRssBytes: (610 + startMs / 900) * 1024 * 1024 * (this.#nodeCount > 1_000 ? 9 : 1),
            etcdCpuCores: this.#random.uniform(0.15, 0.3),
            etcdRssBytes: (140 + startMs / 2_000) * 1024 * 1024,
            fleetCpuCores: this.#random.uniform(0.2, 0.4),
            fleetRssBytes: (180 + this.#nodeCount * 0.12) * 1024 * 1024,
            loadCpuCores: this.#random.uniform(0.08, 0.16),
          },
        });
      }
      for (const entry of open) series.push(this.#series(entry, phase.name));
    }
    return { series, timeline, sli: [...sli.values()] };
  }

  #latencyUs(call: CallTraffic, startMs: number): number {
    // A compaction-like pause every 30 s slows one call in twelve, so that charts have something to show.
    const paused = startMs % 30_000 < WINDOW_MS && this.#random.next() < 0.08 ? 6 : 1;
    const us = call.medianUs * Math.exp(this.#random.normal() * call.sigma) * paused;
    return Math.max(300, Math.round(us));
  }

  #series(
    entry: {
      call: CallTraffic;
      response: LatencyHistogram;
      service: LatencyHistogram;
      doneCount: number;
      failedCount: number;
      droppedCount: number;
    },
    phase: string,
  ): CallSeries {
    const { call } = entry;
    const key: SeriesKey = {
      source: call.source,
      verb: call.verb,
      resource: call.resource,
      subresource: call.subresource ?? '',
      scope: call.scope,
      variant: call.variant ?? '',
      phase,
    };
    return {
      key,
      offeredCount: entry.doneCount + entry.failedCount + entry.droppedCount,
      doneCount: entry.doneCount,
      failedCount: entry.failedCount,
      droppedCount: entry.droppedCount,
      inFlightAtEndCount: 0,
      errors: entry.failedCount === 0 ? {} : { 'http-429': entry.failedCount },
      receivedBytes: (entry.doneCount + entry.failedCount) * call.bodyBytes,
      sentBytes: (entry.doneCount + entry.failedCount) * 640,
      response: entry.response.distribution(),
      service: entry.service.distribution(),
    };
  }
}

const METRIC_VERB: Partial<Record<Verb, string>> = {
  get: 'GET',
  list: 'LIST',
  create: 'POST',
  update: 'PUT',
  patch: 'PATCH',
  delete: 'DELETE',
};

function addToSli(all: Map<string, ServerSli>, call: CallTraffic, us: number): void {
  const [resource = '', ...group] = call.resource.split('.');
  const id = [call.verb, call.resource, call.subresource ?? '', call.scope].join('|');
  let sli = all.get(id);
  if (sli === undefined) {
    sli = {
      verb: METRIC_VERB[call.verb] ?? call.verb,
      resource,
      group: group.join('.'),
      subresource: call.subresource ?? '',
      scope: call.scope,
      count: 0,
      sumSeconds: 0,
      buckets: [
        ...SLI_EDGES_SECONDS.map((leSeconds) => ({ leSeconds, count: 0 })),
        { leSeconds: null, count: 0 },
      ],
    };
    all.set(id, sli);
  }
  sli.count++;
  sli.sumSeconds += us / 1e6;
  for (const bucket of sli.buckets) {
    if (bucket.leSeconds === null || us / 1e6 <= bucket.leSeconds) bucket.count++;
  }
}
