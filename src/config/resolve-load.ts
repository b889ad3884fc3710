/**
 * The phases of a load and their actions, from as written to as run.
 */
import { DEFAULT_PAGE_LIMIT } from './defaults.ts';
import { quote } from './issues.ts';
import { isRecord, type Path } from './paths.ts';
import { amountOf, type Size } from './quantities.ts';
import { type ObjectContext, resolveObject, resourceByName } from './resolve-object.ts';
import { resourceLabel } from './resources.ts';
import type { ActionInput, PhaseInput, ReadInput } from './schema-load.ts';
import { resolveProbes } from './schema-probes.ts';
import { ownLengthMs, type PacingInput, peakRatePerSecond, rateShapeOf } from './schema-shape.ts';
import { resolveStorm } from './schema-storm.ts';
import { checkWarmUp, warmUpLengthMs, warmUpSettings } from './schema-warm-up.ts';
import type { ActionPacing, LoadAction, LoadPhase, ReadTemplate, ResourceRef } from './suite.ts';

/** Workloads whose pods are replaced when their pod template changes. */
const ROLLING: ReadonlySet<string> = new Set(['deployments.apps', 'statefulsets.apps', 'daemonsets.apps']);
/** Changes with every update and means nothing. */
const REVISION = { 'hollowmark.dev/revision': '${index}-${random}' } as const;

/** What an action is resolved with. */
export type ResolveContext = ObjectContext & { seed: number };

/** The phase as run, without the actions that had problems. */
export function resolvePhase(input: PhaseInput, path: Path, context: ResolveContext): LoadPhase {
  const { warmUp } = input;
  const phase = warmUp === undefined ? input : { ...input, duration: warmUpLengthMs(warmUp) };
  const taken = new Set(phase.actions.flatMap((action) => (action.name === undefined ? [] : [action.name])));
  const actions = phase.actions.flatMap((action, index) => {
    const name = action.name ?? freeName(action.action, taken);
    taken.add(name);
    return resolveAction(action, name, phase, [...path, 'actions', index], context) ?? [];
  });
  if (warmUp !== undefined) checkWarmUp({ ...input, warmUp }, actions, path, context.report);
  // One that ends by its rule ends with its actions.
  const byRule = warmUp !== undefined && typeof warmUp !== 'number';
  return {
    name: phase.name,
    measured: phase.measured ?? warmUp === undefined,
    ...(warmUp === undefined ? {} : { warmUp: warmUpSettings(warmUp) }),
    durationMs: byRule ? 0 : (phase.duration ?? 0),
    settleTimeoutMs: phase.settleTimeout,
    actions,
  };
}

function freeName(kind: string, taken: ReadonlySet<string>): string {
  let name = kind;
  for (let suffix = 2; taken.has(name); suffix++) name = `${kind}-${suffix}`;
  return name;
}

function resolveAction(
  action: ActionInput,
  name: string,
  phase: PhaseInput,
  path: Path,
  context: ResolveContext,
): LoadAction | undefined {
  switch (action.action) {
    case 'create': {
      const objectCount = countOf(action.count, [...path, 'count'], context);
      const pacing = pacingOf(action, path, context);
      const object = resolveObject(action.object, [...path, 'object'], context);
      if (object === undefined || pacing === undefined) return undefined;
      return {
        action: 'create',
        name,
        object,
        objectCount,
        ...pacing,
        waitFor: action.waitFor,
      };
    }
    case 'churn': {
      const durationMs = durationOf(action, phase, path, context);
      const pacing = pacingOf(action, path, context);
      const object = resolveObject(action.object, [...path, 'object'], context);
      if (object === undefined || durationMs === undefined || pacing === undefined) return undefined;
      return {
        action: 'churn',
        name,
        object,
        ...pacing,
        durationMs,
        lifetimeMs: action.lifetime,
      };
    }
    case 'reads': {
      const durationMs = durationOf(action, phase, path, context);
      const pacing = pacingOf(action, path, context);
      const mix = action.mix.flatMap(
        (read, index) => resolveRead(read, [...path, 'mix', index], context) ?? [],
      );
      if (durationMs === undefined || pacing === undefined) return undefined;
      return { action: 'reads', name, ...pacing, durationMs, mix };
    }
    case 'update': {
      const durationMs = durationOf(action, phase, path, context);
      const pacing = pacingOf(action, path, context);
      const resource = resourceOf(action, path, context);
      if (durationMs === undefined || pacing === undefined || resource === undefined) return undefined;
      const rolling = ROLLING.has(resourceLabel(resource));
      const patch = action.patch ?? defaultPatch(rolling);
      return {
        action: 'update',
        name,
        resource,
        ...pacing,
        durationMs,
        patch,
        rolls: rolling && changesPodTemplate(patch),
        waitFor: waitForOf(action.waitFor, resource, path, context),
      };
    }
    case 'scale': {
      const durationMs = durationOf(action, phase, path, context);
      const pacing = pacingOf(action, path, context);
      const resource = resourceOf(action, path, context);
      if (durationMs === undefined || pacing === undefined || resource === undefined) return undefined;
      return {
        action: 'scale',
        name,
        resource,
        ...pacing,
        durationMs,
        replicas: action.replicas,
        waitFor: waitForOf(action.waitFor, resource, path, context),
      };
    }
    case 'watches': {
      const watcherCount = countOf(action.count, [...path, 'count'], context);
      const resource = resourceOf(action, path, context);
      if (resource === undefined) return undefined;
      return {
        action: 'watches',
        name,
        watcherCount,
        resource,
        scope: scopeOf(action.scope, resource, action.resource, path, context),
        labelSelector: action.labelSelector,
        fieldSelector: action.fieldSelector,
      };
    }
    case 'probes':
      return resolveProbes(action, name, path, {
        countOf: (size, at) => countOf(size, at, context),
        report: context.report,
      });
    case 'storm':
      return resolveStorm(action, name, path, {
        seed: context.seed,
        countOf: (size, at) => countOf(size, at, context),
        report: context.report,
      });
  }
}

function waitForOf(
  waitFor: 'nothing' | 'rollout',
  resource: ResourceRef,
  path: Path,
  context: ObjectContext,
): 'nothing' | 'rollout' {
  const label = resourceLabel(resource);
  if (waitFor === 'rollout' && !ROLLING.has(label))
    context.report([...path, 'waitFor'], `rollout is for ${[...ROLLING].join(', ')}, got ${quote(label)}`);
  return waitFor;
}

function resourceOf(
  input: { resource: string; namespaced?: boolean | undefined },
  path: Path,
  context: ObjectContext,
): ResourceRef | undefined {
  return resourceByName(input.resource, input.namespaced, [...path, 'resource'], context.report);
}

function defaultPatch(rolling: boolean): Record<string, unknown> {
  const change = { metadata: { annotations: REVISION } };
  return rolling ? { spec: { template: change } } : change;
}

function changesPodTemplate(patch: Readonly<Record<string, unknown>>): boolean {
  const spec = patch['spec'];
  return isRecord(spec) && spec['template'] !== undefined;
}

function resolveRead(read: ReadInput, path: Path, context: ObjectContext): ReadTemplate | undefined {
  const resource = resourceOf(read, path, context);
  if (read.verb === 'get') {
    for (const key of ['labelSelector', 'fieldSelector'] as const) {
      if (read[key] !== '')
        context.report([...path, key], 'is for lists; a get reads one object by its name');
    }
    if (read.consistency !== 'cached' && read.consistency !== 'consistent')
      context.report(
        [...path, 'consistency'],
        `${read.consistency} is for lists: expected cached or consistent for a get`,
      );
  }
  if (read.limit !== undefined && read.consistency !== 'paged')
    context.report([...path, 'limit'], `is for consistency: paged, got ${quote(read.consistency)}`);
  if (resource === undefined) return undefined;
  return {
    verb: read.verb,
    resource,
    scope: scopeOf(read.scope, resource, read.resource, path, context),
    consistency: read.consistency,
    limit: read.limit ?? DEFAULT_PAGE_LIMIT,
    labelSelector: read.labelSelector,
    fieldSelector: read.fieldSelector,
    weight: read.weight,
  };
}

function scopeOf(
  given: 'namespace' | 'cluster' | undefined,
  resource: ResourceRef,
  name: string,
  path: Path,
  context: ObjectContext,
): 'namespace' | 'cluster' {
  if (given === 'namespace' && !resource.namespaced)
    context.report([...path, 'scope'], `${name} is not namespaced: expected cluster, got "namespace"`);
  return given ?? (resource.namespaced ? 'namespace' : 'cluster');
}

function durationOf(
  action: PacingInput & { duration?: number | undefined },
  phase: PhaseInput,
  path: Path,
  context: ObjectContext,
): number | undefined {
  const shape = action.shape === undefined ? undefined : rateShapeOf(action.shape, context.nodeCount);
  const durationMs = action.duration ?? phase.duration ?? ownLengthMs(shape);
  if (durationMs === undefined)
    context.report([...path, 'duration'], 'is missing: expected a duration such as 60s here or on the phase');
  return durationMs;
}

function pacingOf(input: PacingInput, path: Path, context: ObjectContext): ActionPacing | undefined {
  const { rate, shape, arrival } = input;
  if ((rate === undefined) === (shape === undefined)) {
    const found = rate === undefined ? 'none of them' : 'both';
    context.report(path, `expected exactly one of rate and shape, got ${found}`);
    return undefined;
  }
  if (shape === undefined) return { ratePerSecond: rate ?? 0, arrival };
  if (shape.kind === 'burst' && arrival === 'poisson')
    context.report(
      [...path, 'arrival'],
      'poisson is for rates: the arrivals of a burst are due at one instant',
    );
  const rateShape = rateShapeOf(shape, context.nodeCount);
  return { ratePerSecond: peakRatePerSecond(rateShape), arrival, shape: rateShape };
}

/** The size on this fleet; one that vanishes by rounding is reported. */
export function countOf(size: Size, path: Path, context: ObjectContext): number {
  const count = amountOf(size, context.nodeCount);
  // Namespaces are rounded up to one by their caller; nothing else may vanish unseen.
  if (count === 0 && path.at(-1) !== 'namespaces')
    context.report(path, `${size.amount}/node of ${context.nodeCount} nodes is less than one`);
  return count;
}
