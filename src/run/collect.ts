/**
 * Everything that a run's agents report, brought together: histograms per series, timelines of pods, the fleet, the
 * health of all, and the time series. Windows go to disk as they close, so that a kill costs one window at most.
 */
import { join } from 'node:path';
import type { LoadStats } from '../../loadgen/index.ts';
import type { LoadPhase, Suite } from '../config/index.ts';
import type { ControlPlane } from '../controlplane/index.ts';
import { type CancelTimer, type Clock, describeError, type Logger } from '../core/index.ts';
import {
  type AgentFacts,
  AgentHealthLedger,
  CallCollector,
  HostMonitor,
  PodTimelines,
  ServerMetrics,
} from '../measure/index.ts';
import {
  CALLS_FILE,
  HlogWriter,
  LatencyHistogram,
  type PhaseResult,
  PodStream,
  type RolloutWait,
  type RunResult,
  type TimelineWindow,
  type WatchFanOut,
} from '../result/index.ts';
import type { Agents, PhaseReport } from './agents.ts';
import { FleetSums } from './fleet-sums.ts';
import { type FlowNames, placementsOf } from './flow-placements.ts';
import { MarkLedger } from './mark-ledger.ts';
import { NetworkProgrammingSums } from './network-programming-sums.ts';
import { phaseActions } from './phase-actions.ts';
import type { PlannedPhase } from './plan-phases.ts';
import { ProbeSums } from './probe-sums.ts';
import type { RunProgress } from './progress.ts';
import { type AgentReport, type AgentWindow, WINDOW_MS } from './protocol.ts';
import { ThresholdWatch } from './threshold-watch.ts';
import { UsageGauges } from './usage-gauges.ts';
import { WarmUpWatch } from './warm-up-watch.ts';

export interface RunCollectorOptions {
  suite: Suite;
  directory: string;
  plane: ControlPlane;
  /** Start of the run and of window 0. */
  epochUs: number;
  startedAtMs: number;
  runId: string;
  clock: Clock;
  log: Logger;
  progress: RunProgress;
  /** The disk is full, or another reason why what is recorded can no longer be kept. */
  onFailure: (error: unknown) => void;
  /** A window has closed and is on disk. */
  onWindow: () => void;
}

/** The parts of a RunResult that come from the agents and the servers. */
export type Collected = Pick<
  RunResult,
  | 'series'
  | 'podStartup'
  | 'watches'
  | 'fleet'
  | 'networkProgramming'
  | 'probes'
  | 'timeline'
  | 'marks'
  | 'server'
  | 'agents'
  | 'hostHealth'
> & { scheduling: RunResult['scheduling']; podAudit: ReturnType<PodTimelines['audit']> };

/** A window closes this long after its end: agents report once a second. */
const CLOSE_DELAY_MS = 2_500;
const TICK_MS = 1_000;

export class RunCollector {
  readonly #options: RunCollectorOptions;
  readonly #calls: CallCollector;
  readonly #pods: PodTimelines;
  readonly #podStream: PodStream;
  readonly #hlog: HlogWriter;
  readonly #fleet: FleetSums;
  readonly #network = new NetworkProgrammingSums();
  readonly #probes = new ProbeSums();
  readonly #health = new AgentHealthLedger();
  readonly #host = new HostMonitor();
  readonly #usage: UsageGauges;
  readonly #server: ServerMetrics;
  readonly #thresholds: ThresholdWatch;
  readonly #timeline: TimelineWindow[] = [];
  #warmUp: WarmUpWatch | undefined;
  #rollouts: RolloutWait | undefined;
  readonly #watches: WatchFanOut[] = [];
  /** What is done to the cluster and its nodes: storms, faults. */
  readonly marks: MarkLedger;
  readonly #segments: { name: string; startUs: number }[] = [];
  readonly #loopLag = new Map<number, LatencyHistogram>();
  readonly #load = new Map<string, LoadStats>();
  #lastLoad = { atUs: 0, offeredCount: 0, achievedCount: 0 };
  #records: AgentFacts[] = [];
  #flowNames: FlowNames = new Map();
  #cancelTick: CancelTimer = () => {};
  #writing: Promise<void> = Promise.resolve();
  #nextWindow = 0;

  private constructor(options: RunCollectorOptions, hlog: HlogWriter, podStream: PodStream) {
    const { suite, epochUs, clock, plane, log } = options;
    this.#options = options;
    this.marks = new MarkLedger((atUs) => this.#sinceStartMs(atUs));
    this.#hlog = hlog;
    this.#podStream = podStream;
    this.#calls = new CallCollector({ windowMs: WINDOW_MS, limits: suite.slo });
    this.#pods = new PodTimelines({
      epochUs,
      startupLimitMs: suite.slo.podStartupLimitMs,
      onFinished: (record) => podStream.write(record),
    });
    this.#fleet = new FleetSums(suite.fleet.nodeCount);
    this.#usage = new UsageGauges(clock, plane);
    this.#server = new ServerMetrics(plane.components, { clock, log });
    this.#thresholds = new ThresholdWatch(suite.thresholds, options.onFailure);
    this.#segments.push({ name: '', startUs: epochUs });
    this.#host.sample();
  }

  /** @throws HM_DISK_FULL */
  static async create(options: RunCollectorOptions): Promise<RunCollector> {
    const hlog = await HlogWriter.create(join(options.directory, CALLS_FILE), {
      startedAtMs: options.startedAtMs,
      comment: `hollowmark run ${options.runId}; latencies in microseconds`,
    });
    const collector = new RunCollector(options, hlog, await PodStream.create(options.directory));
    collector.#tick();
    return collector;
  }

  /** Follows CPU and memory of the run's processes from now on. */
  watchProcesses(agents: Agents): void {
    this.#usage.follow('fleet', agents.pids('fleet'));
    this.#usage.follow('load', agents.pids('load'));
  }

  /** What the fleet counts, as told last. */
  fleetCounts(): ReturnType<FleetSums['counts']> {
    return this.#fleet.counts();
  }

  /** What the UIDs in the load's replies are called. */
  nameFlows(names: FlowNames): void {
    this.#flowNames = names;
  }

  /** Takes one report of an agent. */
  take(agentId: string, report: AgentReport): void {
    if (report.fleet !== undefined) this.#fleet.note(agentId, report.fleet);
    if (report.load !== undefined) {
      this.#load.set(agentId, report.load);
      this.#health.noteInFlight(agentId, report.load.maxInFlightCount);
    }
    if (report.pods !== undefined) this.#pods.add(report.pods);
    if (report.window !== undefined) this.#takeWindow(agentId, report.window);
  }

  /** The signal that a warm-up aborts when it is steady. */
  beginPhase(phase: LoadPhase, startUs: number): AbortSignal | undefined {
    this.#segments.push({ name: phase.name, startUs });
    this.#pods.beginPhase(phase.name, startUs);
    this.#thresholds.beginPhase(phase, this.#sinceStartMs(startUs));
    this.#rollouts = undefined;
    this.#warmUp =
      phase.warmUp === undefined ? undefined : new WarmUpWatch(phase.warmUp, this.#sinceStartMs(startUs));
    return this.#warmUp?.steady;
  }

  /** The phase that runs has waited for its workloads; undefined where it does not. */
  rolledOut(wait: RolloutWait | undefined): void {
    this.#rollouts = wait;
  }

  /** The phase's entry in the result; rates are over the planned length of each action's schedule. */
  endPhase(phase: LoadPhase, report: PhaseReport, planned: PlannedPhase | undefined): PhaseResult {
    this.#segments.push({ name: '', startUs: report.endUs });
    this.#thresholds.endPhase(this.#sinceStartMs(report.endUs));
    // A warm-up may have ended before its schedule did.
    const lengthMs =
      phase.warmUp?.until === 'steady' ? (report.endUs - report.startUs) / 1_000 : Number.POSITIVE_INFINITY;
    const outcomes = [...report.outcomes.values()];
    for (const { watches } of outcomes) this.#watches.push(...(watches ?? []));
    return {
      name: phase.name,
      measured: phase.measured,
      ...(this.#warmUp === undefined ? {} : { warmUp: this.#warmUp.result() }),
      ...(this.#rollouts === undefined ? {} : { rollouts: this.#rollouts }),
      startMs: this.#sinceStartMs(report.startUs),
      endMs: this.#sinceStartMs(report.endUs),
      state: report.interrupted ? 'interrupted' : 'completed',
      flowPlacements: placementsOf(
        outcomes.flatMap(({ load }) => load?.placements ?? []),
        this.#flowNames,
      ),
      actions: phaseActions(
        outcomes.flatMap(({ load }) => load?.actions ?? []),
        (actionName) => Math.min(lengthMs, scheduleMs(planned, actionName)),
      ),
    };
  }

  /** Of `expectedCount` pods of a phase, those that nobody has seen Running yet; never below 0. */
  podsNotRunning(phase: string, expectedCount: number): number {
    const { createdCount, notRunningCount } = this.#pods.progress(phase);
    return Math.max(0, expectedCount - createdCount) + notRunningCount;
  }

  /**
   * Reads every component's metrics; what cannot be read is said in the result and stops nothing. What happened since
   * the scrape before counts as measured if `measured`.
   */
  async scrape(measured: boolean, signal: AbortSignal): Promise<void> {
    await this.#server.scrape({ measured, signal });
  }

  /** After the last report: closes what is open. Later reports are lost. */
  async close(records: readonly AgentFacts[]): Promise<void> {
    this.#records = [...records];
    this.#cancelTick();
    const { clock } = this.#options;
    this.#pods.finish(clock.nowUs());
    this.#closeWindows(clock.nowUs());
    if (this.#windowStartUs(this.#nextWindow) < clock.nowUs()) this.#closeWindow(clock.nowUs());
    await this.#writing;
    try {
      await this.#server.close();
      await this.#hlog.close();
      await this.#podStream.close();
    } catch (error) {
      this.#options.onFailure(error);
    }
  }

  /** After close(). */
  collected(): Collected {
    return this.#collected(this.#pods.startups(), this.#records);
  }

  /** What is known by now, with the agents as they fare; pods that still live count as they stand. */
  collectedSoFar(records: readonly AgentFacts[]): Collected {
    return this.#collected(this.#pods.startupsSoFar(this.#options.clock.nowUs()), records);
  }

  #collected(podStartup: Collected['podStartup'], records: readonly AgentFacts[]): Collected {
    return {
      series: this.#calls.series(),
      podStartup,
      watches: this.#watches,
      fleet: this.#fleet.summary(),
      networkProgramming: this.#network.summary(),
      ...this.#probed(),
      scheduling: this.#pods.scheduling(),
      podAudit: this.#pods.audit(),
      timeline: this.#timeline,
      ...this.marks.recorded(),
      server: this.#server.components(),
      agents: records.map((record) =>
        this.#health.health({ ...record, slip: this.#calls.slipOf(record.id) }),
      ),
      hostHealth: this.#host.summary(),
    };
  }

  #takeWindow(agentId: string, window: AgentWindow): void {
    this.#calls.add(agentId, window.index, window.calls);
    this.#health.add(agentId, window.health);
    if (window.fleet !== undefined) {
      this.#fleet.add(window.fleet, this.#phaseOfWindow(window.index));
      this.#network.add(window.fleet.networkProgramming);
    }
    this.#probes.add(window.probes ?? []);
    const lag = this.#loopLag.get(window.index) ?? new LatencyHistogram();
    lag.add(LatencyHistogram.fromWire(window.health.loopLag));
    this.#loopLag.set(window.index, lag);
  }

  #probed(): Pick<RunResult, 'probes'> {
    const probes = this.#probes.summary();
    return probes === undefined ? {} : { probes };
  }

  #tick(): void {
    this.#cancelTick = this.#options.clock.setTimer(() => {
      this.#showProgress();
      this.#closeWindows(this.#options.clock.nowUs() - CLOSE_DELAY_MS * 1_000);
      this.#tick();
    }, TICK_MS);
  }

  /** Closes every window that ended before `untilUs`. */
  #closeWindows(untilUs: number): void {
    while (this.#windowStartUs(this.#nextWindow + 1) <= untilUs)
      this.#closeWindow(this.#windowStartUs(this.#nextWindow + 1));
  }

  #closeWindow(endUs: number): void {
    const index = this.#nextWindow++;
    const { figures, intervals } = this.#calls.closeWindow(index);
    const lag = this.#loopLag.get(index);
    this.#loopLag.delete(index);
    const hostCpuRatio = this.#host.sample();
    const startUs = this.#windowStartUs(index);
    const window: TimelineWindow = {
      startMs: this.#sinceStartMs(startUs),
      endMs: this.#sinceStartMs(endUs),
      phase: this.#phaseOfWindow(index, endUs),
      ...figures,
      ...(lag === undefined || lag.count === 0 ? {} : { loopLagP99Us: lag.percentile(0.99) }),
      gauges: {
        nodesReady: this.#fleet.readyCount(),
        ...this.#pods.gauges(),
        inFlight: this.#sumLoad((stats) => stats.inFlightCount),
        ...this.#usage.sample(),
        ...(hostCpuRatio === undefined ? {} : { hostCpuRatio }),
      },
    };
    this.#timeline.push(window);
    this.#warmUp?.closed(window);
    this.#showWindow(window);
    this.#thresholds.check(window.endMs, () => {
      const scheduling = this.#pods.scheduling();
      return {
        series: this.#calls.series(),
        podStartup: this.#pods.startupsSoFar(endUs),
        watches: this.#watches,
        fleet: this.#fleet.summary(),
        networkProgramming: this.#network.summary(),
        ...this.#probed(),
        ...(scheduling === undefined ? {} : { scheduling }),
      };
    });
    for (const record of this.#pods.takeStarted(endUs)) this.#podStream.writeAlive(record);
    this.#writing = this.#writing
      .then(async () => {
        await this.#hlog.append({ startMs: window.startMs, endMs: window.endMs, intervals });
        await this.#podStream.flush();
        this.#options.onWindow();
      })
      .catch((error: unknown) => {
        this.#options.log.error({ error: describeError(error) }, 'window not written');
        this.#options.onFailure(error);
      });
  }

  #showWindow(window: TimelineWindow): void {
    const { progress } = this.#options;
    for (const key of ['p50Us', 'p99Us', 'slipP99Us', 'loopLagP99Us'] as const) {
      const value = window[key];
      if (value === undefined) delete progress[key];
      else progress[key] = value;
    }
  }

  #showProgress(): void {
    const { progress, clock } = this.#options;
    const nowUs = clock.nowUs();
    const offeredCount = this.#sumLoad((stats) => stats.offeredCount);
    const achievedCount = this.#sumLoad((stats) => stats.achievedCount);
    const seconds = (nowUs - this.#lastLoad.atUs) / 1e6;
    Object.assign(progress, this.#pods.gauges());
    progress.nodesReady = this.#fleet.readyCount();
    progress.nodesLost = this.#fleet.lostCount();
    progress.offeredPerSecond = (offeredCount - this.#lastLoad.offeredCount) / seconds;
    progress.achievedPerSecond = (achievedCount - this.#lastLoad.achievedCount) / seconds;
    progress.inFlightCount = this.#sumLoad((stats) => stats.inFlightCount);
    progress.droppedCount = this.#sumLoad((stats) => stats.droppedCount);
    progress.failedCount = this.#sumLoad((stats) => stats.failedCount);
    this.#lastLoad = { atUs: nowUs, offeredCount, achievedCount };
  }

  #sumLoad(figure: (stats: LoadStats) => number): number {
    let total = 0;
    for (const stats of this.#load.values()) total += figure(stats);
    return total;
  }

  /** Phase at the middle of a window; the last window of a run may end early. */
  #phaseOfWindow(index: number, endUs = this.#windowStartUs(index + 1)): string {
    const atUs = (this.#windowStartUs(index) + endUs) / 2;
    return this.#segments.findLast((segment) => segment.startUs <= atUs)?.name ?? '';
  }

  #windowStartUs(index: number): number {
    return this.#options.epochUs + index * WINDOW_MS * 1_000;
  }

  #sinceStartMs(atUs: number): number {
    return Math.round((atUs - this.#options.epochUs) / 1_000);
  }
}

function scheduleMs(planned: PlannedPhase | undefined, actionName: string): number {
  return planned?.actions.find((action) => action.name === actionName)?.durationMs ?? 0;
}
