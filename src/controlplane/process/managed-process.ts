/**
 * One program started by hollowmark: output straight to a file (so a talkative component costs hollowmark's event
 * loop nothing), a race of ready against exit against time-out, and an end by SIGTERM, then SIGKILL.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { type Clock, childAbort, delay, HarnessError, withTimeout } from '../../core/index.ts';

/** Milliseconds a program has between SIGTERM and SIGKILL. An API server waits for its requests, etcd for its peers. */
export const STOP_GRACE_MS = 10_000;
const TAIL_LINES = 20;
const TAIL_BYTES = 64 * 1024;

export interface ProgramSpec {
  /** Unique within the plane: `etcd-0`. */
  name: string;
  /** Absolute path of the binary. */
  program: string;
  args: readonly string[];
  /** Standard output and standard error, appended. */
  logPath: string;
}

export interface ProcessExit {
  /** `exit code 1`, `signal SIGKILL`, `could not be started: ...` */
  how: string;
  /** Last lines of what it wrote. */
  lastLines: readonly string[];
}

export class ManagedProcess {
  readonly spec: ProgramSpec;
  readonly #clock: Clock;
  readonly #environment: Readonly<Record<string, string>>;
  #child: ChildProcess | undefined;
  #stopping = false;
  #exit: Promise<ProcessExit> | undefined;

  constructor(spec: ProgramSpec, options: { clock: Clock; environment?: Readonly<Record<string, string>> }) {
    this.spec = spec;
    this.#clock = options.clock;
    this.#environment = options.environment ?? {};
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  /** True from spawn() until the program has ended, paused or not. */
  get running(): boolean {
    const child = this.#child;
    return child?.pid !== undefined && child.exitCode === null && child.signalCode === null;
  }

  /** True once stop() was called: an exit after that is wanted. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Resolves when the program that was started last has ended; never rejects. */
  get exited(): Promise<ProcessExit> {
    if (this.#exit === undefined) throw new HarnessError('HM_INTERNAL', `${this.spec.name} was not started`);
    return this.#exit;
  }

  /**
   * Starts the program; may be called again after it ended (a restart keeps name, arguments and log).
   * @throws HM_DISK_FULL if its log cannot be opened for want of space.
   */
  spawn(): void {
    const log = openLog(this.spec.logPath);
    try {
      this.#stopping = false;
      // A process group of its own: Ctrl-C in the terminal is hollowmark's to handle, in order.
      const child = spawn(this.spec.program, this.spec.args, {
        detached: true,
        stdio: ['ignore', log, log],
        env: { ...this.#environment, PATH: process.env['PATH'] ?? '', HOME: process.env['HOME'] ?? '/' },
      });
      this.#child = child;
      this.#exit = new Promise((resolve) => {
        const settle = (how: string) => resolve({ how, lastLines: tailLines(this.spec.logPath) });
        child.once('error', (error) => settle(`could not be started: ${error.message}`));
        child.once('exit', (code, signalName) =>
          settle(signalName === null ? `exit code ${code}` : `signal ${signalName}`),
        );
      });
    } finally {
      closeSync(log);
    }
  }

  /**
   * Resolves when `isReady` resolves to true (asked every `intervalMs`).
   * @throws HM_COMPONENT_EXITED or HM_DISK_FULL if the program ends before that, HM_COMPONENT_NOT_READY after
   * `timeoutMs`, or the signal's reason.
   */
  async ready(
    isReady: (signal: AbortSignal) => Promise<{ ready: true } | { ready: false; reason: string }>,
    options: { timeoutMs: number; intervalMs: number; signal: AbortSignal },
  ): Promise<void> {
    let lastReason = 'not asked yet';
    using polling = childAbort(options.signal);
    const poll = async (signal: AbortSignal) => {
      for (;;) {
        const answer = await isReady(signal);
        if (answer.ready) return;
        lastReason = answer.reason;
        await delay(options.intervalMs, { signal, clock: this.#clock });
      }
    };
    const exited = this.exited.then((exit) => {
      throw exitError(this.spec.name, exit);
    });
    const polled = withTimeout(poll, {
      timeoutMs: options.timeoutMs,
      signal: polling.signal,
      clock: this.#clock,
      makeReason: () =>
        new HarnessError(
          'HM_COMPONENT_NOT_READY',
          `${this.spec.name} is not ready after ${options.timeoutMs / 1_000} s: ${lastReason}${quoteLines(tailLines(this.spec.logPath))}`,
          { hint: `its log: ${this.spec.logPath}` },
        ),
    });
    try {
      await Promise.race([polled, exited]);
    } finally {
      polling.abort(new Error('no longer asked'));
      // Both promises may still reject after the race; that is no news then.
      polled.catch(() => {});
      exited.catch(() => {});
    }
  }

  /** Ends the program: SIGTERM, then SIGKILL after `graceMs`. Resolves when it is gone; idempotent. */
  async stop(graceMs: number = STOP_GRACE_MS): Promise<void> {
    const child = this.#child;
    this.#stopping = true;
    if (child === undefined || this.#exit === undefined || !this.running) return;
    child.kill('SIGTERM');
    // A paused program would not hear it.
    child.kill('SIGCONT');
    const cancelTimer = this.#clock.setTimer(() => child.kill('SIGKILL'), graceMs);
    await this.#exit;
    cancelTimer();
  }

  /** Sends a signal to the program; false if it does not run. */
  signal(signalName: 'SIGKILL' | 'SIGTERM' | 'SIGSTOP' | 'SIGCONT'): boolean {
    return this.running && this.#child?.kill(signalName) === true;
  }

  /** Forgets the program without ending it: it lives on when hollowmark ends. */
  release(): void {
    this.#child?.unref();
  }
}

/** The error for a program that ended by itself, with its last lines. */
export function exitError(name: string, exit: ProcessExit): HarnessError {
  const text = exit.lastLines.join('\n');
  if (/no space left on device/i.test(text))
    return new HarnessError(
      'HM_DISK_FULL',
      `${name} ended with ${exit.how}: the disk is full${quoteLines(exit.lastLines)}`,
      {
        hint: 'free space on the device of the run directory, or choose another one',
      },
    );
  return new HarnessError(
    'HM_COMPONENT_EXITED',
    `${name} ended with ${exit.how}${quoteLines(exit.lastLines)}`,
  );
}

/** True for the exit of a program that found its port taken. */
export function isAddressInUse(error: unknown): boolean {
  return error instanceof Error && /address already in use|bind: only one usage/i.test(error.message);
}

/** Last 20 lines of a log, without the stack trace of a Go panic; empty if it cannot be read. */
export function tailLines(path: string): readonly string[] {
  try {
    const file = openSync(path, 'r');
    try {
      const sizeBytes = fstatSync(file).size;
      const buffer = Buffer.alloc(Math.min(TAIL_BYTES, sizeBytes));
      readSync(file, buffer, 0, buffer.length, sizeBytes - buffer.length);
      return withoutTrace(buffer.toString('utf8').trimEnd().split('\n')).slice(-TAIL_LINES);
    } finally {
      closeSync(file);
    }
  } catch {
    // No log is no reason to hide the failure that is being described.
    return [];
  }
}

// A panic prints its reason first and then more lines of stack than are quoted.
function withoutTrace(lines: readonly string[]): readonly string[] {
  const panicAt = lines.findLastIndex((line) => /^(panic|fatal error): /.test(line));
  if (panicAt === -1) return lines;
  const traceAt = lines.findIndex((line, index) => index > panicAt && /^goroutine \d+ /.test(line));
  return traceAt === -1 ? lines : lines.slice(0, traceAt);
}

function quoteLines(lines: readonly string[]): string {
  const written = lines.filter((line) => line !== '');
  return written.length === 0 ? '; it wrote nothing' : `; it wrote last:\n  ${written.join('\n  ')}`;
}

function openLog(path: string): number {
  try {
    return openSync(path, 'a', 0o600);
  } catch (cause) {
    throw diskError(cause, `log ${path} cannot be opened`);
  }
}

/** HM_DISK_FULL for ENOSPC and EDQUOT, HM_INTERNAL otherwise, around a failed write. */
export function diskError(cause: unknown, message: string): HarnessError {
  const full =
    cause instanceof Error && 'code' in cause && (cause.code === 'ENOSPC' || cause.code === 'EDQUOT');
  return full
    ? new HarnessError('HM_DISK_FULL', `${message}: no space left on the device`, { cause })
    : new HarnessError('HM_INTERNAL', message, { cause });
}
