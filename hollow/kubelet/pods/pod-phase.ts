/**
 * A pod's phase, worked out from its containers as the kubelet does, and the phase that it shows: a terminal one is
 * held back until no container can be running any more.
 * Source: getPhase, pkg/kubelet/kubelet_pods.go; mergePodStatus, pkg/kubelet/status/status_manager.go v1.36.3
 */
import { restartsAfter } from './pod-back-off.ts';
import { isTerminalPhase, type PodPhase } from './pod-object.ts';
import { type PodMachine, RESET_REASON } from './pod-state.ts';

/** The phase that the pod's status shows. */
export function shownPhase(pod: PodMachine): PodPhase {
  if (isTerminalPhase(pod.serverPhase)) return pod.serverPhase;
  switch (pod.stage) {
    case 'stopping':
      return pod.phaseBefore;
    case 'mounting':
    case 'init':
    case 'starting':
    case 'running':
      return computedPhase(pod);
    default: {
      const phase = computedPhase(pod);
      return isTerminalPhase(phase) ? phase : 'Failed';
    }
  }
}

/** The phase that the kubelet works out, before anything is held back. */
export function computedPhase(pod: PodMachine): PodPhase {
  if (isTerminalPhase(pod.serverPhase)) return pod.serverPhase;
  const stopped = pod.stage === 'stopped' || pod.stage === 'finished' || pod.stage === 'removing';
  if (pod.verdict !== undefined) {
    // A deadline fails the pod whatever its containers do; an evicted one whose containers all end well has succeeded.
    if (pod.verdict.kind !== 'evicted') return 'Failed';
    if (!stopped) return containersPhase(pod, false);
    return containersPhase(pod, true) === 'Succeeded' ? 'Succeeded' : 'Failed';
  }
  return containersPhase(pod, stopped);
}

/** The phase by the containers alone; `stopped`: none of them will start again, whatever its policy. */
function containersPhase(pod: PodMachine, stopped: boolean): PodPhase {
  // A pod whose containers never ran is Failed at its end, and its conditions stay those of a pending pod.
  if (pod.lost) return 'Pending';
  let pendingInit = 0;
  let waiting = 0;
  let running = 0;
  let ended = 0;
  let endedForGood = 0;
  let succeeded = 0;
  let begun = false;
  for (let index = 0; index < pod.runs.length; index++) {
    const run = pod.runs[index];
    const container = pod.spec.containers[index];
    if (run === undefined || container === undefined) continue;
    const exitCode = run.termination?.exitCode;
    if (container.kind === 'sidecar') {
      if (run.state === 'running') {
        running++;
        if (!run.started) pendingInit++;
      } else if (exitCode === undefined) {
        pendingInit++;
        waiting++;
      }
    } else if (container.kind === 'init') {
      if (run.state === 'running' || exitCode === undefined) pendingInit++;
      else if (exitCode !== 0 && !comesBack(pod, index, exitCode)) return 'Failed';
      // A failed one that is tried again counts as neither pending nor done: the main ones wait behind it.
    } else if (run.state === 'running') {
      running++;
      begun = true;
    } else if (exitCode === undefined) {
      waiting++;
    } else {
      // Source: HasAnyRegularContainerStarted, pkg/kubelet/container/helpers.go: what waits for its restart has not.
      if (run.state === 'terminated') begun = true;
      ended++;
      if (!comesBack(pod, index, exitCode)) endedForGood++;
      if (run.state === 'terminated' && exitCode === 0) succeeded++;
    }
  }
  if ((pendingInit > 0 && !begun) || waiting > 0) return 'Pending';
  if (running > 0) return 'Running';
  if (ended === 0) return 'Pending';
  if (!stopped && ended !== endedForGood) return 'Running';
  return ended === succeeded ? 'Succeeded' : 'Failed';
}

/** True of a container that ended with `exitCode` and is to start again. */
function comesBack(pod: PodMachine, index: number, exitCode: number): boolean {
  const container = pod.spec.containers[index];
  if (container === undefined) return false;
  if (pod.runs[index]?.termination?.reason === RESET_REASON) return true;
  return restartsAfter(container, pod.spec.restartPolicy, exitCode);
}
