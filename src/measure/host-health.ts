/**
 * The host under it all: CPU busy and stolen, and throttling by the cgroup, from Linux's own counters. Elsewhere the
 * answers are unknown, and say so (NaN).
 *
 * Source: proc_stat(5), fields of the `cpu` line; Documentation/admin-guide/cgroup-v2.rst, cpu.stat.
 */
import { readFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import type { HostHealth } from '../result/index.ts';

export interface HostSources {
  /** @default /proc */
  procRoot?: string;
  /** Folder of this process's cgroup. @default found through /proc/self/cgroup */
  cgroupFolder?: string;
}

interface CpuTicks {
  busy: number;
  stolen: number;
  total: number;
}

/** Reads the host's counters at start and at the end of each window. */
export class HostMonitor {
  readonly #procRoot: string;
  readonly #cgroupFolder: string | undefined;
  #first: CpuTicks | undefined;
  #last: CpuTicks | undefined;
  #firstThrottled: number | undefined;
  #throttled: number | undefined;
  #maxCpuRatio = 0;

  constructor(sources: HostSources = {}) {
    this.#procRoot = sources.procRoot ?? '/proc';
    this.#cgroupFolder = sources.cgroupFolder ?? ownCgroup(this.#procRoot);
  }

  /** Closes a window; returns its busy share of all CPUs, 0..1, undefined for the first call or where unknown. */
  sample(): number | undefined {
    const now = readCpuTicks(this.#procRoot);
    this.#throttled = this.#cgroupFolder === undefined ? undefined : readThrottled(this.#cgroupFolder);
    this.#firstThrottled ??= this.#throttled;
    const before = this.#last;
    this.#first ??= now;
    this.#last = now;
    if (now === undefined || before === undefined || now.total <= before.total) return undefined;
    const busyRatio = (now.busy - before.busy) / (now.total - before.total);
    this.#maxCpuRatio = Math.max(this.#maxCpuRatio, busyRatio);
    return busyRatio;
  }

  /** From the first sample to the last; NaN where unknown. */
  summary(): HostHealth {
    const cpuCount = availableParallelism();
    const throttledCount = Math.max(0, (this.#throttled ?? 0) - (this.#firstThrottled ?? 0));
    const elapsed = (this.#last?.total ?? 0) - (this.#first?.total ?? 0);
    if (this.#first === undefined || this.#last === undefined || elapsed <= 0) {
      return {
        cpuCount,
        meanCpuRatio: Number.NaN,
        maxCpuRatio: Number.NaN,
        stealRatio: Number.NaN,
        throttledCount,
      };
    }
    return {
      cpuCount,
      meanCpuRatio: (this.#last.busy - this.#first.busy) / elapsed,
      maxCpuRatio: this.#maxCpuRatio,
      stealRatio: (this.#last.stolen - this.#first.stolen) / elapsed,
      throttledCount,
    };
  }
}

function readCpuTicks(procRoot: string): CpuTicks | undefined {
  const line = readText(join(procRoot, 'stat'))?.split('\n', 1)[0];
  if (line?.startsWith('cpu ') !== true) return undefined;
  // guest times are part of user and nice already: adding them would count them twice.
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, irq = 0, softirq = 0, stolen = 0] = line
    .trim()
    .split(/\s+/)
    .slice(1)
    .map(Number);
  const busy = user + nice + system + irq + softirq;
  return { busy, stolen, total: busy + idle + iowait + stolen };
}

function readThrottled(cgroupFolder: string): number | undefined {
  const count = /^nr_throttled (\d+)$/m.exec(readText(join(cgroupFolder, 'cpu.stat')) ?? '')?.[1];
  return count === undefined ? undefined : Number(count);
}

/** Folder of this process's cgroup: version 2 (`0::/path`), else the cpu controller of version 1. */
function ownCgroup(procRoot: string): string | undefined {
  const text = readText(join(procRoot, 'self', 'cgroup')) ?? '';
  const unified = /^0::(\/.*)$/m.exec(text)?.[1];
  const legacy = /^\d+:(?:[^:]*,)?cpu(?:,[^:]*)?:(\/.*)$/m.exec(text)?.[1];
  const candidates = [
    ...(legacy === undefined ? [] : [join('/sys/fs/cgroup/cpu', legacy), '/sys/fs/cgroup/cpu']),
    // In a container the own cgroup is mounted as the root.
    ...(unified === undefined ? [] : [join('/sys/fs/cgroup', unified), '/sys/fs/cgroup']),
  ];
  return candidates.find((folder) => readThrottled(folder) !== undefined);
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // Not Linux, or not allowed: the figure is unknown.
    return undefined;
  }
}
