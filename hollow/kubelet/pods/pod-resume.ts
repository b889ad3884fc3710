/**
 * Pods that were on the node before this life of it: what the server's status says of them is taken over.
 */
import { addProbes, planRun } from './pod-containers.ts';
import type { ApiPodStatus } from './pod-object.ts';
import { resumeProbes } from './pod-probes.ts';
import type { PodSpec } from './pod-spec.ts';
import {
  type ContainerTermination,
  type Instant,
  judgeProbes,
  POD_CONDITIONS,
  type PodMachine,
} from './pod-state.ts';

/** True if the server shows every main container running. */
export function everyMainRuns(status: ApiPodStatus, spec: PodSpec): boolean {
  return spec.containers.every(
    (container) =>
      container.kind !== 'main' ||
      status.containerStatuses?.some((s) => s.name === container.name && s.state?.running !== undefined),
  );
}

/** Goes on with the containers that the server shows running. */
export function resumePod(pod: PodMachine, status: ApiPodStatus, at: Instant): void {
  pod.volumesReady = true;
  pod.sandboxReady = true;
  pod.podIpShown = true;
  addProbes(pod, at);
  takeOver(pod, status, at);
  const all = statusesOf(status);
  pod.runs.forEach((run, index) => {
    if (run.state !== 'running') return;
    // The application's clock starts anew: how long it has run already is not in its plan.
    run.startedAtUs = at.nowUs;
    planRun(pod, index, run);
    const server = all.find(({ name }) => name === pod.spec.containers[index]?.name);
    if (run.probes !== undefined)
      resumeProbes(run.probes, server?.started === true, server?.ready === true, run, at.nowUs);
    judgeProbes(run);
  });
  // A pod that runs is as ready as its containers, whatever the node controller wrote meanwhile.
  for (const [index, type] of POD_CONDITIONS.entries()) {
    const ready = pod.runs.every((run, i) => pod.spec.containers[i]?.kind === 'init' || run.ready);
    pod.conditionTrue[index] =
      type === 'Ready' ? ready && pod.gateMessage === '' : type !== 'ContainersReady' || ready;
  }
}

/** Takes over the runs and the conditions that the server shows. */
export function takeOver(pod: PodMachine, status: ApiPodStatus, at: Instant): void {
  if (
    status.containerStatuses === undefined &&
    status.initContainerStatuses === undefined &&
    pod.stage === 'finished'
  ) {
    // The node did not admit it: status never had containers, and gets none.
    pod.verdict = { kind: 'rejected', reason: status.reason ?? '', message: status.message ?? '' };
  }
  const all = statusesOf(status);
  pod.spec.containers.forEach((container, index) => {
    const run = pod.runs[index];
    const server = all.find(({ name }) => name === container.name);
    if (run === undefined || server?.state === undefined) return;
    const { running, terminated } = server.state;
    run.restartCount = server.restartCount ?? 0;
    const before = server.lastState?.terminated;
    if (before !== undefined) run.lastTermination = terminationOf(before, run.restartCount - 1);
    if (running !== undefined) {
      run.state = 'running';
      run.startedAtMs = Date.parse(running.startedAt ?? '') || pod.startTimeMs;
      run.startedAtUs = at.nowUs;
    } else if (terminated !== undefined) {
      run.state = 'terminated';
      run.termination = terminationOf(terminated, run.restartCount);
      run.startedAtMs = run.termination.startedAtMs;
      run.startedAtUs = at.nowUs;
    }
  });
  POD_CONDITIONS.forEach((type, index) => {
    const condition = status.conditions?.find((c) => c.type === type);
    if (condition === undefined) return;
    pod.conditionTrue[index] = condition.status === 'True';
    pod.conditionSinceMs[index] = Date.parse(condition.lastTransitionTime ?? '') || pod.startTimeMs;
  });
}

function statusesOf(status: ApiPodStatus) {
  return [...(status.initContainerStatuses ?? []), ...(status.containerStatuses ?? [])];
}

function terminationOf(
  terminated: { exitCode?: number; reason?: string; startedAt?: string | null; finishedAt?: string | null },
  restartCount: number,
): ContainerTermination {
  return {
    exitCode: terminated.exitCode ?? 0,
    reason: terminated.reason ?? '',
    startedAtMs: Date.parse(terminated.startedAt ?? '') || 0,
    finishedAtMs: Date.parse(terminated.finishedAt ?? '') || 0,
    restartCount,
  };
}
