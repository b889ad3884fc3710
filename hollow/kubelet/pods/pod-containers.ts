/**
 * The runs of a pod's containers: start, end, restart after a back-off, and what an earlier life of the node left.
 * Steps of the state machine in pod-machine.ts; none of them decides the pod's stage.
 */
import type { ApiPodStatus, PodSpec } from './pod-spec.ts';
import {
  type ContainerRun,
  type Instant,
  isInitialized,
  POD_CONDITIONS,
  type PodEffect,
  type PodMachine,
} from './pod-state.ts';

/** Restart back-off. Source: pkg/kubelet/kubelet.go v1.36.3 (initialBackOff, MaxCrashLoopBackOff, reset) */
const BACK_OFF_FIRST_MS = 10_000;
const BACK_OFF_MAX_MS = 300_000;
const BACK_OFF_RESET_MS = 600_000;

/** A container that has not had its turn. */
export function waitingRun(): ContainerRun {
  return {
    state: 'waiting',
    waitingReason: '',
    startedAtMs: 0,
    termination: undefined,
    lastTermination: undefined,
    restartCount: 0,
    dueUs: Number.POSITIVE_INFINITY,
  };
}

/** The container starts to run. */
export function beginRun(pod: PodMachine, index: number, effects: PodEffect[], at: Instant): void {
  const run = pod.runs[index];
  if (run === undefined) return;
  if (run.state === 'terminated' || run.waitingReason === 'CrashLoopBackOff') run.restartCount++;
  run.lastTermination = run.termination;
  run.termination = undefined;
  run.state = 'running';
  run.waitingReason = '';
  run.startedAtMs = at.wallMs;
  pod.podIpShown = true;
  effects.push({ effect: 'event', reason: 'Created', container: index });
  effects.push({ effect: 'event', reason: 'Started', container: index });
  planEnd(pod, index, at);
}

/** The container ends by itself; it waits for its restart where its policy says so. */
export function endRun(pod: PodMachine, index: number, effects: PodEffect[], at: Instant): void {
  const run = pod.runs[index];
  if (run === undefined) return;
  const { exitCode } = pod.profile.run(index, run.restartCount);
  run.state = 'terminated';
  run.termination = {
    exitCode,
    reason: exitCode === 0 ? 'Completed' : 'Error',
    startedAtMs: run.startedAtMs,
    finishedAtMs: at.wallMs,
  };
  run.dueUs = Number.POSITIVE_INFINITY;
  if (!restarts(pod, index, exitCode)) return;
  const ranMs = at.wallMs - run.startedAtMs;
  const backOffMs = ranMs >= BACK_OFF_RESET_MS ? 0 : backOffOf(run.restartCount);
  run.dueUs = at.nowUs + backOffMs * 1_000;
  if (backOffMs > 0) {
    run.state = 'waiting';
    run.waitingReason = 'CrashLoopBackOff';
    effects.push({ effect: 'event', reason: 'BackOff', container: index });
  }
}

/** Sets when a running container ends by itself. */
export function planEnd(pod: PodMachine, index: number, at: Instant): void {
  const run = pod.runs[index];
  if (run === undefined || run.state !== 'running') return;
  run.dueUs = at.nowUs + pod.profile.run(index, run.restartCount).runMs * 1_000;
}

/** The pod's next due instant is the earliest of its containers'. */
export function schedule(pod: PodMachine): void {
  pod.dueUs = pod.runs.reduce((due, run) => Math.min(due, run.dueUs), Number.POSITIVE_INFINITY);
}

/** True of a run that failed and is never tried again. */
export function hasFailed(pod: PodMachine, run: ContainerRun): boolean {
  return run.state === 'terminated' && run.termination?.exitCode !== 0 && pod.spec.restartPolicy === 'Never';
}

/**
 * Every container ends. One that never ran counts as lost, once the pod was initialized.
 * Source: TerminatePod, pkg/kubelet/status/status_manager.go v1.36.3
 */
export function endAll(pod: PodMachine, at: Instant): void {
  const initialized = isInitialized(pod);
  pod.sandboxReady = false;
  pod.runs.forEach((run, index) => {
    run.dueUs = Number.POSITIVE_INFINITY;
    if (run.state === 'running') {
      run.state = 'terminated';
      run.termination = {
        exitCode: pod.killed ? 137 : 0,
        reason: pod.killed ? 'Error' : 'Completed',
        startedAtMs: run.startedAtMs,
        finishedAtMs: at.wallMs,
      };
    } else if (run.state === 'waiting' && (initialized || pod.spec.containers[index]?.kind !== 'main')) {
      run.state = 'terminated';
      run.termination = { exitCode: 137, reason: 'ContainerStatusUnknown', startedAtMs: 0, finishedAtMs: 0 };
    }
  });
}

/** True if the server shows every main container running. */
export function everyMainRuns(status: ApiPodStatus, spec: PodSpec): boolean {
  return spec.containers.every(
    (container) =>
      container.kind !== 'main' ||
      status.containerStatuses?.some((s) => s.name === container.name && s.state?.running !== undefined),
  );
}

/** Takes over the runs that the server shows. */
export function readRuns(pod: PodMachine, status: ApiPodStatus): void {
  const all = [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
  pod.spec.containers.forEach((container, index) => {
    const run = pod.runs[index];
    const server = all.find((s) => s.name === container.name);
    if (run === undefined || server?.state === undefined) return;
    const { running, terminated } = server.state;
    run.restartCount = server.restartCount ?? 0;
    if (running !== undefined) {
      run.state = 'running';
      run.startedAtMs = Date.parse(running.startedAt ?? '') || pod.startTimeMs;
    } else if (terminated !== undefined) {
      run.state = 'terminated';
      run.startedAtMs = Date.parse(terminated.startedAt ?? '') || 0;
      run.termination = {
        exitCode: terminated.exitCode ?? 0,
        reason: terminated.reason ?? '',
        startedAtMs: run.startedAtMs,
        finishedAtMs: Date.parse(terminated.finishedAt ?? '') || 0,
      };
    }
  });
}

/** Takes over the conditions that the server shows. */
export function readConditions(pod: PodMachine, status: ApiPodStatus): void {
  POD_CONDITIONS.forEach((type, index) => {
    const condition = status.conditions?.find((c) => c.type === type);
    if (condition === undefined) return;
    // A pod taken over as running is ready in the kubelet's eyes, whatever the node controller wrote meanwhile.
    const taken = pod.stage === 'running' ? true : condition.status === 'True';
    pod.conditionTrue[index] = taken;
    pod.conditionSinceMs[index] = Date.parse(condition.lastTransitionTime ?? '') || pod.startTimeMs;
  });
}

/** Back-off before restart number `restartCount` + 1: none the first time, then 10 s doubling to 300 s. */
function backOffOf(restartCount: number): number {
  return restartCount === 0 ? 0 : Math.min(BACK_OFF_MAX_MS, BACK_OFF_FIRST_MS * 2 ** (restartCount - 1));
}

function restarts(pod: PodMachine, index: number, exitCode: number): boolean {
  switch (pod.spec.containers[index]?.kind) {
    case 'sidecar':
      return true;
    case 'init':
      return exitCode !== 0 && pod.spec.restartPolicy !== 'Never';
    default:
      return (
        pod.spec.restartPolicy === 'Always' || (pod.spec.restartPolicy === 'OnFailure' && exitCode !== 0)
      );
  }
}
