/**
 * A slow disk for one process: strace attaches to it and delays the return of every fsync and fdatasync. It needs
 * neither a device of its own nor root (but the right to trace). What it costs besides: each other system call of that
 * process stops twice as well while strace is attached, some 10 us each, so a delay of nearly 0 is not quite none.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Clock, delay, HarnessError, withTimeout } from '../../core/index.ts';
import type { ProcessGuard } from '../process/guard.ts';
import { ManagedProcess } from '../process/managed-process.ts';

const ATTACH_TIMEOUT_MS = 10_000;

export class SlowDisks {
  readonly #parts: { clock: Clock; directory: string; guard: ProcessGuard; stracePath: string | undefined };
  readonly #tracers = new Map<string, ManagedProcess>();

  constructor(parts: {
    clock: Clock;
    directory: string;
    guard: ProcessGuard;
    stracePath: string | undefined;
  }) {
    this.#parts = parts;
  }

  /** Names of the instances that are slowed. */
  get names(): string[] {
    return [...this.#tracers].flatMap(([name, tracer]) => (tracer.running ? [name] : []));
  }

  /** @throws HM_PREFLIGHT_FAILED without strace or the right to trace */
  async slow(name: string, pid: number, delayMs: number, signal: AbortSignal): Promise<void> {
    await this.heal(name);
    const { clock, directory, guard, stracePath } = this.#parts;
    if (stracePath === undefined)
      throw new HarnessError('HM_PREFLIGHT_FAILED', 'a slow disk is made with strace, and there is none', {
        hint: 'install it (apt-get install strace)',
      });
    const inject = `inject=fsync,fdatasync:delay_exit=${Math.round(delayMs * 1_000)}`;
    const tracer = new ManagedProcess(
      {
        name: `strace of ${name}`,
        program: stracePath,
        args: [
          '-f',
          '-qq',
          '-o',
          '/dev/null',
          '-e',
          'trace=fsync,fdatasync',
          '-e',
          inject,
          '-p',
          String(pid),
        ],
        logPath: join(directory, 'logs', `strace-${name}.log`),
      },
      { clock, environment: guard.environment },
    );
    tracer.spawn();
    if (tracer.pid !== undefined) guard.add(tracer.pid);
    this.#tracers.set(name, tracer);
    const attached = async (waiting: AbortSignal) => {
      while (tracerOf(pid) !== tracer.pid) {
        if (!tracer.running) {
          const { how, lastLines } = await tracer.exited;
          throw new HarnessError(
            'HM_PREFLIGHT_FAILED',
            `strace cannot attach to ${name} (${how}): ${lastLines.at(-1) ?? 'it wrote nothing'}`,
            { hint: 'run as root, or set kernel.yama.ptrace_scope to 0' },
          );
        }
        await delay(10, { signal: waiting, clock });
      }
    };
    await withTimeout(attached, {
      timeoutMs: ATTACH_TIMEOUT_MS,
      signal,
      clock,
      makeReason: () => new HarnessError('HM_PREFLIGHT_FAILED', `strace did not attach to ${name}`),
    });
  }

  async heal(name: string): Promise<void> {
    const tracer = this.#tracers.get(name);
    if (tracer === undefined) return;
    this.#tracers.delete(name);
    // SIGTERM lets it detach, so that the process goes on.
    await tracer.stop();
    if (tracer.pid !== undefined) this.#parts.guard.remove(tracer.pid);
  }

  async healAll(): Promise<void> {
    for (const name of [...this.#tracers.keys()]) await this.heal(name);
  }
}

function tracerOf(pid: number): number | undefined {
  try {
    return Number(/^TracerPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
  } catch {
    // The process has ended.
    return undefined;
  }
}
