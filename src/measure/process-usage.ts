/**
 * CPU and memory of local processes by their id, from /proc: the timeline's figures of API server and etcd without
 * scraping them. Undefined where the host has no /proc or the process is gone.
 *
 * Source: proc_pid_stat(5), fields 14, 15 and 24. Clock ticks are 100 a second on every Linux that Node runs on
 * (USER_HZ is fixed by the kernel's ABI), pages are read from the process's own status instead of assumed.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '../core/index.ts';

const TICKS_PER_SECOND = 100;

export interface ProcessUsage {
  /** Cores used since the last sample of this meter; undefined on the first. */
  cpuCores?: number;
  rssBytes: number;
}

/** Follows a set of processes; their CPU is summed. */
export class ProcessUsageMeter {
  readonly #clock: Clock;
  readonly #procRoot: string;
  #pids: readonly number[] = [];
  #last = new Map<number, { cpuSeconds: number; atUs: number }>();

  constructor(clock: Clock, options: { procRoot?: string } = {}) {
    this.#clock = clock;
    this.#procRoot = options.procRoot ?? '/proc';
  }

  /** Follows `pids` from now on; those followed before keep their history. */
  follow(pids: readonly number[]): void {
    this.#pids = pids;
  }

  /** Usage since the last sample; undefined if none of the processes can be read. */
  sample(): ProcessUsage | undefined {
    const atUs = this.#clock.nowUs();
    const before = this.#last;
    this.#last = new Map();
    let rssBytes = 0;
    let cpuCores: number | undefined;
    for (const pid of this.#pids) {
      const usage = readProcess(this.#procRoot, pid);
      if (usage === undefined) continue;
      rssBytes += usage.rssBytes;
      this.#last.set(pid, { cpuSeconds: usage.cpuSeconds, atUs });
      const former = before.get(pid);
      if (former === undefined || atUs <= former.atUs) continue;
      const seconds = (atUs - former.atUs) / 1e6;
      // A pid that was given to another process starts below its predecessor.
      cpuCores = (cpuCores ?? 0) + Math.max(0, usage.cpuSeconds - former.cpuSeconds) / seconds;
    }
    if (this.#last.size === 0) return undefined;
    return { rssBytes, ...(cpuCores === undefined ? {} : { cpuCores }) };
  }
}

function readProcess(procRoot: string, pid: number): { cpuSeconds: number; rssBytes: number } | undefined {
  try {
    const stat = readFileSync(join(procRoot, String(pid), 'stat'), 'utf8');
    // The name in parentheses may hold blanks and parentheses; fields count from the last one.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    const cpuTicks = Number(fields[11]) + Number(fields[12]);
    const status = readFileSync(join(procRoot, String(pid), 'status'), 'utf8');
    const rssKib = Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1] ?? 0);
    return { cpuSeconds: cpuTicks / TICKS_PER_SECOND, rssBytes: rssKib * 1_024 };
  } catch {
    // Gone, or no Linux: unknown.
    return undefined;
  }
}
