/**
 * Scheduling priority of agents, where this user may raise it (root on Linux; elsewhere agents run as everybody else
 * does, and the result says so). Agents stand in for other machines: a generator that waits for the CPU behind the
 * control plane it measures reports its own queueing, and a fleet that waits reports slow kubelets.
 *
 * Every thread of an agent gets the same real-time class. With the main thread alone in it, V8's helpers wait behind
 * ordinary processes while the main thread spins for them, for most of a second until the kernel's limit on real-time
 * tasks lets the holder run. Load and observer come first, and collect garbage on the main thread: with their small
 * heaps that takes 1 to 4 ms. The fleet comes after them, in turns (SCHED_RR) so that no thread of it can hold a core
 * against another, and keeps V8's helpers for its large heap.
 *
 * Measured with the quickstart on two cores: slip p99 6.6 ms at normal priority, 1.3 ms so; the fleet's event-loop lag
 * p99 14 to 22 ms at nice -10, 1.4 ms so.
 */
import { execFileSync } from 'node:child_process';
import { setPriority } from 'node:os';
import type { AgentRole } from '../result/index.ts';

/** Where real-time classes are not permitted. */
const NICENESS = -10;

const REALTIME: Record<AgentRole, readonly string[]> = {
  load: ['--fifo', '2'],
  observer: ['--fifo', '2'],
  prober: ['--fifo', '2'],
  fleet: ['--rr', '1'],
};

/**
 * Arguments of Node for an agent's role. Small young generations collect often and briefly: pauses stay far below a
 * lease period. The fleet's is the smallest, because what it has grown to while nodes registered it keeps (measured:
 * 0.32 MB a node at 16 MiB, 0.29 MB at 4 MiB).
 */
export function nodeArguments(role: AgentRole): readonly string[] {
  return role === 'fleet'
    ? ['--max-semi-space-size=4']
    : ['--max-semi-space-size=16', '--single-threaded-gc'];
}

/** Raises the priority of process `pid` as its role wants it, as far as permitted, and says what it has now. */
export function raisePriority(pid: number | undefined, role: AgentRole): string {
  if (pid === undefined) return 'normal';
  try {
    const [policy = '', priority = ''] = REALTIME[role];
    execFileSync('chrt', ['--all-tasks', policy, '--pid', priority, String(pid)], { stdio: 'ignore' });
    return `${policy.slice(2)} ${priority}`;
  } catch {
    // No chrt (util-linux), or not permitted.
  }
  try {
    setPriority(pid, NICENESS);
    return `nice ${NICENESS}`;
  } catch {
    // Not permitted.
    return 'normal';
  }
}
