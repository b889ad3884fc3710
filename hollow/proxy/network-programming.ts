/**
 * Network programming latency of the proxies of one process, by phase. Two distributions, one sample of each for every
 * change of an EndpointSlice on every node, once the sync that took it in has ended:
 *
 *   programming = wall time of that end - the slice's last-change-trigger-time     upstream's SLI
 *   proxy delay = that end - the change's arrival at the proxy, monotonic          the proxy's own part of it
 *
 * Source: pkg/proxy/metrics/metrics.go v1.36.3, NetworkProgrammingLatency.
 */
import { type EncodedHistogram, LatencyHistogram } from '../../src/result/index.ts';

/** What one process saw in one phase since the last drain; plain JSON. */
export interface NetworkProgrammingWindow {
  phase: string;
  programming: EncodedHistogram;
  proxyDelay: EncodedHistogram;
  /** Syncs that ended, with or without samples. */
  syncCount: number;
  /** Most rules that a sync had in its model. */
  maxRuleCount: number;
}

interface PhaseSums {
  readonly programming: LatencyHistogram;
  readonly proxyDelay: LatencyHistogram;
  syncCount: number;
  maxRuleCount: number;
}

export class NetworkProgramming {
  #phase: string;
  readonly #phases = new Map<string, PhaseSums>();

  constructor(phase: string) {
    this.#phase = phase;
  }

  /** Syncs that end from now on belong to `phase`. */
  setPhase(phase: string): void {
    this.#phase = phase;
  }

  /** One change is in force on one node. A clock that was set back can make `programmingUs` negative: it counts as 0. */
  record(programmingUs: number, proxyDelayUs: number): void {
    const sums = this.#sums();
    sums.programming.record(programmingUs);
    sums.proxyDelay.record(proxyDelayUs);
  }

  /** A sync ended, of a model with `ruleCount` rules. */
  synced(ruleCount: number): void {
    const sums = this.#sums();
    sums.syncCount++;
    sums.maxRuleCount = Math.max(sums.maxRuleCount, ruleCount);
  }

  /** What happened since the last drain, a window for each phase in which something did. */
  drain(): NetworkProgrammingWindow[] {
    const windows = [...this.#phases].map(
      ([phase, { programming, proxyDelay, syncCount, maxRuleCount }]) => ({
        phase,
        programming: programming.toWire(),
        proxyDelay: proxyDelay.toWire(),
        syncCount,
        maxRuleCount,
      }),
    );
    this.#phases.clear();
    return windows;
  }

  #sums(): PhaseSums {
    const known = this.#phases.get(this.#phase);
    if (known !== undefined) return known;
    const sums = {
      programming: new LatencyHistogram(),
      proxyDelay: new LatencyHistogram(),
      syncCount: 0,
      maxRuleCount: 0,
    };
    this.#phases.set(this.#phase, sums);
    return sums;
  }
}
