/**
 * The state of a pod on a hollow node and what can be read from it: phase, readiness, conditions. How it changes is in
 * pod-machine.ts.
 */
import type { PodProfile } from './pod-behaviour.ts';
import { isTerminalPhase, type PodPhase, type PodSpec } from './pod-spec.ts';

export type PodStage =
  | 'mounting'
  | 'init'
  | 'starting'
  | 'running'
  | 'finished'
  | 'stopping'
  | 'stopped'
  | 'removing';

export interface ContainerTermination {
  exitCode: number;
  reason: string;
  startedAtMs: number;
  finishedAtMs: number;
}

/** One container's run. Wall times in ms since the epoch (they go into status), due times in monotonic µs. */
export interface ContainerRun {
  state: 'waiting' | 'running' | 'terminated';
  /** Where waiting: why, once the sandbox is up and it is not simply its turn yet. */
  waitingReason: string;
  startedAtMs: number;
  termination: ContainerTermination | undefined;
  /** How the run before this one ended. */
  lastTermination: ContainerTermination | undefined;
  restartCount: number;
  /** Ends by itself, starts, or starts again at this instant; Infinity for never. */
  dueUs: number;
}

export const POD_CONDITIONS = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
] as const;

export interface PodMachine {
  readonly spec: PodSpec;
  readonly profile: PodProfile;
  stage: PodStage;
  generation: number;
  deleting: boolean;
  /** The server's phase where it is terminal: kept whatever the containers did. */
  serverPhase: PodPhase;
  /** Phase while stopping: what it was before. */
  phaseBefore: PodPhase;
  startTimeMs: number;
  /** Empty until the sandbox has one; shown once a container has run. */
  podIp: string;
  podIpShown: boolean;
  volumesReady: boolean;
  sandboxReady: boolean;
  /** The containers outlast their grace period. */
  killed: boolean;
  runs: ContainerRun[];
  /** Of POD_CONDITIONS: true or false, and since when. */
  conditionTrue: boolean[];
  conditionSinceMs: number[];
  /** Counts up with every change that the status shows. */
  version: number;
  /** Next instant at which `tick` has work; Infinity for none. */
  dueUs: number;
}

export interface Instant {
  /** Monotonic. */
  nowUs: number;
  /** Wall time for timestamps. */
  wallMs: number;
}

export type PodEventReason = 'Pulled' | 'Created' | 'Started' | 'Killing' | 'BackOff';

export type PodEffect =
  | { effect: 'status' }
  | { effect: 'event'; reason: PodEventReason; container: number }
  | { effect: 'remove' }
  | { effect: 'forget' };

/** Phase as status shows it. */
export function phaseOf(pod: PodMachine): PodPhase {
  if (isTerminalPhase(pod.serverPhase)) return pod.serverPhase;
  switch (pod.stage) {
    case 'mounting':
    case 'init':
    case 'starting':
      return 'Pending';
    case 'running':
      return 'Running';
    case 'stopping':
      return pod.phaseBefore;
    default:
      return pod.runs.every((run, i) => endedWell(pod, run, i)) ? 'Succeeded' : 'Failed';
  }
}

/** True once every init container is done and every sidecar has started. */
export function isInitialized(pod: PodMachine): boolean {
  return pod.spec.containers.every((_, index) => isInitDone(pod, index));
}

/** True where the container's run counts as ready: running, or an init container that ended well. */
export function isContainerReady(pod: PodMachine, index: number): boolean {
  const run = pod.runs[index];
  if (run === undefined) return false;
  if (pod.spec.containers[index]?.kind === 'init')
    return run.state === 'terminated' && run.termination?.exitCode === 0;
  return run.state === 'running';
}

/** Works the conditions out again, stamping those that turned. */
export function settle(pod: PodMachine, at: Instant): void {
  const over = isTerminalPhase(phaseOf(pod));
  const ready = !over && isBeforeStopOrStopping(pod) && allReady(pod);
  const now = [
    pod.sandboxReady,
    over ? (pod.conditionTrue[1] ?? false) || isInitialized(pod) : isInitialized(pod),
    ready,
    ready,
  ];
  now.forEach((value, index) => {
    if (pod.conditionTrue[index] === value) return;
    pod.conditionTrue[index] = value;
    pod.conditionSinceMs[index] = at.wallMs;
  });
}

/** True once init container `index` is done, or the sidecar has started; always of a main container. */
export function isInitDone(pod: PodMachine, index: number): boolean {
  const run = pod.runs[index];
  switch (pod.spec.containers[index]?.kind) {
    case 'init':
      return run?.state === 'terminated' && run.termination?.exitCode === 0;
    case 'sidecar':
      return run !== undefined && run.startedAtMs > 0;
    default:
      return true;
  }
}

/** True while nobody has begun to stop the pod. */
export function isBeforeStop(stage: PodStage): boolean {
  return stage === 'mounting' || stage === 'init' || stage === 'starting' || stage === 'running';
}

function endedWell(pod: PodMachine, run: ContainerRun, index: number): boolean {
  if (run.state === 'terminated' && run.termination?.exitCode === 0) return true;
  // A sidecar's exit code does not count.
  return pod.spec.containers[index]?.kind === 'sidecar' && run.state === 'terminated';
}

function isBeforeStopOrStopping(pod: PodMachine): boolean {
  return isBeforeStop(pod.stage) || pod.stage === 'stopping';
}

function allReady(pod: PodMachine): boolean {
  return pod.spec.containers.every(
    (container, index) => container.kind === 'init' || isContainerReady(pod, index),
  );
}
