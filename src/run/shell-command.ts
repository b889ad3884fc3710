/**
 * Commands of the user's own, for faults on clusters that hollowmark did not start. Each is a process group of its own:
 * Ctrl-C in the terminal reaches hollowmark and not the command that is healing, and where a command is called off what
 * it started goes with it.
 */
import { spawn } from 'node:child_process';
import { type CancelTimer, type Clock, HarnessError, onAbort } from '../core/index.ts';

/** Between SIGTERM and SIGKILL of a command that is called off. */
const GRACE_MS = 3_000;
/** Of standard error, from its end: enough for what a command says when it fails. */
const KEPT_CHARACTERS = 2_000;

export interface ShellCommandOptions {
  env: Readonly<Record<string, string | undefined>>;
  signal: AbortSignal;
  clock: Clock;
}

/**
 * Runs `command` by `/bin/sh -c`; resolves when it exits with 0. What it left running in the background goes on.
 * @throws HM_CLUSTER_STATE with the end of its standard error, or the signal's reason once the command is gone
 */
export async function runShellCommand(command: string, options: ShellCommandOptions): Promise<void> {
  const { env, signal, clock } = options;
  signal.throwIfAborted();
  const child = spawn('/bin/sh', ['-c', command], {
    detached: true,
    env: { ...env },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let said = '';
  child.stderr.setEncoding('utf8');
  child.stderr.on('data', (text: string) => {
    said = (said + text).slice(-KEPT_CHARACTERS);
  });
  let cancelKill: CancelTimer = () => {};
  const stopListening = onAbort(signal, () => {
    signalGroup(child.pid, 'SIGTERM');
    cancelKill = clock.setTimer(() => signalGroup(child.pid, 'SIGKILL'), GRACE_MS);
  });
  try {
    // `exit`, not `close`: a process in the background may hold standard error open for as long as it lives.
    const how = await new Promise<string>((resolve, reject) => {
      child.once('error', reject);
      child.once('exit', (code, by) => resolve(code === null ? `signal ${by}` : `exit code ${code}`));
    });
    signal.throwIfAborted();
    if (how !== 'exit code 0')
      throw new HarnessError('HM_CLUSTER_STATE', `command \`${command}\` ended with ${how}: ${said.trim()}`);
  } finally {
    stopListening();
    cancelKill();
    child.stderr.destroy();
  }
}

function signalGroup(pid: number | undefined, name: NodeJS.Signals): void {
  if (pid === undefined) return;
  try {
    process.kill(-pid, name);
  } catch {
    // The group is gone.
  }
}
