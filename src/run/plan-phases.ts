/**
 * What one phase of a suite will do: its actions, and the rates at which pods come and go in it.
 */
import {
  type LoadPhase,
  objectsOfUnit,
  resourceLabel,
  type ScaleAction,
  type Suite,
} from '../config/index.ts';
import { type PlannedAction, planAction, sum } from './plan-actions.ts';
import { heartbeats, kubeletCallsPerPod, POD_EVENTS } from './plan-model.ts';
import { planProbes } from './plan-probes.ts';

export interface PlannedPhase {
  name: string;
  measured: boolean;
  /** It may end earlier than `durationMs`, by the rule of its warm-up. */
  endsByRule?: true;
  /** Expected, from the start of the first phase. */
  startMs: number;
  durationMs: number;
  actions: readonly PlannedAction[];
  /** Pods that begin to exist, by the load or by controllers for it. */
  podsStartedPerSecond: number;
  podsDeletedPerSecond: number;
  /** Of podsStartedPerSecond those that a controller creates. */
  controllerPodsPerSecond: number;
  /** Started and deleted: the pods' part of cluster churn as the official thresholds count it. */
  podChangesPerSecond: number;
  /** The load's requests that are no creation or deletion of a pod. */
  userRequestsPerSecond: number;
  /** Requests of kubelets in a second, heartbeats included. */
  fleetRequestsPerSecond: number;
}

/** The plan of one phase that begins at `startMs`. */
export function planPhase(phase: LoadPhase, suite: Suite, startMs: number): PlannedPhase {
  const rates = podRates(phase, suite);
  const podEvents = rates.started * POD_EVENTS.started + rates.deleted * POD_EVENTS.deleted;
  const own = phase.actions
    .filter((action) => action.action !== 'probes')
    .map((action) => planAction(action, suite, podEvents));
  const durationMs = Math.max(phase.durationMs, ...own.map((action) => action.durationMs));
  const actions = [
    ...own,
    ...phase.actions
      .filter((action) => action.action === 'probes')
      .map((action) => planProbes(action, suite, durationMs)),
  ];
  const { leasesPerSecond, statusPerSecond } = heartbeats(suite.fleet);
  const podChanges = rates.started + rates.deleted;
  const requests = sum(actions.flatMap(({ calls }) => calls.map(({ perSecond }) => perSecond)));
  return {
    name: phase.name,
    measured: phase.measured,
    ...(phase.warmUp?.until === 'steady' ? { endsByRule: true as const } : {}),
    startMs,
    durationMs,
    actions,
    podsStartedPerSecond: rates.started,
    podsDeletedPerSecond: rates.deleted,
    controllerPodsPerSecond: rates.byControllers,
    podChangesPerSecond: podChanges,
    userRequestsPerSecond: Math.max(0, requests - rates.bareChanges),
    fleetRequestsPerSecond:
      leasesPerSecond + statusPerSecond + kubeletCallsPerSecond(suite, rates.started, rates.deleted),
  };
}

function kubeletCallsPerSecond(suite: Suite, startedPerSecond: number, deletedPerSecond: number): number {
  if (suite.fleet.nodeCount === 0) return 0;
  const { started, deleted } = kubeletCallsPerPod(suite.fleet);
  return startedPerSecond * started + deletedPerSecond * deleted;
}

// In steady state: every pod that begins and every pod that ends, in a second.
function podRates(phase: LoadPhase, suite: Suite) {
  const rates = { started: 0, deleted: 0, byControllers: 0, bareChanges: 0 };
  const addControlled = (started: number, deleted: number) => {
    rates.started += started;
    rates.deleted += deleted;
    rates.byControllers += started;
  };
  for (const action of phase.actions) {
    if (action.action === 'create' || action.action === 'churn') {
      for (const object of objectsOfUnit(action.object)) {
        const started = action.ratePerSecond * object.podCount;
        const deleted = action.action === 'churn' ? started : 0;
        if (object.kind === 'Pod') {
          rates.started += started;
          rates.deleted += deleted;
          rates.bareChanges += started + deleted;
        } else addControlled(started, deleted);
      }
    } else if (action.action === 'update' && action.rolls) {
      const replaced = action.ratePerSecond * meanPodCount(suite, resourceLabel(action.resource));
      addControlled(replaced, replaced);
    } else if (action.action === 'scale') {
      const { up, down } = meanSteps(action);
      addControlled(action.ratePerSecond * up, action.ratePerSecond * down);
    }
  }
  return rates;
}

/** Pods of one object of `resource`, as the suite makes them; 0 where it makes none. */
function meanPodCount(suite: Suite, resource: string): number {
  let objectCount = 0;
  let podCount = 0;
  for (const action of suite.load.phases.flatMap(({ actions }) => actions)) {
    if (action.action !== 'create') continue;
    for (const object of objectsOfUnit(action.object)) {
      if (resourceLabel(object.resource) !== resource) continue;
      objectCount += action.objectCount;
      podCount += action.objectCount * object.podCount;
    }
  }
  return objectCount === 0 ? 0 : podCount / objectCount;
}

/** Pods that one change of scale adds and removes, on average once the counts have been gone through. */
function meanSteps({ replicas }: ScaleAction): { up: number; down: number } {
  const steps = replicas.map((count, index) => count - (replicas.at(index - 1) ?? count));
  return {
    up: sum(steps.filter((step) => step > 0)) / steps.length,
    down: -sum(steps.filter((step) => step < 0)) / steps.length,
  };
}
