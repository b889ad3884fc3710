/**
 * The order of a run. Every step leaves the run able to end: whatever happens, what was recorded is written, what was
 * made in the cluster is removed while the fleet still lives, and what was started is stopped.
 */
import { basename, dirname, join } from 'node:path';
import type { LoadPhase } from '../config/index.ts';
import { type ControlPlane, preflight, refuseBlocked } from '../controlplane/index.ts';
import { type Clock, describeError, HarnessError, isHarnessError, type Logger } from '../core/index.ts';
import { linkLatest, type PhaseResult, type RunResult, writeRunResult } from '../result/index.ts';
import { Agents } from './agents.ts';
import { assembleResult, type RunFacts } from './assemble.ts';
import { assignments } from './assignments.ts';
import { brokenOff, Checkpoint } from './checkpoint.ts';
import { type CleanUpOutcome, combine, removeNodes, removeWorkloads } from './clean-up.ts';
import { prepareCluster } from './cluster-setup.ts';
import { type Collected, RunCollector } from './collect.ts';
import { RunFaults } from './faults.ts';
import { flowNames } from './flow-placements.ts';
import type { RunOptions } from './options.ts';
import { openControlPlane } from './plane.ts';
import type { RunProgress, RunStep } from './progress.ts';
import type { PhaseOutcome } from './protocol.ts';
import { settlePods, settleRollouts } from './settling.ts';
import { PhaseStorms } from './storms.ts';

/** Aborted by the first and by the second interrupt. */
export interface RunStop {
  /** Start nothing new, clean up, write what there is. */
  graceful: AbortSignal;
  /** Stop now; write what there is. */
  hard: AbortSignal;
}

export interface RunContext {
  clock: Clock;
  log: Logger;
  env: Readonly<Record<string, string | undefined>>;
  progress: RunProgress;
  stop: RunStop;
}

/** What a run ended with; `error` is why it is not complete, if it is not. */
export interface RunOutcome {
  result: RunResult;
  directory: string;
  error: unknown;
}

/**
 * Runs a suite from nothing to a written result.
 * @throws only for what keeps a run from starting at all: no control plane, no consent, no room for the result.
 */
export async function runSuite(options: RunOptions, context: RunContext): Promise<RunOutcome> {
  const engine = new Engine(options, context);
  return engine.run();
}

class Engine {
  readonly #options: RunOptions;
  readonly #context: RunContext;
  readonly #startedUs: number;
  readonly #startedAt: string;
  readonly #phases: PhaseResult[] = [];
  readonly #failure = new AbortController();
  #planeStartMs = 0;
  #agents: Agents | undefined;
  #faults: RunFaults | undefined;
  #cleanUp: CleanUpOutcome = { state: 'skipped', leftCount: 0, durationMs: 0, text: 'nothing had been made' };

  constructor(options: RunOptions, context: RunContext) {
    this.#options = options;
    this.#context = context;
    this.#startedUs = context.clock.nowUs();
    this.#startedAt = new Date(context.clock.wallMs()).toISOString();
  }

  async run(): Promise<RunOutcome> {
    const { clock, log, progress, stop, env } = this.#context;
    const { directory, loaded, runId } = this.#options;
    const { fleet, load, controlPlane } = loaded.suite;
    const requirements = {
      nodeCount: fleet.nodeCount,
      connectionCount: load.connectionCount,
      agentCount: fleet.agentCount,
      localPlane: controlPlane.provider === 'local',
      topology: controlPlane.topology,
    };
    refuseBlocked(await preflight(requirements, { env, resultsDirectory: directory, signal: stop.graceful }));
    this.#step('starting control plane');
    const plane = await openControlPlane(this.#options, this.#context, (detail) => this.#detail(detail));
    this.#planeStartMs = this.#sinceStartMs();
    let error: unknown;
    let collector: RunCollector | undefined;
    const checkpoint = new Checkpoint(async () => {
      if (collector !== undefined) await this.#writeSoFar(plane, collector);
    }, this.#context);
    try {
      for (const warning of plane.warnings ?? []) progress.notices.push(warning);
      collector = await RunCollector.create({
        suite: loaded.suite,
        directory,
        plane,
        epochUs: this.#startedUs,
        startedAtMs: Date.parse(this.#startedAt),
        runId,
        clock,
        log,
        progress,
        onFailure: (failure) => this.#fail(failure),
        onWindow: () => checkpoint.due(),
      });
      await this.#withPlane(plane, collector);
    } catch (thrown) {
      error = thrown;
      log.error({ error: describeError(thrown) }, 'run ended early');
    }
    this.#step('stopping control plane');
    await plane.stop().catch((stopError: unknown) => {
      error ??= stopError;
    });
    await checkpoint.end();
    if (collector === undefined) throw error;
    return this.#finish(plane, collector, error);
  }

  async #withPlane(plane: ControlPlane, collector: RunCollector): Promise<void> {
    const { clock, log, stop } = this.#context;
    // Aborts with whatever comes first: an interrupt, a component that died, an agent that is lost.
    const running = AbortSignal.any([stop.graceful, this.#failure.signal]);
    void plane.failed.then((failure) => {
      this.#fail(
        new HarnessError('HM_COMPONENT_EXITED', `${failure.name} died in mid-run: ${failure.message}`),
      );
    });
    const agents = new Agents({
      program: this.#options.program,
      logDirectory: join(this.#options.directory, 'logs'),
      clock,
      log,
      handlers: {
        onReport: (agentId, report) => {
          collector.take(agentId, report);
          if (report.probes !== undefined) this.#faults?.take(report.probes);
        },
        onLost: (agentId, reason) =>
          this.#fail(new HarnessError('HM_AGENT_LOST', `agent ${agentId} lost: ${reason}`)),
      },
    });
    this.#agents = agents;
    let prepared = false;
    try {
      this.#step('preparing cluster');
      await collector.scrape(false, running);
      prepared = true;
      const cluster = await prepareCluster(plane, this.#options, {
        clock,
        signal: running,
        onDetail: (text) => this.#detail(text),
      });
      this.#faults = await RunFaults.open({
        options: this.#options,
        plane,
        agents,
        loadAccess: cluster.loadAccess,
        clock,
        log,
        marks: collector.marks,
        sinceStartMs: (atUs) => Math.round((atUs - this.#startedUs) / 1_000),
        fleetCounts: () => collector.fleetCounts(),
        onStep: (text) => this.#detail(text),
        hard: stop.hard,
      });
      collector.nameFlows(await flowNames(plane.admin, { clock, log, signal: running }));
      this.#step('starting agents');
      await agents.start(assignments(this.#options, plane, cluster, this.#startedUs));
      collector.watchProcesses(agents);
      this.#step('registering nodes');
      await this.#ready(agents, running);
      await collector.scrape(false, running);
      await this.#runPhases(plane, agents, collector, running);
    } finally {
      this.#step('cleaning up');
      if (prepared) await this.#clean(plane, agents);
      else await agents.close(stop.hard);
      await collector.close(agents.records());
    }
    this.#failure.signal.throwIfAborted();
    stop.graceful.throwIfAborted();
  }

  /** All nodes Ready and all connections open, or the run says how many were. */
  async #ready(agents: Agents, signal: AbortSignal): Promise<void> {
    const { clock, progress } = this.#context;
    const { fleet } = this.#options.loaded.suite;
    const limit = new AbortController();
    const rampMs = (fleet.nodeCount / fleet.rampPerSecond) * 1_000;
    progress.stepEndEstimateUs = clock.nowUs() + rampMs * 1_000;
    const cancel = clock.setTimer(() => {
      limit.abort(
        new HarnessError(
          'HM_CLUSTER_STATE',
          `${progress.nodesReady} of ${fleet.nodeCount} hollow nodes were Ready within ${fleet.readyTimeoutMs / 1_000} s`,
          {
            hint: 'raise fleet.readyTimeout or lower fleet.ramp; logs/fleet-*.log says what the nodes were told',
          },
        ),
      );
    }, fleet.readyTimeoutMs);
    try {
      await agents.ready(AbortSignal.any([signal, limit.signal]));
    } finally {
      cancel();
    }
  }

  async #runPhases(
    plane: ControlPlane,
    agents: Agents,
    collector: RunCollector,
    signal: AbortSignal,
  ): Promise<void> {
    const { progress, clock } = this.#context;
    for (const [index, phase] of this.#options.loaded.suite.load.phases.entries()) {
      this.#step('phase');
      const planned = this.#options.plan.phases[index];
      progress.phase = phase.name;
      progress.phaseNumber = index + 1;
      progress.stepEndEstimateUs = clock.nowUs() + (planned?.durationMs ?? 0) * 1_000;
      const base = { name: phase.name, measured: phase.measured, startMs: this.#sinceStartMs(), actions: [] };
      // In place from the first instant: a run that breaks off in mid-phase has the phase in its result.
      const place =
        this.#phases.push({ ...base, endMs: base.startMs, state: 'failed', reason: 'broken off' }) - 1;
      const storms = new PhaseStorms(phase, { agents, clock, marks: collector.marks });
      try {
        const report = await agents.runPhase(phase, {
          signal,
          onStart: (startUs) => {
            const steady = collector.beginPhase(phase, startUs);
            storms.begin(startUs, signal);
            this.#faults?.begin(phase.name, startUs, signal);
            return steady;
          },
          settled: async (outcomes, settleSignal) => {
            await this.#settled(phase, plane, collector, outcomes, settleSignal);
            await storms.over(settleSignal);
            await this.#faults?.over();
          },
        });
        this.#phases[place] = collector.endPhase(phase, report, planned);
      } catch (error) {
        this.#phases[place] = {
          ...base,
          endMs: this.#sinceStartMs(),
          state: 'failed',
          reason: describeError(error),
        };
        throw error;
      } finally {
        await storms.heal();
        await this.#faults?.heal();
      }
      signal.throwIfAborted();
      await collector.scrape(phase.measured, signal);
    }
  }

  /** Pods that the phase waits for are Running and workloads have rolled out, or its patience is over. */
  async #settled(
    phase: LoadPhase,
    plane: ControlPlane,
    collector: RunCollector,
    outcomes: ReadonlyMap<string, PhaseOutcome>,
    signal: AbortSignal,
  ): Promise<void> {
    const { clock, progress } = this.#context;
    const context = {
      clock,
      signal,
      onDetail: (text: string) => this.#detail(text),
      onNotice: (text: string) => progress.notices.push(text),
    };
    const actions = [...outcomes.values()].flatMap(({ load }) => load?.actions ?? []);
    const expectedCount = actions.reduce((sum, action) => sum + action.acknowledgedPodCount, 0);
    await settlePods(phase, () => collector.podsNotRunning(phase.name, expectedCount), context);
    const target = { admin: plane.admin, runId: this.#options.runId };
    collector.rolledOut(await settleRollouts(phase, target, context));
  }

  /**
   * The load is silent by now. Pods go while the fleet lives and ends them; then the agents go, the observer after it
   * has seen the last pod vanish; nodes go when nobody is left who would register them again.
   */
  async #clean(plane: ControlPlane, agents: Agents): Promise<void> {
    const { clock, log, stop } = this.#context;
    const reason = this.#cannotClean(plane);
    const context = { clock, log, signal: stop.hard, onDetail: (text: string) => this.#detail(text) };
    const target = { admin: plane.admin, runId: this.#options.runId };
    await agents.stop('load', stop.hard);
    await agents.stop('prober', stop.hard);
    await this.#faults?.finish(stop.hard);
    const workloads =
      reason ??
      (await removeWorkloads(
        {
          ...target,
          podsEndByThemselves: agents.fleetAlive(),
          waitForNamespaces: plane.provider !== 'local',
        },
        context,
      ));
    await agents.stop('observer', stop.hard);
    await agents.stop('fleet', stop.hard);
    await agents.close(stop.hard);
    this.#cleanUp = reason ?? combine(workloads, await removeNodes(target, context));
  }

  /** A control plane that is gone cannot be cleaned; a throw-away one need not be when somebody is waiting. */
  #cannotClean(plane: ControlPlane): CleanUpOutcome | undefined {
    const why = this.#failure.signal.reason;
    const planeGone = isHarnessError(why) && why.code === 'HM_COMPONENT_EXITED';
    if (!planeGone && !this.#context.stop.hard.aborted) return undefined;
    const outcome = { leftCount: 0, durationMs: 0 };
    if (plane.provider === 'local') {
      return { ...outcome, state: 'skipped', text: 'skipped: the control plane goes with its data' };
    }
    const remedy = `remove what is left with \`hollowmark clean --run ${this.#options.runId}\``;
    return { ...outcome, state: 'left', text: `skipped: ${remedy}` };
  }

  async #finish(plane: ControlPlane, collector: RunCollector, error: unknown): Promise<RunOutcome> {
    this.#step('writing result');
    const interrupted = this.#context.stop.graceful.aborted;
    const { directory } = this.#options;
    const result = this.#assemble(plane, collector.collected(), {
      state: interrupted ? 'interrupted' : error === undefined ? 'completed' : 'failed',
      ...(error === undefined ? {} : { reason: describeError(error) }),
      error,
      cleanUp: this.#cleanUp,
    });
    await writeRunResult(directory, result);
    await linkLatest(dirname(directory), basename(directory));
    this.#step('done');
    return { result, directory, error };
  }

  /** The result that stays if nothing after this comes to pass. */
  async #writeSoFar(plane: ControlPlane, collector: RunCollector): Promise<void> {
    const collected = collector.collectedSoFar(this.#agents?.records() ?? []);
    const end = brokenOff(plane, this.#options.runId, this.#sinceStartMs());
    await writeRunResult(this.#options.directory, this.#assemble(plane, collected, end));
  }

  #assemble(
    plane: ControlPlane,
    collected: Collected,
    end: Pick<RunFacts, 'state' | 'reason' | 'error' | 'cleanUp'>,
  ): RunResult {
    return assembleResult(this.#options, {
      startedAt: this.#startedAt,
      endedAt: new Date(this.#context.clock.wallMs()).toISOString(),
      durationMs: this.#sinceStartMs(),
      plane,
      planeStartMs: this.#planeStartMs,
      phases: this.#phases,
      collected,
      ...(this.#faults === undefined ? {} : { faults: this.#faults.result() }),
      ...end,
    });
  }

  #fail(error: unknown): void {
    if (!this.#failure.signal.aborted) this.#failure.abort(error);
  }

  #step(step: RunStep): void {
    const { progress, clock, log } = this.#context;
    progress.step = step;
    progress.detail = '';
    progress.stepStartedUs = clock.nowUs();
    delete progress.stepEndEstimateUs;
    log.info({ step, phase: progress.phase }, 'step');
  }

  #detail(text: string): void {
    this.#context.progress.detail = text;
  }

  #sinceStartMs(): number {
    return (this.#context.clock.nowUs() - this.#startedUs) / 1_000;
  }
}
