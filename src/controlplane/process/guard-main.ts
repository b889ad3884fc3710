/**
 * The guard: a small process of its own that outlives hollowmark by moments. It reads the processes to end from a
 * pipe whose other end only hollowmark holds; when the pipe closes, whatever the reason (kill -9 included), it ends
 * them: SIGTERM, then SIGKILL after a grace time. Node cannot ask the kernel for a parent-death signal, and this
 * works on every system.
 *
 * Lines: `+ pid beganAt`, `- pid`, `done` (hollowmark stopped everything itself). Arguments: the mark, a string that
 * every guarded process has in its environment, and the grace time in milliseconds. The mark closes the gap between
 * the birth of a process and the line that announces it (Linux; elsewhere only announced processes are ended).
 */
import { readdirSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { identifyProcess, isAlive, type ProcessIdentity, signalProcess } from './identity.ts';

const mark = process.argv[2] ?? '';
const graceMs = Number(process.argv[3] ?? '5000');
const guarded = new Map<number, ProcessIdentity>();
let done = false;

const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const [verb, pidText, beganAt] = line.split(' ');
  const pid = Number(pidText);
  if (verb === '+' && beganAt !== undefined) guarded.set(pid, { pid, beganAt });
  if (verb === '-') guarded.delete(pid);
  if (verb === 'done') done = true;
});
lines.on('close', () => {
  if (done) process.exit(0);
  for (const identity of markedProcesses()) guarded.set(identity.pid, identity);
  const victims = [...guarded.values()];
  for (const victim of victims) {
    signalProcess(victim, 'SIGTERM');
    // One that a fault has paused would not hear it.
    signalProcess(victim, 'SIGCONT');
  }
  const deadlineMs = performance.now() + graceMs;
  const timer = setInterval(() => {
    const living = victims.filter(isAlive);
    if (living.length > 0 && performance.now() < deadlineMs) return;
    for (const victim of living) signalProcess(victim, 'SIGKILL');
    clearInterval(timer);
  }, 100);
});

function markedProcesses(): ProcessIdentity[] {
  if (process.platform !== 'linux' || mark === '') return [];
  const found: ProcessIdentity[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      if (!readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOLLOWMARK_GUARD=${mark}`))
        continue;
    } catch {
      // Another user's process, or one that just ended: not ours.
      continue;
    }
    const identity = identifyProcess(pid);
    if (identity !== undefined) found.push(identity);
  }
  return found;
}
