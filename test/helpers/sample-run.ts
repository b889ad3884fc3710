/**
 * Run results made by code from seeded distributions, shaped like the quickstart suite's, for golden tests of
 * reports. Counts, histograms, heat rows and verdicts of one sample agree with each other, as they do in a real run.
 */
import { type Random, seededRandom } from '../../src/core/index.ts';
import {
  LatencyHistogram,
  type PodStartup,
  type PodStartupPhase,
  type PodTimeline,
  type RunResult,
} from '../../src/result/index.ts';
import { type SamplePhase, SampleRecorder, type SampleVariant, samplePhases } from './sample-calls.ts';
import { sampleProbes } from './sample-probes.ts';
import { agents, distribution, environment, serverComponents } from './sample-surroundings.ts';
import { sampleVerdicts } from './sample-verdicts.ts';

export { SAMPLE_VARIANTS, type SampleVariant } from './sample-calls.ts';

const made = new Map<SampleVariant, RunResult>();

/** A run result of the given kind, equal for equal arguments; the caller may change it. */
export function sampleRun(variant: SampleVariant = 'quickstart'): RunResult {
  const run = made.get(variant) ?? makeRun(variant);
  made.set(variant, run);
  return structuredClone(run);
}

function makeRun(variant: SampleVariant): RunResult {
  const random = seededRandom(`sample-run/${variant}`);
  const nodeCount = variant === 'nodes-5000' ? 5_000 : variant === 'no-data' ? 0 : 100;
  const phases = samplePhases(variant, nodeCount);
  const recorder = new SampleRecorder(variant, nodeCount, phases, random);
  const { series, timeline, sli } = recorder.run();
  const endMs = Math.max(...phases.map((phase) => phase.endMs), 45_000);
  const base = environment(variant, nodeCount, endMs);
  const result: Omit<RunResult, 'verdicts'> = {
    ...base,
    phases: phases.map((phase, index) => ({
      name: phase.name,
      measured: phase.measured,
      startMs: phase.startMs,
      endMs: phase.endMs,
      state: variant === 'interrupted' && index === phases.length - 1 ? 'interrupted' : 'completed',
      ...(variant === 'interrupted' && index === phases.length - 1
        ? { reason: 'interrupted by SIGINT after 32 s of 60 s' }
        : {}),
      actions: actionsOf(phase, variant),
    })),
    series,
    podStartup: variant === 'no-data' ? [] : phases.map((phase) => podStartup(phase, variant, random)),
    watches: watchFanOut(variant, phases, random),
    fleet: fleet(nodeCount, random),
    networkProgramming: networkProgramming(variant, phases, random),
    ...sampleProbes(variant, phases, random),
    ...(variant === 'no-data'
      ? {}
      : { scheduling: { boundCount: 1_600, meanPerSecond: 15.2, maxPerSecond: 20.4 } }),
    timeline,
    server: serverComponents(variant, sli),
    agents: agents(variant, random),
    hostHealth: {
      cpuCount: 8,
      meanCpuRatio: 0.41,
      maxCpuRatio: 0.83,
      stealRatio: variant === 'degraded' ? 0.034 : 0.002,
      throttledCount: 0,
    },
    cleanup: {
      state: variant === 'interrupted' ? 'left' : 'clean',
      leftCount: variant === 'interrupted' ? 3 : 0,
      durationMs: 6_420,
      text:
        variant === 'interrupted'
          ? '3 objects are left: run hollowmark clean --run 20261122-120400-quickstart'
          : 'nothing is left in the cluster',
    },
  };
  return { ...result, verdicts: sampleVerdicts(result) };
}

function actionsOf(phase: SamplePhase, variant: SampleVariant): RunResult['phases'][number]['actions'] {
  const achieved = variant === 'invalid' ? 0.93 : 1;
  const creates = phase.traffic.find((call) => call.source === 'load' && call.verb === 'create');
  const reads = phase.traffic.filter(
    (call) => call.source === 'load' && (call.verb === 'get' || call.verb === 'list'),
  );
  const readRate = reads.reduce((sum, call) => sum + call.ratePerSecond, 0);
  const actions = [];
  if (creates !== undefined) {
    actions.push({
      action: phase.name === 'churn' ? 'churn' : 'create',
      description: `pods at ${creates.ratePerSecond}/s over 4 namespaces`,
      offeredPerSecond: creates.ratePerSecond,
      achievedPerSecond: creates.ratePerSecond * achieved,
    });
  }
  if (readRate > 0) {
    actions.push({
      action: 'reads',
      description: 'get pods 60, list pods (namespace, cached) 25, list nodes (cluster, consistent) 15',
      offeredPerSecond: readRate,
      achievedPerSecond: readRate * achieved,
    });
  }
  return actions;
}

function podStartup(phase: SamplePhase, variant: SampleVariant, parent: Random): PodStartup {
  const random = parent.fork(`pods/${phase.name}`);
  const slow = variant === 'slo-failure' ? 3.4 : 1;
  const creates = phase.traffic.find((call) => call.source === 'load' && call.verb === 'create');
  const createdCount = Math.floor(((creates?.ratePerSecond ?? 0) * (phase.endMs - phase.startMs)) / 1_000);
  const neverStartedCount = variant === 'slo-failure' && phase.name === 'churn' ? 4 : 0;
  const censoredCount = phase.name === 'churn' ? 3 : 0;
  const startedCount = createdCount - neverStartedCount - censoredCount;
  const histograms: Record<PodStartupPhase, LatencyHistogram> = {
    create_to_schedule: new LatencyHistogram(),
    schedule_to_kubelet: new LatencyHistogram(),
    kubelet_to_run: new LatencyHistogram(),
    run_to_watch: new LatencyHistogram(),
    schedule_to_watch: new LatencyHistogram(),
    schedule_to_run: new LatencyHistogram(),
    create_to_run: new LatencyHistogram(),
    pod_startup: new LatencyHistogram(),
  };
  const timelines: PodTimeline[] = [];
  for (let i = 0; i < startedCount; i++) {
    const toScheduleUs = Math.round(slow * 21_000 * Math.exp(random.normal() * 0.7));
    const toKubeletUs = Math.round(4_800 * Math.exp(random.normal() * 0.5));
    const toRunUs = Math.round(slow * (820_000 + random.uniform(0, 640_000)));
    const toWatchUs = Math.round(9_500 * Math.exp(random.normal() * 0.6));
    const totalUs = toScheduleUs + toKubeletUs + toRunUs + toWatchUs;
    histograms.create_to_schedule.record(toScheduleUs);
    histograms.schedule_to_kubelet.record(toKubeletUs);
    histograms.kubelet_to_run.record(toRunUs);
    histograms.run_to_watch.record(toWatchUs);
    histograms.schedule_to_watch.record(totalUs - toScheduleUs);
    histograms.schedule_to_run.record(toKubeletUs + toRunUs);
    histograms.create_to_run.record(totalUs - toWatchUs);
    histograms.pod_startup.record(totalUs);
    const sentMs = phase.startMs + (i * 1_000) / (creates?.ratePerSecond ?? 1);
    timelines.push({
      namespace: `hm-load-${i % 4}`,
      name: `${phase.name}-${i}`,
      node: `hollow-${String(random.integer(100)).padStart(4, '0')}`,
      intendedMs: sentMs - 0.4,
      sentMs,
      createdMs: sentMs + 6.2,
      scheduledMs: sentMs + toScheduleUs / 1_000,
      kubeletSeenMs: sentMs + (toScheduleUs + toKubeletUs) / 1_000,
      runningSentMs: sentMs + (toScheduleUs + toKubeletUs + toRunUs) / 1_000,
      runningSeenMs: sentMs + totalUs / 1_000,
    });
  }
  const totalMs = (pod: PodTimeline) => (pod.runningSeenMs ?? 0) - (pod.sentMs ?? 0);
  timelines.sort((a, b) => totalMs(b) - totalMs(a));
  const phases: PodStartup['phases'] = {};
  for (const [name, histogram] of Object.entries(histograms)) {
    phases[name as PodStartupPhase] = histogram.distribution();
  }
  return {
    kind: 'stateless',
    phase: phase.name,
    createdCount,
    startedCount,
    neverStartedCount,
    censoredCount,
    phases,
    slowest: timelines.slice(0, 20),
    serverClockDifferenceMs: { count: startedCount, minMs: -998, medianMs: -496, maxMs: 4 },
  };
}

function watchFanOut(
  variant: SampleVariant,
  phases: readonly SamplePhase[],
  parent: Random,
): RunResult['watches'] {
  const churn = phases.find((phase) => phase.name === 'churn');
  if (churn === undefined) return [];
  const random = parent.fork('watches');
  const counts = variant === 'watch-fan-out' ? [20, 200, 2_000] : [20];
  return counts.map((watcherCount) => ({
    phase: 'churn',
    resource: watcherCount === 2_000 ? 'endpointslices.discovery.k8s.io' : 'pods',
    scope: watcherCount === 20 ? 'namespace' : 'cluster',
    watcherCount,
    eventCount: watcherCount * 1_200,
    eventsPerWatcher: { min: 1_200, median: 1_200, max: 1_200 },
    receivedBytes: watcherCount * 1_200 * 2_900,
    reconnectCount: watcherCount === 2_000 ? 4 : 0,
    relistCount: watcherCount === 2_000 ? 1 : 0,
    deliverySpread: distribution(random, 4_000, 900 * Math.sqrt(watcherCount), 0.7),
  }));
}

function networkProgramming(
  variant: SampleVariant,
  phases: readonly SamplePhase[],
  parent: Random,
): NonNullable<RunResult['networkProgramming']> {
  if (variant !== 'quickstart') return [];
  const random = parent.fork('network');
  // Quickstart's one phase with a Service in it.
  return phases.slice(-1).map((phase) => ({
    phase: phase.name,
    programming: distribution(random, 8_000, 1_240_000, 0.4),
    proxyDelay: distribution(random, 8_000, 480_000, 0.6),
    syncCount: 6_100,
    maxRuleCount: 640,
  }));
}

function fleet(nodeCount: number, parent: Random): RunResult['fleet'] {
  const random = parent.fork('fleet');
  return {
    nodeCount,
    registeredCount: nodeCount,
    readyCount: nodeCount,
    lostCount: 0,
    registration: distribution(random, nodeCount, 184_000),
    leaseLateness: distribution(random, nodeCount * 11, 3_900),
    leaseSlip: distribution(random, nodeCount * 11, 700),
    leaseMissedCount: 0,
    watchCount: nodeCount * 9,
    connectionCount: nodeCount * 2,
    reconnectCount: 0,
    relistCount: 0,
    podsStartedCount: nodeCount === 0 ? 0 : 1_637,
    podsDeletedCount: nodeCount === 0 ? 0 : 597,
  };
}
