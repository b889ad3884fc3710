/**
 * What a suite adds up to: objects created and alive at once, calls, and how many of them are in flight.
 */
import {
  type ChurnAction,
  type LoadPhase,
  type ObjectTemplate,
  objectsOfUnit,
  podFootprint,
  podsOfUnit,
  resourceLabel,
  type Suite,
} from '../config/index.ts';
import { churnCount, type PlannedCall, sum } from './plan-actions.ts';
import type { PlannedPhase } from './plan-phases.ts';

export interface PlanTotals {
  /** Created over the whole run, without what controllers make of them. */
  objectCount: number;
  podCount: number;
  /** Requests of the load. */
  callCount: number;
  /** Watches of the load, at most at once. */
  watcherCount: number;
  /** Requests of nodes that storms bring about, beyond those that nodes send anyway. */
  stormRequestCount: number;
  /** At once, at most. */
  peakPodCount: number;
  peakContainerCount: number;
  /** At once, at most, by resource. */
  peakObjects: Readonly<Record<string, number>>;
  /** Calls in flight at typical latencies, and if each took as long as its SLO allows. */
  inFlightTypicalCount: number;
  inFlightAtLimitCount: number;
}

/** Response times of a small healthy plane, for the typical number in flight (milliseconds). */
const TYPICAL_MS = {
  create: 15,
  delete: 15,
  patch: 15,
  get: 4,
  watch: 0,
  listNamespace: 20,
  listCluster: 60,
} as const;

/** The totals of a planned run. */
export function totalsOf(suite: Suite, phases: readonly PlannedPhase[]): PlanTotals {
  const calls = phases.flatMap(({ actions }) => actions.flatMap((action) => action.calls));
  const watchers = phases.map(({ actions }) => sum(actions.map(({ watcherCount }) => watcherCount)));
  const inFlightWith = (responseMs: (call: PlannedCall) => number) =>
    Math.ceil(Math.max(0, ...phases.map((phase) => inFlight(phase, responseMs))));
  return {
    ...populationOf(suite),
    callCount: sum(calls.filter(({ verb }) => verb !== 'watch').map((call) => call.count)),
    watcherCount: Math.max(0, ...watchers),
    stormRequestCount: sum(
      phases.flatMap(({ actions }) => actions.map((action) => action.stormRequestCount ?? 0)),
    ),
    inFlightTypicalCount: inFlightWith(typicalMs),
    inFlightAtLimitCount: inFlightWith((call) => limitMs(call, suite)),
  };
}

/** Objects alive at one time, by resource, and the pods and containers they stand for. */
interface Alive {
  objects: Record<string, number>;
  pods: number;
  containers: number;
}

function populationOf(suite: Suite) {
  const standing: Alive = { objects: {}, pods: 0, containers: 0 };
  const peak: Alive = { objects: {}, pods: 0, containers: 0 };
  let objectCount = 0;
  let podCount = 0;
  for (const phase of suite.load.phases) {
    const alive: Alive = { ...standing, objects: { ...standing.objects } };
    for (const action of phase.actions) {
      if (action.action !== 'create' && action.action !== 'churn') continue;
      const created = action.action === 'create' ? action.objectCount : churnCount(action);
      const objects = objectsOfUnit(action.object);
      objectCount += created * objects.length;
      podCount += created * podsOfUnit(action.object);
      for (const object of objects) {
        if (action.action === 'create') {
          addAlive(alive, object, created);
          addAlive(standing, object, created);
        } else addAlive(alive, object, Math.min(created, livingCount(action)));
      }
    }
    addScaled(alive, phase, suite);
    for (const [label, count] of Object.entries(alive.objects))
      peak.objects[label] = Math.max(peak.objects[label] ?? 0, count);
    peak.pods = Math.max(peak.pods, alive.pods);
    peak.containers = Math.max(peak.containers, alive.containers);
  }
  return {
    objectCount,
    podCount,
    peakPodCount: peak.pods,
    peakContainerCount: peak.containers,
    peakObjects: peak.objects,
  };
}

// Of a burst all live until the next one at least.
function livingCount(action: ChurnAction): number {
  const alive = Math.ceil((action.ratePerSecond * action.lifetimeMs) / 1_000);
  return action.shape?.kind === 'burst' ? Math.max(alive, action.shape.size) : alive;
}

/** What scaling adds at most to the pods that workloads were created with. */
function addScaled(alive: Alive, phase: LoadPhase, suite: Suite): void {
  for (const action of phase.actions) {
    if (action.action !== 'scale') continue;
    const most = Math.max(...action.replicas);
    for (const created of suite.load.phases.flatMap(({ actions }) => actions)) {
      if (created.action !== 'create') continue;
      for (const object of objectsOfUnit(created.object)) {
        if (resourceLabel(object.resource) !== resourceLabel(action.resource)) continue;
        const added = created.objectCount * Math.max(0, most - object.podCount);
        alive.pods += added;
        alive.containers += added * podFootprint(object.manifest).containerCount;
        alive.objects['pods'] = (alive.objects['pods'] ?? 0) + added;
      }
    }
  }
}

function addAlive(alive: Alive, object: ObjectTemplate, count: number): void {
  const label = resourceLabel(object.resource);
  const pods = count * object.podCount;
  alive.objects[label] = (alive.objects[label] ?? 0) + count;
  if (object.kind !== 'Pod' && pods > 0) alive.objects['pods'] = (alive.objects['pods'] ?? 0) + pods;
  alive.pods += pods;
  alive.containers += pods * podFootprint(object.manifest).containerCount;
}

// Little's law: calls in flight = arrivals in a second x seconds that each takes.
function inFlight(phase: PlannedPhase, responseMs: (call: PlannedCall) => number): number {
  return sum(
    phase.actions.flatMap(({ calls }) =>
      // A burst is in flight whole.
      calls.map((call) =>
        Math.max((call.perSecond * responseMs(call)) / 1_000, call.atOnce > 1 ? call.atOnce : 0),
      ),
    ),
  );
}

function typicalMs(call: PlannedCall): number {
  if (call.verb !== 'list') return TYPICAL_MS[call.verb];
  return call.scope === 'cluster' ? TYPICAL_MS.listCluster : TYPICAL_MS.listNamespace;
}

function limitMs(call: PlannedCall, suite: Suite): number {
  if (call.verb === 'create' || call.verb === 'delete' || call.verb === 'patch')
    return suite.slo.mutatingLimitMs;
  if (call.scope === 'resource') return suite.slo.readResourceLimitMs;
  return call.scope === 'namespace' ? suite.slo.readNamespaceLimitMs : suite.slo.readClusterLimitMs;
}

/** Objects, with their controllers' pods, that are created and deleted again; and the pods among them. */
export function deletedCount(suite: Suite): { objects: number; pods: number } {
  const churns = suite.load.phases
    .flatMap(({ actions }) => actions)
    .filter((action): action is ChurnAction => action.action === 'churn');
  return {
    objects: sum(churns.map((churn) => churnCount(churn) * Math.max(1, podsOfUnit(churn.object)))),
    pods: sum(churns.map((churn) => churnCount(churn) * podsOfUnit(churn.object))),
  };
}
