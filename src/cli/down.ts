/** `hollowmark down`: ends a plane that `hollowmark up` left running. */
import type { Command } from 'commander';
import { endKeptPlane, keptPlaneDirectory, readKeptPlane } from '../controlplane/index.ts';
import type { Host } from '../core/index.ts';
import { withInterrupt } from './interrupt.ts';

export function registerDownCommand(program: Command, host: Host): void {
  program
    .command('down')
    .description('End a control plane that `up` started, and remove its data.')
    .option('--name <name>', 'which plane, when there are several', 'default')
    .option('--keep-data', 'leave data, keys and kubeconfig files where they are')
    .action((options: { name: string; keepData?: boolean }) =>
      withInterrupt(host, async (signal) => {
        const plane = readKeptPlane(keptPlaneDirectory(host.env, options.name));
        if (plane === undefined) {
          host.stderr.write(`plane "${options.name}": there is none\n`);
          return;
        }
        const ended = await endKeptPlane(plane, {
          keepData: options.keepData ?? false,
          signal,
          clock: host.clock,
        });
        const what = ended.length === 0 ? 'nothing of it was running' : `ended ${ended.join(', ')}`;
        host.stderr.write(`plane "${plane.name}": ${what}; logs stay in ${plane.directory}/logs\n`);
      }),
    );
}
