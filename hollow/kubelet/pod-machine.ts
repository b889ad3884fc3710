/**
 * The life of one pod on one hollow node, as a pure state machine: it is told what was seen and what time it is, and
 * says what to do. It sends nothing and sets no timers.
 *
 *   stage     input                      next        effects
 *   --------  -------------------------  ----------  ---------------------------------------------------------
 *   (new)     seen                       mounting    status (Pending, ContainerCreating)
 *   (new)     seen, Running before       running     none: the containers outlived the kubelet's restart
 *   (new)     seen, terminal phase       finished    none
 *   mounting  sandbox due and volumes    init        status (sandbox), Pulled of the next init container
 *             ready, init containers left
 *   mounting  same, none left            starting    status (sandbox), Pulled of each main container
 *   init      start due                  init        Created, Started, status; a sidecar goes on to the next
 *   init      ended with 0               init or     status
 *                                        starting
 *   init      ended with another code    init or     status; BackOff before a restart; `Never` fails the pod
 *                                        finished
 *   starting  start due                  running     Created, Started, status (Running)
 *   running   container ended            running or  status; restart after its back-off, or all done
 *                                        finished
 *   any of    seen deleting, or seen     stopping    Killing of each running container, status
 *   these     with a terminal phase
 *   finished  seen deleting              stopped     status
 *   stopping  stop due                   stopped     status (all terminated, terminal phase)
 *   stopped   clean-up due, deleting     removing    remove (final DELETE)
 *   stopped   clean-up due, not deleting finished    none
 *   any       gone                       (dropped)   forget
 *
 * A terminal phase never goes back: once `finished`, `stopped` or `removing`, no input leads to a stage before them,
 * and a terminal phase that the server shows wins over the machine's own.
 */
import type { PodProfile } from './pod-behaviour.ts';
import {
  type ApiPodStatus,
  isTerminalPhase,
  type PodPhase,
  type PodSighting,
  type PodSpec,
} from './pod-spec.ts';

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

const STATUS: PodEffect = { effect: 'status' };

/** Restart back-off. Source: pkg/kubelet/kubelet.go v1.36.3 (initialBackOff, MaxCrashLoopBackOff, reset) */
const BACK_OFF_FIRST_MS = 10_000;
const BACK_OFF_MAX_MS = 300_000;
const BACK_OFF_RESET_MS = 600_000;
/** A container is always given this long to stop. Source: minimumGracePeriodInSeconds, pkg/kubelet/kuberuntime */
const MIN_GRACE_MS = 2_000;

/** A pod that is new on this node; `status` is what the server has of it, from an earlier life of the node. */
export function newPod(
  spec: PodSpec,
  profile: PodProfile,
  seen: PodSighting,
  status: ApiPodStatus,
  podIp: string,
  at: Instant,
): { pod: PodMachine; effects: PodEffect[] } {
  const pod: PodMachine = {
    spec,
    profile,
    stage: 'mounting',
    generation: seen.generation,
    deleting: false,
    serverPhase: seen.phase,
    phaseBefore: 'Pending',
    startTimeMs: status.startTime === undefined ? at.wallMs : Date.parse(status.startTime),
    podIp,
    podIpShown: false,
    volumesReady: spec.objects.length === 0 && spec.tokens.length === 0,
    sandboxReady: false,
    killed: false,
    runs: spec.containers.map(() => waitingRun()),
    conditionTrue: [false, false, false, false],
    conditionSinceMs: [at.wallMs, at.wallMs, at.wallMs, at.wallMs],
    version: 0,
    dueUs: at.nowUs + profile.sandboxMs * 1_000,
  };
  const effects: PodEffect[] = [];
  if (isTerminalPhase(seen.phase)) {
    pod.stage = 'finished';
    pod.dueUs = Number.POSITIVE_INFINITY;
    readRuns(pod, status);
    readConditions(pod, status);
  } else if (seen.phase === 'Running' && everyMainRuns(status, spec)) {
    pod.stage = 'running';
    pod.volumesReady = true;
    pod.sandboxReady = true;
    pod.podIpShown = true;
    readRuns(pod, status);
    readConditions(pod, status);
    for (let index = 0; index < pod.runs.length; index++) planEnd(pod, index, at);
    schedule(pod);
  } else {
    settle(pod, at);
    show(pod, effects);
  }
  if (seen.deleting) effects.push(...seePod(pod, seen, at));
  return { pod, effects };
}

/** The watch shows the pod again. */
export function seePod(pod: PodMachine, seen: PodSighting, at: Instant): PodEffect[] {
  const effects: PodEffect[] = [];
  const generationMoved = seen.generation > pod.generation;
  if (generationMoved) pod.generation = seen.generation;
  if (isTerminalPhase(seen.phase)) pod.serverPhase = seen.phase;
  if (seen.deleting && !pod.deleting) {
    pod.deleting = true;
    if (pod.stage === 'finished') {
      pod.stage = 'stopped';
      pod.dueUs = at.nowUs + pod.profile.cleanUpMs * 1_000;
    } else if (isBeforeStop(pod.stage)) {
      beginStop(pod, seen.deletionGraceSeconds ?? 0, effects, at);
    }
    settle(pod, at);
    show(pod, effects);
    return effects;
  }
  if (seen.deleting && pod.stage === 'stopping' && seen.deletionGraceSeconds !== undefined) {
    // A second delete may shorten the grace period, never lengthen it.
    const endUs = at.nowUs + graceMs(seen.deletionGraceSeconds) * 1_000;
    if (endUs < pod.dueUs) {
      pod.dueUs = endUs;
      pod.killed = true;
    }
  }
  if (isTerminalPhase(seen.phase) && isBeforeStop(pod.stage)) {
    // Somebody else ended it (pod garbage collection, an eviction): the containers go, the phase stays.
    beginStop(pod, 0, effects, at);
    settle(pod, at);
    show(pod, effects);
  } else if (generationMoved) {
    show(pod, effects);
  }
  return effects;
}

/** All that the pod mounts and reads is there. */
export function volumesReady(pod: PodMachine, at: Instant): PodEffect[] {
  pod.volumesReady = true;
  // If the sandbox is due already there is no timer left to wake the pod.
  return pod.stage === 'mounting' && pod.dueUs <= at.nowUs ? tickPod(pod, at) : [];
}

/** The object is gone from the API server. */
export function podGone(): PodEffect[] {
  return [{ effect: 'forget' }];
}

/** Does what is due; call at `pod.dueUs` or later. */
export function tickPod(pod: PodMachine, at: Instant): PodEffect[] {
  const effects: PodEffect[] = [];
  // More than one step may be due after a stall; each pass does one.
  while (pod.dueUs <= at.nowUs && step(pod, effects, at));
  return effects;
}

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

function step(pod: PodMachine, effects: PodEffect[], at: Instant): boolean {
  switch (pod.stage) {
    case 'mounting':
      if (!pod.volumesReady) return false;
      pod.sandboxReady = true;
      settle(pod, at);
      show(pod, effects);
      startNext(pod, effects, at);
      return true;
    case 'init':
    case 'starting':
    case 'running':
      return stepContainers(pod, effects, at);
    case 'stopping':
      endAll(pod, at);
      pod.stage = 'stopped';
      pod.dueUs = at.nowUs + pod.profile.cleanUpMs * 1_000;
      settle(pod, at);
      show(pod, effects);
      return true;
    case 'stopped':
      pod.dueUs = Number.POSITIVE_INFINITY;
      if (pod.deleting) {
        pod.stage = 'removing';
        effects.push({ effect: 'remove' });
      } else {
        pod.stage = 'finished';
      }
      return true;
    default:
      pod.dueUs = Number.POSITIVE_INFINITY;
      return false;
  }
}

/** Gives the next init container its turn, or all main ones. */
function startNext(pod: PodMachine, effects: PodEffect[], at: Instant): void {
  const next = pod.spec.containers.findIndex((_, index) => !isInitDone(pod, index));
  pod.stage = next === -1 ? 'starting' : 'init';
  pod.spec.containers.forEach((container, index) => {
    const run = pod.runs[index];
    if (run === undefined || (next === -1 ? container.kind !== 'main' : index !== next)) return;
    effects.push({ effect: 'event', reason: 'Pulled', container: index });
    run.dueUs = at.nowUs + pod.profile.startMs() * 1_000;
  });
  schedule(pod);
}

function stepContainers(pod: PodMachine, effects: PodEffect[], at: Instant): boolean {
  let changed = false;
  for (let index = 0; index < pod.runs.length; index++) {
    const run = pod.runs[index];
    if (run === undefined || run.dueUs > at.nowUs) continue;
    changed = true;
    if (run.state === 'running') endRun(pod, index, effects, at);
    else beginRun(pod, index, effects, at);
  }
  if (changed) advance(pod, effects, at);
  schedule(pod);
  return changed;
}

/** Moves on to the next stage if the containers allow it, and shows what changed. */
function advance(pod: PodMachine, effects: PodEffect[], at: Instant): void {
  const mains = pod.runs.filter((_, index) => pod.spec.containers[index]?.kind === 'main');
  const failedInit = pod.runs.some(
    (run, index) => pod.spec.containers[index]?.kind === 'init' && hasFailed(pod, run),
  );
  if (pod.stage === 'starting' && mains.every((run) => run.state !== 'waiting')) pod.stage = 'running';
  const allDone =
    pod.stage === 'running' &&
    mains.every((run) => run.state === 'terminated' && run.dueUs === Number.POSITIVE_INFINITY);
  if (allDone || failedInit) {
    endAll(pod, at);
    pod.stage = 'finished';
    settle(pod, at);
    show(pod, effects);
    return;
  }
  settle(pod, at);
  show(pod, effects);
  if (pod.stage !== 'init') return;
  const next = pod.spec.containers.findIndex((_, index) => !isInitDone(pod, index));
  const run = pod.runs[next];
  if (run === undefined || (run.state === 'waiting' && run.dueUs === Number.POSITIVE_INFINITY)) {
    startNext(pod, effects, at);
  }
}

function beginRun(pod: PodMachine, index: number, effects: PodEffect[], at: Instant): void {
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

function endRun(pod: PodMachine, index: number, effects: PodEffect[], at: Instant): void {
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

function hasFailed(pod: PodMachine, run: ContainerRun): boolean {
  return run.state === 'terminated' && run.termination?.exitCode !== 0 && pod.spec.restartPolicy === 'Never';
}

function beginStop(pod: PodMachine, graceSeconds: number, effects: PodEffect[], at: Instant): void {
  pod.phaseBefore = phaseOf(pod);
  pod.stage = 'stopping';
  let anyRuns = false;
  for (let index = 0; index < pod.runs.length; index++) {
    const run = pod.runs[index];
    if (run === undefined) continue;
    run.dueUs = Number.POSITIVE_INFINITY;
    if (run.state !== 'running') continue;
    anyRuns = true;
    effects.push({ effect: 'event', reason: 'Killing', container: index });
  }
  pod.killed = pod.profile.stopMs > graceMs(graceSeconds);
  const stopMs = anyRuns ? Math.min(pod.profile.stopMs, graceMs(graceSeconds)) : 0;
  pod.dueUs = at.nowUs + stopMs * 1_000;
}

function graceMs(seconds: number): number {
  return Math.max(MIN_GRACE_MS, seconds * 1_000);
}

/**
 * Every container ends. One that never ran counts as lost, once the pod was initialized.
 * Source: TerminatePod, pkg/kubelet/status/status_manager.go v1.36.3
 */
function endAll(pod: PodMachine, at: Instant): void {
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

function endedWell(pod: PodMachine, run: ContainerRun, index: number): boolean {
  if (run.state === 'terminated' && run.termination?.exitCode === 0) return true;
  // A sidecar's exit code does not count.
  return pod.spec.containers[index]?.kind === 'sidecar' && run.state === 'terminated';
}

function isInitDone(pod: PodMachine, index: number): boolean {
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

function isBeforeStop(stage: PodStage): boolean {
  return stage === 'mounting' || stage === 'init' || stage === 'starting' || stage === 'running';
}

function planEnd(pod: PodMachine, index: number, at: Instant): void {
  const run = pod.runs[index];
  if (run === undefined || run.state !== 'running') return;
  run.dueUs = at.nowUs + pod.profile.run(index, run.restartCount).runMs * 1_000;
}

function schedule(pod: PodMachine): void {
  pod.dueUs = pod.runs.reduce((due, run) => Math.min(due, run.dueUs), Number.POSITIVE_INFINITY);
}

/** Works the conditions out again, stamping those that turned. */
function settle(pod: PodMachine, at: Instant): void {
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

function isBeforeStopOrStopping(pod: PodMachine): boolean {
  return isBeforeStop(pod.stage) || pod.stage === 'stopping';
}

function allReady(pod: PodMachine): boolean {
  return pod.spec.containers.every(
    (container, index) => container.kind === 'init' || isContainerReady(pod, index),
  );
}

function show(pod: PodMachine, effects: PodEffect[]): void {
  pod.version++;
  if (!effects.includes(STATUS)) effects.push(STATUS);
}

function waitingRun(): ContainerRun {
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

function everyMainRuns(status: ApiPodStatus, spec: PodSpec): boolean {
  return spec.containers.every(
    (container) =>
      container.kind !== 'main' ||
      status.containerStatuses?.some((s) => s.name === container.name && s.state?.running !== undefined),
  );
}

function readRuns(pod: PodMachine, status: ApiPodStatus): void {
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

function readConditions(pod: PodMachine, status: ApiPodStatus): void {
  POD_CONDITIONS.forEach((type, index) => {
    const condition = status.conditions?.find((c) => c.type === type);
    if (condition === undefined) return;
    // A pod taken over as running is ready in the kubelet's eyes, whatever the node controller wrote meanwhile.
    const taken = pod.stage === 'running' ? true : condition.status === 'True';
    pod.conditionTrue[index] = taken;
    pod.conditionSinceMs[index] = Date.parse(condition.lastTransitionTime ?? '') || pod.startTimeMs;
  });
}
