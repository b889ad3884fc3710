/**
 * What one action of a suite will do: its calls by kind and rate, its watches, how long it takes.
 */
import { arrivalCount, intensityOf, pacingText } from '../../loadgen/index.ts';
import {
  type ActionPacing,
  type ChurnAction,
  type CreateAction,
  type LoadAction,
  type ObjectTemplate,
  objectsOfUnit,
  type ProbesAction,
  podsOfUnit,
  type ReadsAction,
  resourceLabel,
  type ScaleAction,
  type StormAction,
  type Suite,
  type UpdateAction,
  type WatchesAction,
} from '../config/index.ts';
import { stormRequests } from './plan-model.ts';

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
  /** Storms: requests that the nodes they hit send at once when it begins or ends. */
  stormRequestCount?: number;
}

export interface PlannedCall {
  verb: 'create' | 'delete' | 'patch' | 'get' | 'list' | 'watch';
  /** `pods`, `deployments.apps`; with a subresource `deployments.apps/scale`. */
  resource: string;
  scope: 'resource' | 'namespace' | 'cluster';
  /** `cached`, `consistent`, `paged`, `exact`, `streaming`; empty for the rest. */
  variant: string;
  count: number;
  /** At most, where the rate changes; of bursts the mean. */
  perSecond: number;
  /** Due at one instant: 1, or the size of a burst. */
  atOnce: number;
}

/** kube-controller-manager's client limit, which paces the pods of controllers. */
const CONTROLLER_PODS_PER_SECOND = 20;
/** From the last creation to the last pod Running on an unhurried plane: scheduling and writes beside the kubelet's own time. */
const POD_START_OVERHEAD_MS = 1_000;
/** The plan of one action; `podEventsPerSecond` is what a watch of all pods would deliver in its phase. */
export function planAction(
  action: Exclude<LoadAction, ProbesAction>,
  suite: Suite,
  podEventsPerSecond: number,
): PlannedAction {
  switch (action.action) {
    case 'create':
      return planCreate(action, suite);
    case 'churn':
      return planChurn(action);
    case 'update':
      return planPatches(action, '', `${action.rolls ? 'roll' : 'update'} ${action.resource.plural}`);
    case 'scale':
      return planPatches(
        action,
        '/scale',
        `scale ${action.resource.plural} to ${action.replicas.join(', ')} in turn`,
      );
    case 'reads':
      return planReads(action);
    case 'watches':
      return planWatches(action, suite, podEventsPerSecond);
    case 'storm':
      return planStorm(action, suite);
  }
}

function planCreate(action: CreateAction, suite: Suite): PlannedAction {
  const { objectCount } = action;
  // As of the last of them: the interval after it is not waited for, but a rate is over whole intervals.
  const arrivalsMs = intensityOf(action).usAt(objectCount) / 1_000;
  return {
    action: 'create',
    name: action.name,
    description: `create ${unitText(action.object, objectCount)} at ${pacingText(action)}${action.waitFor === 'running' ? ', until Running' : ''}`,
    calls: objectsOfUnit(action.object).map((object) => objectCall('create', object, objectCount, action)),
    durationMs:
      action.waitFor === 'running'
        ? Math.max(arrivalsMs, controllersMs(action, suite)) + podStartMs(suite)
        : arrivalsMs,
    watcherCount: 0,
    watchEventsPerSecond: 0,
  };
}

function planChurn(action: ChurnAction): PlannedAction {
  const unitCount = churnCount(action);
  const objects = objectsOfUnit(action.object);
  return {
    action: 'churn',
    name: action.name,
    description: `create and delete ${unitText(action.object)} at ${pacingText(action)} each for ${seconds(action.durationMs)}, ${seconds(action.lifetimeMs)} old`,
    calls: (['create', 'delete'] as const).flatMap((verb) =>
      objects.map((object) => objectCall(verb, object, unitCount, action)),
    ),
    durationMs: action.durationMs + action.lifetimeMs,
    watcherCount: 0,
    watchEventsPerSecond: 0,
  };
}

function planPatches(action: UpdateAction | ScaleAction, subresource: string, what: string): PlannedAction {
  return {
    action: action.action,
    name: action.name,
    description: `${what} at ${pacingText(action)} for ${seconds(action.durationMs)}`,
    calls: [
      {
        verb: 'patch',
        resource: `${resourceLabel(action.resource)}${subresource}`,
        scope: 'resource',
        variant: '',
        count: arrivalCount(action, action.durationMs),
        perSecond: action.ratePerSecond,
        atOnce: burstSize(action),
      },
    ],
    durationMs: action.durationMs,
    watcherCount: 0,
    watchEventsPerSecond: 0,
  };
}

function planReads(action: ReadsAction): PlannedAction {
  const totalWeight = sum(action.mix.map(({ weight }) => weight));
  const readCount = arrivalCount(action, action.durationMs);
  return {
    action: 'reads',
    name: action.name,
    description: `read at ${pacingText(action)} for ${seconds(action.durationMs)}`,
    calls: action.mix.map((read) => {
      const share = read.weight / totalWeight;
      return {
        verb: read.verb,
        resource: resourceLabel(read.resource),
        scope: read.verb === 'get' ? 'resource' : read.scope,
        variant: read.consistency,
        count: Math.round(readCount * share),
        perSecond: action.ratePerSecond * share,
        atOnce: Math.max(1, burstSize(action) * share),
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
        atOnce: 1,
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
  const requestCount = stormRequests(disturbance.kind, suite.fleet, hit);
  const until = durationMs === undefined ? 'to the end' : `for ${seconds(durationMs)}`;
  return {
    action: 'storm',
    name: action.name,
    description: `${disturbance.kind} ${hit.toLocaleString('en-US')} nodes${where} after ${seconds(afterMs)}${durationMs === 0 ? '' : `, ${until}`}${requestCount === 0 ? '' : `: about ${requestCount.toLocaleString('en-US')} requests of nodes at once`}`,
    stormRequestCount: requestCount,
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
  pacing: ActionPacing,
): PlannedCall {
  return {
    verb,
    resource: resourceLabel(object.resource),
    scope: 'resource',
    variant: '',
    count: objectCount,
    perSecond: pacing.ratePerSecond,
    atOnce: burstSize(pacing),
  };
}

/** Units that a churn creates, and then deletes. */
export function churnCount(action: ChurnAction): number {
  return Math.max(1, arrivalCount(action, action.durationMs));
}

function burstSize({ shape }: ActionPacing): number {
  return shape?.kind === 'burst' ? shape.size : 1;
}

/** The sum of `values`. */
export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

// Pods that controllers make come no faster than the controller manager's client allows.
function controllersMs(action: CreateAction, suite: Suite): number {
  if (suite.controlPlane.profile === 'fast') return 0;
  const podCount = sum(
    objectsOfUnit(action.object).map((object) => (object.kind === 'Pod' ? 0 : object.podCount)),
  );
  return ((action.objectCount * podCount) / CONTROLLER_PODS_PER_SECOND) * 1_000;
}

function podStartMs(suite: Suite): number {
  const { sandboxMs, startMs } = suite.fleet.pods;
  return sandboxMs.high + startMs.high + POD_START_OVERHEAD_MS;
}

/** `1,000 pods`, `20 services + deployments of 5 pods`; without a number of units, of what they consist. */
function unitText(unit: ObjectTemplate, unitCount?: number): string {
  const objects = objectsOfUnit(unit);
  const pods = unit.kind === 'Pod' ? 0 : podsOfUnit(unit);
  const what = objects.map(({ resource }) => resource.plural).join(' + ');
  if (unitCount === undefined) return what;
  return `${unitCount.toLocaleString('en-US')} ${what}${pods === 0 ? '' : ` of ${pods} pods`}`;
}

function seconds(ms: number): string {
  return `${ms / 1_000} s`;
}
