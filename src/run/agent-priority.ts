/**
 * Scheduling priority of agents, where this user may raise it (root on Linux; elsewhere agents run as everybody else
 * does, and the result says so). Agents stand in for other machines: a generator that waits for the CPU behind the
 * control plane it measures reports its own queueing.
 *
 * Load and observer run first in, first out, before every ordinary process. Measured on two cores with three busy
 * processes beside it, at 60 requests a second: slip p99 6.6 ms at normal priority, 3.9 ms at nice -10, 1.5 ms with
 * SCHED_FIFO, for the same CPU. They must have no threads of lower priority to wait for, so V8 gets none
 * (SINGLE_THREADED): with its helper threads the main thread was seen to spin on a lock for most of a second, until
 * the kernel's limit on real-time tasks let the holder run. The fleet needs helpers for its large heap, and is only
 * favoured.
 */
import { execFileSync } from 'node:child_process';
import { setPriority } from 'node:os';
import type { AgentRole } from '../result/index.ts';

const NICENESS = -10;

/** What Node is told for a role that runs first in, first out. */
const SINGLE_THREADED = ['--single-threaded'];

/** Arguments of Node for an agent's role. */
export function nodeArguments(role: AgentRole): readonly string[] {
  return role === 'fleet' ? [] : SINGLE_THREADED;
}

/** Raises the priority of process `pid` as its role wants it, as far as permitted, and says what it has now. */
export function raisePriority(pid: number | undefined, role: AgentRole): string {
  if (pid === undefined) return 'normal';
  if (role !== 'fleet' && makeRealtime(pid)) return 'fifo';
  try {
    setPriority(pid, NICENESS);
    return `nice ${NICENESS}`;
  } catch {
    // Not permitted.
    return 'normal';
  }
}

function makeRealtime(pid: number): boolean {
  try {
    execFileSync('chrt', ['--fifo', '--reset-on-fork', '--pid', '1', String(pid)], { stdio: 'ignore' });
    return true;
  } catch {
    // No chrt (util-linux), or not permitted.
    return false;
  }
}
