import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { evictPod, seePod, tickPod, volumesReady } from '../../../hollow/kubelet/pods/pod-machine.ts';
import { type ApiPod, type ApiProbe, isTerminalPhase } from '../../../hollow/kubelet/pods/pod-object.ts';
import { shownPhase } from '../../../hollow/kubelet/pods/pod-phase.ts';
import { readPodSighting } from '../../../hollow/kubelet/pods/pod-spec.ts';
import type { PodEffect, PodMachine } from '../../../hollow/kubelet/pods/pod-state.ts';
import { buildStatus } from '../../../hollow/kubelet/pods/pod-status.ts';
import { statusPatch } from '../../../hollow/kubelet/pods/status-patch.ts';
import { wireForm } from '../../../hollow/wire-form.ts';
import { at, boundPod, deletedPod, machineOf, POD_UID, profile } from './pod-fixtures.ts';

const NEVER = Number.POSITIVE_INFINITY;
const context = { form: wireForm('none', 'v1.36.3'), hostIp: '192.0.2.2', hostNetworkIp: '192.0.2.2' };

type Input =
  | { input: 'wait'; ms: number }
  | { input: 'volumes' }
  | { input: 'delete'; graceSeconds: number }
  | { input: 'phase'; phase: 'Failed' | 'Succeeded' }
  | { input: 'evict' }
  | { input: 'gate'; status: string }
  | { input: 'modified' };

const inputs = fc.array(
  fc.oneof<fc.Arbitrary<Input>[]>(
    fc.record({ input: fc.constant('wait' as const), ms: fc.integer({ min: 0, max: 20_000 }) }),
    fc.record({ input: fc.constant('volumes' as const) }),
    fc.record({ input: fc.constant('delete' as const), graceSeconds: fc.integer({ min: 0, max: 60 }) }),
    fc.record({
      input: fc.constant('phase' as const),
      phase: fc.constantFrom('Failed' as const, 'Succeeded' as const),
    }),
    fc.record({ input: fc.constant('evict' as const) }),
    fc.record({ input: fc.constant('gate' as const), status: fc.constantFrom('True', 'False') }),
    fc.record({ input: fc.constant('modified' as const) }),
  ),
  { maxLength: 25 },
);

const span = fc.constantFrom(NEVER, 0, 10, 700, 5_000, 40_000);
const probe = fc.option(
  fc.record({
    initialDelaySeconds: fc.integer({ min: 0, max: 12 }),
    periodSeconds: fc.integer({ min: 1, max: 10 }),
    failureThreshold: fc.integer({ min: 1, max: 4 }),
  }),
  { nil: undefined },
);
const policy = fc.constantFrom('Always' as const, 'OnFailure' as const, 'Never' as const);
const shapes = fc.record({
  initCount: fc.integer({ min: 0, max: 2 }),
  sidecarCount: fc.integer({ min: 0, max: 2 }),
  mainCount: fc.integer({ min: 1, max: 3 }),
  restartPolicy: policy,
  ownPolicy: fc.option(policy, { nil: undefined }),
  ruleCodes: fc.option(fc.constant([1]), { nil: undefined }),
  mounts: fc.boolean(),
  gate: fc.boolean(),
  deadlineSeconds: fc.option(fc.integer({ min: 1, max: 60 }), { nil: undefined }),
  preStopSeconds: fc.integer({ min: 0, max: 10 }),
  startup: probe,
  readiness: probe,
  liveness: probe,
  ruleAction: fc.constantFrom('Restart', 'RestartAllContainers'),
  initExit: fc.integer({ min: 0, max: 1 }),
  sidecarRunMs: span,
  mainRunMs: span,
  mainExit: fc.integer({ min: 0, max: 1 }),
  startedMs: span,
  readyMs: span,
  hangMs: span,
  stopMs: fc.integer({ min: 0, max: 90_000 }),
  jitter: fc.double({ min: 0, max: 0.99, noNaN: true }),
});
type Shape = typeof shapes extends fc.Arbitrary<infer T> ? T : never;

function objectOf(shape: Shape): ApiPod {
  const probes = (probe: ApiProbe | undefined, key: string) => (probe === undefined ? {} : { [key]: probe });
  const probed = {
    ...probes(shape.startup, 'startupProbe'),
    ...probes(shape.readiness, 'readinessProbe'),
    ...probes(shape.liveness, 'livenessProbe'),
    lifecycle: { preStop: { sleep: { seconds: shape.preStopSeconds } } },
  };
  return boundPod((pod) => {
    pod.spec.restartPolicy = shape.restartPolicy;
    pod.spec.initContainers = [
      ...Array.from({ length: shape.initCount }, (_, i) => ({ name: `i${i}`, image: 'i' })),
      ...Array.from({ length: shape.sidecarCount }, (_, i) => ({
        name: `s${i}`,
        image: 's',
        restartPolicy: 'Always' as const,
        ...probed,
      })),
    ];
    pod.spec.containers = Array.from({ length: shape.mainCount }, (_, i) => ({
      name: `m${i}`,
      image: 'm',
      ...probed,
      ...(shape.ownPolicy === undefined ? {} : { restartPolicy: shape.ownPolicy }),
      ...(shape.ruleCodes === undefined || shape.ownPolicy === undefined
        ? {}
        : {
            restartPolicyRules: [
              { action: shape.ruleAction, exitCodes: { operator: 'In', values: [...shape.ruleCodes] } },
            ],
          }),
    }));
    if (shape.mounts) pod.spec.volumes = [{ name: 'v', configMap: { name: 'cm' } }];
    if (shape.gate) pod.spec.readinessGates = [{ conditionType: 'example.com/gate' }];
    if (shape.deadlineSeconds !== undefined) pod.spec.activeDeadlineSeconds = shape.deadlineSeconds;
  });
}

function machine(shape: Shape, object: ApiPod): PodMachine {
  return machineOf(
    object,
    profile({
      jitter: () => shape.jitter,
      run: (index) => {
        const kind =
          index < shape.initCount ? 'init' : index < shape.initCount + shape.sidecarCount ? 'side' : 'main';
        const { startedMs, readyMs, hangMs, stopMs } = shape;
        return {
          runMs: kind === 'init' ? 30 : kind === 'side' ? shape.sidecarRunMs : shape.mainRunMs,
          exitCode: kind === 'init' ? shape.initExit : shape.mainExit,
          startedMs,
          readyMs,
          hangMs,
          stopMs,
        };
      },
    }),
  ).pod;
}

/** Plays `sequence`, checking after each input what must always hold. Returns the pod and how to go on. */
function played(shape: Shape, sequence: readonly Input[]) {
  let current = objectOf(shape);
  const pod = machine(shape, current);
  let nowMs = 0;
  let terminal: string | undefined;
  let removals = 0;
  const note = (effects: readonly PodEffect[], versionBefore: number) => {
    removals += effects.filter((effect) => effect.effect === 'remove').length;
    // What status shows changes only together with the version, and the other way round.
    expect(pod.version > versionBefore).toBe(effects.some((effect) => effect.effect === 'status'));
    const phase = shownPhase(pod);
    if (terminal !== undefined) expect(isTerminalPhase(phase)).toBe(true);
    if (isTerminalPhase(phase)) {
      terminal = phase;
      // No phase is terminal while a container runs, but for one that somebody else gave the pod.
      if (!isTerminalPhase(pod.serverPhase))
        expect(pod.runs.some(({ state }) => state === 'running')).toBe(false);
    }
    if (phase === 'Succeeded' && !isTerminalPhase(pod.serverPhase)) {
      for (const [index, run] of pod.runs.entries())
        if (pod.spec.containers[index]?.kind === 'main') expect(run.termination?.exitCode).toBe(0);
    }
    for (const run of pod.runs) {
      if (run.ready) expect(run.started).toBe(true);
      if (run.started) expect(run.state).toBe('running');
    }
    // A pod that the API server already shows terminal is never patched back, whatever the machine thinks.
    const patch = statusPatch(POD_UID, current.status ?? {}, buildStatus(pod, current, context));
    const written =
      patch === undefined ? undefined : (JSON.parse(patch) as { status: { phase?: string } }).status.phase;
    if (isTerminalPhase(current.status?.phase ?? 'Pending')) expect(written).toBeUndefined();
    // The next event shows what was written.
    if (written !== undefined)
      current = { ...current, status: { ...current.status, phase: written as 'Running' } };
  };
  const apply = (input: Input) => {
    const { version } = pod;
    const see = () => note(seePod(pod, readPodSighting(current), at(nowMs)), version);
    switch (input.input) {
      case 'wait':
        nowMs += input.ms;
        note(tickPod(pod, at(nowMs)), version);
        // What stays due would fire its timer without end.
        expect(pod.dueUs).toBeGreaterThan(nowMs * 1_000);
        return;
      case 'volumes':
        return note(volumesReady(pod, at(nowMs)), version);
      case 'delete':
        if (current.metadata.deletionTimestamp === undefined)
          current = deletedPod(current, input.graceSeconds);
        return see();
      case 'phase':
        if (isTerminalPhase(current.status?.phase ?? 'Pending')) return;
        current = { ...current, status: { ...current.status, phase: input.phase } };
        see();
        return expect(shownPhase(pod)).toBe(input.phase);
      case 'evict':
        return note(
          evictPod(pod, { kind: 'evicted', reason: 'Evicted', message: 'm' }, 1, at(nowMs)),
          version,
        );
      case 'gate':
        current = {
          ...current,
          status: {
            ...current.status,
            conditions: [
              ...(current.status?.conditions ?? []).filter(({ type }) => type !== 'example.com/gate'),
              { type: 'example.com/gate', status: input.status },
            ],
          },
        };
        return see();
      default:
        return see();
    }
  };
  for (const input of sequence) apply(input);
  return { pod, apply, now: () => nowMs, removals: () => removals };
}

describe('any sequence of events', () => {
  it('never takes a terminal phase back, and always ends with one removal once deleted', () => {
    fc.assert(
      fc.property(shapes, inputs, (shape, sequence) => {
        const { apply, now, pod, removals } = played(shape, sequence);
        apply({ input: 'delete', graceSeconds: 30 });
        const deletedAtMs = now();
        for (let i = 0; i < 200 && pod.stage !== 'removing' && pod.dueUs !== NEVER; i++) {
          apply({ input: 'wait', ms: Math.max(0, pod.dueUs / 1_000 - now()) });
        }
        expect(pod.stage).toBe('removing');
        expect(removals()).toBe(1);
        expect(isTerminalPhase(shownPhase(pod))).toBe(true);
        expect(pod.runs.some((run) => run.state === 'running')).toBe(false);
        // Grace, and the least that the runtime gives a sidecar after it, and the clean-up: nothing outlasts them.
        expect(now() - deletedAtMs).toBeLessThanOrEqual(60_000 + 10_000);
      }),
      { numRuns: 600 },
    );
  });

  it('leaves no pod stuck: what is not over is due, waits for volumes, or is as it should stay', () => {
    fc.assert(
      fc.property(shapes, inputs, (shape, sequence) => {
        const { apply, pod } = played(shape, sequence);
        apply({ input: 'volumes' });
        apply({ input: 'wait', ms: 3_600_000 });
        if (pod.dueUs !== NEVER || pod.stage === 'finished' || pod.stage === 'removing') return;
        expect(pod.stage).toBe('running');
        const mains = pod.runs.filter((_, index) => pod.spec.containers[index]?.kind === 'main');
        expect(mains.some(({ state }) => state === 'running')).toBe(true);
        // Nothing is due any more: every container runs for good, with every probe answered well.
        for (const [index, run] of pod.runs.entries()) {
          if (pod.spec.containers[index]?.kind === 'init') continue;
          const policy = pod.spec.containers[index]?.restartPolicy ?? pod.spec.restartPolicy;
          if (run.state !== 'running') expect(policy).not.toBe('Always');
          else expect(run.ready).toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
