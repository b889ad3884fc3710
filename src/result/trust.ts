/**
 * The trust verdict: whether a run's own figures can be believed, whatever they say about the cluster. INVALID: the
 * harness, not the cluster, made the numbers, or some of them are missing. DEGRADED: believable, but the harness was
 * near its limits. Every rule gives its figure and its limit also when it is kept; a rule whose figure is unknown
 * says so and counts as kept, except where the missing figure is itself the fault.
 */
import { formatMs, formatRatio, formatUs } from '../core/index.ts';
import { LatencyHistogram } from './histogram.ts';
import { formatCount } from './quantiles.ts';
import type { RunResult, TrustCheck, TrustState, TrustVerdict } from './run-result.ts';

/** Limits of every rule. Ratios are 0..1. docs/measurements.md lists the same; a test keeps the two equal. */
export const TRUST_LIMITS = {
  /** INVALID: schedule slip p99, as a share of the tightest SLO limit judged. */
  slipOfSloLimitRatio: 0.05,
  /** INVALID: arrivals that went out in time, of those offered, in any window. */
  startedRatio: 0.99,
  /** INVALID: dropped arrivals, of those offered. */
  droppedRatio: 0.001,
  /** INVALID: lease lateness that the fleet itself caused, longest. */
  leaseSlipMs: 10_000,
  /** INVALID: silence of an agent, in reporting periods. */
  reportGapPeriodCount: 3,
  /** DEGRADED: schedule slip p99, as a share of the load's p99 response time. */
  slipOfMeasuredRatio: 0.1,
  /** Slip below this never degrades: two grains of the 1 ms timer. */
  slipFloorMs: 2,
  /** DEGRADED: event-loop lag p99. */
  loopLagMs: 20,
  /** DEGRADED: time in garbage collection. */
  gcRatio: 0.05,
  /** DEGRADED: longest single garbage collection. */
  gcPauseMs: 100,
  /** DEGRADED: CPU of one core: busiest window of a load agent or the observer, mean of a fleet agent. */
  cpuRatio: 0.85,
  /** DEGRADED: CPU time stolen by the hypervisor. */
  stealRatio: 0.02,
  /** DEGRADED: server stamps against own clock, median. */
  clockDifferenceMs: 2_000,
} as const;

export interface TrustInput
  extends Pick<
    RunResult,
    | 'state'
    | 'reason'
    | 'phases'
    | 'series'
    | 'podStartup'
    | 'watches'
    | 'fleet'
    | 'timeline'
    | 'server'
    | 'agents'
    | 'hostHealth'
    | 'controlPlane'
  > {
  /** From tightestLimitUs(); undefined where nothing is judged. */
  tightestLimitUs?: number | undefined;
  /** Time between two reports of an agent. */
  reportPeriodMs: number;
  /** From PodTimelines.audit(). */
  pods: PodAudit;
}

/** What is missing from the pods' timelines. */
export interface PodAudit {
  /** Pods whose creation was acknowledged. */
  createdCount: number;
  /** Of these, pods that the observer was never told of though they lived long enough. */
  missingCount: number;
  /** Instants that were lost on the way to the coordinator. */
  lostInstantCount: number;
  /** Times that the observer's watch broke or had to start over and may have delayed or merged instants. */
  observerGapCount: number;
}

/** The trust verdict; INVALID wins over DEGRADED wins over VALID. */
export function judgeTrust(input: TrustInput): TrustVerdict {
  const checks = [
    completionCheck(input),
    agentsCheck(input),
    reportGapCheck(input),
    slipCheck(input),
    startedCheck(input),
    droppedCheck(input),
    missingPodsCheck(input),
    fleetReadyCheck(input),
    leaseCheck(input),
    slipShareCheck(input),
    loopLagCheck(input),
    gcCheck(input),
    cpuCheck(input),
    stealCheck(input),
    scrapeCheck(input),
    observerCheck(input),
    clockCheck(input),
  ];
  const state = (['INVALID', 'DEGRADED'] as const).find((one) => checks.some((check) => check.state === one));
  return { state: state ?? 'VALID', checks, notes: trustNotes(input) };
}

function completionCheck({ state, reason }: TrustInput): TrustCheck {
  if (state === 'completed') return { name: 'completion', state: 'VALID', text: 'the run completed' };
  return {
    name: 'completion',
    state: 'INVALID',
    text: `the run was ${state}: ${reason ?? 'reason unknown'}`,
  };
}

function agentsCheck({ agents }: TrustInput): TrustCheck {
  const bad = agents.filter((agent) => agent.state !== 'completed');
  const text =
    bad.length === 0
      ? `all ${agents.length} agents completed`
      : bad.map((agent) => `${agent.id} ${agent.state}: ${agent.reason ?? 'reason unknown'}`).join('; ');
  return { name: 'agents', state: bad.length === 0 ? 'VALID' : 'INVALID', text, value: bad.length, limit: 0 };
}

function reportGapCheck({ agents, reportPeriodMs }: TrustInput): TrustCheck {
  const limitMs = reportPeriodMs * TRUST_LIMITS.reportGapPeriodCount;
  const worst = maxBy(agents, (agent) => agent.maxReportGapMs);
  const valueMs = worst?.maxReportGapMs;
  return ceilingCheck('agent silence', 'INVALID', valueMs, limitMs, formatMs, worst?.id);
}

function slipCheck({ agents, tightestLimitUs }: TrustInput): TrustCheck {
  const slip = mergedSlip(agents);
  if (slip.count === 0 || tightestLimitUs === undefined)
    return unknownCheck('schedule slip', 'no scheduled load');
  const limitUs = tightestLimitUs * TRUST_LIMITS.slipOfSloLimitRatio;
  return ceilingCheck('schedule slip', 'INVALID', slip.percentile(0.99), limitUs, formatUs, 'p99');
}

function startedCheck({ timeline }: TrustInput): TrustCheck {
  const windows = timeline.filter((window) => window.offeredCount > 0);
  const share = (window: (typeof windows)[number]) =>
    (window.startedCount ?? window.achievedCount) / window.offeredCount;
  const worst = maxBy(windows, (window) => -share(window));
  if (worst === undefined) return unknownCheck('achieved rate', 'no scheduled load');
  const value = share(worst);
  const limit = TRUST_LIMITS.startedRatio;
  const at = formatMs(worst.startMs);
  return {
    name: 'achieved rate',
    state: value < limit ? 'INVALID' : 'VALID',
    text: `worst window ${formatRatio(value)} of ${formatCount(worst.offeredCount)} offered (at ${at}), at least ${formatRatio(limit)}`,
    value,
    limit,
  };
}

function droppedCheck({ series }: TrustInput): TrustCheck {
  const load = series.filter(({ key }) => key.source === 'load');
  const offered = load.reduce((sum, one) => sum + one.offeredCount, 0);
  const dropped = load.reduce((sum, one) => sum + one.droppedCount, 0);
  if (offered === 0) return unknownCheck('dropped arrivals', 'no scheduled load');
  const detail = `${formatCount(dropped)} of ${formatCount(offered)}`;
  return ceilingCheck(
    'dropped arrivals',
    'INVALID',
    dropped / offered,
    TRUST_LIMITS.droppedRatio,
    formatRatio,
    detail,
  );
}

function missingPodsCheck({ pods }: TrustInput): TrustCheck {
  const value = pods.missingCount + pods.lostInstantCount;
  const lost = pods.lostInstantCount > 0 ? `, ${formatCount(pods.lostInstantCount)} instants lost` : '';
  const text = `${formatCount(pods.missingCount)} of ${formatCount(pods.createdCount)} created pods never seen by the observer${lost}`;
  return { name: 'missing pods', state: value > 0 ? 'INVALID' : 'VALID', text, value, limit: 0 };
}

function fleetReadyCheck({ fleet }: TrustInput): TrustCheck {
  const unready = fleet.nodeCount - fleet.readyCount;
  const state: TrustState = unready > 0 ? 'INVALID' : fleet.lostCount > 0 ? 'DEGRADED' : 'VALID';
  const lost = fleet.lostCount > 0 ? `, ${formatCount(fleet.lostCount)} lost on the way` : '';
  const text = `${formatCount(fleet.readyCount)} of ${formatCount(fleet.nodeCount)} nodes became Ready${lost}`;
  return { name: 'fleet', state, text, value: unready + fleet.lostCount, limit: 0 };
}

function leaseCheck({ fleet }: TrustInput): TrustCheck {
  const { count, maxUs } = fleet.leaseSlip.summary;
  if (count === 0) return unknownCheck('lease slip', 'no leases renewed by this harness');
  return ceilingCheck('lease slip', 'INVALID', maxUs / 1_000, TRUST_LIMITS.leaseSlipMs, formatMs, 'longest');
}

function slipShareCheck({ agents, series }: TrustInput): TrustCheck {
  const slip = mergedSlip(agents);
  const response = LatencyHistogram.merged(
    series
      .filter(({ key }) => key.source === 'load')
      .map((one) => LatencyHistogram.fromDistribution(one.response)),
  );
  if (slip.count === 0 || response.count === 0) return unknownCheck('slip in latency', 'no scheduled load');
  const limitUs = Math.max(
    response.percentile(0.99) * TRUST_LIMITS.slipOfMeasuredRatio,
    TRUST_LIMITS.slipFloorMs * 1_000,
  );
  const detail = `p99, against a measured p99 of ${formatUs(response.percentile(0.99))}`;
  return ceilingCheck('slip in latency', 'DEGRADED', slip.percentile(0.99), limitUs, formatUs, detail);
}

function loopLagCheck({ agents }: TrustInput): TrustCheck {
  const sampled = agents.filter((agent) => agent.loopLag.summary.count > 0);
  const worst = maxBy(sampled, (agent) => agent.loopLag.summary.p99Us);
  const valueMs = worst === undefined ? undefined : worst.loopLag.summary.p99Us / 1_000;
  const detail =
    worst === undefined ? undefined : `p99 of ${worst.id}, max ${formatUs(worst.loopLag.summary.maxUs)}`;
  return ceilingCheck('event-loop lag', 'DEGRADED', valueMs, TRUST_LIMITS.loopLagMs, formatMs, detail);
}

function gcCheck({ agents }: TrustInput): TrustCheck {
  const worst = maxBy(agents, (agent) => agent.gcRatio);
  const longest = maxBy(agents, (agent) => agent.maxGcPauseMs);
  if (worst === undefined || longest === undefined) return unknownCheck('garbage collection', 'no agent');
  const over = worst.gcRatio > TRUST_LIMITS.gcRatio || longest.maxGcPauseMs > TRUST_LIMITS.gcPauseMs;
  const text =
    `${formatRatio(worst.gcRatio)} of time (${worst.id}), limit ${formatRatio(TRUST_LIMITS.gcRatio)}; ` +
    `longest ${formatMs(longest.maxGcPauseMs)} (${longest.id}), limit ${formatMs(TRUST_LIMITS.gcPauseMs)}`;
  return {
    name: 'garbage collection',
    state: over ? 'DEGRADED' : 'VALID',
    text,
    value: worst.gcRatio,
    limit: TRUST_LIMITS.gcRatio,
  };
}

function cpuCheck({ agents }: TrustInput): TrustCheck {
  // A fleet may use a whole core while its nodes register; what that does to leases is judged by lease slip.
  const ratioOf = (agent: (typeof agents)[number]) =>
    agent.role === 'fleet' ? agent.meanCpuRatio : agent.maxCpuRatio;
  const worst = maxBy(agents, ratioOf);
  const value = worst === undefined ? undefined : ratioOf(worst);
  return ceilingCheck('agent CPU', 'DEGRADED', value, TRUST_LIMITS.cpuRatio, formatRatio, worst?.id);
}

function stealCheck({ hostHealth }: TrustInput): TrustCheck {
  if (!Number.isFinite(hostHealth.stealRatio)) {
    return unknownCheck('host CPU', 'this host does not tell');
  }
  const { stealRatio, throttledCount } = hostHealth;
  const over = stealRatio > TRUST_LIMITS.stealRatio || throttledCount > 0;
  const text = `${formatRatio(stealRatio)} stolen, limit ${formatRatio(TRUST_LIMITS.stealRatio)}; throttled ${formatCount(throttledCount)} times`;
  return {
    name: 'host CPU',
    state: over ? 'DEGRADED' : 'VALID',
    text,
    value: stealRatio,
    limit: TRUST_LIMITS.stealRatio,
  };
}

function scrapeCheck({ server }: TrustInput): TrustCheck {
  const gaps = server.filter((component) => component.scrapeGapCount > 0);
  const missing = server.filter((component) => component.unreachable !== undefined);
  const scraped = server.filter((component) => component.scrapeCount > 0);
  const parts = [
    `${scraped.length} of ${server.length} components scraped`,
    ...gaps.map((component) => `${component.name}: ${component.scrapeGapCount} gaps`),
    ...missing.map((component) => `${component.name}: ${component.unreachable ?? ''}`),
  ];
  const value = gaps.reduce((sum, component) => sum + component.scrapeGapCount, 0);
  // What could never be reached is said and no fault: managed clusters show their API server only.
  return {
    name: 'scrapes',
    state: value > 0 ? 'DEGRADED' : 'VALID',
    text: parts.join('; '),
    value,
    limit: 0,
  };
}

function observerCheck({ pods }: TrustInput): TrustCheck {
  const value = pods.observerGapCount;
  const text = `the observer's watch broke or started over ${formatCount(value)} times; instants before each may be late`;
  return { name: 'observer', state: value > 0 ? 'DEGRADED' : 'VALID', text, value, limit: 0 };
}

// A stamp is behind the watch's event by the difference of the clocks, its grain, and the time that the event was on its
// way. Only the quickest event says much of the clocks: under load all others are late.
function clockCheck({ podStartup, watches }: TrustInput): TrustCheck {
  const quickest = [
    ...podStartup.flatMap((startup) => startup.serverClockDifferenceMs?.maxMs ?? []),
    ...watches.flatMap((watch) => watch.serverClockDifferenceMs ?? []),
  ];
  const worst = maxBy(quickest, Math.abs);
  const value = worst === undefined ? undefined : Math.abs(worst);
  const detail = 'server stamps, 1 s grain, of the event that came quickest; no latency rests on them';
  return ceilingCheck('server clock', 'DEGRADED', value, TRUST_LIMITS.clockDifferenceMs, formatMs, detail);
}

function trustNotes({ controlPlane, hostHealth, series, agents, phases }: TrustInput): string[] {
  const notes: string[] = [];
  for (const { name, warmUp } of phases)
    if (warmUp?.state === 'not-steady')
      notes.push(`warm-up ${name} ended before it was steady: ${warmUp.text}`);
  if (controlPlane.colocated) {
    notes.push(
      `control plane, fleet and load share one host of ${hostHealth.cpuCount} CPUs: latencies hold for this host only`,
    );
  }
  if (controlPlane.profile === 'fast') {
    notes.push('profile fast: no fsync and lifted client limits; not comparable with production');
  }
  const overRange = series.reduce((sum, one) => sum + one.response.overRangeCount, 0);
  if (overRange > 0) notes.push(`${formatCount(overRange)} response times over 1 h count as 1 h`);
  const inFlight = series.reduce((sum, one) => sum + one.inFlightAtEndCount, 0);
  if (inFlight > 0)
    notes.push(`${formatCount(inFlight)} calls had not ended when the run did and are in no histogram`);
  const failed = series
    .filter(({ key }) => key.source === 'load')
    .reduce((sum, one) => sum + one.failedCount, 0);
  if (failed > 0)
    notes.push(`${formatCount(failed)} calls of the load failed; their durations are in the histograms`);
  if (agents.length === 0) notes.push('no agent reported on itself');
  return notes;
}

function mergedSlip(agents: TrustInput['agents']): LatencyHistogram {
  return LatencyHistogram.merged(agents.map((agent) => LatencyHistogram.fromDistribution(agent.slip)));
}

function ceilingCheck(
  name: string,
  badState: TrustState,
  value: number | undefined,
  limit: number,
  format: (value: number) => string,
  detail: string | undefined,
): TrustCheck {
  if (value === undefined || Number.isNaN(value)) return unknownCheck(name, 'not measured');
  const text = `${format(value)}${detail === undefined ? '' : ` (${detail})`}, limit ${format(limit)}`;
  return { name, state: value > limit ? badState : 'VALID', text, value, limit };
}

function unknownCheck(name: string, why: string): TrustCheck {
  return { name, state: 'VALID', text: `unknown: ${why}` };
}

function maxBy<T>(items: readonly T[], figure: (item: T) => number): T | undefined {
  let best: T | undefined;
  for (const item of items) if (best === undefined || figure(item) > figure(best)) best = item;
  return best;
}
