/**
 * What a pod is going to do and how long its steps take: drawn from a stream seeded by the run and the pod's name, so
 * that the same suite plays the same way again. A pod that asks for no behaviour of its own gets one shared plan for
 * all its runs, which costs nothing.
 */
import {
  type ContainerBehaviour,
  type FleetSettings,
  type NamedBehaviour,
  type PodBehaviour,
  type Pressure,
  requestedBehaviour,
} from '../../../src/config/index.ts';
import { type Random, seededRandom } from '../../../src/core/index.ts';
import type { PodSpec } from './pod-spec.ts';

/** How one run of one container goes. Milliseconds from its start; Infinity for what never happens. */
export interface ContainerRunPlan {
  /** Until it exits by itself. */
  readonly runMs: number;
  readonly exitCode: number;
  readonly oomKilled: boolean;
  /** Until startup probes succeed. */
  readonly startedMs: number;
  /** Until readiness probes succeed. */
  readonly readyMs: number;
  /** Readiness probes fail for `forMs` after each `everyMs` of being ready. */
  readonly unready: { readonly everyMs: number; readonly forMs: number } | undefined;
  /** Until every probe fails. */
  readonly hangMs: number;
  /** Until the node is short of a resource because of it. */
  readonly pressure: { readonly resource: Pressure; readonly afterMs: number } | undefined;
  /** How long an exec or HTTP preStop hook takes. */
  readonly preStopMs: number;
  /** From the termination signal to its end, with `stopExitCode`. */
  readonly stopMs: number;
  readonly stopExitCode: number;
}

/** What a pod is going to do. Asked as the pod gets there; answers may differ from call to call. */
export interface PodProfile {
  /** From the first sync until the sandbox is ready. */
  readonly sandboxMs: number;
  /** From a container's turn until it is seen running. */
  startMs(): number;
  /** From the end of the last container that ended by itself until the sandbox is gone. */
  readonly sandboxStopMs: number;
  /** From the last container's end until the pod's volumes are gone. */
  readonly cleanUpMs: number;
  /** Probes are played; false where the prober is upstream's fake one. */
  readonly probed: boolean;
  /** The plan of run number `restartCount` (0 for the first) of container `index` of the spec; asked once for a run. */
  run(index: number, restartCount: number): ContainerRunPlan;
  /** Uniform in [0, 1). */
  jitter(): number;
  /** From a container's exit until the kubelet's next look at the runtime finds it. */
  noticeMs(): number;
}

/** Chooses the profile of a pod. */
export type ProfileOf = (spec: PodSpec) => PodProfile;

/** Told of a pod that asks for what there is not. */
export type ReportPod = (spec: PodSpec, key: string, message: string) => void;

/** Init containers of ordinary pods do something short. */
const INIT_RUN_MS = { low: 50, high: 250 };
/**
 * Unmounting and the worker's wait for a newer look at the runtime, seen between the last status and the final
 * DELETE: 0.6-1.0 s in both reference captures.
 */
const CLEAN_UP_MS = { low: 500, high: 1_000 };
/** Network and pause container of a pod whose containers have ended. */
const SANDBOX_STOP_MS = { low: 100, high: 300 };
const OOM_EXIT_CODE = 137;
/** A kubelet looks at its runtime this often. Source: genericPlegRelistPeriod, pkg/kubelet/kubelet.go v1.36.3 */
const RELIST_MS = 1_000;

type Range = { readonly low: number; readonly high: number };

/** A run that goes on until it is stopped and is well all the time. */
export function steadyRun(stopMs: number): ContainerRunPlan {
  return {
    runMs: Number.POSITIVE_INFINITY,
    exitCode: 0,
    oomKilled: false,
    startedMs: 0,
    readyMs: 0,
    unready: undefined,
    hangMs: Number.POSITIVE_INFINITY,
    pressure: undefined,
    stopMs,
    preStopMs: 0,
    stopExitCode: 0,
  };
}

/**
 * Profiles by the suite: what pods ask for by label and annotation, and otherwise init containers that end well and
 * others that stay until they are stopped. `report` is told of pods that ask for what there is not.
 */
export function defaultProfiles(
  seed: string | number,
  settings: Pick<FleetSettings, 'pods' | 'behaviours'>,
  report: ReportPod = () => {},
): ProfileOf {
  return (spec) => {
    const random = seededRandom(`${seed}/pod/${spec.namespace}/${spec.name}`);
    const asked = requestedBehaviour(settings.behaviours, spec.labels, spec.annotations, (_, key, message) =>
      report(spec, key, message),
    );
    return asked === undefined
      ? plainProfile(spec, random, settings.pods)
      : behavingProfile(spec, random, settings.pods, asked);
  };
}

/**
 * Profiles of upstream's hollow node: nothing ever exits by itself, init containers included, and what pods
 * ask for is not heard.
 * Source: pkg/kubelet/cri/remote fakes behind pkg/kubemark/hollow_kubelet.go v1.36.3
 */
export function kubemarkProfiles(
  seed: string | number,
  settings: Pick<FleetSettings, 'pods' | 'behaviours'>,
): ProfileOf {
  return (spec) => {
    const random = seededRandom(`${seed}/pod/${spec.namespace}/${spec.name}`);
    // Its runtime takes no time, but its loops and its status writer do: that is what the settings say.
    const steady = steadyRun(draw(random, settings.pods.stopMs));
    return {
      ...plainProfile(spec, random, settings.pods),
      sandboxStopMs: 0,
      probed: false,
      run: () => steady,
    };
  };
}

function plainProfile(spec: PodSpec, random: Random, pods: PodBehaviour): PodProfile {
  const steady = steadyRun(draw(random, pods.stopMs));
  return {
    sandboxMs: draw(random, pods.sandboxMs),
    startMs: () => draw(random, pods.startMs),
    sandboxStopMs: draw(random, SANDBOX_STOP_MS),
    cleanUpMs: draw(random, CLEAN_UP_MS),
    probed: true,
    run: (index) =>
      spec.containers[index]?.kind === 'init' ? { ...steady, runMs: draw(random, INIT_RUN_MS) } : steady,
    jitter: () => random.next(),
    noticeMs: () => random.next() * RELIST_MS,
  };
}

function behavingProfile(
  spec: PodSpec,
  random: Random,
  pods: PodBehaviour,
  asked: NamedBehaviour,
): PodProfile {
  const plain = plainProfile(spec, random, pods);
  const startMs = asked.startMs ?? pods.startMs;
  return {
    ...plain,
    sandboxMs: asked.sandboxMs === undefined ? plain.sandboxMs : draw(random, asked.sandboxMs),
    startMs: () => draw(random, startMs),
    run: (index, restartCount) => {
      const container = spec.containers[index];
      const named =
        container !== undefined && Object.hasOwn(asked.containers, container.name)
          ? asked.containers[container.name]
          : undefined;
      const behaviour = named ?? (container?.kind === 'main' ? asked.main : undefined);
      const steady = plain.run(index, restartCount);
      return behaviour === undefined ? steady : planned(behaviour, steady, random, restartCount);
    },
  };
}

function planned(
  behaviour: ContainerBehaviour,
  steady: ContainerRunPlan,
  random: Random,
  restartCount: number,
): ContainerRunPlan {
  const { exitCodes, exitCount, oomKilled = false, pressure, runMs, unready } = behaviour;
  const stays = exitCount !== undefined && restartCount >= exitCount;
  const or = (range: Range | undefined, otherwise: number) =>
    range === undefined ? otherwise : draw(random, range);
  const code =
    exitCodes === undefined || exitCodes.length === 0
      ? steady.exitCode
      : (exitCodes[random.integer(exitCodes.length)] ?? 0);
  return {
    runMs: stays ? Number.POSITIVE_INFINITY : or(runMs, steady.runMs),
    exitCode: oomKilled ? OOM_EXIT_CODE : code,
    oomKilled,
    startedMs: or(behaviour.startedMs, 0),
    readyMs: or(behaviour.readyMs, 0),
    unready:
      unready === undefined
        ? undefined
        : { everyMs: draw(random, unready.everyMs), forMs: draw(random, unready.forMs) },
    hangMs: or(behaviour.hangMs, Number.POSITIVE_INFINITY),
    pressure:
      pressure === undefined
        ? undefined
        : { resource: pressure.resource, afterMs: draw(random, pressure.afterMs) },
    preStopMs: or(behaviour.preStopMs, 0),
    stopMs: or(behaviour.stopMs, steady.stopMs),
    stopExitCode: behaviour.stopExitCode ?? 0,
  };
}

function draw(random: Random, range: Range): number {
  return random.uniform(range.low, range.high);
}
