/**
 * The running processes of a plane: started stage by stage, watched, stopped in reverse.
 */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Clock, childAbort, HarnessError, type Logger } from '../core/index.ts';
import type { Program } from './binaries/versions.ts';
import { type ComponentInstance, instanceAccess } from './components/component.ts';
import type { PlaneIdentities } from './pki/plane-pki.ts';
import type { ProcessGuard } from './process/guard.ts';
import { exitError, ManagedProcess, type ProcessExit } from './process/managed-process.ts';
import type { ComponentFailure, ComponentInfo } from './provider.ts';
import { askReady } from './readiness.ts';

/** Milliseconds a component has to become ready. The slowest takes 3 s on two idle cores. */
export const READY_TIMEOUT_MS = 120_000;
const READY_INTERVAL_MS = 50;

/** What happens when a component ends by itself: today the plane has failed; a topology may restart it instead. */
export type ExitPolicy = (
  instance: ComponentInstance,
  exit: ProcessExit,
) => { action: 'fail' } | { action: 'restart'; delayMs: number };

export interface PlaneProcessesOptions {
  directory: string;
  programs: Readonly<Partial<Record<Program, string>>>;
  pki: PlaneIdentities;
  clock: Clock;
  log: Logger;
  /** Ends the processes when hollowmark dies; absent: they are to outlive it. */
  guard?: ProcessGuard | undefined;
  /** @default always fail */
  exitPolicy?: ExitPolicy;
}

interface Running {
  instance: ComponentInstance;
  process: ManagedProcess;
}

export class PlaneProcesses {
  readonly failed: Promise<ComponentFailure>;
  readonly #options: PlaneProcessesOptions;
  readonly #stages: Running[][] = [];
  #fail: (failure: ComponentFailure) => void = () => {};
  #stopped: Promise<void> | undefined;

  constructor(options: PlaneProcessesOptions) {
    this.#options = options;
    this.failed = new Promise((resolve) => {
      this.#fail = resolve;
    });
  }

  /**
   * Starts one group of instances at the same time, after those started before; resolves when all are ready.
   * The caller stops the plane if this throws.
   * @throws HM_COMPONENT_EXITED, HM_COMPONENT_NOT_READY, HM_DISK_FULL, or the signal's reason.
   */
  async startStage(instances: readonly ComponentInstance[], signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const running = instances.map((instance) => ({ instance, process: this.#makeProcess(instance) }));
    this.#stages.push(running);
    using stage = childAbort(signal);
    const starts = running.map((one) => this.#startOne(one, stage.signal));
    try {
      await Promise.all(starts);
    } catch (error) {
      // The others need not become ready any more; their own failures would only hide the first.
      stage.abort(error);
      await Promise.allSettled(starts);
      throw error;
    }
  }

  get components(): readonly ComponentInfo[] {
    return this.#stages.flat().map(({ instance, process }) => ({
      component: instance.component,
      name: instance.name,
      ...(process.pid === undefined ? {} : { pid: process.pid }),
      metrics: instanceAccess(instance, this.#options.pki),
      args: instance.args,
      logPath: process.spec.logPath,
    }));
  }

  /** Ends all, last stage first, everything within a stage at the same time; idempotent. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  /** Leaves the processes running when hollowmark ends. */
  release(): void {
    for (const { process } of this.#stages.flat()) process.release();
  }

  async #startOne({ instance, process }: Running, signal: AbortSignal): Promise<void> {
    const { pki, log, guard } = this.#options;
    this.#spawn(instance, process);
    log.info({ component: instance.name, pid: process.pid, args: instance.args }, 'component started');
    const access = instanceAccess(instance, pki);
    await process.ready((asking) => askReady(access, instance.readyPath, asking), {
      timeoutMs: READY_TIMEOUT_MS,
      intervalMs: READY_INTERVAL_MS,
      signal,
    });
    log.info({ component: instance.name, pid: process.pid, guarded: guard !== undefined }, 'component ready');
  }

  #spawn(instance: ComponentInstance, process: ManagedProcess): void {
    const { guard, log } = this.#options;
    process.spawn();
    const pid = process.pid;
    if (pid !== undefined) guard?.add(pid);
    void process.exited.then((exit) => {
      if (pid !== undefined) guard?.remove(pid);
      if (process.stopping) return;
      log.warn({ component: instance.name, pid, how: exit.how }, 'component ended by itself');
      this.#onUnexpectedExit(instance, process, exit);
    });
  }

  #onUnexpectedExit(instance: ComponentInstance, process: ManagedProcess, exit: ProcessExit): void {
    const decision = this.#options.exitPolicy?.(instance, exit) ?? { action: 'fail' };
    if (decision.action === 'fail') {
      this.#fail({ name: instance.name, message: exitError(instance.name, exit).message });
      return;
    }
    this.#options.clock.setTimer(() => {
      if (this.#stopped === undefined) this.#spawn(instance, process);
    }, decision.delayMs);
  }

  async #stopAll(): Promise<void> {
    const errors: unknown[] = [];
    for (const stage of this.#stages.toReversed()) {
      const results = await Promise.allSettled(stage.map(({ process }) => process.stop()));
      errors.push(...results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])));
    }
    if (errors.length > 0) throw new AggregateError(errors, 'components of the control plane failed to stop');
  }

  #makeProcess(instance: ComponentInstance): ManagedProcess {
    const { directory, programs, clock, guard } = this.#options;
    const program = programs[instance.component];
    if (program === undefined) throw new HarnessError('HM_INTERNAL', `no program for ${instance.component}`);
    const logPath = join(directory, 'logs', `${instance.name}.log`);
    mkdirSync(dirname(logPath), { recursive: true });
    return new ManagedProcess(
      { name: instance.name, program, args: instance.args, logPath },
      { clock, environment: guard?.environment ?? {} },
    );
  }
}
