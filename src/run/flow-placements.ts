/**
 * Where Priority & Fairness put the load: the UIDs that the API server names in its replies, turned into the names of
 * flow schemas and priority levels.
 */
import type { FlowPlacementCount } from '../../loadgen/index.ts';
import { type Clock, describeError, type Logger } from '../core/index.ts';
import { type ClusterAccess, JsonClient, openConnection } from '../kube/index.ts';
import type { FlowPlacement } from '../result/index.ts';
import { RESOURCES } from './resources.ts';

/** Names by UID. */
export type FlowNames = ReadonlyMap<string, string>;

/** Names of every flow schema and priority level; none, with a line in the log, where they cannot be read. */
export async function flowNames(
  admin: ClusterAccess,
  context: { clock: Clock; log: Logger; signal: AbortSignal },
): Promise<FlowNames> {
  const names = new Map<string, string>();
  try {
    await using connection = await openConnection(admin);
    const client = new JsonClient(connection, context.clock);
    for (const resource of [RESOURCES.flowschemas, RESOURCES.prioritylevelconfigurations]) {
      const { items } = await client.list(resource, {}, { signal: context.signal });
      for (const { metadata } of items)
        if (metadata.uid !== undefined) names.set(metadata.uid, metadata.name);
    }
  } catch (error) {
    context.signal.throwIfAborted();
    context.log.warn({ error: describeError(error) }, 'flow schemas not read');
  }
  return names;
}

/** The counts of all agents together, by name, most first. */
export function placementsOf(counts: readonly FlowPlacementCount[], names: FlowNames): FlowPlacement[] {
  const placements = new Map<string, FlowPlacement>();
  for (const { flowSchemaUid, priorityLevelUid, callCount } of counts) {
    const key = `${flowSchemaUid}/${priorityLevelUid}`;
    const placement = placements.get(key) ?? {
      flowSchema: names.get(flowSchemaUid) ?? flowSchemaUid,
      priorityLevel: names.get(priorityLevelUid) ?? priorityLevelUid,
      callCount: 0,
    };
    placement.callCount += callCount;
    placements.set(key, placement);
  }
  return [...placements.values()].sort((a, b) => b.callCount - a.callCount);
}
