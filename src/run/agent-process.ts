/**
 * Agents of a local run: child processes of this one, running `hollowmark agent`. Each holds the read end of a pipe
 * from here as its standard input: when this process goes, however it goes, the pipe closes and the agent ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, delay, type Logger } from '../core/index.ts';
import { nodeArguments, raisePriority } from './agent-priority.ts';
import type { AgentIdentity } from './protocol.ts';

export interface AgentProcessOptions {
  agent: AgentIdentity;
  coordinatorUrl: string;
  token: string;
  /** `hollowmark` as this process was started: interpreter and script. */
  program: { execPath: string; script: string };
  /** Standard output and error go to `<logDirectory>/<id>.log`. */
  logDirectory: string;
  log: Logger;
  clock: Clock;
  /** Heap limit of the agent in MiB. */
  maxHeapMib: number;
  onExit: (reason: string) => void;
}

export class AgentProcess {
  readonly id: string;
  /** As the system granted it: `fifo 2`, `rr 1`, `nice -10` or `normal`. */
  readonly priority: string;
  readonly #child: ChildProcess;
  readonly #clock: Clock;
  readonly #exited: Promise<void>;

  constructor(options: AgentProcessOptions) {
    this.id = options.agent.id;
    this.#clock = options.clock;
    const logFile = openSync(join(options.logDirectory, `${options.agent.id}.log`), 'a');
    this.#child = spawn(
      options.program.execPath,
      [
        `--max-old-space-size=${options.maxHeapMib}`,
        ...nodeArguments(options.agent.role),
        options.program.script,
        'agent',
        '--coordinator',
        options.coordinatorUrl,
        '--id',
        options.agent.id,
      ],
      {
        stdio: ['pipe', logFile, logFile],
        // The token is for this process tree only: not in the arguments, which every user of the host can read.
        env: { ...process.env, HOLLOWMARK_AGENT_TOKEN: options.token },
        // A group of its own, or Ctrl-C would reach the fleet before the run has cleaned up.
        detached: true,
      },
    );
    closeSync(logFile);
    this.priority = raisePriority(this.#child.pid, options.agent.role);
    // The pipe only ever closes; a write error on it says nothing that the exit does not.
    this.#child.stdin?.on('error', () => {});
    this.#exited = new Promise((resolve) => {
      this.#child.once('error', (error) => {
        options.onExit(`could not be started: ${error.message}`);
        resolve();
      });
      this.#child.once('exit', (code, signal) => {
        options.log.info({ agent: this.id, code, signal }, 'agent process ended');
        options.onExit(
          signal === null ? `its process ended with exit code ${code}` : `its process was ended by ${signal}`,
        );
        resolve();
      });
    });
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  /** Waits for the agent to end by itself, then asks, then insists. Idempotent. */
  async stop(options: { graceMs: number; signal: AbortSignal }): Promise<void> {
    if (await this.#endsWithin(options.graceMs, options.signal)) return;
    this.#child.stdin?.end();
    this.#child.kill('SIGTERM');
    if (await this.#endsWithin(2_000, options.signal)) return;
    this.#child.kill('SIGKILL');
    // A stopped process takes its SIGKILL as well.
    await this.#exited;
  }

  async #endsWithin(waitMs: number, signal: AbortSignal): Promise<boolean> {
    const timer = new AbortController();
    const timedOut = delay(waitMs, { signal: timer.signal, clock: this.#clock }).then(
      () => false,
      () => true,
    );
    const ended = this.#exited.then(() => true);
    const aborted = new Promise<boolean>((resolve) => {
      if (signal.aborted) resolve(false);
      else signal.addEventListener('abort', () => resolve(false), { once: true, signal: timer.signal });
    });
    try {
      return await Promise.race([ended, timedOut, aborted]);
    } finally {
      timer.abort();
    }
  }
}
