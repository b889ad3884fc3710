/** How the hollow nodes are disturbed: the fleet's storms, as far as faults need them. */
import type { Disturbance, NodeSelection } from '../../config/index.ts';

export interface FleetLever {
  /**
   * Begins on all shards; resolves with the nodes that were chosen. Without `durationMs` it lasts until `end`.
   * @throws HM_AGENT_LOST, or the signal's reason
   */
  begin(
    disturbance: Disturbance,
    selection: NodeSelection,
    signal: AbortSignal,
  ): Promise<{ id: string; nodeNames: readonly string[] }>;
  /** Ends it; resolves when it is over on all shards. */
  end(id: string, signal: AbortSignal): Promise<void>;
}
