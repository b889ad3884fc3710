/**
 * How long a pod's steps take: drawn once per pod from a stream seeded by the run and the pod's name, so that the
 * same suite plays the same way again. A profile is the seam for pods that behave otherwise than by the suite's
 * defaults (run times, exit codes, slow stops).
 */
import type { PodBehaviour } from '../../../src/config/index.ts';
import { type Random, seededRandom } from '../../../src/core/index.ts';
import type { PodSpec } from './pod-spec.ts';

/** How one run of one container goes. */
export interface ContainerRunPlan {
  /** Until it exits by itself; Infinity for a container that stays. */
  readonly runMs: number;
  readonly exitCode: number;
}

/** What a pod is going to do. Asked as the pod gets there; answers may differ from call to call. */
export interface PodProfile {
  /** From the first sync until volumes and sandbox are ready. */
  readonly sandboxMs: number;
  /** From a container's turn until it is seen running. */
  startMs(): number;
  /** From the termination signal until the containers have ended; beyond the grace period they are killed. */
  readonly stopMs: number;
  /** From the last container's end until the pod's volumes are gone. */
  readonly cleanUpMs: number;
  /** The plan of run number `restartCount` (0 for the first) of container `index` of the spec. */
  run(index: number, restartCount: number): ContainerRunPlan;
}

/** Chooses the profile of a pod; the fleet's default takes the suite's PodBehaviour. */
export type ProfileOf = (spec: PodSpec) => PodProfile;

/** Init containers of ordinary pods do something short. */
const INIT_RUN_MS = { low: 50, high: 250 };
/**
 * Unmounting and the worker's wait for a newer look at the runtime, seen between the last status and the final
 * DELETE: 0.6-1.0 s in both reference captures.
 */
const CLEAN_UP_MS = { low: 500, high: 1_000 };
const FOR_EVER: ContainerRunPlan = { runMs: Number.POSITIVE_INFINITY, exitCode: 0 };

/** Profiles by the suite's pod behaviour: init containers end well, others stay until they are stopped. */
export function defaultProfiles(seed: string | number, behaviour: PodBehaviour): ProfileOf {
  return (spec) => {
    const random = seededRandom(`${seed}/pod/${spec.namespace}/${spec.name}`);
    return {
      sandboxMs: draw(random, behaviour.sandboxMs),
      startMs: () => draw(random, behaviour.startMs),
      stopMs: draw(random, behaviour.stopMs),
      cleanUpMs: draw(random, CLEAN_UP_MS),
      run: (index) =>
        spec.containers[index]?.kind === 'init'
          ? { runMs: draw(random, INIT_RUN_MS), exitCode: 0 }
          : FOR_EVER,
    };
  };
}

/**
 * Profiles of upstream's hollow node: nothing ever exits by itself, init containers included, and a stop is instant.
 * Source: pkg/kubelet/cri/remote fakes behind pkg/kubemark/hollow_kubelet.go v1.36.3
 */
export function kubemarkProfiles(seed: string | number, behaviour: PodBehaviour): ProfileOf {
  const base = defaultProfiles(seed, behaviour);
  return (spec) => ({ ...base(spec), startMs: () => 0, stopMs: 0, run: () => FOR_EVER });
}

function draw(random: Random, range: { low: number; high: number }): number {
  return random.uniform(range.low, range.high);
}
