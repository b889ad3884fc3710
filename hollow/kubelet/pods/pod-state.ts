/**
 * The state of a pod on a hollow node and what can be read from it: readiness, conditions. How it changes is in
 * pod-machine.ts, its phase in pod-phase.ts.
 */

import type { Pressure } from '../../../src/config/index.ts';
import type { BackOff } from './pod-back-off.ts';
import type { ContainerRunPlan, PodProfile } from './pod-behaviour.ts';
import { isTerminalPhase, type PodPhase } from './pod-object.ts';
import { computedPhase, shownPhase } from './pod-phase.ts';
import { type ContainerProbes, isReady, isStarted, type ProbeKind } from './pod-probes.ts';
import type { PodSighting, PodSpec } from './pod-spec.ts';

/** Priority from which on pods are critical. Source: SystemCriticalPriority, pkg/apis/scheduling/types.go v1.36.3 */
export const CRITICAL_PRIORITY = 2_000_000_000;

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
  /** Which of the container's runs it ended: tells their IDs apart. */
  restartCount: number;
}

/** What a container is due for. */
export type ContainerStep =
  | 'nothing'
  /** Its image is there; it starts. */
  | 'start'
  /** It ends by itself. */
  | 'exit'
  /** It has got a termination signal and ends. */
  | 'stop'
  /** It ended; the kubelet looks whether it may start again. */
  | 'retry';

/** One container's run. Wall times in ms since the epoch (they go into status), others in monotonic µs. */
export interface ContainerRun extends BackOff {
  /** What status shows: a container that is killed to start again within the same sync is `running` all along. */
  state: 'waiting' | 'running' | 'terminated';
  startedAtMs: number;
  startedAtUs: number;
  plan: ContainerRunPlan;
  /** How its newest run ended; undefined while it really runs. */
  termination: ContainerTermination | undefined;
  endedAtUs: number;
  /** How the run before that one ended. */
  lastTermination: ContainerTermination | undefined;
  restartCount: number;
  next: ContainerStep;
  /** Of `next`; Infinity for never. */
  dueUs: number;
  /** While it stops: it is killed at the end. */
  killed: boolean;
  probes: ContainerProbes | undefined;
  /** A startup probe has succeeded, or there is none; false while it does not run. */
  started: boolean;
  /** The same of readiness. */
  ready: boolean;
  /** The node is short of something because of it. */
  pressing: boolean;
  /** When it will be; Infinity for never. */
  pressureDueUs: number;
}

export const POD_CONDITIONS = [
  'PodReadyToStartContainers',
  'Initialized',
  'Ready',
  'ContainersReady',
] as const;

/** Reason of a container's end, and of its wait, when all containers of its pod are restarted. */
export const RESET_REASON = 'RestartingAllContainers';

/** Why the kubelet ended the pod, where its containers are not the reason. */
export interface PodVerdict {
  readonly kind: 'rejected' | 'evicted' | 'deadline';
  readonly reason: string;
  readonly message: string;
  /** What the condition DisruptionTarget says; absent: the message. */
  readonly disruption?: string;
}

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
  /** Some container never ran, and the pod failed for it. */
  lost: boolean;
  verdict: PodVerdict | undefined;
  startTimeMs: number;
  /** When the sandbox is ready, unless the volumes take longer. */
  sandboxDueUs: number;
  /** While stopping without a container that runs: when the sandbox is gone. */
  stopDueUs: number;
  /** Of activeDeadlineSeconds; Infinity without one. */
  deadlineUs: number;
  /** Empty until the sandbox has one; shown once a container has run. */
  podIp: string;
  podIpShown: boolean;
  volumesReady: boolean;
  sandboxReady: boolean;
  runs: ContainerRun[];
  /** All its containers are being restarted. */
  resetting: boolean;
  /** Of the condition that says so. */
  resetSinceMs: number;
  /** Why the pod's readiness gates hold it back; empty: they do not. */
  gateMessage: string;
  /** Of POD_CONDITIONS: true or false, and since when. */
  conditionTrue: boolean[];
  conditionSinceMs: number[];
  /** When the disruption that `verdict` is was noted. */
  verdictSinceMs: number;
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

export type ContainerEventReason = 'Pulled' | 'Created' | 'Started' | 'Killing' | 'BackOff' | 'Unhealthy';

export type PodEffect =
  | { effect: 'status' }
  /** `probe`: the one that failed, of Unhealthy and Killing. `message`: instead of the usual one. */
  | {
      effect: 'event';
      reason: ContainerEventReason;
      container: number;
      probe?: ProbeKind;
      message?: string;
    }
  /** An event about the verdict. */
  | { effect: 'verdict' }
  /** The node is short of `resource`. */
  | { effect: 'pressure'; resource: Pressure }
  | { effect: 'remove' }
  | { effect: 'forget' };

/** True once every init container is done and every sidecar has started. */
export function isInitialized(pod: PodMachine): boolean {
  return pod.spec.containers.every((_, index) => isInitDone(pod, index));
}

/** True where the container's run counts as ready: running and probed well, or an init container that ended well. */
export function isContainerReady(pod: PodMachine, index: number): boolean {
  const run = pod.runs[index];
  if (run === undefined) return false;
  if (pod.spec.containers[index]?.kind === 'init')
    return run.state === 'terminated' && run.termination?.exitCode === 0;
  return run.state === 'running' && run.ready;
}

/** Takes `started` and `ready` of a running container from its probes; true if one of them turned. */
export function judgeProbes(run: ContainerRun): boolean {
  const started = run.state === 'running' && (run.probes === undefined || isStarted(run.probes));
  const ready = started && (run.probes === undefined || isReady(run.probes));
  const turned = started !== run.started || ready !== run.ready;
  run.started = started;
  run.ready = ready;
  return turned;
}

/** Works the conditions out again, stamping those that turned. */
export function settle(pod: PodMachine, at: Instant): void {
  const over = isTerminalPhase(computedPhase(pod)) || isTerminalPhase(shownPhase(pod));
  const containersReady = !over && allReady(pod);
  const now = [
    pod.sandboxReady,
    // What was initialized once stays so, whatever its sidecars do.
    (pod.conditionTrue[1] ?? false) || isInitialized(pod) || computedPhase(pod) === 'Succeeded',
    containersReady && pod.gateMessage === '',
    containersReady,
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
      return run?.started === true;
    default:
      return true;
  }
}

/** True while nobody has begun to stop the pod. */
export function isBeforeStop(stage: PodStage): boolean {
  return stage === 'mounting' || stage === 'init' || stage === 'starting' || stage === 'running';
}

/** True of a pod one of whose containers can have all of them restarted. */
export function canReset({ containers }: PodSpec): boolean {
  return containers.some(({ restartRules }) => restartRules.some(({ all }) => all));
}

/** True while the pod counts against its node's capacity. */
export function isActive(pod: PodMachine): boolean {
  return isBeforeStop(pod.stage) || pod.stage === 'stopping';
}

/**
 * Why the conditions that `spec` waits for hold readiness back; empty where all of them are True.
 * Source: GeneratePodReadyCondition, pkg/kubelet/status/generate.go v1.36.3
 */
export function gateMessageOf(spec: PodSpec, conditions: PodSighting['conditions']): string {
  const unready: string[] = [];
  for (const gate of spec.readinessGates) {
    const condition = conditions.find(({ type }) => type === gate);
    if (condition === undefined) {
      unready.push(`corresponding condition of pod readiness gate "${gate}" does not exist.`);
    } else if (condition.status !== 'True') {
      unready.push(`the status of pod readiness gate "${gate}" is not "True", but ${condition.status}`);
    }
  }
  return unready.join(', ');
}

function allReady(pod: PodMachine): boolean {
  return pod.spec.containers.every(
    (container, index) => container.kind === 'init' || isContainerReady(pod, index),
  );
}
