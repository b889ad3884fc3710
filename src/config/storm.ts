/**
 * Storms: what can be done to many hollow nodes at once, and to which of them. The shapes of the resolved suite; the
 * fleet plays them (hollow/storms), the schema of the suite language is schema-storm.ts.
 */

export const STORM_KINDS = [
  'silence',
  'restart',
  'flap',
  'slow',
  'drop-connections',
  'expire-certificates',
] as const;
export type StormKind = (typeof STORM_KINDS)[number];

/** Kinds that happen at an instant and are over by themselves: nodes come back as they can. */
export const INSTANT_STORMS: ReadonlySet<StormKind> = new Set(['restart', 'drop-connections']);

/** What happens to each chosen node. */
export type Disturbance =
  /** Leases, node status and pod status are not written; watches live on. */
  | { kind: 'silence' }
  /** State and connections are dropped, then the node registers again and relists; spread evenly over `overMs`. */
  | { kind: 'restart'; overMs: number }
  /** Silent and alive in turn, each node at a phase of its own. */
  | { kind: 'flap'; silentMs: number; aliveMs: number }
  /** Every request leaves `delayMs` late, and sandboxes and containers of new pods take as much longer. */
  | { kind: 'slow'; delayMs: number }
  /** TCP connections are cut; sessions open again and watches resume. Spread evenly over `overMs`. */
  | { kind: 'drop-connections'; overMs: number }
  /** The client certificate is one that the API server refuses with 401, until it is renewed at the end. */
  | { kind: 'expire-certificates' };

/** Which nodes: of those in `zone` and among `names` (absent: all) a share or a number, by seed. */
export interface NodeSelection {
  /** Share of the eligible nodes, 0..1; ignored where `nodeCount` is given. */
  ratio: number;
  nodeCount?: number;
  zone?: string;
  names?: readonly string[];
  /** Same seed, same nodes; of two shares under one seed the smaller is part of the larger. */
  seed: number;
}

/** A storm as an action of a phase. */
export interface StormAction {
  action: 'storm';
  name: string;
  disturbance: Disturbance;
  selection: NodeSelection;
  /** From the start of the phase. */
  afterMs: number;
  /** Until it is healed; absent: to the end of the phase. 0 for kinds that happen at an instant. */
  durationMs?: number;
}
