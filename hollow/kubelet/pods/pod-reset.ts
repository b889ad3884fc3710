/**
 * The restart of all containers of a pod, in place, that a rule of one of them asks for (action RestartAllContainers):
 * the others are killed, one after the other and without a grace period, and when the last has ended all of them begin
 * anew, init containers first, without a back-off. The sandbox stays.
 *
 *   reset    input                                    next     status
 *   -------  ---------------------------------------  -------  -------------------------------------------------------
 *   no       exit with a code of such a rule          yes      condition AllContainersRestarting True; that one terminated
 *   yes      last container ended                     no       condition False; all wait, with one restart more
 *   yes      pod deleted, evicted, past its deadline  no       as without it
 *
 * Source: getContainersToReset, pkg/kubelet/kuberuntime/kuberuntime_manager.go; ShouldAllContainersRestart,
 * pkg/kubelet/container/helpers.go; convertToAPIContainerStatuses, pkg/kubelet/kubelet_pods.go v1.36.3
 */
import { KILLED_EXIT_CODE, MIN_GRACE_MS, signalStop } from './pod-containers.ts';
import { type Instant, type PodEffect, type PodMachine, RESET_REASON } from './pod-state.ts';

const NEVER = Number.POSITIVE_INFINITY;

/** A container has exited with a code of such a rule: whatever runs is told to stop. */
export function beginReset(pod: PodMachine, effects: PodEffect[], at: Instant): void {
  pod.resetting = true;
  pod.resetSinceMs = at.wallMs;
  let waitMs = 0;
  const { containers } = pod.spec;
  const order = [...containers.keys()].sort(
    (a, b) => Number(containers[b]?.kind === 'main') - Number(containers[a]?.kind === 'main') || a - b,
  );
  for (const index of order) {
    const run = pod.runs[index];
    if (run === undefined) continue;
    run.pressureDueUs = NEVER;
    // It was killed and has not started again yet.
    if (run.state === 'running' && run.termination !== undefined) run.state = 'terminated';
    if (run.state !== 'running') {
      run.next = 'nothing';
      run.dueUs = NEVER;
      continue;
    }
    effects.push({ effect: 'event', reason: 'Killing', container: index, message: 'killing' });
    signalStop(run, waitMs, MIN_GRACE_MS, at);
    waitMs = Math.max(waitMs, (run.dueUs - at.nowUs) / 1_000);
  }
}

/** True once all have ended. */
export function isResetDone(pod: PodMachine): boolean {
  return pod.resetting && pod.runs.every(({ state }) => state !== 'running');
}

/** All have ended and are gone from the runtime: they wait for their turn as new ones do. */
export function finishReset(pod: PodMachine, at: Instant): void {
  pod.resetting = false;
  pod.resetSinceMs = at.wallMs;
  for (const run of pod.runs) {
    run.startedAtUs = 0;
    // What waited already goes on waiting, as it was.
    if (run.state === 'waiting') continue;
    run.state = 'waiting';
    run.startedAtMs = 0;
    run.restartCount++;
    run.termination = {
      exitCode: KILLED_EXIT_CODE,
      reason: RESET_REASON,
      startedAtMs: 0,
      finishedAtMs: 0,
      restartCount: run.restartCount,
    };
  }
}
