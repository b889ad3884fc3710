/**
 * What a pod asks of a node, and how many such pods a node of the fleet takes.
 */
import { isRecord } from './paths.ts';
import { parseResourceQuantity } from './quantities.ts';
import type { FleetSettings } from './suite.ts';

export interface PodFootprint {
  cpuCores: number;
  memoryBytes: number;
  containerCount: number;
}

/** Requests of one pod of `manifest`: a Pod, or anything with a pod template in its spec; nothing for the rest. */
export function podFootprint(manifest: Readonly<Record<string, unknown>>): PodFootprint {
  const containers = podSpec(manifest)?.['containers'];
  const footprint: PodFootprint = { cpuCores: 0, memoryBytes: 0, containerCount: 0 };
  for (const container of Array.isArray(containers) ? containers : []) {
    footprint.containerCount++;
    footprint.cpuCores += request(container, 'cpu');
    footprint.memoryBytes += request(container, 'memory');
  }
  return footprint;
}

/** How many such pods one node takes, and what the limit is: `pods`, `cpu` or `memory`. */
export function nodePodCapacity(
  pod: PodFootprint,
  capacity: FleetSettings['capacity'],
): { count: number; limitedBy: string } {
  const limits = [
    { count: capacity.podCount, limitedBy: 'pods' },
    { count: howMany(capacity.cpu, pod.cpuCores), limitedBy: 'cpu' },
    { count: howMany(capacity.memory, pod.memoryBytes), limitedBy: 'memory' },
  ];
  return limits.reduce((least, limit) => (limit.count < least.count ? limit : least));
}

/** The pod spec within a manifest: its own for a Pod, its template's for a workload. */
export function podSpec(manifest: Readonly<Record<string, unknown>>): Record<string, unknown> | undefined {
  const spec = manifest['spec'];
  if (!isRecord(spec)) return undefined;
  if (manifest['kind'] === 'Pod') return spec;
  const template = spec['template'];
  return isRecord(template) && isRecord(template['spec']) ? template['spec'] : undefined;
}

function howMany(capacity: string, need: number): number {
  // A thousandth of slack, because 0.01 x 100 cores is not 1 in binary fractions.
  return need === 0
    ? Number.POSITIVE_INFINITY
    : Math.floor((parseResourceQuantity(capacity) ?? 0) / need + 1e-3);
}

function request(container: unknown, resource: string): number {
  const resources = isRecord(container) ? container['resources'] : undefined;
  const requests = isRecord(resources) ? resources['requests'] : undefined;
  const value = isRecord(requests) ? requests[resource] : undefined;
  return typeof value === 'string' || typeof value === 'number'
    ? (parseResourceQuantity(String(value)) ?? 0)
    : 0;
}
