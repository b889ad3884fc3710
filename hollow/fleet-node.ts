/** A node as its fleet sees it, whatever its fidelity. */
import type { StormNode } from './storms/storms.ts';

/** Figures of connections, summed over nodes. */
export interface ConnectionSums {
  openConnectionCount: number;
  reconnectCount: number;
  receivedBytes: number;
  sentBytes: number;
}

export interface FleetNode extends StormNode {
  /** Registers; resolves when the node is Ready. @throws the signal's reason */
  start(): Promise<void>;
  /** Adds connections of the node's own to `sum`. */
  addStats(sum: ConnectionSums): void;
  /** Closes what is open; nothing is deleted from the cluster. Idempotent. */
  stop(): Promise<void>;
}
