/** The coordinator's side of self-health: what an agent's windows add up to over the run. */
import { type AgentHealth, emptyDistribution, LatencyHistogram } from '../result/index.ts';
import type { HealthWindow } from './self-health.ts';

/** What the coordinator knows of an agent beside its windows. */
export type AgentFacts = Pick<
  AgentHealth,
  'id' | 'role' | 'pid' | 'priority' | 'state' | 'reason' | 'maxReportGapMs'
> & {
  /** From CallCollector.slipOf(). */
  slip?: AgentHealth['slip'];
};

/** A window shorter than this says too little about CPU to be the busiest. */
const MIN_CPU_WINDOW_MS = 1_000;

export class AgentHealthLedger {
  readonly #agents = new Map<string, AgentSums>();

  /** Takes one window of an agent. */
  add(agentId: string, window: HealthWindow): void {
    const sums = this.#of(agentId);
    sums.loopLag.add(LatencyHistogram.fromWire(window.loopLag));
    sums.durationMs += window.durationMs;
    sums.gcMs += window.gcMs;
    sums.maxGcPauseMs = Math.max(sums.maxGcPauseMs, window.maxGcPauseMs);
    sums.cpuMs += window.cpuMs;
    sums.maxRssBytes = Math.max(sums.maxRssBytes, window.rssBytes);
    if (window.durationMs >= MIN_CPU_WINDOW_MS) {
      sums.maxCpuRatio = Math.max(sums.maxCpuRatio, window.cpuMs / window.durationMs);
    }
  }

  /** Calls in flight at some instant; the largest is kept. */
  noteInFlight(agentId: string, inFlightCount: number): void {
    const sums = this.#of(agentId);
    sums.maxInFlightCount = Math.max(sums.maxInFlightCount, inFlightCount);
  }

  /** An agent's health over the run; zeros for one that never reported. */
  health(facts: AgentFacts): AgentHealth {
    const sums = this.#of(facts.id);
    const { id, role, pid, priority, state, reason, maxReportGapMs } = facts;
    return {
      id,
      role,
      pid,
      ...(priority === undefined ? {} : { priority }),
      state,
      ...(reason === undefined ? {} : { reason }),
      slip: facts.slip ?? emptyDistribution(),
      loopLag: sums.loopLag.distribution(),
      gcRatio: ratio(sums.gcMs, sums.durationMs),
      maxGcPauseMs: sums.maxGcPauseMs,
      meanCpuRatio: ratio(sums.cpuMs, sums.durationMs),
      maxCpuRatio: sums.maxCpuRatio,
      maxRssBytes: sums.maxRssBytes,
      maxInFlightCount: sums.maxInFlightCount,
      maxReportGapMs,
    };
  }

  #of(agentId: string): AgentSums {
    let sums = this.#agents.get(agentId);
    if (sums === undefined) {
      sums = new AgentSums();
      this.#agents.set(agentId, sums);
    }
    return sums;
  }
}

class AgentSums {
  readonly loopLag = new LatencyHistogram();
  durationMs = 0;
  gcMs = 0;
  maxGcPauseMs = 0;
  cpuMs = 0;
  maxCpuRatio = 0;
  maxRssBytes = 0;
  maxInFlightCount = 0;
}

function ratio(part: number, whole: number): number {
  return whole > 0 ? part / whole : 0;
}
