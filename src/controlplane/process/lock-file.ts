/**
 * A lock that a dead owner cannot keep: a file that names its owner by pid and start. It appears atomically with
 * its content (written aside, then linked), so nobody ever reads half of it; a lock whose owner is gone is taken over.
 */
import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { HarnessError } from '../../core/index.ts';
import { identifyProcess, isAlive, type ProcessIdentity } from './identity.ts';

export interface LockFile extends Disposable {
  readonly path: string;
  /** Gives the lock up; idempotent. */
  [Symbol.dispose](): void;
}

/** Takes the lock for this process, or returns who holds it. */
export function tryLock(
  path: string,
): { state: 'taken'; lock: LockFile } | { state: 'held'; owner: ProcessIdentity } {
  const self = identifyProcess(process.pid);
  if (self === undefined) throw new HarnessError('HM_INTERNAL', 'cannot identify the own process');
  mkdirSync(dirname(path), { recursive: true });
  const aside = `${path}.${process.pid}.${randomUUID()}`;
  writeFileSync(aside, JSON.stringify(self), { mode: 0o600 });
  try {
    for (;;) {
      try {
        linkSync(aside, path);
        return { state: 'taken', lock: makeLock(path, self) };
      } catch (error) {
        if (!isCode(error, 'EEXIST')) throw error;
      }
      const owner = readOwner(path);
      // Gone in between: try again.
      if (owner === undefined) continue;
      if (isAlive(owner)) return { state: 'held', owner };
      removeStale(path, owner);
    }
  } finally {
    rmSync(aside, { force: true });
  }
}

function makeLock(path: string, self: ProcessIdentity): LockFile {
  let held = true;
  return {
    path,
    [Symbol.dispose]() {
      if (!held) return;
      held = false;
      const owner = readOwner(path);
      if (owner?.pid === self.pid && owner.beganAt === self.beganAt) rmSync(path, { force: true });
    },
  };
}

// Two processes may judge the same lock stale. Each moves it away under a name of its own; one that finds it moved
// somebody's fresh lock instead puts it back.
function removeStale(path: string, judged: ProcessIdentity): void {
  const moved = `${path}.stale.${randomUUID()}`;
  try {
    renameSync(path, moved);
  } catch (error) {
    if (isCode(error, 'ENOENT')) return;
    throw error;
  }
  const owner = readOwner(moved);
  if (owner !== undefined && owner.beganAt !== judged.beganAt) {
    try {
      linkSync(moved, path);
    } catch (error) {
      if (!isCode(error, 'EEXIST')) throw error;
    }
  }
  rmSync(moved, { force: true });
}

function readOwner(path: string): ProcessIdentity | undefined {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    if (isCode(error, 'ENOENT')) return undefined;
    throw error;
  }
  try {
    const parsed: unknown = JSON.parse(text);
    if (typeof parsed === 'object' && parsed !== null && 'pid' in parsed && 'beganAt' in parsed)
      return { pid: Number(parsed.pid), beganAt: String(parsed.beganAt) };
  } catch {
    // A lock that cannot be read was left by a crash of the machine: nobody holds it.
  }
  return { pid: 0, beganAt: 'unreadable' };
}

function isCode(error: unknown, code: string): boolean {
  return error instanceof Error && 'code' in error && error.code === code;
}
