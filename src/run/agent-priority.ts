/**
 * Scheduling priority of agents, where this user may raise it (root on Linux; elsewhere agents run as everybody else
 * does). Agents stand in for other machines: a generator that waits for the CPU behind the control plane it measures
 * reports its own queueing.
 *
 * Load and observer do little and must do it on time: first in, first out, before every ordinary process. Measured on
 * two cores with three busy processes beside it, at 60 requests a second: slip p99 6.6 ms at normal priority, 3.9 ms at
 * nice -10, 1.5 ms with SCHED_FIFO, for the same CPU. The fleet does much, in bursts, and is only favoured.
 */
import { execFileSync } from 'node:child_process';
import { setPriority } from 'node:os';
import type { AgentRole } from '../result/index.ts';

const FLEET_NICENESS = -5;

/** Raises the priority of process `pid` as its role wants it, as far as permitted, and says what it has now. */
export function raisePriority(pid: number | undefined, role: AgentRole): string {
  if (pid === undefined) return 'normal';
  if (role !== 'fleet' && makeRealtime(pid)) return 'fifo';
  try {
    setPriority(pid, FLEET_NICENESS);
    return `nice ${FLEET_NICENESS}`;
  } catch {
    // Not permitted: ordinary priority, and the result says so.
    return 'normal';
  }
}

// Threads and processes that it starts later are ordinary ones: collecting garbage must not stop the control plane.
function makeRealtime(pid: number): boolean {
  try {
    execFileSync('chrt', ['--fifo', '--reset-on-fork', '--pid', '1', String(pid)], { stdio: 'ignore' });
    return true;
  } catch {
    // No chrt (util-linux), or not permitted.
    return false;
  }
}
