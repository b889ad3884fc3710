/**
 * What a fleet can be told to do to its nodes, as plain JSON: it comes from the run's storms, from fault schedules, or
 * from tests, over whatever wire. Every storm has an id under which it is healed.
 */
import type { Disturbance, NodeSelection, StormKind } from '../../src/config/index.ts';

export type FleetCommand =
  | {
      type: 'storm';
      /** Unique in the run. */
      id: string;
      disturbance: Disturbance;
      selection: NodeSelection;
      /** Healed by itself after this long; absent: when told to. Instant kinds end when all nodes were hit. */
      durationMs?: number;
    }
  /** Ends a storm early. One that is over, or unknown, is left alone. */
  | { type: 'heal'; id: string };

/** What a fleet did on a storm command. */
export interface StormStarted {
  id: string;
  kind: StormKind;
  /** Monotonic instant. */
  atUs: number;
  /** Nodes of this fleet (of this shard) that were chosen, in the fleet's order. */
  nodeNames: string[];
}

/** A storm is over on this fleet: nodes come back from here on. */
export interface StormEnded {
  id: string;
  atUs: number;
}
