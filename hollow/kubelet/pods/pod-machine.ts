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
  beginRun,
  endAll,
  endRun,
  everyMainRuns,
  hasFailed,
  planEnd,
  readConditions,
  readRuns,
  schedule,
  waitingRun,
} from './pod-containers.ts';
import { type ApiPodStatus, isTerminalPhase, type PodSighting, type PodSpec } from './pod-spec.ts';
import {
  type Instant,
  isBeforeStop,
  isInitDone,
  type PodEffect,
  type PodMachine,
  phaseOf,
  settle,
} from './pod-state.ts';

const STATUS: PodEffect = { effect: 'status' };

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
  // The sandbox was due before them: it has waited without a timer.
  if (pod.stage !== 'mounting' || pod.dueUs !== Number.POSITIVE_INFINITY) return [];
  pod.dueUs = at.nowUs;
  return tickPod(pod, at);
}

/** The object is gone from the API server. */
export function podGone(): PodEffect[] {
  return [{ effect: 'forget' }];
}

/** Does what is due; call at `pod.dueUs` or later. `pod.dueUs` lies in the future afterwards, or is Infinity. */
export function tickPod(pod: PodMachine, at: Instant): PodEffect[] {
  const effects: PodEffect[] = [];
  // More than one step may be due after a stall; each pass does one.
  while (pod.dueUs <= at.nowUs && step(pod, effects, at));
  return effects;
}

function step(pod: PodMachine, effects: PodEffect[], at: Instant): boolean {
  switch (pod.stage) {
    case 'mounting':
      if (!pod.volumesReady) {
        // volumesReady() goes on from here; a timer that stays due would fire without end.
        pod.dueUs = Number.POSITIVE_INFINITY;
        return false;
      }
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

function show(pod: PodMachine, effects: PodEffect[]): void {
  pod.version++;
  if (!effects.includes(STATUS)) effects.push(STATUS);
}
