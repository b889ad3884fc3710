/**
 * From the suite as written to the suite as run: sizes relative to the fleet worked out, durations inherited,
 * templates found. What the schema alone cannot see is reported by path; resolve() never throws.
 */

import { resolveFaults } from './resolve-faults.ts';
import { countOf, resolvePhase } from './resolve-load.ts';
import type { ObjectContext } from './resolve-object.ts';
import type { SuiteInput } from './schema.ts';
import type { Suite } from './suite.ts';
import { resolveThresholds } from './thresholds.ts';
import { layoutZones } from './topology.ts';

const MASTERS = 'system:masters';
const EXEMPT = 'exempt';

/** The suite as run, without the actions that had problems: complete if and only if nothing was reported. */
export function resolve(input: SuiteInput, context: Omit<ObjectContext, 'nodeCount' | 'behaviours'>): Suite {
  const nodeCount = input.fleet.nodeCount;
  const { behaviours } = input.fleet;
  const resolver = { ...context, nodeCount, behaviours, seed: input.seed };
  return {
    name: input.name,
    description: input.description,
    seed: input.seed,
    controlPlane: input.controlPlane,
    fleet: { ...input.fleet, zones: fleetZones(input), kubeletApi: kubeletApi(input, context.report) },
    load: {
      agentCount: input.load.agents,
      namespaceCount: Math.max(1, countOf(input.load.namespaces, ['load', 'namespaces'], resolver)),
      ...placementOf(input.load, context.report),
      connectionCount: input.load.connections,
      maxInFlightCount: input.load.maxInFlight,
      requestTimeoutMs: input.load.requestTimeout,
      honourRetryAfter: input.load.honourRetryAfter,
      phases: input.load.phases.map((phase, index) =>
        resolvePhase(phase, ['load', 'phases', index], resolver),
      ),
    },
    ...(input.faults === undefined ? {} : { faults: resolveFaults(input.faults, input) }),
    slo: input.slo,
    thresholds: resolveThresholds(input, context.report),
  };
}

/** `exempt` is the level of system:masters alone. */
function placementOf(
  { identity, priorityLevel }: SuiteInput['load'],
  report: ObjectContext['report'],
): Pick<Suite['load'], 'identity' | 'priorityLevel'> {
  if (priorityLevel === undefined) return { identity };
  const masters = identity.groups.includes(MASTERS);
  if (priorityLevel !== EXEMPT && masters)
    report(
      ['load', 'priorityLevel'],
      `expected exempt for a load in ${MASTERS}, which no FlowSchema moves, got "${priorityLevel}"`,
    );
  const groups = priorityLevel === EXEMPT && !masters ? [...identity.groups, MASTERS] : identity.groups;
  return { identity: { ...identity, groups }, priorityLevel };
}

/** Reached on loopback of the fleet's host, where a local API server is, or where the suite says; light nodes do without. */
function kubeletApi({ controlPlane, fleet }: SuiteInput, report: ObjectContext['report']): boolean {
  const light = fleet.fidelity === 'light';
  if (light && fleet.kubeletApi === true)
    report(['fleet', 'kubeletApi'], 'is for full nodes: expected false with fidelity: light, got true');
  if (fleet.kubeletAddress !== undefined && (light || fleet.kubeletApi === false))
    report(['fleet', 'kubeletAddress'], 'is where the kubelet API is: expected none without kubeletApi');
  return (
    fleet.kubeletApi ?? (!light && (controlPlane.provider === 'local' || fleet.kubeletAddress !== undefined))
  );
}

// Members and nodes share their zones unless the suite says otherwise.
function fleetZones(input: SuiteInput): readonly string[] {
  const { fleet, controlPlane } = input;
  if (fleet.zones.length > 0 || controlPlane.provider !== 'local') return fleet.zones;
  return layoutZones(controlPlane.topology.layout);
}
