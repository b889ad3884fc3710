/**
 * The agents of one run, together: started, told what to do, waited for, ended.
 */
import { mkdirSync } from 'node:fs';
import type { FleetCommand, StormStarted } from '../../hollow/index.ts';
import type { LoadPhase } from '../config/index.ts';
import { type Clock, delay, HarnessError, type Logger, onAbort } from '../core/index.ts';
import type { AgentFacts } from '../measure/index.ts';
import { AgentProcess } from './agent-process.ts';
import { Coordinator, type CoordinatorHandlers } from './coordinator.ts';
import { type AgentAssignment, type AgentEvent, CUT_SHORT_GRACE_MS, type PhaseOutcome } from './protocol.ts';

/** Between the command and the first arrival: every agent has it by then, also on a busy machine. */
const PHASE_LEAD_MS = 500;
/** On top of the grace that the agents give the calls in flight. */
const REPORT_GRACE_MS = 2_500;
const STOP_GRACE_MS = 15_000;

export interface AgentsOptions {
  program: { execPath: string; script: string };
  logDirectory: string;
  clock: Clock;
  log: Logger;
  handlers: CoordinatorHandlers;
}

/** What the agents say of a phase, by agent. */
export interface PhaseReport {
  startUs: number;
  endUs: number;
  outcomes: Map<string, PhaseOutcome>;
  interrupted: boolean;
}

type PhaseDone = Extract<AgentEvent, { type: 'phase-done' }>;

export class Agents {
  readonly #options: AgentsOptions;
  readonly #coordinator: Coordinator;
  readonly #processes = new Map<string, AgentProcess>();

  constructor(options: AgentsOptions) {
    this.#options = options;
    this.#coordinator = new Coordinator(options);
  }

  /** Starts one process per assignment; `ready` waits for them. */
  async start(assignments: readonly AgentAssignment[]): Promise<void> {
    mkdirSync(this.#options.logDirectory, { recursive: true });
    await this.#coordinator.start();
    for (const assignment of assignments) {
      const { agentId, role } = assignment;
      this.#coordinator.expect(assignment);
      this.#processes.set(
        agentId,
        new AgentProcess({
          ...this.#options,
          agent: { id: agentId, role },
          coordinatorUrl: this.#coordinator.url,
          token: this.#coordinator.token,
          maxHeapMib: 6_144,
          onExit: (reason) => this.#coordinator.processEnded(agentId, reason),
        }),
      );
    }
  }

  /**
   * Resolves when every agent is ready: nodes Ready, connections open.
   * @throws HM_AGENT_LOST, or the signal's reason
   */
  async ready(signal: AbortSignal): Promise<void> {
    const isReady = (event: AgentEvent): event is Extract<AgentEvent, { type: 'ready' }> =>
      event.type === 'ready';
    await Promise.all(
      [...this.#processes.keys()].map((id) => this.#coordinator.waitFor(id, isReady, signal)),
    );
  }

  /**
   * Plays one phase on every agent and resolves when it is over. `settled` is asked once the load has sent all it had
   * to; the phase ends when it resolves. An abort ends the phase early: nothing new starts, what runs may finish.
   * @throws HM_AGENT_LOST
   */
  async runPhase(
    phase: LoadPhase,
    options: {
      signal: AbortSignal;
      settled: (outcomes: ReadonlyMap<string, PhaseOutcome>, signal: AbortSignal) => Promise<void>;
      /** Gives the signal that ends the schedule early, in order, where the phase has one. */
      onStart: (startUs: number) => AbortSignal | undefined;
    },
  ): Promise<PhaseReport> {
    const { clock } = this.#options;
    const startUs = clock.nowUs() + PHASE_LEAD_MS * 1_000;
    const outcomes = new Map<string, PhaseOutcome>();
    const isDone = (event: AgentEvent): event is PhaseDone =>
      event.type === 'phase-done' && event.phase === phase.name;
    const collect = async (ids: readonly string[], signal: AbortSignal) => {
      await Promise.all(
        ids.map(async (id) => {
          outcomes.set(id, (await this.#coordinator.waitFor(id, isDone, signal)).outcome);
        }),
      );
    };
    const curtailed = options.onStart(startUs);
    for (const id of this.#coordinator.alive()) this.#coordinator.send(id, { type: 'phase', phase, startUs });
    const load = this.#coordinator.alive('load');
    let interrupted = false;
    const stopListening =
      curtailed === undefined
        ? () => {}
        : onAbort(curtailed, () => {
            for (const id of load) this.#coordinator.send(id, { type: 'curtail-phase' });
          });
    try {
      await collect(load, options.signal);
      await delay(startUs / 1_000 + phase.durationMs - clock.nowUs() / 1_000, {
        signal: options.signal,
        clock,
      });
      await options.settled(outcomes, options.signal);
    } catch (error) {
      if (!options.signal.aborted) throw error;
      interrupted = true;
      for (const id of load) this.#coordinator.send(id, { type: 'end-phase' });
      await this.#within(CUT_SHORT_GRACE_MS + REPORT_GRACE_MS, (signal) => collect(load, signal));
    }
    stopListening();
    const endUs = clock.nowUs();
    // Those whose phase is as long as the load's.
    const others = [...this.#coordinator.alive('observer'), ...this.#coordinator.alive('prober')];
    for (const id of others) this.#coordinator.send(id, { type: 'end-phase' });
    await this.#within(CUT_SHORT_GRACE_MS + REPORT_GRACE_MS, (signal) => collect(others, signal));
    return { startUs, endUs, outcomes, interrupted };
  }

  /**
   * Begins a storm on every shard of the fleet; resolves with all nodes that were chosen.
   * @throws HM_AGENT_LOST, or the signal's reason
   */
  async beginStorm(
    command: Extract<FleetCommand, { type: 'storm' }>,
    signal: AbortSignal,
  ): Promise<StormStarted> {
    const ids = this.#coordinator.alive('fleet');
    const isStarted = (event: AgentEvent): event is Extract<AgentEvent, { type: 'storm-started' }> =>
      event.type === 'storm-started' && event.started.id === command.id;
    for (const id of ids) this.#coordinator.send(id, { type: 'fleet', command });
    const parts = await Promise.all(
      ids.map(async (id) => (await this.#coordinator.waitFor(id, isStarted, signal)).started),
    );
    return {
      id: command.id,
      kind: command.disturbance.kind,
      atUs: Math.min(...parts.map(({ atUs }) => atUs)),
      nodeNames: parts.flatMap(({ nodeNames }) => nodeNames).sort(),
    };
  }

  /** Resolves with the instant at which the storm was over on the last shard. @throws as beginStorm() */
  async stormEnded(stormId: string, signal: AbortSignal): Promise<number> {
    const isEnded = (event: AgentEvent): event is Extract<AgentEvent, { type: 'storm-ended' }> =>
      event.type === 'storm-ended' && event.ended.id === stormId;
    const ends = await Promise.all(
      this.#coordinator
        .alive('fleet')
        .map(async (id) => (await this.#coordinator.waitFor(id, isEnded, signal)).ended.atUs),
    );
    return Math.max(...ends);
  }

  /** Ends a storm before its time; stormEnded() tells when it is over. */
  healStorm(stormId: string): void {
    for (const id of this.#coordinator.alive('fleet'))
      this.#coordinator.send(id, { type: 'fleet', command: { type: 'heal', id: stormId } });
  }

  /** Ends the agents of one role, in order and with their last reports, by force where they do not answer. */
  async stop(role: AgentAssignment['role'], signal: AbortSignal): Promise<void> {
    const records = this.#coordinator.records().filter((record) => record.role === role);
    for (const { id } of records) this.#coordinator.send(id, { type: 'stop' });
    await Promise.all(
      records.map(({ id, state }) =>
        this.#processes.get(id)?.stop({ graceMs: state === 'lost' ? 0 : STOP_GRACE_MS, signal }),
      ),
    );
  }

  /** Ends everything that is left and the coordinator. Idempotent. */
  async close(signal: AbortSignal): Promise<void> {
    await Promise.all([...this.#processes.values()].map((process) => process.stop({ graceMs: 0, signal })));
    await this.#coordinator.stop();
  }

  /** True while every fleet agent lives: pods can still end by themselves. */
  fleetAlive(): boolean {
    const fleet = this.#coordinator.records().filter((record) => record.role === 'fleet');
    return fleet.length > 0 && fleet.every((record) => record.state !== 'lost');
  }

  /** How every agent fared. */
  records(): AgentFacts[] {
    return this.#coordinator.records().map((record) => {
      const priority = this.#processes.get(record.id)?.priority;
      return { ...record, ...(priority === undefined ? {} : { priority }) };
    });
  }

  pids(role: AgentAssignment['role']): number[] {
    return this.#coordinator
      .records()
      .filter((record) => record.role === role)
      .flatMap((record) => this.#processes.get(record.id)?.pid ?? []);
  }

  async #within(limitMs: number, work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const limit = new AbortController();
    const cancel = this.#options.clock.setTimer(() => limit.abort(tooLate(limitMs)), limitMs);
    try {
      await work(limit.signal);
    } catch (error) {
      if (!limit.signal.aborted) throw error;
      this.#options.log.warn({ limitMs }, 'agents did not end the phase in time');
    } finally {
      cancel();
    }
  }
}

function tooLate(limitMs: number): HarnessError {
  return new HarnessError('HM_AGENT_LOST', `no answer within ${limitMs} ms`);
}
