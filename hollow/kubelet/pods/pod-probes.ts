/**
 * The probes of one container, played against what its run plan says the application would answer.
 *
 *   probe      begins as  runs                                     at its threshold
 *   ---------  ---------  ---------------------------------------  -------------------------------------------------
 *   startup    unknown    each period, until it has a result       success: started, the others begin; failure: kill
 *   readiness  failure    once started, at once and each period    ready or not ready
 *   liveness   success    once started, each period                failure: kill
 *
 * A probe costs nothing while its answer stays the same: the next one that is played is the first that finds another.
 * Only failing probes are played one by one, because each posts an event.
 * Source: pkg/kubelet/prober/{worker,prober_manager}.go v1.36.3
 */
import type { ContainerRunPlan } from './pod-behaviour.ts';
import type { ContainerSpec, ProbeSpec } from './pod-spec.ts';

/** An answer comes after the status that shows the container running was made. */
const ANSWER_MS = 10;

export type ProbeKind = 'startup' | 'readiness' | 'liveness';

interface Probe {
  readonly kind: ProbeKind;
  readonly spec: ProbeSpec;
  /** Of the newest answers: what they were, and how many in a row. */
  lastAnswer: boolean | undefined;
  answerCount: number;
  /** The result that counts. */
  result: boolean | undefined;
  /** Nothing more until the container runs anew. */
  held: boolean;
  /** Monotonic; Infinity while it need not be played. */
  dueUs: number;
  /** An instant at which it is played; others are whole periods away. */
  gridUs: number;
}

/** The probes of one container over all its runs. */
export interface ContainerProbes {
  readonly probes: readonly Probe[];
  /** The earliest of their due instants. */
  dueUs: number;
}

/** The run that is probed. */
export interface ProbedRun {
  readonly plan: ContainerRunPlan;
  /** Monotonic. */
  readonly startedAtUs: number;
  /** Since the epoch. */
  readonly startedAtMs: number;
}

/** What came of the probes that were due. */
export interface ProbeOutcome {
  /** `started` or `ready` turned. */
  turned: boolean;
  /** Each failed answer, one event each. */
  failures: ProbeKind[];
  /** The probe that wants the container killed. */
  kill: 'startup' | 'liveness' | undefined;
}

/** The probes of `container`, whose workers start at `nowUs`; undefined where it has none. */
export function newProbes(container: ContainerSpec, nowUs: number): ContainerProbes | undefined {
  const probes: Probe[] = [];
  const add = (kind: ProbeKind, spec: ProbeSpec | undefined) => {
    if (spec === undefined) return;
    probes.push({
      kind,
      spec,
      lastAnswer: undefined,
      answerCount: 0,
      result: undefined,
      held: false,
      dueUs: Number.POSITIVE_INFINITY,
      gridUs: nowUs,
    });
  };
  add('startup', container.startupProbe);
  add('readiness', container.readinessProbe);
  add('liveness', container.livenessProbe);
  return probes.length === 0 ? undefined : { probes, dueUs: Number.POSITIVE_INFINITY };
}

/** True where nothing says that the container has not started yet. */
export function isStarted({ probes }: ContainerProbes): boolean {
  return probes.every(({ kind, result }) => kind !== 'startup' || result === true);
}

/** True where nothing says that a started container is not ready. */
export function isReady({ probes }: ContainerProbes): boolean {
  return probes.every(({ kind, result }) => kind !== 'readiness' || result === true);
}

/** The container begins to run. */
export function beginProbes(state: ContainerProbes, run: ProbedRun, nowUs: number): void {
  for (const probe of state.probes) {
    probe.result = probe.kind === 'startup' ? undefined : probe.kind === 'liveness';
    probe.held = false;
    probe.dueUs = Number.POSITIVE_INFINITY;
    if (probe.kind === 'startup') probe.dueUs = firstTickUs(probe, run, nowUs);
  }
  if (isStarted(state)) beginOthers(state, run, nowUs);
  schedule(state);
}

/** A container that an earlier life of the kubelet started goes on as the server shows it. */
export function resumeProbes(
  state: ContainerProbes,
  started: boolean,
  ready: boolean,
  run: ProbedRun,
  nowUs: number,
): void {
  for (const probe of state.probes) {
    probe.result =
      probe.kind === 'readiness' ? ready : probe.kind === 'liveness' ? true : started || undefined;
    probe.held = probe.kind === 'startup' && started;
    probe.dueUs =
      probe.held || (probe.kind !== 'startup' && !started)
        ? Number.POSITIVE_INFINITY
        : firstTickUs(probe, run, nowUs);
  }
  schedule(state);
}

/** The container runs no more; readiness has failed. */
export function endProbes(state: ContainerProbes): void {
  for (const probe of state.probes) {
    probe.dueUs = Number.POSITIVE_INFINITY;
    probe.result = false;
  }
  state.dueUs = Number.POSITIVE_INFINITY;
}

/** The pod is being stopped: only readiness is still looked at. */
export function stopProbes(state: ContainerProbes): void {
  for (const probe of state.probes) {
    if (probe.kind !== 'readiness') probe.dueUs = Number.POSITIVE_INFINITY;
  }
  schedule(state);
}

/** Plays what is due at `nowUs`. */
export function playProbes(state: ContainerProbes, run: ProbedRun, nowUs: number): ProbeOutcome {
  const outcome: ProbeOutcome = { turned: false, failures: [], kill: undefined };
  for (const probe of state.probes) {
    if (probe.dueUs > nowUs) continue;
    probe.gridUs = probe.dueUs;
    play(probe, run, outcome);
    if (probe.kind === 'startup' && probe.result === true) beginOthers(state, run, nowUs);
    if (!probe.held) probe.dueUs = nextTickUs(probe, run);
  }
  schedule(state);
  return outcome;
}

function play(probe: Probe, run: ProbedRun, outcome: ProbeOutcome): void {
  const { kind, spec } = probe;
  const answer = answers(kind, run.plan, (probe.dueUs - run.startedAtUs) / 1_000);
  if (!answer) outcome.failures.push(kind);
  if (probe.lastAnswer === answer) probe.answerCount++;
  else {
    probe.lastAnswer = answer;
    probe.answerCount = 1;
  }
  if (probe.answerCount < (answer ? spec.successThreshold : spec.failureThreshold)) return;
  if (probe.result !== answer) {
    probe.result = answer;
    if (kind !== 'liveness') outcome.turned = true;
  }
  if (kind === 'readiness' || (kind === 'liveness' && answer)) return;
  if (!answer && kind === 'liveness') outcome.kill = 'liveness';
  if (!answer && kind === 'startup') outcome.kill = 'startup';
  probe.held = true;
  probe.answerCount = 0;
  probe.dueUs = Number.POSITIVE_INFINITY;
}

function beginOthers(state: ContainerProbes, run: ProbedRun, nowUs: number): void {
  for (const probe of state.probes) {
    if (probe.kind === 'startup') continue;
    // The look at the container that finds it running asks for readiness at once, and periods count from there.
    if (probe.kind === 'readiness') probe.gridUs = nowUs + ANSWER_MS * 1_000;
    probe.dueUs = firstTickUs(probe, run, nowUs);
  }
}

/** The first tick at or after `nowUs` that the initial delay lets pass. */
function firstTickUs(probe: Probe, run: ProbedRun, nowUs: number): number {
  const { initialDelaySeconds, periodMs } = probe.spec;
  // The delay counts whole seconds from a start that status gives in whole seconds.
  const sinceSecondMs = run.startedAtMs % 1_000;
  const allowedUs = run.startedAtUs + (initialDelaySeconds * 1_000 - sinceSecondMs) * 1_000;
  const fromUs = Math.max(nowUs, probe.kind === 'readiness' ? probe.gridUs : 0);
  const earliestUs = initialDelaySeconds === 0 ? fromUs : Math.max(fromUs, allowedUs);
  const periods = Math.ceil((earliestUs - probe.gridUs) / (periodMs * 1_000));
  const tickUs = probe.gridUs + Math.max(0, periods) * periodMs * 1_000;
  return skipSteady(probe, run, tickUs);
}

function nextTickUs(probe: Probe, run: ProbedRun): number {
  return skipSteady(probe, run, probe.gridUs + probe.spec.periodMs * 1_000);
}

/** `tickUs`, or the first tick after it with another answer where those before would change nothing. */
function skipSteady(probe: Probe, run: ProbedRun, tickUs: number): number {
  const { kind, spec } = probe;
  if (kind === 'startup' || probe.result !== true) return tickUs;
  // An answer that has failed and not reached its threshold is still counted.
  if (probe.lastAnswer === false) return tickUs;
  const failsUs = run.startedAtUs + failsFrom(kind, run.plan, (tickUs - run.startedAtUs) / 1_000) * 1_000;
  if (failsUs === Number.POSITIVE_INFINITY) return failsUs;
  const periods = Math.max(0, Math.ceil((failsUs - tickUs) / (spec.periodMs * 1_000)));
  return tickUs + periods * spec.periodMs * 1_000;
}

/** What the application answers `ms` after its start. */
function answers(kind: ProbeKind, plan: ContainerRunPlan, ms: number): boolean {
  if (ms >= plan.hangMs) return false;
  if (kind === 'liveness') return true;
  if (kind === 'startup') return ms >= plan.startedMs;
  if (ms < plan.readyMs) return false;
  if (plan.unready === undefined) return true;
  const { everyMs, forMs } = plan.unready;
  return (ms - plan.readyMs) % (everyMs + forMs) < everyMs;
}

/** The first instant at or after `ms` at which it answers no, if it answers yes before. */
function failsFrom(kind: ProbeKind, plan: ContainerRunPlan, ms: number): number {
  if (kind === 'liveness' || plan.unready === undefined || ms < plan.readyMs) {
    return !answers(kind, plan, ms) ? ms : plan.hangMs;
  }
  const { everyMs, forMs } = plan.unready;
  const cycle = Math.floor((ms - plan.readyMs) / (everyMs + forMs));
  const windowMs = plan.readyMs + cycle * (everyMs + forMs) + everyMs;
  return Math.min(plan.hangMs, Math.max(ms, windowMs));
}

function schedule(state: ContainerProbes): void {
  let dueUs = Number.POSITIVE_INFINITY;
  for (const probe of state.probes) dueUs = Math.min(dueUs, probe.dueUs);
  state.dueUs = dueUs;
}
