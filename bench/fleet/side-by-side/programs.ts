/**
 * Programs of contenders, each under a guard: they end with the benchmark, however that ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, mkdirSync, openSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessGuard } from '../../../src/controlplane/index.ts';
import { silentLogger, systemClock } from '../../../src/core/index.ts';

const GRACE_MS = 10_000;

export interface RunningProgram {
  readonly pid: number;
  readonly child: ChildProcess;
  /** Ends it and resolves when it is gone. Idempotent. */
  stop(): Promise<void>;
}

export class Programs {
  readonly #directory: string;
  readonly #guard = new ProcessGuard(silentLogger());
  readonly #running = new Set<RunningProgram>();

  /** Logs go to `directory`. */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(directory, { recursive: true });
    this.#guard.start();
  }

  /** Starts a program; with `talks`, standard input and output are pipes, else both outputs go to its log. */
  start(name: string, program: string, args: readonly string[], talks = false): RunningProgram {
    const log = openSync(join(this.#directory, `${name}.log`), 'a');
    const child = spawn(program, args, {
      // A group of its own: Ctrl-C is the benchmark's to handle.
      detached: true,
      stdio: [talks ? 'pipe' : 'ignore', talks ? 'pipe' : log, log],
      env: { ...process.env, ...this.#guard.environment },
    });
    closeSync(log);
    const { pid } = child;
    if (pid === undefined) throw new Error(`${name} could not be started: ${program}`);
    this.#guard.add(pid);
    const exited = new Promise<void>((resolve) => {
      child.once('exit', () => resolve());
    });
    const running: RunningProgram = {
      pid,
      child,
      stop: async () => {
        if (!this.#running.delete(running)) return;
        child.kill('SIGTERM');
        const cancel = systemClock.setTimer(() => child.kill('SIGKILL'), GRACE_MS);
        if (child.exitCode === null && child.signalCode === null) await exited;
        cancel();
        this.#guard.remove(pid);
      },
    };
    this.#running.add(running);
    return running;
  }

  async stop(): Promise<void> {
    await Promise.all([...this.#running].map((program) => program.stop()));
    this.#guard.close();
  }
}
