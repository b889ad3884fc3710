/** What the proxies of all fleet agents measured, by phase: histograms are added, in the order in which phases came. */
import type { NetworkProgrammingWindow } from '../../hollow/index.ts';
import { LatencyHistogram, type NetworkProgramming } from '../result/index.ts';

export class NetworkProgrammingSums {
  readonly #phases = new Map<
    string,
    { programming: LatencyHistogram; proxyDelay: LatencyHistogram; syncCount: number; maxRuleCount: number }
  >();

  add(windows: readonly NetworkProgrammingWindow[]): void {
    for (const window of windows) {
      const sums = this.#phases.get(window.phase) ?? {
        programming: new LatencyHistogram(),
        proxyDelay: new LatencyHistogram(),
        syncCount: 0,
        maxRuleCount: 0,
      };
      this.#phases.set(window.phase, sums);
      sums.programming.add(LatencyHistogram.fromWire(window.programming));
      sums.proxyDelay.add(LatencyHistogram.fromWire(window.proxyDelay));
      sums.syncCount += window.syncCount;
      sums.maxRuleCount = Math.max(sums.maxRuleCount, window.maxRuleCount);
    }
  }

  /** Of the run so far. */
  summary(): NetworkProgramming[] {
    return [...this.#phases].map(([phase, { programming, proxyDelay, syncCount, maxRuleCount }]) => ({
      phase,
      programming: programming.distribution(),
      proxyDelay: proxyDelay.distribution(),
      syncCount,
      maxRuleCount,
    }));
  }
}
