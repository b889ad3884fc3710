/** `hollowmark status`: whether a plane that `hollowmark up` started is well, component by component. */
import type { Command } from 'commander';
import {
  inspectKeptPlane,
  type KeptComponent,
  keptPlaneDirectory,
  readKeptPlane,
} from '../controlplane/index.ts';
import { formatBytes, HarnessError, type Host } from '../core/index.ts';
import { withInterrupt } from './interrupt.ts';

export function registerStatusCommand(program: Command, host: Host): void {
  program
    .command('status')
    .description('Show the health of a control plane that `up` started; exit 5 if it is not well.')
    .option('--name <name>', 'which plane, when there are several', 'default')
    .option('--json', 'as JSON')
    .action((options: { name: string; json?: boolean }) =>
      withInterrupt(host, async (signal) => {
        const plane = readKeptPlane(keptPlaneDirectory(host.env, options.name));
        if (plane === undefined)
          throw new HarnessError('HM_CLUSTER_STATE', `there is no plane "${options.name}"`, {
            hint: `hollowmark up --name ${options.name} starts one`,
          });
        const components = await inspectKeptPlane(plane, signal);
        if (options.json === true) {
          const { name, kubernetesVersion, profile, server, kubeconfigPath, clusterUid, startedAt } = plane;
          const shown = {
            name,
            kubernetesVersion,
            profile,
            server,
            kubeconfigPath,
            clusterUid,
            startedAt,
            components,
          };
          host.stdout.write(`${JSON.stringify(shown, undefined, 2)}\n`);
        } else {
          host.stdout.write(
            `plane "${plane.name}": Kubernetes ${plane.kubernetesVersion}, profile ${plane.profile}, since ${plane.startedAt}\n`,
          );
          host.stdout.write(
            `  API server ${plane.server}\n  KUBECONFIG ${plane.kubeconfigPath}\n  UID        ${plane.clusterUid}\n`,
          );
          for (const component of components) host.stdout.write(`${formatComponent(component)}\n`);
        }
        const unwell = components.filter((one) => one.state !== 'ready').map((one) => one.name);
        if (unwell.length > 0)
          throw new HarnessError(
            'HM_CLUSTER_STATE',
            `plane "${plane.name}" is not well: ${unwell.join(', ')}`,
            {
              hint: `hollowmark up --name ${plane.name} starts what has ended`,
            },
          );
      }),
    );
}

function formatComponent(component: KeptComponent): string {
  const memory = component.residentBytes === undefined ? '' : formatBytes(component.residentBytes);
  const pid = component.pid === undefined ? '' : `pid ${component.pid}`;
  const zone = component.zone ?? '-';
  return `  ${component.name.padEnd(26)} ${zone.padEnd(8)} ${component.state.padEnd(10)} ${pid.padEnd(12)} ${memory.padEnd(10)} ${component.reason}`.trimEnd();
}
