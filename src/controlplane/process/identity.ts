/**
 * Which process a number stands for. A pid alone is reused by the system; a pid with the instant its process began
 * is not, so nothing is ever signalled by pid alone.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

export interface ProcessIdentity {
  pid: number;
  /** Opaque: when the process began, as this system tells it; equal only for the same process. */
  beganAt: string;
}

/** Identity of the process that has `pid` now; undefined if there is none (a zombie counts as none). */
export function identifyProcess(pid: number): ProcessIdentity | undefined {
  const beganAt = process.platform === 'linux' ? beganAtLinux(pid) : beganAtElsewhere(pid);
  return beganAt === undefined ? undefined : { pid, beganAt };
}

/** True while that very process lives. */
export function isAlive(identity: ProcessIdentity): boolean {
  return identifyProcess(identity.pid)?.beganAt === identity.beganAt;
}

/** Sends `signalName` to that very process; false if it is gone. */
export function signalProcess(
  identity: ProcessIdentity,
  signalName: 'SIGTERM' | 'SIGKILL' | 'SIGCONT',
): boolean {
  if (!isAlive(identity)) return false;
  try {
    process.kill(identity.pid, signalName);
    return true;
  } catch {
    // It ended in between, which is what was wanted.
    return false;
  }
}

/** Resident memory in bytes; undefined where the system does not tell. */
export function residentBytes(pid: number): number | undefined {
  try {
    const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
    return match === null ? undefined : Number(match[1]) * 1024;
  } catch {
    return undefined;
  }
}

// Field 22 of stat is the start in clock ticks since boot; the boot id makes it unique over reboots. The program's
// name (field 2) may hold spaces and parentheses, so fields are counted after the last one.
function beganAtLinux(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    if (fields[0] === 'Z' || fields[0] === 'X') return undefined;
    return `${bootId()}:${fields[19]}`;
  } catch {
    return undefined;
  }
}

let cachedBootId: string | undefined;
function bootId(): string {
  cachedBootId ??= readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
  return cachedBootId;
}

function beganAtElsewhere(pid: number): string | undefined {
  try {
    const args = ['-o', 'stat=,lstart=', '-p', String(pid)];
    const line = execFileSync('ps', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
    return line === '' || line.startsWith('Z') ? undefined : line.replace(/^\S+\s+/, '');
  } catch {
    return undefined;
  }
}
