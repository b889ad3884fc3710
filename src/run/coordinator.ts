/**
 * The coordinator's side of the protocol: a small HTTP server on loopback that hands out assignments and commands,
 * takes reports, and notices agents that fall silent. It knows nothing of what the reports mean; the run's collector
 * does.
 */
import { randomBytes, timingSafeEqual } from 'node:crypto';
import Fastify, { type FastifyInstance } from 'fastify';
import { type CancelTimer, type Clock, HarnessError, type Logger, onAbort } from '../core/index.ts';
import {
  AGENT_SILENCE_LIMIT_MS,
  type AgentAssignment,
  type AgentCommand,
  type AgentEvent,
  type AgentRegistration,
  type AgentReport,
  COMMAND_POLL_MS,
} from './protocol.ts';

/** A command before it has its sequence number. */
type Unsent<T> = T extends { sequence: number } ? Omit<T, 'sequence'> : never;
export type NewCommand = Unsent<AgentCommand>;

export interface CoordinatorHandlers {
  onReport(agentId: string, report: AgentReport): void;
  /** Once per agent: it is silent, its process ended early, or it said that it failed. */
  onLost(agentId: string, reason: string): void;
}

interface AgentState {
  readonly assignment: AgentAssignment;
  pid: number | undefined;
  state: 'expected' | 'running' | 'finished' | 'lost';
  lastReportUs: number;
  maxReportGapUs: number;
  commands: AgentCommand[];
  wakeUp: (() => void) | undefined;
  waiters: {
    matches: (event: AgentEvent) => boolean;
    resolve: (event: AgentEvent) => void;
    reject: (error: Error) => void;
  }[];
  events: AgentEvent[];
}

/** How one agent fared, for the result. */
export interface AgentRecord {
  id: string;
  role: AgentAssignment['role'];
  pid: number;
  state: 'completed' | 'lost';
  /** Why it was lost. */
  reason?: string;
  maxReportGapMs: number;
}

export class Coordinator implements AsyncDisposable {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #handlers: CoordinatorHandlers;
  readonly #agents = new Map<string, AgentState>();
  readonly #lostReasons = new Map<string, string>();
  readonly #server: FastifyInstance;
  /** Agents present this in `Authorization: Bearer`. */
  readonly token = randomBytes(24).toString('base64url');
  #cancelWatchdog: CancelTimer = () => {};
  #url = '';

  constructor(options: { clock: Clock; log: Logger; handlers: CoordinatorHandlers }) {
    this.#clock = options.clock;
    this.#log = options.log;
    this.#handlers = options.handlers;
    // A window of a 1,000-node agent with a pod wave in it is a few MB; certificates of 5,000 nodes about 10 MB.
    this.#server = Fastify({ bodyLimit: 256 * 1024 * 1024, forceCloseConnections: true });
    this.#routes();
  }

  get url(): string {
    return this.#url;
  }

  async start(): Promise<void> {
    this.#url = await this.#server.listen({ host: '127.0.0.1', port: 0 });
    this.#watch();
  }

  /** Announces an agent before its process starts. */
  expect(assignment: AgentAssignment): void {
    this.#agents.set(assignment.agentId, {
      assignment,
      pid: undefined,
      state: 'expected',
      lastReportUs: this.#clock.nowUs(),
      maxReportGapUs: 0,
      commands: [],
      wakeUp: undefined,
      waiters: [],
      events: [],
    });
  }

  /** Queues a command for one agent; a lost or finished agent is passed over. */
  send(agentId: string, command: NewCommand): void {
    const agent = this.#agents.get(agentId);
    if (agent === undefined || agent.state === 'lost' || agent.state === 'finished') return;
    const sequence = (agent.commands.at(-1)?.sequence ?? 0) + 1;
    agent.commands.push({ ...command, sequence } as AgentCommand);
    agent.wakeUp?.();
  }

  /**
   * Resolves with the first event of the agent that matches, past ones included.
   * @throws HM_AGENT_LOST when the agent is lost before that; the signal's reason
   */
  waitFor<T extends AgentEvent>(
    agentId: string,
    matches: (event: AgentEvent) => event is T,
    signal: AbortSignal,
  ): Promise<T> {
    const agent = this.#agents.get(agentId);
    if (agent === undefined) throw new HarnessError('HM_INTERNAL', `no agent ${agentId}`);
    const past = agent.events.find(matches);
    if (past !== undefined) return Promise.resolve(past);
    return new Promise<T>((resolve, reject) => {
      const lost = this.#lostReasons.get(agentId);
      if (lost !== undefined) {
        reject(agentLost(agentId, lost));
        return;
      }
      let stopListening = () => {};
      const waiter = {
        matches,
        resolve: (event: AgentEvent) => settle(() => resolve(event as T)),
        reject: (error: Error) => settle(() => reject(error)),
      };
      const settle = (act: () => void) => {
        stopListening();
        agent.waiters = agent.waiters.filter((other) => other !== waiter);
        act();
      };
      agent.waiters.push(waiter);
      stopListening = onAbort(signal, () => waiter.reject(signal.reason));
    });
  }

  /** To be called when an agent's process has ended, whatever the reason. */
  processEnded(agentId: string, reason: string): void {
    const agent = this.#agents.get(agentId);
    if (agent !== undefined && agent.state !== 'finished') this.#lose(agentId, agent, reason);
  }

  /** Ids of agents that are neither lost nor finished, by role if given. */
  alive(role?: AgentAssignment['role']): string[] {
    return [...this.#agents]
      .filter(([, agent]) => agent.state !== 'lost' && agent.state !== 'finished')
      .filter(([, agent]) => role === undefined || agent.assignment.role === role)
      .map(([id]) => id);
  }

  records(): AgentRecord[] {
    return [...this.#agents].map(([id, agent]) => {
      const reason = this.#lostReasons.get(id);
      return {
        id,
        role: agent.assignment.role,
        pid: agent.pid ?? 0,
        state: agent.state === 'lost' ? 'lost' : 'completed',
        ...(reason === undefined ? {} : { reason }),
        maxReportGapMs: agent.maxReportGapUs / 1_000,
      };
    });
  }

  async stop(): Promise<void> {
    this.#cancelWatchdog();
    for (const agent of this.#agents.values()) agent.wakeUp?.();
    await this.#server.close();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  #routes(): void {
    const server = this.#server;
    const expected = Buffer.from(`Bearer ${this.token}`);
    server.addHook('onRequest', async (request, reply) => {
      const given = Buffer.from(request.headers.authorization ?? '');
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) {
        await reply.code(401).send({ error: 'the bearer token is not this run’s' });
      }
    });
    server.post<{ Params: { id: string }; Body: AgentRegistration }>(
      '/v1/agents/:id',
      async (request, reply) => {
        const agent = this.#agents.get(request.params.id);
        if (agent === undefined || agent.state !== 'expected') {
          return reply.code(409).send({ error: `agent ${request.params.id} is not expected` });
        }
        agent.state = 'running';
        agent.pid = request.body.pid;
        agent.lastReportUs = this.#clock.nowUs();
        return agent.assignment;
      },
    );
    server.get<{ Params: { id: string }; Querystring: { after: string } }>(
      '/v1/agents/:id/commands',
      async (request, reply) => {
        const agent = this.#agents.get(request.params.id);
        if (agent === undefined) return reply.code(404).send({ error: 'unknown agent' });
        return this.#commandsAfter(agent, Number(request.query.after));
      },
    );
    server.post<{ Params: { id: string }; Body: AgentReport }>(
      '/v1/agents/:id/reports',
      async (request, reply) => {
        const agent = this.#agents.get(request.params.id);
        if (agent === undefined || agent.state === 'lost')
          return reply.code(410).send({ error: 'agent was given up' });
        this.#take(request.params.id, agent, request.body);
        return reply.code(204).send();
      },
    );
  }

  async #commandsAfter(agent: AgentState, after: number): Promise<AgentCommand[]> {
    const fresh = () => agent.commands.filter((command) => command.sequence > after);
    if (fresh().length > 0) return fresh();
    await new Promise<void>((resolve) => {
      const cancel = this.#clock.setTimer(resolve, COMMAND_POLL_MS);
      agent.wakeUp = () => {
        cancel();
        resolve();
      };
    });
    agent.wakeUp = undefined;
    return fresh();
  }

  #take(agentId: string, agent: AgentState, report: AgentReport): void {
    const nowUs = this.#clock.nowUs();
    agent.maxReportGapUs = Math.max(agent.maxReportGapUs, nowUs - agent.lastReportUs);
    agent.lastReportUs = nowUs;
    if (report.last) agent.state = 'finished';
    this.#handlers.onReport(agentId, report);
    for (const event of report.events) {
      agent.events.push(event);
      for (const waiter of agent.waiters.filter((candidate) => candidate.matches(event)))
        waiter.resolve(event);
      if (event.type === 'failed') this.#lose(agentId, agent, event.message);
    }
  }

  #watch(): void {
    this.#cancelWatchdog = this.#clock.setTimer(() => {
      const nowUs = this.#clock.nowUs();
      for (const [id, agent] of this.#agents) {
        const silentMs = (nowUs - agent.lastReportUs) / 1_000;
        if (agent.state === 'running' && silentMs > AGENT_SILENCE_LIMIT_MS) {
          this.#lose(id, agent, `silent for ${Math.round(silentMs / 1_000)} s`);
        }
      }
      this.#watch();
    }, 1_000);
  }

  #lose(agentId: string, agent: AgentState, reason: string): void {
    if (agent.state === 'lost') return;
    agent.state = 'lost';
    this.#lostReasons.set(agentId, reason);
    this.#log.error({ agent: agentId, reason }, 'agent lost');
    for (const waiter of [...agent.waiters]) waiter.reject(agentLost(agentId, reason));
    this.#handlers.onLost(agentId, reason);
  }
}

function agentLost(agentId: string, reason: string): HarnessError {
  return new HarnessError('HM_AGENT_LOST', `agent ${agentId} lost: ${reason}`);
}
