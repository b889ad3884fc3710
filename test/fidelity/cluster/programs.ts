/**
 * Programs that play beside the control plane, each under a guard: whatever ends the test ends them too.
 */
import { setMaxListeners } from 'node:events';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessGuard } from '../../../src/controlplane/process/guard.ts';
import { exitError, ManagedProcess } from '../../../src/controlplane/process/managed-process.ts';
import { silentLogger, systemClock } from '../../../src/core/index.ts';

const READY_TIMEOUT_MS = 120_000;
const READY_INTERVAL_MS = 200;
const NEVER = new AbortController().signal;
// Every wait of every player listens to it for a moment.
setMaxListeners(0, NEVER);

export class Programs {
  readonly #directory: string;
  readonly #guard = new ProcessGuard(silentLogger());
  readonly #running: ManagedProcess[] = [];

  /** Logs go to `directory`/logs. */
  constructor(directory: string) {
    this.#directory = directory;
    mkdirSync(join(directory, 'logs'), { recursive: true });
    this.#guard.start();
  }

  logPath(name: string): string {
    return join(this.#directory, 'logs', `${name}.log`);
  }

  /** Starts a program; resolves once `isReady` says so. @throws HM_COMPONENT_EXITED, HM_COMPONENT_NOT_READY */
  async start(
    name: string,
    program: string,
    args: readonly string[],
    isReady: () => Promise<boolean> = async () => true,
  ): Promise<ManagedProcess> {
    const started = new ManagedProcess(
      { name, program, args, logPath: this.logPath(name) },
      { clock: systemClock, environment: this.#guard.environment },
    );
    this.#running.push(started);
    started.spawn();
    if (started.pid !== undefined) this.#guard.add(started.pid);
    await started.ready(async () => ((await isReady()) ? { ready: true } : { ready: false, reason: 'no' }), {
      timeoutMs: READY_TIMEOUT_MS,
      intervalMs: READY_INTERVAL_MS,
      signal: NEVER,
    });
    return started;
  }

  /** Waits for a program that ends by itself. @throws HM_COMPONENT_EXITED unless it ended well */
  async run(name: string, program: string, args: readonly string[]): Promise<void> {
    const started = await this.start(name, program, args);
    const exit = await started.exited;
    if (exit.how !== 'exit code 0') throw exitError(name, exit);
  }

  /** Ends all, the newest first. */
  async stop(): Promise<void> {
    for (const one of this.#running.toReversed()) {
      const pid = one.pid;
      await one.stop();
      if (pid !== undefined) this.#guard.remove(pid);
    }
    this.#guard.close();
  }
}
