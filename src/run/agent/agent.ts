/**
 * An agent: registers with the coordinator, plays the role it is given, reports once a second and at the end of each
 * window, and ends when told to or when the coordinator is gone.
 */
import { request } from 'undici';
import {
  type Clock,
  collectGarbage,
  delay,
  describeError,
  HarnessError,
  isHarnessError,
  type Logger,
} from '../../core/index.ts';
import { PodInstantBuffer, ProcessHealth, RunCallRecorder } from '../../measure/index.ts';
import {
  type AgentAssignment,
  type AgentCommand,
  type AgentEvent,
  type AgentReport,
  type AgentWindow,
  REPORT_PERIOD_MS,
  WINDOW_MS,
} from '../protocol.ts';
import type { AgentRoleRunner } from './role.ts';

export interface AgentOptions {
  coordinatorUrl: string;
  token: string;
  id: string;
  clock: Clock;
  log: Logger;
  /** Aborts when the process is told to end, or its parent is gone. */
  signal: AbortSignal;
  makeRole: (
    assignment: AgentAssignment,
    parts: {
      clock: Clock;
      log: Logger;
      recorder: RunCallRecorder;
      pods: PodInstantBuffer;
      emit: (event: AgentEvent) => void;
    },
  ) => AgentRoleRunner;
}

/** Runs until the coordinator says stop (resolves) or is gone (rejects). */
export async function runAgent(options: AgentOptions): Promise<void> {
  const assignment = (await call(options, 'POST', `/v1/agents/${options.id}`, {
    pid: process.pid,
  })) as AgentAssignment;
  const agent = new Agent(options, assignment);
  await agent.run();
}

class Agent {
  readonly #options: AgentOptions;
  readonly #assignment: AgentAssignment;
  readonly #recorder = new RunCallRecorder();
  readonly #pods = new PodInstantBuffer();
  readonly #health: ProcessHealth;
  readonly #role: AgentRoleRunner;
  readonly #stopped = new AbortController();
  #events: AgentEvent[] = [];
  #reportSequence = 0;
  #windowIndex: number;

  constructor(options: AgentOptions, assignment: AgentAssignment) {
    this.#options = options;
    this.#assignment = assignment;
    this.#health = new ProcessHealth(options.clock);
    this.#windowIndex = this.#currentWindow();
    this.#role = options.makeRole(assignment, {
      clock: options.clock,
      log: options.log,
      recorder: this.#recorder,
      pods: this.#pods,
      emit: (event) => this.#emit(event),
    });
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    this.#health.start();
    const reporting = this.#reportLoop();
    // The role starts in the background: reports go out while nodes register.
    const starting = this.#role
      .start(signal)
      .then(() => {
        // Health is judged from here on: loading code and opening connections block the loop, and cost nobody anything.
        collectGarbage();
        this.#health.drain();
        this.#emit({ type: 'ready' });
      })
      .catch((error: unknown) => this.#fail(error));
    try {
      await this.#commandLoop();
      await this.#role.stop();
      await starting;
    } finally {
      this.#stopped.abort();
      await reporting;
    }
    await this.#report(true);
    this.#health.stop();
  }

  async #commandLoop(): Promise<void> {
    const { signal } = this.#options;
    let after = 0;
    for (;;) {
      signal.throwIfAborted();
      const path = `/v1/agents/${this.#options.id}/commands?after=${after}`;
      const commands = (await call(this.#options, 'GET', path)) as AgentCommand[];
      for (const command of commands) {
        after = command.sequence;
        if (command.type === 'stop') return;
        this.#obey(command);
      }
    }
  }

  #obey(command: AgentCommand): void {
    if (command.type === 'phase') {
      this.#role
        .runPhase(command.phase, command.startUs)
        .then((outcome) => this.#emit({ type: 'phase-done', phase: command.phase.name, outcome }))
        .catch((error: unknown) => this.#fail(error));
    } else if (command.type === 'curtail-phase') {
      this.#role.curtailPhase?.();
    } else if (command.type === 'end-phase') {
      this.#role.endPhase();
    } else if (command.type === 'fleet') {
      this.#role.applyToFleet?.(command.command).catch((error: unknown) => this.#fail(error));
    }
  }

  async #reportLoop(): Promise<void> {
    const { clock } = this.#options;
    while (!this.#stopped.signal.aborted) {
      await delay(REPORT_PERIOD_MS, { signal: this.#stopped.signal, clock }).catch(() => {});
      if (this.#stopped.signal.aborted) return;
      try {
        await this.#report(false);
      } catch (error) {
        // The coordinator is gone or has given this agent up: the command loop ends the agent.
        this.#options.log.warn({ error: describeError(error) }, 'report not taken');
      }
    }
  }

  async #report(last: boolean): Promise<void> {
    const report: AgentReport = {
      sequence: ++this.#reportSequence,
      sentUs: this.#options.clock.nowUs(),
      events: this.#events.splice(0),
      ...this.#role.stats(),
      last,
    };
    const current = this.#currentWindow();
    if (last || current > this.#windowIndex) {
      report.window = this.#closeWindow();
      this.#windowIndex = current;
    }
    const pods = this.#pods.drain();
    if (pods !== undefined) report.pods = pods;
    await call(this.#options, 'POST', `/v1/agents/${this.#options.id}/reports`, report);
  }

  #closeWindow(): AgentWindow {
    return {
      index: this.#windowIndex,
      calls: this.#recorder.drain(),
      health: this.#health.drain(),
      ...this.#role.drain(),
    };
  }

  #currentWindow(): number {
    return Math.floor((this.#options.clock.nowUs() - this.#assignment.epochUs) / (WINDOW_MS * 1_000));
  }

  #emit(event: AgentEvent): void {
    this.#events.push(event);
  }

  #fail(error: unknown): void {
    if (this.#options.signal.aborted) return;
    this.#options.log.error({ error: describeError(error) }, 'agent failed');
    this.#emit({
      type: 'failed',
      code: isHarnessError(error) ? error.code : 'HM_INTERNAL',
      message: describeError(error),
    });
  }
}

async function call(
  options: AgentOptions,
  method: 'GET' | 'POST',
  path: string,
  body?: unknown,
): Promise<unknown> {
  const reply = await request(`${options.coordinatorUrl}${path}`, {
    method,
    headers: { authorization: `Bearer ${options.token}`, 'content-type': 'application/json' },
    body: body === undefined ? null : JSON.stringify(body),
    signal: options.signal,
    headersTimeout: 60_000,
  });
  const text = await reply.body.text();
  if (reply.statusCode >= 300) {
    throw new HarnessError(
      'HM_AGENT_LOST',
      `coordinator answered ${reply.statusCode} to ${method} ${path}: ${text}`,
    );
  }
  return text === '' ? undefined : JSON.parse(text);
}
