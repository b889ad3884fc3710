/**
 * The runs of a pod's containers: start, end, kill, restart after a back-off. Steps of the state machine in
 * pod-machine.ts; none of them decides the pod's stage.
 */
import {
  backOffLeftMs,
  noteRestart,
  restartsAfter,
  restartsAfterKill,
  restartsAll,
  retryAfterMs,
} from './pod-back-off.ts';
import { steadyRun } from './pod-behaviour.ts';
import { beginProbes, endProbes, newProbes, playProbes } from './pod-probes.ts';
import { beginReset } from './pod-reset.ts';
import type { ContainerSpec } from './pod-spec.ts';
import {
  type ContainerRun,
  type Instant,
  judgeProbes,
  type PodEffect,
  type PodMachine,
  RESET_REASON,
} from './pod-state.ts';

/** Exit code of a process that was killed. */
export const KILLED_EXIT_CODE = 137;
/** A container is always given this long to stop. Source: minimumGracePeriodInSeconds, pkg/kubelet/kuberuntime */
export const MIN_GRACE_MS = 2_000;
const NEVER = Number.POSITIVE_INFINITY;
const NOT_PLANNED = steadyRun(0);

/** A container that has not had its turn. */
export function waitingRun(): ContainerRun {
  return {
    state: 'waiting',
    startedAtMs: 0,
    startedAtUs: 0,
    plan: NOT_PLANNED,
    termination: undefined,
    endedAtUs: 0,
    lastTermination: undefined,
    restartCount: 0,
    next: 'nothing',
    dueUs: NEVER,
    killed: false,
    probes: undefined,
    started: false,
    ready: false,
    pressing: false,
    pressureDueUs: NEVER,
    backOffMs: 0,
    backOffSinceUs: 0,
  };
}

/** The workers of all probes start: their periods count from here. */
export function addProbes(pod: PodMachine, at: Instant): void {
  if (!pod.profile.probed) return;
  pod.spec.containers.forEach((container, index) => {
    const run = pod.runs[index];
    if (run !== undefined && container.kind !== 'init') run.probes = newProbes(container, at.nowUs);
  });
}

/** The container gets its turn: its image is there, and it starts soon. */
export function pull(pod: PodMachine, index: number, effects: PodEffect[], at: Instant): void {
  const run = pod.runs[index];
  if (run === undefined) return;
  effects.push({ effect: 'event', reason: 'Pulled', container: index });
  run.next = 'start';
  run.dueUs = at.nowUs + pod.profile.startMs() * 1_000;
}

/** Does what is due of one container; true if status shows a difference. */
export function stepRun(pod: PodMachine, index: number, effects: PodEffect[], at: Instant): boolean {
  const run = pod.runs[index];
  if (run === undefined) return false;
  let changed = false;
  if (run.probes !== undefined && run.probes.dueUs <= at.nowUs) changed = probe(pod, index, run, effects, at);
  if (run.pressureDueUs <= at.nowUs) {
    run.pressureDueUs = NEVER;
    run.pressing = true;
    if (run.plan.pressure !== undefined)
      effects.push({ effect: 'pressure', resource: run.plan.pressure.resource });
  }
  if (run.dueUs > at.nowUs) return changed;
  const { next } = run;
  run.next = 'nothing';
  run.dueUs = NEVER;
  switch (next) {
    case 'start':
      begin(pod, index, run, effects, at);
      return true;
    case 'exit':
      end(run, run.plan.exitCode, exitOf(run, at));
      // What ends meanwhile is found with the others.
      if (pod.resetting) return false;
      if (restartsAll(specOf(pod, index), run.plan.exitCode)) {
        beginReset(pod, effects, at);
        return true;
      }
      if (restartsAfter(specOf(pod, index), pod.spec.restartPolicy, run.plan.exitCode))
        retry(pod, index, run, run.endedAtUs, effects, at);
      return true;
    case 'stop': {
      // The look at the runtime from before the kill knows only the run before: its end is what the back-off counts from.
      const { endedAtUs, ready, started } = run;
      end(run, run.killed ? KILLED_EXIT_CODE : run.plan.stopExitCode, at);
      if (pod.resetting) return false;
      if (pod.stage === 'stopping' || !restartsAfterKill(specOf(pod, index), pod.spec.restartPolicy))
        return true;
      // The sync that killed it also starts it or finds that it must wait, and status is worked out before or after.
      if (!retry(pod, index, run, endedAtUs, effects, at)) {
        run.state = 'waiting';
        return true;
      }
      run.state = 'running';
      run.ready = ready;
      run.started = started;
      return false;
    }
    case 'retry':
      // Only now does status say that the kubelet waits: the reason was noted when it looked last.
      run.state = 'waiting';
      retry(pod, index, run, run.endedAtUs, effects, at);
      return true;
    default:
      return changed;
  }
}

/** The pod's next due instant is the earliest of its containers' and its deadline. */
export function schedule(pod: PodMachine): void {
  let dueUs = pod.stage === 'stopping' ? NEVER : pod.deadlineUs;
  for (const run of pod.runs) {
    dueUs = Math.min(dueUs, run.dueUs, run.probes?.dueUs ?? NEVER, run.pressureDueUs);
  }
  pod.dueUs = dueUs;
}

/** True if something of the container is due. */
export function isDue(run: ContainerRun, at: Instant): boolean {
  return (
    run.dueUs <= at.nowUs ||
    run.pressureDueUs <= at.nowUs ||
    (run.probes !== undefined && run.probes.dueUs <= at.nowUs)
  );
}

/** Sets what a container that runs does next. */
export function planRun(pod: PodMachine, index: number, run: ContainerRun): void {
  run.plan = pod.profile.run(index, run.restartCount);
  const { pressure, runMs } = run.plan;
  run.next = runMs === NEVER ? 'nothing' : 'exit';
  run.dueUs = runMs === NEVER ? NEVER : run.startedAtUs + (runMs + pod.profile.noticeMs()) * 1_000;
  run.pressureDueUs = pressure === undefined ? NEVER : run.startedAtUs + pressure.afterMs * 1_000;
}

/** The container gets a termination signal, to end within `graceMs`; an earlier end stays. */
export function signalStop(run: ContainerRun, delayMs: number, graceMs: number, at: Instant): void {
  const killed = run.plan.stopMs > graceMs;
  const dueUs = at.nowUs + (delayMs + Math.min(run.plan.stopMs, graceMs)) * 1_000;
  if (run.dueUs <= dueUs) return;
  run.next = 'stop';
  run.dueUs = dueUs;
  run.killed = killed;
}

function begin(pod: PodMachine, index: number, run: ContainerRun, effects: PodEffect[], at: Instant): void {
  // A restart of all counts when it begins.
  if (run.termination !== undefined && run.termination.reason !== RESET_REASON) run.restartCount++;
  run.lastTermination = run.termination;
  run.termination = undefined;
  run.state = 'running';
  run.killed = false;
  run.startedAtMs = at.wallMs;
  run.startedAtUs = at.nowUs;
  pod.podIpShown = true;
  effects.push({ effect: 'event', reason: 'Created', container: index });
  effects.push({ effect: 'event', reason: 'Started', container: index });
  planRun(pod, index, run);
  if (run.probes !== undefined) beginProbes(run.probes, run, at.nowUs);
  judgeProbes(run);
}

/** When a container that is found to have exited did so. */
function exitOf(run: ContainerRun, at: Instant): Instant {
  const nowUs = run.startedAtUs + run.plan.runMs * 1_000;
  return { nowUs, wallMs: at.wallMs - (at.nowUs - nowUs) / 1_000 };
}

function end(run: ContainerRun, exitCode: number, at: Instant): void {
  const oomKilled = run.plan.oomKilled && exitCode === run.plan.exitCode;
  run.state = 'terminated';
  run.termination = {
    exitCode,
    reason: oomKilled ? 'OOMKilled' : exitCode === 0 ? 'Completed' : 'Error',
    startedAtMs: run.startedAtMs,
    finishedAtMs: at.wallMs,
    restartCount: run.restartCount,
  };
  run.endedAtUs = at.nowUs;
  run.next = 'nothing';
  run.dueUs = NEVER;
  run.pressing = false;
  run.pressureDueUs = NEVER;
  if (run.probes !== undefined) endProbes(run.probes);
  judgeProbes(run);
}

/**
 * Starts a container again if what ended at `endedAtUs` has waited its back-off, and otherwise looks again later; true if
 * it starts.
 */
function retry(
  pod: PodMachine,
  index: number,
  run: ContainerRun,
  endedAtUs: number,
  effects: PodEffect[],
  at: Instant,
): boolean {
  const leftMs = endedAtUs === 0 ? 0 : backOffLeftMs(run, endedAtUs, at.nowUs);
  if (leftMs > 0) {
    effects.push({ effect: 'event', reason: 'BackOff', container: index });
    run.next = 'retry';
    run.dueUs = at.nowUs + retryAfterMs(leftMs, pod.profile.jitter()) * 1_000;
    return false;
  }
  if (endedAtUs !== 0) noteRestart(run, endedAtUs, at.nowUs);
  pull(pod, index, effects, at);
  return true;
}

function probe(
  pod: PodMachine,
  index: number,
  run: ContainerRun,
  effects: PodEffect[],
  at: Instant,
): boolean {
  const { probes } = run;
  if (probes === undefined) return false;
  const { failures, kill } = playProbes(probes, run, at.nowUs);
  for (const kind of failures) {
    effects.push({ effect: 'event', reason: 'Unhealthy', container: index, probe: kind });
  }
  if (kill !== undefined && pod.stage !== 'stopping' && !pod.resetting) {
    effects.push({ effect: 'event', reason: 'Killing', container: index, probe: kill });
    const container = specOf(pod, index);
    const spec = kill === 'liveness' ? container.livenessProbe : container.startupProbe;
    stopOne(run, preStopMs(container, run), spec?.graceSeconds ?? pod.spec.graceSeconds, at);
  }
  return judgeProbes(run);
}

/**
 * One container is stopped: its preStop hook, then the signal, all within `graceSeconds`; `waitMs` more go by before
 * the signal while others end first. Returns when it will have ended, in ms from now.
 * Source: killContainer, pkg/kubelet/kuberuntime/kuberuntime_container.go v1.36.3
 */
export function stopOne(
  run: ContainerRun,
  preStopMs: number,
  graceSeconds: number,
  at: Instant,
  waitUntilMs = 0,
): number {
  const graceMs = graceSeconds * 1_000;
  const hookMs = Math.min(preStopMs, graceMs);
  // A wait for others ends with the grace period.
  const signalMs = Math.max(hookMs, Math.min(waitUntilMs, graceMs));
  // Time that has gone by counts in whole seconds.
  const leftMs = Math.max(MIN_GRACE_MS, graceMs - Math.floor(signalMs / 1_000) * 1_000);
  signalStop(run, signalMs, leftMs, at);
  return (run.dueUs - at.nowUs) / 1_000;
}

/** How long the container's preStop hook takes. */
export function preStopMs({ preStop }: ContainerSpec, { plan }: ContainerRun): number {
  return preStop === 'as-planned' ? plan.preStopMs : preStop * 1_000;
}

function specOf(pod: PodMachine, index: number): ContainerSpec {
  const container = pod.spec.containers[index];
  if (container === undefined) throw new RangeError(`pod ${pod.spec.name} has no container ${index}`);
  return container;
}
