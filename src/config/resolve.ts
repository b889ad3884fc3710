/**
 * From the suite as written to the suite as run: sizes relative to the fleet worked out, durations inherited,
 * templates found. What the schema alone cannot see is reported by path; resolve() never throws.
 */
import { DEFAULT_PAGE_LIMIT } from './defaults.ts';
import { quote } from './issues.ts';
import type { Path } from './paths.ts';
import type { Size } from './quantities.ts';
import { type ObjectContext, resolveObject, resourceByName } from './resolve-object.ts';
import type { SuiteInput } from './schema.ts';
import type { ActionInput, PhaseInput, ReadInput } from './schema-load.ts';
import { resolveStorm } from './schema-storm.ts';
import type { LoadAction, LoadPhase, ReadTemplate, ResourceRef, Suite } from './suite.ts';
import { resolveThresholds } from './thresholds.ts';

/** The suite as run, without the actions that had problems: complete if and only if nothing was reported. */
export function resolve(input: SuiteInput, context: Omit<ObjectContext, 'nodeCount'>): Suite {
  const nodeCount = input.fleet.nodeCount;
  const resolver = { ...context, nodeCount, seed: input.seed };
  return {
    name: input.name,
    description: input.description,
    seed: input.seed,
    controlPlane: input.controlPlane,
    fleet: input.fleet,
    load: {
      agentCount: input.load.agents,
      namespaceCount: Math.max(1, countOf(input.load.namespaces, ['load', 'namespaces'], resolver)),
      identity: input.load.identity,
      connectionCount: input.load.connections,
      maxInFlightCount: input.load.maxInFlight,
      requestTimeoutMs: input.load.requestTimeout,
      phases: input.load.phases.map((phase, index) =>
        resolvePhase(phase, ['load', 'phases', index], resolver),
      ),
    },
    slo: input.slo,
    thresholds: resolveThresholds(input, context.report),
  };
}

type ResolveContext = ObjectContext & { seed: number };

function resolvePhase(phase: PhaseInput, path: Path, context: ResolveContext): LoadPhase {
  const taken = new Set(phase.actions.flatMap((action) => (action.name === undefined ? [] : [action.name])));
  const actions = phase.actions.flatMap((action, index) => {
    const name = action.name ?? freeName(action.action, taken);
    taken.add(name);
    return resolveAction(action, name, phase, [...path, 'actions', index], context) ?? [];
  });
  return {
    name: phase.name,
    measured: phase.measured,
    durationMs: phase.duration ?? 0,
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
      const object = resolveObject(action.object, [...path, 'object'], context);
      if (object === undefined) return undefined;
      return {
        action: 'create',
        name,
        object,
        objectCount,
        ratePerSecond: action.rate,
        arrival: action.arrival,
        waitFor: action.waitFor,
      };
    }
    case 'churn': {
      const durationMs = durationOf(action.duration, phase, path, context);
      const object = resolveObject(action.object, [...path, 'object'], context);
      if (object === undefined || durationMs === undefined) return undefined;
      return {
        action: 'churn',
        name,
        object,
        ratePerSecond: action.rate,
        arrival: action.arrival,
        durationMs,
        lifetimeMs: action.lifetime,
      };
    }
    case 'reads': {
      const durationMs = durationOf(action.duration, phase, path, context);
      const mix = action.mix.flatMap(
        (read, index) => resolveRead(read, [...path, 'mix', index], context) ?? [],
      );
      if (durationMs === undefined) return undefined;
      return { action: 'reads', name, ratePerSecond: action.rate, arrival: action.arrival, durationMs, mix };
    }
    case 'watches': {
      const watcherCount = countOf(action.count, [...path, 'count'], context);
      const resource = resourceByName(
        action.resource,
        action.namespaced,
        [...path, 'resource'],
        context.report,
      );
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
    case 'storm':
      return resolveStorm(action, name, path, {
        seed: context.seed,
        countOf: (size, at) => countOf(size, at, context),
        report: context.report,
      });
  }
}

function resolveRead(read: ReadInput, path: Path, context: ObjectContext): ReadTemplate | undefined {
  const resource = resourceByName(read.resource, read.namespaced, [...path, 'resource'], context.report);
  if (read.verb === 'get') {
    for (const key of ['labelSelector', 'fieldSelector'] as const) {
      if (read[key] !== '')
        context.report([...path, key], 'is for lists; a get reads one object by its name');
    }
    if (read.consistency === 'paged')
      context.report([...path, 'consistency'], 'paged is for lists: expected cached or consistent for a get');
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
  own: number | undefined,
  phase: PhaseInput,
  path: Path,
  context: ObjectContext,
): number | undefined {
  const durationMs = own ?? phase.duration;
  if (durationMs === undefined)
    context.report([...path, 'duration'], 'is missing: expected a duration such as 60s here or on the phase');
  return durationMs;
}

function countOf(size: Size, path: Path, context: ObjectContext): number {
  if (!size.perNode) return size.amount;
  const count = Math.round(size.amount * context.nodeCount);
  // Namespaces are rounded up to one by their caller; nothing else may vanish unseen.
  if (count === 0 && path.at(-1) !== 'namespaces')
    context.report(path, `${size.amount}/node of ${context.nodeCount} nodes is less than one`);
  return count;
}
