/** What the shards of the fleet add up to, from their windows and their latest stats. */
import type { FleetStats, FleetWindow } from '../../hollow/index.ts';
import { type FleetSummary, LatencyHistogram } from '../result/index.ts';

export class FleetSums {
  readonly #nodeCount: number;
  readonly #registration = new LatencyHistogram();
  readonly #leaseLateness = new LatencyHistogram();
  readonly #leaseLatenessByPhase = new Map<string, LatencyHistogram>();
  readonly #leaseSlip = new LatencyHistogram();
  readonly #recovery = new LatencyHistogram();
  readonly #latest = new Map<string, FleetStats>();
  #maxReadyCount = 0;
  #maxWatchCount = 0;
  #maxConnectionCount = 0;

  constructor(nodeCount: number) {
    this.#nodeCount = nodeCount;
  }

  /** Takes the latest stats of one shard. */
  note(agentId: string, stats: FleetStats): void {
    this.#latest.set(agentId, stats);
    this.#maxReadyCount = Math.max(this.#maxReadyCount, this.readyCount());
    this.#maxWatchCount = Math.max(
      this.#maxWatchCount,
      this.#sum((shard) => shard.watchCount),
    );
    this.#maxConnectionCount = Math.max(
      this.#maxConnectionCount,
      this.#sum((shard) => shard.connectionCount),
    );
  }

  /** Takes one window of one shard, which lies in `phase`; empty for outside of any. */
  add(window: FleetWindow, phase: string): void {
    const lateness = LatencyHistogram.fromWire(window.leaseLateness);
    this.#registration.add(LatencyHistogram.fromWire(window.registration));
    this.#leaseLateness.add(lateness);
    const ofPhase = this.#leaseLatenessByPhase.get(phase) ?? new LatencyHistogram();
    ofPhase.add(lateness);
    this.#leaseLatenessByPhase.set(phase, ofPhase);
    this.#leaseSlip.add(LatencyHistogram.fromWire(window.leaseSlip));
    this.#recovery.add(LatencyHistogram.fromWire(window.recovery));
  }

  /** Nodes that are Ready now. */
  readyCount(): number {
    return this.#sum((shard) => shard.nodes.ready);
  }

  /** Counters since the start, and pods that run now. */
  counts(): { reconnectCount: number; relistCount: number; runningPodCount: number } {
    return {
      reconnectCount: this.#sum((shard) => shard.reconnectCount),
      relistCount: this.#sum((shard) => shard.relistCount),
      runningPodCount: this.#sum((shard) => shard.pods.Running),
    };
  }

  /** Times that a node was lost so far. */
  lostCount(): number {
    return this.#sum((shard) => shard.lostCount);
  }

  /** Of the run so far; the most nodes, watches and connections at any time. */
  summary(): FleetSummary {
    const registration = this.#registration.distribution();
    const stormLostCount = this.#sum((shard) => shard.stormLostCount);
    return {
      nodeCount: this.#nodeCount,
      registeredCount: registration.summary.count,
      readyCount: this.#maxReadyCount,
      lostCount: this.lostCount(),
      registration,
      leaseLateness: this.#leaseLateness.distribution(),
      leaseLatenessByPhase: [...this.#leaseLatenessByPhase]
        .filter(([, lateness]) => lateness.count > 0)
        .map(([phase, lateness]) => ({ phase, lateness: lateness.distribution() })),
      leaseSlip: this.#leaseSlip.distribution(),
      ...(this.#recovery.count === 0 ? {} : { recovery: this.#recovery.distribution() }),
      ...(stormLostCount === 0 ? {} : { stormLostCount }),
      leaseMissedCount: this.#sum((shard) => shard.leaseMissedCount),
      watchCount: this.#maxWatchCount,
      connectionCount: this.#maxConnectionCount,
      reconnectCount: this.#sum((shard) => shard.reconnectCount),
      relistCount: this.#sum((shard) => shard.relistCount),
      podsStartedCount: this.#sum((shard) => shard.podsStartedCount),
      podsDeletedCount: this.#sum((shard) => shard.podsDeletedCount),
    };
  }

  #sum(figure: (stats: FleetStats) => number): number {
    let total = 0;
    for (const stats of this.#latest.values()) total += figure(stats);
    return total;
  }
}
