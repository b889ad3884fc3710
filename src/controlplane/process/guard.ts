/**
 * Hollowmark's side of the guard process (guard-main.ts): starts it, tells it what to end if hollowmark dies, and
 * starts another one if somebody ends the guard itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { compiledScriptPath, type Logger } from '../../core/index.ts';
import { identifyProcess } from './identity.ts';

/** Milliseconds between SIGTERM and SIGKILL when the guard ends processes. */
export const GUARD_GRACE_MS = 5_000;

export class ProcessGuard {
  readonly #mark = randomUUID();
  readonly #log: Logger;
  readonly #announced = new Map<number, string>();
  #child: ChildProcess | undefined;
  #closing = false;

  constructor(log: Logger) {
    this.#log = log;
  }

  /** What a process must have in its environment from birth to be under this guard. */
  get environment(): Record<string, string> {
    return { HOLLOWMARK_GUARD: this.#mark };
  }

  /** Pid of the guard process, while it runs. */
  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    if (this.#child !== undefined) return;
    const script = compiledScriptPath('src/controlplane/process/guard-main');
    // A session of its own: Ctrl-C in the terminal must not reach it.
    const child = spawn(process.execPath, [script, this.#mark, String(GUARD_GRACE_MS)], {
      detached: true,
      stdio: ['pipe', 'ignore', 'ignore'],
      env: { PATH: process.env['PATH'] ?? '' },
    });
    child.on('error', (error) => this.#log.warn({ error: error.message }, 'guard process failed'));
    child.on('exit', () => this.#onExit(child));
    // A guard that just died leaves a broken pipe; its exit is handled above.
    child.stdin?.on('error', () => {});
    child.unref();
    this.#child = child;
    for (const line of this.#announced.values()) this.#send(line);
  }

  /** From now on this process is ended with hollowmark. */
  add(pid: number): void {
    const identity = identifyProcess(pid);
    if (identity === undefined) return;
    const line = `+ ${pid} ${identity.beganAt}`;
    this.#announced.set(pid, line);
    this.#send(line);
  }

  remove(pid: number): void {
    if (this.#announced.delete(pid)) this.#send(`- ${pid}`);
  }

  /** Lets the guard go: everything it guarded has been stopped. */
  close(): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#send('done');
    this.#child?.stdin?.end();
  }

  #send(line: string): void {
    this.#child?.stdin?.write(`${line}\n`);
  }

  #onExit(child: ChildProcess): void {
    if (this.#closing || this.#child !== child) return;
    this.#log.warn({ pid: child.pid }, 'guard process ended, starting another');
    this.#child = undefined;
    this.start();
  }
}
