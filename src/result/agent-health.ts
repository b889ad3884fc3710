/** How the agents of a run and their host kept their own promises: what the trust verdict rests on. */
import type { Distribution } from './run-result.ts';

export type AgentRole = 'fleet' | 'load' | 'observer' | 'prober';

/** How well an agent kept its own promises. */
export interface AgentHealth {
  id: string;
  role: AgentRole;
  pid: number;
  /** Scheduling priority of its process: `fifo 2`, `rr 1`, `nice -10`, or `normal` where it could not be raised. */
  priority?: string;
  state: 'completed' | 'lost' | 'failed';
  reason?: string;
  /** Sent minus intended, load agents. */
  slip: Distribution;
  loopLag: Distribution;
  gcRatio: number;
  maxGcPauseMs: number;
  /** Of one core: mean, and the busiest window. */
  meanCpuRatio: number;
  maxCpuRatio: number;
  maxRssBytes: number;
  maxInFlightCount: number;
  /** Longest time between two reports of the agent, against its period. */
  maxReportGapMs: number;
}

export interface HostHealth {
  cpuCount: number;
  meanCpuRatio: number;
  maxCpuRatio: number;
  /** NaN (null in JSON) where the host does not tell. */
  stealRatio: number;
  throttledCount: number;
}
