/** Opens the control plane that a suite names: starts one, or attaches to one with its owner's consent. */
import { join } from 'node:path';
import { attachControlPlane, type ControlPlane, startLocalControlPlane } from '../controlplane/index.ts';
import type { RunContext } from './engine.ts';
import type { RunOptions } from './options.ts';

/** @throws what startLocalControlPlane and attachControlPlane throw, or the graceful signal's reason */
export async function openControlPlane(
  options: RunOptions,
  context: RunContext,
  progress: (line: string) => void,
): Promise<ControlPlane> {
  const { controlPlane, faults } = options.loaded.suite;
  const { clock, log, env } = context;
  const signal = context.stop.graceful;
  if (controlPlane.provider === 'kubeconfig') {
    const faultCommands = faults?.schedule.flatMap(({ induce, heal }) =>
      [induce, heal].filter((command) => command !== undefined),
    );
    return attachControlPlane({ ...options.attach, faultCommands }, { signal, clock, log });
  }
  return startLocalControlPlane(
    {
      directory: join(options.directory, 'control-plane'),
      profile: controlPlane.profile,
      binaries: { version: controlPlane.version },
      flags: controlPlane.flags,
      separateEventsEtcd: controlPlane.eventsEtcd,
      topology: controlPlane.topology,
    },
    { signal, clock, log, env, progress },
  );
}
