/**
 * Ways to spoil a run that goes on, from outside and with what every system has: signals, priorities, processors, and
 * for what no signal can do a module that Node loads before the program (sabotage-preload.mjs).
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { pathToFileURL } from 'node:url';
import { execa } from 'execa';
import { packageRoot } from '../../src/core/index.ts';

/** Busy loops that leave an agent less than it needs. */
const CROWD_COUNT = 40;

/** Pid of an agent that the run with process `runPid` has started. */
export async function agentPid(runPid: number | undefined, agentId: string): Promise<number> {
  const { stdout } = await execa('ps', ['-o', 'pid=,args=', '--ppid', String(runPid)]);
  const line = stdout.split('\n').find((one) => one.endsWith(`--id ${agentId}`));
  if (line === undefined) throw new Error(`no process of agent ${agentId} in:\n${stdout}`);
  return Number.parseInt(line, 10);
}

/** Stops a process for `durationMs` (SIGSTOP), then lets it go on. */
export async function pause(pid: number, durationMs: number): Promise<void> {
  process.kill(pid, 'SIGSTOP');
  try {
    await sleep(durationMs);
  } finally {
    process.kill(pid, 'SIGCONT');
  }
}

/**
 * For `durationMs` the process has one processor, in the lowest ordinary class, behind a busy loop in a real-time one;
 * the kernel leaves ordinary processes a twentieth of each second. Without the right to real-time classes the agents
 * have none either: then it shares the processor with a crowd of busy loops, each in a session of its own, because
 * processors are shared out by session before priorities count.
 */
export async function starve(pid: number, durationMs: number): Promise<void> {
  const hogs: ChildProcess[] = [];
  const loop = [process.execPath, '-e', 'for (;;);'];
  const realTime = await execa('chrt', ['--fifo', '1', 'true'], { reject: false });
  try {
    await execa('chrt', ['--all-tasks', '--other', '--pid', '0', String(pid)]);
    await execa('renice', ['-n', '19', '-p', ...readdirSync(`/proc/${pid}/task`)]);
    await execa('taskset', ['--all-tasks', '--cpu-list', '--pid', '0', String(pid)]);
    const [count, command] =
      realTime.exitCode === 0 ? [1, ['chrt', '--fifo', '1', ...loop]] : [CROWD_COUNT, loop];
    for (let i = 0; i < count; i++)
      hogs.push(spawn('taskset', ['--cpu-list', '0', ...command], { stdio: 'ignore', detached: true }));
    await sleep(durationMs);
  } finally {
    for (const hog of hogs) hog.kill('SIGKILL');
  }
}

/** Environment of a run whose processes have their wall clock moved, and whose agent `blockedAgent` blocks its loop. */
export function preloaded(options: { clockShiftMs: number; blockedAgent: string }): Record<string, string> {
  const preload = pathToFileURL(join(packageRoot(), 'test', 'helpers', 'sabotage-preload.mjs'));
  return {
    NODE_OPTIONS: `--import=${preload.href}`,
    SABOTAGE_CLOCK_SHIFT_MS: String(options.clockShiftMs),
    SABOTAGE_BLOCKED_AGENT: options.blockedAgent,
  };
}
