/**
 * A host name of its own for a program, by a UTS namespace. An API server names its identity lease after its host, and
 * a controller manager and a scheduler their place in an election: several on one host would share them.
 */
import { execFileSync } from 'node:child_process';

/** How this machine gives a program a host name: as root, as root of a user namespace, or not at all. */
export type UtsMode = 'root' | 'user-namespace' | 'none';

/** Tries it; the answer is kept for the life of this process. */
export function utsMode(): UtsMode {
  cachedMode ??= works(['--uts']) ? 'root' : works(USER_NAMESPACE) ? 'user-namespace' : 'none';
  return cachedMode;
}

/**
 * The command that runs `program` under the host name. It replaces itself by the program, so the process keeps the pid
 * that it was started with.
 */
export function withHostname(
  mode: UtsMode,
  hostname: string,
  command: { program: string; args: readonly string[] },
): { program: string; args: readonly string[] } {
  if (mode === 'none') return command;
  const namespaces = mode === 'root' ? ['--uts'] : USER_NAMESPACE;
  const script = 'hostname "$0" && exec "$@"';
  return {
    program: 'unshare',
    args: [...namespaces, '--', '/bin/sh', '-c', script, hostname, command.program, ...command.args],
  };
}

const USER_NAMESPACE = ['--user', '--map-root-user', '--uts'];
let cachedMode: UtsMode | undefined;

function works(namespaces: readonly string[]): boolean {
  if (process.platform !== 'linux') return false;
  try {
    execFileSync('unshare', [...namespaces, '--', 'hostname', 'hollowmark'], { stdio: 'ignore' });
    return true;
  } catch {
    // Not permitted, or no such program.
    return false;
  }
}
