/**
 * The running processes of a plane: started stage by stage, watched, broken and mended by levers, stopped in reverse.
 */
import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Clock, childAbort, delay, HarnessError, type Logger, withTimeout } from '../core/index.ts';
import type { ClusterAccess } from '../kube/index.ts';
import type { Program } from './binaries/versions.ts';
import { type ComponentInstance, instanceAccess } from './components/component.ts';
import { changeFlags } from './components/flags.ts';
import type {
  PlaneEvent,
  PlaneInstance,
  ProcessLevers,
  RestartChange,
  RestartPolicy,
} from './levers/levers.ts';
import type { PlaneIdentities } from './pki/plane-pki.ts';
import type { ProcessGuard } from './process/guard.ts';
import { exitError, ManagedProcess } from './process/managed-process.ts';
import { SupervisedProcess } from './process/supervised-process.ts';
import { RESTART_POLICY } from './process/supervisor.ts';
import { utsMode, withHostname } from './process/uts.ts';
import type { ComponentFailure, ComponentInfo } from './provider.ts';
import { askReady } from './readiness.ts';

/** Milliseconds a component has to become ready. The slowest takes 3 s on two idle cores. */
export const READY_TIMEOUT_MS = 120_000;
const READY_INTERVAL_MS = 50;

export type Programs = Readonly<Partial<Record<Program, string>>>;

export interface PlaneProcessesOptions {
  directory: string;
  programs: Programs;
  /** Programs of another version, for levers that change it. */
  programsOf?: ((version: string, signal: AbortSignal) => Promise<Programs>) | undefined;
  pki: PlaneIdentities;
  clock: Clock;
  log: Logger;
  /** Ends the processes when hollowmark dies; absent: they are to outlive it. */
  guard?: ProcessGuard | undefined;
  /** What ends by itself is started again; otherwise the plane has failed. @default false */
  supervised?: boolean | undefined;
}

export class PlaneProcesses implements ProcessLevers {
  readonly failed: Promise<ComponentFailure>;
  readonly restartPolicy: RestartPolicy = RESTART_POLICY;
  readonly #options: PlaneProcessesOptions;
  readonly #stages: SupervisedProcess[][] = [];
  readonly #events: PlaneEvent[] = [];
  readonly #listeners = new Set<(event: PlaneEvent) => void>();
  readonly #closing = new AbortController();
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
    const members = instances.map((instance) => this.#makeMember(instance));
    this.#stages.push(members);
    using stage = childAbort(signal);
    const starts = members.map((member) => this.#startOne(member, stage.signal));
    try {
      await Promise.all(starts);
    } catch (error) {
      // The others need not become ready any more; their own failures would only hide the first.
      stage.abort(error);
      await Promise.allSettled(starts);
      throw error;
    }
    for (const member of members) member.launched();
  }

  get components(): readonly ComponentInfo[] {
    return this.#stages.flat().map(({ instance, process }) => ({
      component: instance.component,
      name: instance.name,
      ...(process.pid === undefined ? {} : { pid: process.pid }),
      ...(instance.zone === undefined ? {} : { zone: instance.zone }),
      ...metricsOf(instance, this.#options.pki),
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
  releaseAll(): void {
    for (const { process } of this.#stages.flat()) process.release();
  }

  get events(): readonly PlaneEvent[] {
    return this.#events;
  }

  onEvent(listener: (event: PlaneEvent) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  instances(): readonly PlaneInstance[] {
    return this.#stages.flat().map((member) => member.snapshot);
  }

  isRunning(name: string): boolean {
    return this.#member(name).running;
  }

  access(name: string): ClusterAccess {
    return instanceAccess(this.#member(name).instance, this.#options.pki);
  }

  /** What was started under this name, with the changes of levers. */
  instance(name: string): ComponentInstance {
    return this.#member(name).instance;
  }

  kill(name: string): Promise<void> {
    return this.#member(name).kill();
  }

  terminate(name: string): Promise<void> {
    return this.#member(name).terminate();
  }

  pause(name: string): void {
    this.#member(name).pause();
  }

  resume(name: string): void {
    this.#member(name).resume();
  }

  throttle(name: string, runRatio: number): void {
    this.#member(name).throttle(runRatio);
  }

  hold(name: string): void {
    this.#member(name).hold();
  }

  release(name: string): void {
    this.#member(name).release();
  }

  async awaitReady(name: string, signal: AbortSignal): Promise<void> {
    const member = this.#member(name);
    let reason = 'it does not run';
    const poll = async (asking: AbortSignal) => {
      for (;;) {
        if (member.running && !member.paused) {
          const answer = await this.#ask(member, asking);
          if (answer.ready) return;
          reason = answer.reason;
        }
        await delay(READY_INTERVAL_MS, { signal: asking, clock: this.#options.clock });
      }
    };
    await withTimeout(poll, {
      timeoutMs: READY_TIMEOUT_MS,
      signal,
      clock: this.#options.clock,
      makeReason: () =>
        new HarnessError('HM_COMPONENT_NOT_READY', `${name} is not ready after 120 s: ${reason}`),
    });
  }

  async restart(name: string, change: RestartChange, signal: AbortSignal): Promise<void> {
    const member = this.#member(name);
    if (change.version !== undefined) {
      const { programsOf } = this.#options;
      const program = programOf(member.instance, await programsOf?.(change.version, signal));
      if (program === undefined)
        throw new HarnessError('HM_USAGE', `${name} cannot be started in version ${change.version}`);
      member.changedVersion = change.version;
      await this.#replace(member, { ...member.instance, program }, change);
    } else await this.#replace(member, member.instance, change);
    await member.process.ready((asking) => this.#ask(member, asking), {
      timeoutMs: READY_TIMEOUT_MS,
      intervalMs: READY_INTERVAL_MS,
      signal,
    });
  }

  /** As restart(), with exactly these arguments and without waiting for it to be ready. */
  async restartWith(name: string, args: readonly string[]): Promise<void> {
    const member = this.#member(name);
    const instance = { ...member.instance, args };
    await member.replace(instance, this.#makeProcess(instance));
  }

  async #replace(
    member: SupervisedProcess,
    instance: ComponentInstance,
    change: RestartChange,
  ): Promise<void> {
    const changed = { ...instance, args: changeFlags(instance.args, change.flags ?? {}) };
    await member.replace(changed, this.#makeProcess(changed));
  }

  async #startOne(member: SupervisedProcess, signal: AbortSignal): Promise<void> {
    const { log, guard } = this.#options;
    member.spawn();
    await member.process.ready((asking) => this.#ask(member, asking), {
      timeoutMs: READY_TIMEOUT_MS,
      intervalMs: READY_INTERVAL_MS,
      signal,
    });
    member.record('ready');
    log.info(
      { component: member.name, pid: member.process.pid, guarded: guard !== undefined },
      'component ready',
    );
  }

  #ask(member: SupervisedProcess, signal: AbortSignal) {
    const { instance } = member;
    return askReady(instanceAccess(instance, this.#options.pki), instance.readyPath, signal);
  }

  /** Records when a process that was started again is ready, unless it ends first. */
  async #watchRestarted(member: SupervisedProcess): Promise<void> {
    const { process } = member;
    const { signal } = this.#closing;
    try {
      while (process.running) {
        if (!member.paused && (await this.#ask(member, signal)).ready) {
          member.record('ready');
          return;
        }
        await delay(READY_INTERVAL_MS, { signal, clock: this.#options.clock });
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    }
  }

  async #stopAll(): Promise<void> {
    this.#closing.abort(new Error('the plane is being stopped'));
    const errors: unknown[] = [];
    for (const stage of this.#stages.toReversed()) {
      const results = await Promise.allSettled(stage.map((member) => member.stop()));
      errors.push(...results.flatMap((result) => (result.status === 'rejected' ? [result.reason] : [])));
    }
    if (errors.length > 0) throw new AggregateError(errors, 'components of the control plane failed to stop');
  }

  #member(name: string): SupervisedProcess {
    const found = this.#stages.flat().find((member) => member.name === name);
    if (found !== undefined) return found;
    const known = this.#stages.flat().map((member) => member.name);
    throw new HarnessError('HM_USAGE', `expected one of ${known.join(', ')}, got "${name}"`);
  }

  #makeMember(instance: ComponentInstance): SupervisedProcess {
    const { clock, log, guard, supervised } = this.#options;
    return new SupervisedProcess(instance, this.#makeProcess(instance), {
      clock,
      log,
      guard,
      restartPolicy: this.restartPolicy,
      supervised: supervised ?? false,
      onEvent: (event) => {
        this.#events.push(event);
        for (const listener of this.#listeners) listener(event);
      },
      onRestarted: (member) => void this.#watchRestarted(member),
      onFailure: (member, exit) =>
        this.#fail({ name: member.name, message: exitError(member.name, exit).message }),
    });
  }

  #makeProcess(instance: ComponentInstance): ManagedProcess {
    const { directory, programs, clock, guard } = this.#options;
    const program = instance.program ?? programOf(instance, programs);
    if (program === undefined) throw new HarnessError('HM_INTERNAL', `no program for ${instance.component}`);
    const logPath = join(directory, 'logs', `${instance.name}.log`);
    mkdirSync(dirname(logPath), { recursive: true });
    const { hostname } = instance;
    const command = { program, args: instance.args };
    return new ManagedProcess(
      {
        name: instance.name,
        logPath,
        ...(hostname === undefined ? command : withHostname(utsMode(), hostname, command)),
      },
      { clock, environment: { ...instance.environment, ...guard?.environment } },
    );
  }
}

// What stands between the components names its program itself.
function programOf(instance: ComponentInstance, programs: Programs | undefined): string | undefined {
  const { component } = instance;
  return component === 'haproxy' || component === 'link-proxy' ? undefined : programs?.[component];
}

function metricsOf(
  instance: ComponentInstance,
  pki: PlaneIdentities,
): Pick<ComponentInfo, 'metrics' | 'unreachable'> {
  if (instance.component === 'haproxy' || instance.component === 'link-proxy')
    return { unreachable: `${instance.component} has no metrics of the kind that components have` };
  return { metrics: instanceAccess(instance, pki) };
}
