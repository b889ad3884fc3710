/**
 * One member of a plane as the supervisor sees it: started, broken by levers, ended, started again.
 *
 *   state      lever or event           becomes
 *   running    pause                    paused          SIGSTOP
 *   paused     resume                   running         SIGCONT
 *   running,   kill, terminate, exit    ended           and after the policy's delay running
 *   paused                              held            if it is held
 *   ended      hold                     held            the restart that was due is called off
 *   held       release                  running         at once
 */
import { type CancelTimer, type Clock, HarnessError, type Logger } from '../../core/index.ts';
import type { ComponentInstance } from '../components/component.ts';
import type { PlaneEvent, PlaneInstance, RestartPolicy } from '../levers/levers.ts';
import type { ProcessGuard } from './guard.ts';
import type { ManagedProcess, ProcessExit } from './managed-process.ts';
import { RestartBackoff } from './supervisor.ts';

/** Milliseconds a component has to end in order before it starts again: what a kubelet gives the pod of a control plane. */
const RESTART_GRACE_MS = 30_000;
/** One turn of a throttled process: the share of it that it runs, then a stop. */
const THROTTLE_PERIOD_MS = 100;

export interface SupervisedProcessParts {
  clock: Clock;
  log: Logger;
  guard?: ProcessGuard | undefined;
  restartPolicy: RestartPolicy;
  /** False: an exit that no lever induced goes to `onFailure` and the process stays ended. */
  supervised: boolean;
  onEvent(event: PlaneEvent): void;
  /** Started by the supervisor or by a lever, not in the plane's own start. */
  onRestarted(member: SupervisedProcess): void;
  onFailure(member: SupervisedProcess, exit: ProcessExit): void;
}

export class SupervisedProcess {
  instance: ComponentInstance;
  changedVersion: string | undefined;
  readonly #parts: SupervisedProcessParts;
  readonly #backoff: RestartBackoff;
  #process: ManagedProcess;
  #held = false;
  #paused = false;
  #induced = false;
  #replacing = false;
  #closed = false;
  /** Its first start is over: what ends from now on is the supervisor's to start again. */
  #launched = false;
  #exitCount = 0;
  #cancelRestart: CancelTimer | undefined;
  #cancelThrottle: CancelTimer | undefined;

  constructor(instance: ComponentInstance, process: ManagedProcess, parts: SupervisedProcessParts) {
    this.instance = instance;
    this.#process = process;
    this.#parts = parts;
    this.#backoff = new RestartBackoff(parts.restartPolicy, parts.clock);
  }

  get name(): string {
    return this.instance.name;
  }

  get process(): ManagedProcess {
    return this.#process;
  }

  get running(): boolean {
    return this.#process.running;
  }

  get paused(): boolean {
    return this.#paused;
  }

  get snapshot(): PlaneInstance {
    const { instance, running } = this;
    const pid = running ? this.#process.pid : undefined;
    return {
      name: instance.name,
      component: instance.component,
      ...(instance.zone === undefined ? {} : { zone: instance.zone }),
      ...(pid === undefined ? {} : { pid }),
      state: running ? (this.#paused ? 'paused' : 'running') : this.#held ? 'held' : 'ended',
      exitCount: this.#exitCount,
      ...(this.changedVersion === undefined ? {} : { changedVersion: this.changedVersion }),
    };
  }

  /** The plane's own start of it; exits are failures of the start until launched() is called. */
  spawn(detail = ''): void {
    const { guard, log } = this.#parts;
    const process = this.#process;
    this.#induced = false;
    this.#paused = false;
    process.spawn();
    this.#backoff.started();
    const pid = process.pid;
    if (pid !== undefined) guard?.add(pid);
    this.record('started', detail);
    void process.exited.then((exit) => {
      if (pid !== undefined) guard?.remove(pid);
      this.#onExit(process, exit);
    });
    log.info({ component: this.name, pid, args: this.instance.args }, 'component started');
  }

  launched(): void {
    this.#launched = true;
  }

  async kill(): Promise<void> {
    if (!this.running) return;
    this.#endThrottle();
    this.#induced = true;
    this.#process.signal('SIGKILL');
    await this.#process.exited;
  }

  async terminate(): Promise<void> {
    if (!this.running) return;
    this.#endThrottle();
    const process = this.#process;
    this.#induced = true;
    await process.stop(RESTART_GRACE_MS);
  }

  pause(): void {
    if (this.#cancelThrottle !== undefined)
      throw new HarnessError('HM_USAGE', `${this.name} is throttled; end that before it is paused`);
    if (!this.#process.signal('SIGSTOP')) throw this.#notRunning();
    this.#paused = true;
    this.record('paused');
  }

  resume(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#process.signal('SIGCONT');
    this.record('resumed');
  }

  throttle(runRatio: number): void {
    if (!(runRatio > 0 && runRatio <= 1))
      throw new HarnessError('HM_USAGE', `expected a share above 0 and up to 1, got ${runRatio}`);
    this.#endThrottle();
    if (runRatio === 1) return;
    if (!this.running) throw this.#notRunning();
    const turn = (stop: boolean) => {
      this.#process.signal(stop ? 'SIGSTOP' : 'SIGCONT');
      const ratio = stop ? 1 - runRatio : runRatio;
      this.#cancelThrottle = this.#parts.clock.setTimer(() => turn(!stop), ratio * THROTTLE_PERIOD_MS);
    };
    turn(true);
  }

  hold(): void {
    if (this.#held) return;
    this.#held = true;
    this.#cancelRestart?.();
    this.record('held');
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.record('released');
    if (!this.running && !this.#closed) this.#restart('');
  }

  /** Ends the process and starts `replacement` for it at once. */
  async replace(instance: ComponentInstance, replacement: ManagedProcess): Promise<void> {
    this.#replacing = true;
    try {
      this.#cancelRestart?.();
      this.#endThrottle();
      this.#induced = true;
      await this.#process.stop(RESTART_GRACE_MS);
      this.instance = instance;
      this.#process = replacement;
      if (!this.#closed) this.#restart('');
    } finally {
      this.#replacing = false;
    }
  }

  /** Ends it for good. */
  async stop(): Promise<void> {
    this.#closed = true;
    this.#cancelRestart?.();
    this.#endThrottle();
    await this.#process.stop();
  }

  record(kind: PlaneEvent['kind'], detail = ''): void {
    const { component, name } = this.instance;
    const induced = kind === 'exited' && this.#induced;
    this.#parts.onEvent({ atUs: this.#parts.clock.nowUs(), name, component, kind, induced, detail });
  }

  #onExit(process: ManagedProcess, exit: ProcessExit): void {
    if (process !== this.#process) return;
    this.#exitCount++;
    this.#paused = false;
    this.#endThrottle();
    if (this.#closed) return;
    this.record('exited', exit.how);
    if (this.#held || this.#replacing) return;
    const { supervised, log, clock } = this.#parts;
    if (!this.#induced) log.warn({ component: this.name, how: exit.how }, 'component ended by itself');
    if (!this.#launched || !(supervised || this.#induced)) {
      this.#parts.onFailure(this, exit);
      return;
    }
    const delayMs = this.#backoff.exited();
    this.#cancelRestart = clock.setTimer(() => this.#restart(`${delayMs} ms after its exit`), delayMs);
  }

  #restart(detail: string): void {
    try {
      this.spawn(detail);
    } catch (error) {
      // Its log cannot be opened: the disk is full. That ends the run, and with it the plane.
      this.#parts.onFailure(this, { how: String(error), lastLines: [] });
      return;
    }
    this.#parts.onRestarted(this);
  }

  #endThrottle(): void {
    if (this.#cancelThrottle === undefined) return;
    this.#cancelThrottle();
    this.#cancelThrottle = undefined;
    this.#process.signal('SIGCONT');
  }

  #notRunning(): HarnessError {
    return new HarnessError('HM_CLUSTER_STATE', `${this.name} does not run`);
  }
}
