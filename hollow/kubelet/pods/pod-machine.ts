/**
 * The life of one pod on one hollow node, as a pure state machine: it is told what was seen and what time it is, and
 * says what to do. It sends nothing and sets no timers.
 *
 *   stage     input                      next        effects
 *   --------  -------------------------  ----------  ---------------------------------------------------------
 *   (new)     seen                       mounting    status (Pending, ContainerCreating)
 *   (new)     seen, not admitted         finished    verdict, status (Failed)
 *   (new)     seen, Running before       running     none: the containers outlived the kubelet's restart
 *   (new)     seen, terminal phase       finished    none
 *   mounting  sandbox due and volumes    init        status (sandbox), Pulled of the next init container
 *             ready, init containers left
 *   mounting  same, none left            starting    status (sandbox), Pulled of each main container
 *   init      start due                  init        Created, Started, status; a sidecar that has started goes on
 *   init      ended with 0               init or     status; Pulled of what comes next
 *                                        starting
 *   starting  start due                  running     Created, Started, status (Running)
 *   init,     ended, starts again        same        status, Pulled; or status, BackOff, then status at each retry
 *   init,     ended, and a rule        same        status, Killing of what runs; when all have ended, status and Pulled
 *   starting, restarts all                         of the first (pod-reset.ts)
 *   running
 *   starting, probe turned               same        status
 *   running   probe failed               same        Unhealthy; at its threshold Killing, then as ended
 *             node is short because      same        pressure
 *             of it
 *   init,     no container is left to    stopping    status (phase held back); Killing of sidecars
 *   running   run, or one ended that
 *             fails the pod
 *   any of    seen deleting, or seen     stopping    Killing of each running container, status
 *   these     with a terminal phase
 *   any of    deadline due, or evicted   stopping    verdict, Killing of each running container, status
 *   these
 *   stopping  container due              stopping    none: status waits for the last one
 *   stopping  last one ended, sandbox    stopped     status (all terminated, terminal phase)
 *             gone
 *   finished  seen deleting              stopped     status
 *   stopped   clean-up due, deleting     removing    remove (final DELETE)
 *   stopped   clean-up due, not deleting finished    none
 *   any       gone                       (dropped)   forget
 *
 * A terminal phase never goes back: once `finished`, `stopped` or `removing`, no input leads to a stage before them,
 * and a terminal phase that the server shows wins over the machine's own.
 */
import type { PodProfile } from './pod-behaviour.ts';
import { addProbes, isDue, pull, schedule, stepRun, waitingRun } from './pod-containers.ts';
import { type ApiPodStatus, isTerminalPhase } from './pod-object.ts';
import { computedPhase } from './pod-phase.ts';
import { finishReset, isResetDone } from './pod-reset.ts';
import { everyMainRuns, resumePod, takeOver } from './pod-resume.ts';
import type { PodSighting, PodSpec } from './pod-spec.ts';
import {
  gateMessageOf,
  type Instant,
  isBeforeStop,
  isInitDone,
  type PodEffect,
  type PodMachine,
  type PodVerdict,
  settle,
} from './pod-state.ts';
import { concludeContainers, shortenStop, stopContainers } from './pod-stop.ts';

const STATUS: PodEffect = { effect: 'status' };
const NEVER = Number.POSITIVE_INFINITY;

/** Source: pkg/kubelet/active_deadline.go v1.36.3 */
const DEADLINE: PodVerdict = {
  kind: 'deadline',
  reason: 'DeadlineExceeded',
  message: 'Pod was active on the node longer than the specified deadline',
};

/**
 * A pod that is new on this node; `status` is what the server has of it, from an earlier life of the node. A
 * `rejection` is why the node does not admit it.
 */
export function newPod(
  spec: PodSpec,
  profile: PodProfile,
  seen: PodSighting,
  status: ApiPodStatus,
  podIp: string,
  at: Instant,
  rejection?: PodVerdict,
): { pod: PodMachine; effects: PodEffect[] } {
  const startTimeMs = status.startTime === undefined ? at.wallMs : Date.parse(status.startTime);
  const { activeDeadlineSeconds } = spec;
  const pod: PodMachine = {
    spec,
    profile,
    stage: 'mounting',
    generation: seen.generation,
    deleting: false,
    serverPhase: seen.phase,
    phaseBefore: 'Pending',
    lost: false,
    verdict: undefined,
    startTimeMs,
    sandboxDueUs: at.nowUs + profile.sandboxMs * 1_000,
    deadlineUs:
      activeDeadlineSeconds === undefined
        ? NEVER
        : at.nowUs + (startTimeMs - at.wallMs + activeDeadlineSeconds * 1_000) * 1_000,
    stopDueUs: NEVER,
    podIp,
    podIpShown: false,
    volumesReady: spec.objects.length === 0 && spec.tokens.length === 0,
    sandboxReady: false,
    runs: spec.containers.map(() => waitingRun()),
    resetting: false,
    resetSinceMs: at.wallMs,
    gateMessage: spec.readinessGates.length === 0 ? '' : gateMessageOf(spec, seen.conditions),
    conditionTrue: [false, false, false, false],
    conditionSinceMs: [at.wallMs, at.wallMs, at.wallMs, at.wallMs],
    verdictSinceMs: at.wallMs,
    version: 0,
    dueUs: NEVER,
  };
  const effects: PodEffect[] = [];
  if (isTerminalPhase(seen.phase)) {
    pod.stage = 'finished';
    takeOver(pod, status, at);
  } else if (rejection !== undefined) {
    pod.stage = 'finished';
    pod.verdict = rejection;
    effects.push({ effect: 'verdict' });
    show(pod, effects, at);
  } else if (seen.phase === 'Running' && everyMainRuns(status, spec)) {
    pod.stage = 'running';
    resumePod(pod, status, at);
    schedule(pod);
  } else {
    scheduleMount(pod);
    show(pod, effects, at);
  }
  if (seen.deleting) effects.push(...seePod(pod, seen, at));
  return { pod, effects };
}

/** The watch shows the pod again. */
export function seePod(pod: PodMachine, seen: PodSighting, at: Instant): PodEffect[] {
  const effects: PodEffect[] = [];
  let turned = seen.generation > pod.generation;
  if (turned) pod.generation = seen.generation;
  if (isTerminalPhase(seen.phase)) pod.serverPhase = seen.phase;
  if (pod.spec.readinessGates.length > 0) {
    const message = gateMessageOf(pod.spec, seen.conditions);
    turned ||= message !== pod.gateMessage;
    pod.gateMessage = message;
  }
  if (seen.deleting && !pod.deleting) {
    pod.deleting = true;
    if (pod.stage === 'finished') {
      pod.stage = 'stopped';
      pod.dueUs = at.nowUs + pod.profile.cleanUpMs * 1_000;
      show(pod, effects, at);
    } else if (isBeforeStop(pod.stage)) {
      beginStop(pod, seen.deletionGraceSeconds ?? 0, effects, at);
    } else {
      if (pod.stage === 'stopping') shorten(pod, seen.deletionGraceSeconds ?? 0, at);
      show(pod, effects, at);
    }
    return effects;
  }
  if (seen.deleting && seen.deletionGraceSeconds !== undefined) shorten(pod, seen.deletionGraceSeconds, at);
  if (isTerminalPhase(seen.phase) && isBeforeStop(pod.stage)) {
    // Somebody else ended it (pod garbage collection): the containers go, the phase stays.
    beginStop(pod, pod.spec.graceSeconds, effects, at);
  } else if (turned) {
    show(pod, effects, at);
  }
  return effects;
}

/** All that the pod mounts and reads is there. */
export function volumesReady(pod: PodMachine, at: Instant): PodEffect[] {
  pod.volumesReady = true;
  if (pod.stage !== 'mounting') return [];
  scheduleMount(pod);
  return tickPod(pod, at);
}

/** The kubelet ends the pod for its node's sake, within `graceSeconds`; nothing where it ends already. */
export function evictPod(
  pod: PodMachine,
  verdict: PodVerdict,
  graceSeconds: number,
  at: Instant,
): PodEffect[] {
  if (!isBeforeStop(pod.stage)) return [];
  const effects: PodEffect[] = [];
  condemn(pod, verdict, graceSeconds, effects, at);
  return effects;
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
  if (pod.deadlineUs <= at.nowUs && isBeforeStop(pod.stage)) {
    condemn(pod, DEADLINE, pod.spec.graceSeconds, effects, at);
    return true;
  }
  switch (pod.stage) {
    case 'mounting':
      pod.sandboxReady = true;
      addProbes(pod, at);
      show(pod, effects, at);
      startNext(pod, effects, at);
      schedule(pod);
      return true;
    case 'init':
    case 'starting':
    case 'running':
      return stepContainers(pod, effects, at);
    case 'stopping':
      return stepStop(pod, effects, at);
    case 'stopped':
      pod.dueUs = NEVER;
      if (pod.deleting) {
        pod.stage = 'removing';
        effects.push({ effect: 'remove' });
      } else {
        pod.stage = 'finished';
      }
      return true;
    default:
      pod.dueUs = NEVER;
      return false;
  }
}

function scheduleMount(pod: PodMachine): void {
  // Without the volumes volumesReady() goes on from here; a timer that stays due would fire without end.
  pod.dueUs = Math.min(pod.deadlineUs, pod.volumesReady ? pod.sandboxDueUs : NEVER);
}

/** Gives the next init container its turn, or all main ones, once what comes before has got so far. */
function startNext(pod: PodMachine, effects: PodEffect[], at: Instant): void {
  const { containers } = pod.spec;
  const firstMain = containers.findIndex(({ kind }) => kind === 'main');
  const lastBegun = pod.runs.findLastIndex(
    (run, index) => index < firstMain && (run.next !== 'nothing' || run.startedAtUs > 0),
  );
  if (lastBegun >= 0 && !isInitDone(pod, lastBegun)) return;
  if (lastBegun + 1 < firstMain) {
    pod.stage = 'init';
    pull(pod, lastBegun + 1, effects, at);
    return;
  }
  pod.stage = 'starting';
  for (let index = firstMain; index < containers.length; index++) pull(pod, index, effects, at);
}

function stepContainers(pod: PodMachine, effects: PodEffect[], at: Instant): boolean {
  let changed = false;
  let done = false;
  pod.runs.forEach((run, index) => {
    if (!isDue(run, at)) return;
    done = true;
    changed = stepRun(pod, index, effects, at) || changed;
  });
  if (isResetDone(pod)) {
    finishReset(pod, at);
    // Nothing shows between the end of the old containers and the wait of the new ones.
    show(pod, effects, at);
    startNext(pod, effects, at);
  } else if (changed) advance(pod, effects, at);
  if (isBeforeStop(pod.stage)) schedule(pod);
  return done;
}

/** Moves on to the next stage if the containers allow it, and shows what changed. */
function advance(pod: PodMachine, effects: PodEffect[], at: Instant): void {
  // Sidecars keep no pod alive.
  if (!pod.resetting && (isTerminalPhase(computedPhase(pod)) || mainsAreDone(pod))) {
    beginStop(pod, pod.spec.graceSeconds, effects, at);
    return;
  }
  if (
    pod.stage === 'starting' &&
    pod.runs.every((run, index) => pod.spec.containers[index]?.kind !== 'main' || run.startedAtUs > 0)
  )
    pod.stage = 'running';
  show(pod, effects, at);
  if (pod.stage === 'init' && !pod.resetting) startNext(pod, effects, at);
}

function mainsAreDone(pod: PodMachine): boolean {
  return pod.runs.every(
    (run, index) =>
      pod.spec.containers[index]?.kind !== 'main' || (run.state === 'terminated' && run.next === 'nothing'),
  );
}

function condemn(
  pod: PodMachine,
  verdict: PodVerdict,
  graceSeconds: number,
  effects: PodEffect[],
  at: Instant,
): void {
  pod.verdict = verdict;
  pod.verdictSinceMs = at.wallMs;
  effects.push({ effect: 'verdict' });
  beginStop(pod, graceSeconds, effects, at);
}

function beginStop(pod: PodMachine, graceSeconds: number, effects: PodEffect[], at: Instant): void {
  const byItself = isTerminalPhase(computedPhase(pod)) && !pod.deleting && pod.verdict === undefined;
  pod.stage = 'stopping';
  if (pod.resetting) pod.resetSinceMs = at.wallMs;
  pod.resetting = false;
  const anyRuns = stopContainers(pod, graceSeconds, effects, at);
  // Without a container that runs, only the sandbox of a pod that ended by itself is still to go.
  pod.stopDueUs = anyRuns ? NEVER : at.nowUs + (byItself ? pod.profile.sandboxStopMs * 1_000 : 0);
  scheduleStop(pod);
  show(pod, effects, at);
}

function shorten(pod: PodMachine, graceSeconds: number, at: Instant): void {
  // A second delete may shorten the grace period, never lengthen it.
  if (pod.stage !== 'stopping') return;
  shortenStop(pod, graceSeconds, at);
  scheduleStop(pod);
}

function stepStop(pod: PodMachine, effects: PodEffect[], at: Instant): boolean {
  let changed = false;
  pod.runs.forEach((run, index) => {
    if (!isDue(run, at)) return;
    const ran = run.state === 'running';
    // How the others end shows with the last one; readiness is still probed until then.
    changed = (stepRun(pod, index, effects, at) && run.state === 'running') || changed;
    if (ran && run.state !== 'running') run.dueUs = NEVER;
  });
  if (pod.runs.some(({ state }) => state === 'running')) {
    scheduleStop(pod);
    if (changed) show(pod, effects, at);
    return true;
  }
  pod.stage = 'stopped';
  pod.sandboxReady = false;
  concludeContainers(pod);
  pod.dueUs = at.nowUs + pod.profile.cleanUpMs * 1_000;
  show(pod, effects, at);
  return true;
}

function scheduleStop(pod: PodMachine): void {
  schedule(pod);
  pod.dueUs = Math.min(pod.dueUs, pod.stopDueUs);
}

function show(pod: PodMachine, effects: PodEffect[], at: Instant): void {
  settle(pod, at);
  if (isBeforeStop(pod.stage)) {
    const phase = computedPhase(pod);
    if (!isTerminalPhase(phase)) pod.phaseBefore = phase;
  }
  pod.version++;
  if (!effects.includes(STATUS)) effects.push(STATUS);
}
