/**
 * The end of a pod's containers: all of them are told to stop, sidecars after the main ones and in reverse order, and
 * what never ran is given up.
 * Source: pkg/kubelet/kuberuntime/kuberuntime_{container,termination_order}.go; TerminatePod,
 * pkg/kubelet/status/status_manager.go v1.36.3
 */
import { KILLED_EXIT_CODE, preStopMs, stopOne } from './pod-containers.ts';
import { isTerminalPhase } from './pod-object.ts';
import { computedPhase } from './pod-phase.ts';
import { stopProbes } from './pod-probes.ts';
import {
  type ContainerRun,
  type Instant,
  isInitialized,
  type PodEffect,
  type PodMachine,
} from './pod-state.ts';

/** Every running container is told to stop within `graceSeconds`; true if any runs. */
export function stopContainers(
  pod: PodMachine,
  graceSeconds: number,
  effects: PodEffect[],
  at: Instant,
): boolean {
  let anyRuns = false;
  let mainsEndMs = 0;
  const each = (index: number, waitUntilMs: number): number => {
    const run = pod.runs[index];
    if (run === undefined) return 0;
    run.pressureDueUs = Number.POSITIVE_INFINITY;
    // It was killed and has not started again yet.
    if (run.termination !== undefined) run.state = 'terminated';
    if (run.state !== 'running') {
      run.next = 'nothing';
      run.dueUs = Number.POSITIVE_INFINITY;
      return 0;
    }
    anyRuns = true;
    if (run.probes !== undefined) stopProbes(run.probes);
    effects.push({ effect: 'event', reason: 'Killing', container: index });
    const container = pod.spec.containers[index];
    const hookMs = container === undefined ? 0 : preStopMs(container, run);
    return stopOne(run, hookMs, graceSeconds, at, waitUntilMs);
  };
  const { containers } = pod.spec;
  const firstMain = containers.findIndex(({ kind }) => kind === 'main');
  for (let index = Math.max(0, firstMain); index < containers.length; index++) {
    mainsEndMs = Math.max(mainsEndMs, each(index, 0));
  }
  let turnMs = mainsEndMs;
  for (let index = firstMain - 1; index >= 0; index--) {
    // An init container that still runs waits for nobody.
    const sidecar = containers[index]?.kind === 'sidecar';
    const endMs = each(index, sidecar ? turnMs : 0);
    if (sidecar) turnMs = Math.max(turnMs, endMs);
  }
  return anyRuns;
}

/** The grace period became shorter: what still runs is given `graceSeconds` from now. */
export function shortenStop(pod: PodMachine, graceSeconds: number, at: Instant): void {
  for (const run of pod.runs) {
    if (run.state === 'running') stopOne(run, 0, graceSeconds, at);
  }
}

/** All containers have ended: settles those that wait for a restart and gives up those that never ran. */
export function concludeContainers(pod: PodMachine): void {
  for (const run of pod.runs) {
    run.next = 'nothing';
    run.dueUs = Number.POSITIVE_INFINITY;
    if (run.termination !== undefined) run.state = 'terminated';
  }
  if (isTerminalPhase(computedPhase(pod))) return;
  const initialized = isInitialized(pod);
  const lastBegun = pod.runs.findLastIndex(
    (run, index) => pod.spec.containers[index]?.kind !== 'main' && run.termination !== undefined,
  );
  pod.runs.forEach((run, index) => {
    if (run.termination !== undefined) return;
    const isMain = pod.spec.containers[index]?.kind === 'main';
    if (isMain ? initialized : index <= Math.max(0, lastBegun)) giveUp(run);
  });
  pod.lost = true;
}

function giveUp(run: ContainerRun): void {
  run.state = 'terminated';
  run.termination = {
    exitCode: KILLED_EXIT_CODE,
    reason: 'ContainerStatusUnknown',
    startedAtMs: 0,
    finishedAtMs: 0,
    restartCount: run.restartCount,
  };
}
