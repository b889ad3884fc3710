/**
 * What limited a run: which part had nothing left to give while the measured phases ran, told from its own evidence.
 * A throughput without its limiter invites wrong conclusions: the controller manager's default of 20 calls a second
 * is often taken for the API server's limit.
 *
 * Order of the answer: the generator first, because what it holds back never reaches the cluster; then queues, where
 * requests were seen to wait for a limit; then whatever was busy. Within each by figure over limit. Evidence is of the
 * measured phases; a limiter that worked for a small part of them is diluted and may go unnamed.
 */
import { formatRatio, formatUs } from '../core/index.ts';
import type { MeasuredServer } from './measured-server.ts';
import { formatCount } from './quantiles.ts';
import type { RunResult, ServerComponent } from './run-result.ts';

/** From which figure on each part is named. docs/measurements.md lists the same; a test keeps the two equal. */
export const LIMITER_LIMITS = {
  /** Arrivals dropped, of those offered. */
  droppedRatio: 0.001,
  /** Time that calls waited inside the generator, of their response times. */
  waitInGeneratorRatio: 0.5,
  /** Waiting inside the generator below this, at p99, is no limit: milliseconds. */
  waitInGeneratorFloorMs: 20,
  /** CPU of one core, of the load's or the fleet's agents. */
  agentCpuRatio: 0.85,
  /** Calls held back by a client's own rate limiter at any moment, mean. */
  heldCallCount: 0.5,
  /** Requests queued in one priority level at any moment, mean. */
  queuedRequestCount: 0.5,
  /** Requests that one priority level turned away, of those it was given. */
  rejectedRatio: 0.001,
  /** Time in which serial work was in progress. */
  serialBusyRatio: 0.7,
  /** CPU of a process, of the processors it may use. */
  processCpuRatio: 0.85,
  /** Busy share of the whole host, mean; its greatest consumer is then named. */
  hostCpuRatio: 0.9,
} as const;

export type LimiterName =
  | 'generator'
  | 'controller client limit'
  | 'scheduler client limit'
  | 'Priority & Fairness'
  | 'scheduler'
  | 'etcd'
  | 'API server CPU'
  | 'controller manager CPU'
  | 'fleet';

/** One part that had nothing left. */
export interface Limiter {
  name: LimiterName;
  /** What it is said of: `kube-scheduler-0`, `load`. */
  subject: string;
  /** Figure and limit, both in the text too. */
  value: number;
  limit: number;
  /** One clause with the figure: `its client rate limiter held 12.4 calls back at any moment (named from 0.5)`. */
  text: string;
}

export interface LimiterFinding {
  /** `unknown`: the server side told nothing of the measured phases, and the generator shows nothing. */
  state: 'named' | 'none' | 'unknown';
  /** The limiter first, then whatever else had nothing left. */
  limiters: Limiter[];
  /** One sentence. */
  text: string;
}

export type LimiterInput = Pick<
  RunResult,
  'state' | 'phases' | 'series' | 'agents' | 'server' | 'timeline' | 'controlPlane'
>;

/** What limited the run. */
export function findLimiter(input: LimiterInput): LimiterFinding {
  const measured = input.server.flatMap((component) =>
    component.measured === undefined || component.measured.durationMs <= 0
      ? []
      : [{ component, measured: component.measured }],
  );
  const limiters = [
    ...strongestFirst(generatorLimits(input)),
    ...strongestFirst(measured.flatMap((one) => [...clientLimits(one), ...priorityLevels(one)])),
    ...strongestFirst([
      ...measured.flatMap((one) => [...serialWork(one), ...processCpu(one)]),
      ...fleetCpu(input),
      ...hostCpu(input, measured),
    ]),
  ].filter((one, index, all) => all.findIndex((other) => sameThing(one, other)) === index);
  const [first] = limiters;
  if (first !== undefined)
    return { state: 'named', limiters, text: `${first.name}: ${first.subject}, ${first.text}` };
  if (measured.length === 0) {
    return { state: 'unknown', limiters, text: 'unknown: no component told of the measured phases' };
  }
  return {
    state: 'none',
    limiters,
    text: 'nothing stood out: the schedule of the load set the pace',
  };
}

interface Evidence {
  component: ServerComponent;
  measured: MeasuredServer;
}

function generatorLimits({ state, series, agents }: LimiterInput): Limiter[] {
  const limiters: Limiter[] = [];
  const load = series.filter(({ key }) => key.source === 'load');
  const offeredCount = sum(load, (one) => one.offeredCount);
  const droppedCount = sum(load, (one) => one.droppedCount);
  const droppedRatio = offeredCount > 0 ? droppedCount / offeredCount : 0;
  // An interrupted run drops what it no longer starts, which limits nothing.
  if (state === 'completed' && droppedRatio > LIMITER_LIMITS.droppedRatio) {
    const inFlight = Math.max(0, ...agents.map((agent) => agent.maxInFlightCount));
    limiters.push({
      name: 'generator',
      subject: 'load',
      value: droppedRatio,
      limit: LIMITER_LIMITS.droppedRatio,
      text: `${formatCount(droppedCount)} of ${formatCount(offeredCount)} arrivals dropped with up to ${formatCount(inFlight)} calls in flight (named from ${formatRatio(LIMITER_LIMITS.droppedRatio)})`,
    });
  }
  const slips = agents.filter((agent) => agent.slip.summary.count > 0).map((agent) => agent.slip.summary);
  const waitedUs = sum(slips, ({ count, meanUs }) => count * meanUs);
  const responseUs = sum(load, ({ response }) => response.summary.count * response.summary.meanUs);
  const waitRatio = responseUs > 0 ? Math.min(1, waitedUs / responseUs) : 0;
  const p99Us = Math.max(0, ...slips.map((slip) => slip.p99Us));
  if (
    waitRatio > LIMITER_LIMITS.waitInGeneratorRatio &&
    p99Us > LIMITER_LIMITS.waitInGeneratorFloorMs * 1_000
  ) {
    limiters.push({
      name: 'generator',
      subject: 'load',
      value: waitRatio,
      limit: LIMITER_LIMITS.waitInGeneratorRatio,
      text: `calls spent ${formatRatio(waitRatio)} of their response time waiting for a connection or the pacer, ${formatUs(p99Us)} at p99 (named from ${formatRatio(LIMITER_LIMITS.waitInGeneratorRatio)})`,
    });
  }
  for (const agent of agents.filter(({ role }) => role === 'load')) {
    if (agent.maxCpuRatio <= LIMITER_LIMITS.agentCpuRatio) continue;
    limiters.push(
      cpuLimiter('generator', agent.id, agent.maxCpuRatio, LIMITER_LIMITS.agentCpuRatio, 'of one core'),
    );
  }
  return limiters;
}

function clientLimits({ component, measured }: Evidence): Limiter[] {
  const name: LimiterName | undefined =
    component.component === 'kube-scheduler'
      ? 'scheduler client limit'
      : component.component === 'kube-controller-manager'
        ? 'controller client limit'
        : undefined;
  const held = perMoment(measured.rateLimiterWaitSeconds ?? 0, measured);
  if (name === undefined || held <= LIMITER_LIMITS.heldCallCount) return [];
  const count = measured.rateLimiterWaitCount ?? 0;
  const mean = count === 0 ? 0 : ((measured.rateLimiterWaitSeconds ?? 0) / count) * 1e6;
  return [
    {
      name,
      subject: component.name,
      value: held,
      limit: LIMITER_LIMITS.heldCallCount,
      text: `its own client rate limit held ${held.toFixed(1)} calls back at any moment, ${formatUs(mean)} a call (named from ${LIMITER_LIMITS.heldCallCount})`,
    },
  ];
}

function priorityLevels({ component, measured }: Evidence): Limiter[] {
  return (measured.priorityLevels ?? []).flatMap((level) => {
    const queued = perMoment(level.waitSeconds, measured);
    const givenCount = level.dispatchedCount + level.rejectedCount;
    const rejectedRatio = givenCount > 0 ? level.rejectedCount / givenCount : 0;
    const overQueue = queued / LIMITER_LIMITS.queuedRequestCount;
    const overReject = rejectedRatio / LIMITER_LIMITS.rejectedRatio;
    if (overQueue <= 1 && overReject <= 1) return [];
    const byQueue = overQueue >= overReject;
    return [
      {
        name: 'Priority & Fairness' as const,
        subject: `${component.name}, priority level ${level.name}`,
        value: byQueue ? queued : rejectedRatio,
        limit: byQueue ? LIMITER_LIMITS.queuedRequestCount : LIMITER_LIMITS.rejectedRatio,
        text: `${queued.toFixed(1)} requests queued at any moment (named from ${LIMITER_LIMITS.queuedRequestCount}), ${formatCount(level.rejectedCount)} of ${formatCount(givenCount)} rejected (named from ${formatRatio(LIMITER_LIMITS.rejectedRatio)})`,
      },
    ];
  });
}

/** Work that a component does one at a time, and what being busy with it all the time means. */
const SERIAL_WORK: Readonly<Record<string, { name: LimiterName; what: string }>> = {
  scheduler_scheduling_algorithm_duration_seconds: { name: 'scheduler', what: 'finding nodes for pods' },
  etcd_disk_wal_fsync_duration_seconds: { name: 'etcd', what: 'syncing its log to disk' },
  etcd_disk_backend_commit_duration_seconds: { name: 'etcd', what: 'committing its database' },
};

/** Metrics that count serial work. */
export const SERIAL_METRICS: readonly string[] = Object.keys(SERIAL_WORK);

function serialWork({ component, measured }: Evidence): Limiter[] {
  return Object.entries(measured.serialSeconds).flatMap(([metric, seconds]) => {
    const work = SERIAL_WORK[metric];
    const busyRatio = perMoment(seconds, measured);
    if (work === undefined || busyRatio <= LIMITER_LIMITS.serialBusyRatio) return [];
    return [
      {
        name: work.name,
        subject: component.name,
        value: busyRatio,
        limit: LIMITER_LIMITS.serialBusyRatio,
        text: `${formatRatio(busyRatio)} of the time ${work.what} (named from ${formatRatio(LIMITER_LIMITS.serialBusyRatio)})`,
      },
    ];
  });
}

const CPU_NAME: Readonly<Record<string, LimiterName>> = {
  'kube-apiserver': 'API server CPU',
  etcd: 'etcd',
  'kube-scheduler': 'scheduler',
  'kube-controller-manager': 'controller manager CPU',
};

function processCpu({ component, measured }: Evidence): Limiter[] {
  const name = CPU_NAME[component.component];
  const { cpuSeconds, maxCpuCount } = measured;
  if (name === undefined || cpuSeconds === undefined || maxCpuCount === undefined) return [];
  const cpuRatio = perMoment(cpuSeconds, measured) / maxCpuCount;
  if (cpuRatio <= LIMITER_LIMITS.processCpuRatio) return [];
  return [
    cpuLimiter(name, component.name, cpuRatio, LIMITER_LIMITS.processCpuRatio, `of ${maxCpuCount} CPUs`),
  ];
}

function fleetCpu({ agents }: LimiterInput): Limiter[] {
  return agents
    .filter(({ role, meanCpuRatio }) => role === 'fleet' && meanCpuRatio > LIMITER_LIMITS.agentCpuRatio)
    .map(({ id, meanCpuRatio }) =>
      cpuLimiter('fleet', id, meanCpuRatio, LIMITER_LIMITS.agentCpuRatio, 'of one core'),
    );
}

/** On one host a process may be short of CPU far below its own limit: the greatest consumer is then the limiter. */
function hostCpu(input: LimiterInput, evidence: readonly Evidence[]): Limiter[] {
  if (!input.controlPlane.colocated) return [];
  const phases = new Set(input.phases.filter((phase) => phase.measured).map((phase) => phase.name));
  const gauges = input.timeline.filter((window) => phases.has(window.phase)).map((window) => window.gauges);
  const busyRatio = mean(gauges.flatMap(({ hostCpuRatio }) => hostCpuRatio ?? []));
  if (busyRatio <= LIMITER_LIMITS.hostCpuRatio) return [];
  const consumers: { name: LimiterName; subject: string; cores: number }[] = [
    ...evidence.flatMap(({ component, measured }) => {
      const name = CPU_NAME[component.component];
      const cores = perMoment(measured.cpuSeconds ?? 0, measured);
      return name === undefined ? [] : [{ name, subject: component.name, cores }];
    }),
    { name: 'fleet', subject: 'fleet', cores: mean(gauges.flatMap((one) => one.fleetCpuCores ?? [])) },
    { name: 'generator', subject: 'load', cores: mean(gauges.flatMap((one) => one.loadCpuCores ?? [])) },
  ];
  const [greatest] = consumers.sort((a, b) => b.cores - a.cores);
  if (greatest === undefined) return [];
  return [
    {
      name: greatest.name,
      subject: greatest.subject,
      value: busyRatio,
      limit: LIMITER_LIMITS.hostCpuRatio,
      text: `with ${greatest.cores.toFixed(1)} CPUs the greatest consumer of a host that was ${formatRatio(busyRatio)} busy (named from ${formatRatio(LIMITER_LIMITS.hostCpuRatio)})`,
    },
  ];
}

function cpuLimiter(
  name: LimiterName,
  subject: string,
  value: number,
  limit: number,
  whole: string,
): Limiter {
  return {
    name,
    subject,
    value,
    limit,
    text: `${formatRatio(value)} ${whole} used (named from ${formatRatio(limit)})`,
  };
}

/** A sum of durations as how many went on at any moment, mean. */
function perMoment(seconds: number, measured: MeasuredServer): number {
  return (seconds * 1_000) / measured.durationMs;
}

function sameThing(a: Limiter, b: Limiter): boolean {
  return a.name === b.name && a.subject === b.subject;
}

function strongestFirst(limiters: Limiter[]): Limiter[] {
  return limiters.sort((a, b) => b.value / b.limit - a.value / a.limit);
}

function sum<T>(items: readonly T[], figure: (item: T) => number): number {
  return items.reduce((total, item) => total + figure(item), 0);
}

function mean(values: readonly number[]): number {
  return values.length === 0 ? 0 : sum(values, (value) => value) / values.length;
}
