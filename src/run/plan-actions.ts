/**
 * What one action of a suite will do: its calls by kind and rate, its watches, how long it takes.
 */
import {
  type ChurnAction,
  type CreateAction,
  type LoadAction,
  type ObjectTemplate,
  type ReadsAction,
  resourceLabel,
  type StormAction,
  type Suite,
  type WatchesAction,
} from '../config/index.ts';

export interface PlannedAction {
  action: LoadAction['action'];
  name: string;
  /** `create 1,000 pods at 20/s until Running`. */
  description: string;
  calls: readonly PlannedCall[];
  /** From the start of the phase to the last arrival (and the last pod Running, where waited for). */
  durationMs: number;
  watcherCount: number;
  /** Events that its watches are expected to deliver in a second, all together; pods only. */
  watchEventsPerSecond: number;
}

export interface PlannedCall {
  verb: 'create' | 'delete' | 'get' | 'list' | 'watch';
  /** `pods`, `deployments.apps`. */
  resource: string;
  scope: 'resource' | 'namespace' | 'cluster';
  /** `cached`, `consistent`, `paged`; empty for the rest. */
  variant: string;
  count: number;
  perSecond: number;
}

/** kube-controller-manager's client limit, which paces the pods of controllers. */
const CONTROLLER_PODS_PER_SECOND = 20;
/** From the last creation to the last pod Running on an unhurried plane: scheduling and writes beside the kubelet's own time. */
const POD_START_OVERHEAD_MS = 1_000;
/** The plan of one action; `podEventsPerSecond` is what a watch of all pods would deliver in its phase. */
export function planAction(action: LoadAction, suite: Suite, podEventsPerSecond: number): PlannedAction {
  switch (action.action) {
    case 'create':
      return planCreate(action, suite);
    case 'churn':
      return planChurn(action);
    case 'reads':
      return planReads(action);
    case 'watches':
      return planWatches(action, suite, podEventsPerSecond);
    case 'storm':
      return planStorm(action, suite);
  }
}

function planCreate(action: CreateAction, suite: Suite): PlannedAction {
  const { objectCount, ratePerSecond } = action;
  const arrivalsMs = (objectCount / ratePerSecond) * 1_000;
  return {
    action: 'create',
    name: action.name,
    description: `create ${count(objectCount, action.object)} at ${rateText(ratePerSecond)}${action.waitFor === 'running' ? ', until Running' : ''}`,
    calls: [objectCall('create', action.object, objectCount, ratePerSecond)],
    durationMs:
      action.waitFor === 'running'
        ? Math.max(arrivalsMs, controllersMs(action, suite)) + podStartMs(suite)
        : arrivalsMs,
    watcherCount: 0,
    watchEventsPerSecond: 0,
  };
}

function planChurn(action: ChurnAction): PlannedAction {
  const objectCount = churnCount(action);
  return {
    action: 'churn',
    name: action.name,
    description: `create and delete ${action.object.resource.plural} at ${rateText(action.ratePerSecond)} each for ${seconds(action.durationMs)}, ${seconds(action.lifetimeMs)} old`,
    calls: [
      objectCall('create', action.object, objectCount, action.ratePerSecond),
      objectCall('delete', action.object, objectCount, action.ratePerSecond),
    ],
    durationMs: action.durationMs + action.lifetimeMs,
    watcherCount: 0,
    watchEventsPerSecond: 0,
  };
}

function planReads(action: ReadsAction): PlannedAction {
  const totalWeight = sum(action.mix.map(({ weight }) => weight));
  return {
    action: 'reads',
    name: action.name,
    description: `read at ${rateText(action.ratePerSecond)} for ${seconds(action.durationMs)}`,
    calls: action.mix.map((read) => {
      const perSecond = (action.ratePerSecond * read.weight) / totalWeight;
      return {
        verb: read.verb,
        resource: resourceLabel(read.resource),
        scope: read.verb === 'get' ? 'resource' : read.scope,
        variant: read.consistency,
        count: Math.round((perSecond * action.durationMs) / 1_000),
        perSecond,
      };
    }),
    durationMs: action.durationMs,
    watcherCount: 0,
    watchEventsPerSecond: 0,
  };
}

function planWatches(action: WatchesAction, suite: Suite, podEventsPerSecond: number): PlannedAction {
  const isPods = action.resource.group === '' && action.resource.plural === 'pods';
  // A selector hides an unknown share of the events.
  const selective = action.labelSelector !== '' || action.fieldSelector !== '';
  const share = action.scope === 'namespace' ? 1 / suite.load.namespaceCount : 1;
  return {
    action: 'watches',
    name: action.name,
    description: `watch ${action.resource.plural} of ${action.scope === 'namespace' ? 'a namespace' : 'the cluster'}, ${action.watcherCount.toLocaleString('en-US')} times`,
    calls: [
      {
        verb: 'watch',
        resource: resourceLabel(action.resource),
        scope: action.scope,
        variant: '',
        count: action.watcherCount,
        perSecond: 0,
      },
    ],
    durationMs: 0,
    watcherCount: action.watcherCount,
    watchEventsPerSecond: isPods && !selective ? podEventsPerSecond * share * action.watcherCount : 0,
  };
}

function planStorm(action: StormAction, suite: Suite): PlannedAction {
  const { selection, disturbance, afterMs, durationMs } = action;
  const { nodeCount, zones } = suite.fleet;
  const eligible = selection.zone === undefined ? nodeCount : nodeCount / Math.max(1, zones.length);
  const hit = selection.nodeCount ?? Math.max(1, Math.round(eligible * selection.ratio));
  const where = selection.zone === undefined ? '' : ` of ${selection.zone}`;
  const until = durationMs === undefined ? 'to the end' : `for ${seconds(durationMs)}`;
  return {
    action: 'storm',
    name: action.name,
    description: `${disturbance.kind} ${hit.toLocaleString('en-US')} nodes${where} after ${seconds(afterMs)}${durationMs === 0 ? '' : `, ${until}`}`,
    calls: [],
    durationMs: afterMs + (durationMs ?? 0),
    watcherCount: 0,
    watchEventsPerSecond: 0,
  };
}

function objectCall(
  verb: 'create' | 'delete',
  object: ObjectTemplate,
  objectCount: number,
  perSecond: number,
): PlannedCall {
  return {
    verb,
    resource: resourceLabel(object.resource),
    scope: 'resource',
    variant: '',
    count: objectCount,
    perSecond,
  };
}

/** Objects that a churn creates, and then deletes. */
export function churnCount(action: ChurnAction): number {
  // As the pacer does: the arrival that would fall on the end of the duration is not one.
  return Math.max(1, Math.ceil((action.ratePerSecond * action.durationMs) / 1_000 - 1e-6));
}

/** The sum of `values`. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

// Pods that controllers make come no faster than the controller manager's client allows.
function controllersMs(action: CreateAction, suite: Suite): number {
  if (action.object.kind === 'Pod' || suite.controlPlane.profile === 'fast') return 0;
  return ((action.objectCount * action.object.podCount) / CONTROLLER_PODS_PER_SECOND) * 1_000;
}

function podStartMs(suite: Suite): number {
  const { sandboxMs, startMs } = suite.fleet.pods;
  return sandboxMs.high + startMs.high + POD_START_OVERHEAD_MS;
}

function count(objectCount: number, object: ObjectTemplate): string {
  const pods = object.kind === 'Pod' || object.podCount === 0 ? '' : ` of ${object.podCount} pods`;
  return `${objectCount.toLocaleString('en-US')} ${object.resource.plural}${pods}`;
}

function rateText(perSecond: number): string {
  return `${Number(perSecond.toPrecision(4))}/s`;
}

function seconds(ms: number): string {
  return `${ms / 1_000} s`;
}
