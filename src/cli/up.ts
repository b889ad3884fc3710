/** `hollowmark up`: a local control plane to keep, for any tool. */
import { join, resolve } from 'node:path';
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  type Profile,
  TOPOLOGIES,
  TOPOLOGY_NAMES,
  type TopologyName,
  topologyWarnings,
} from '../config/index.ts';
import {
  type ComponentFlags,
  keepPlane,
  keptPlaneDirectory,
  writeContainerFiles,
} from '../controlplane/index.ts';
import { fileLogger, formatMs, type Host } from '../core/index.ts';
import { withInterrupt } from './interrupt.ts';

interface UpOptions {
  name: string;
  profile?: Profile;
  version?: string;
  port?: number;
  flag: ComponentFlags;
  auditPolicy?: string;
  eventsEtcd?: boolean;
  topology?: TopologyName;
  writePki?: string;
}

export function registerUpCommand(program: Command, host: Host): void {
  program
    .command('up')
    .description('Start a local control plane and leave it running; print how to reach it.')
    .option('--name <name>', 'which plane, when there are several', 'default')
    .addOption(
      new Option('--profile <profile>', 'production-like (the default) or fast').choices([
        'production-like',
        'fast',
      ]),
    )
    .addOption(
      new Option('--topology <name>', 'single (the default), or several members: docs/topologies.md').choices(
        TOPOLOGY_NAMES,
      ),
    )
    .option('--version <version>', 'Kubernetes version, such as v1.36.3')
    .option(
      '--port <port>',
      'port of the API server (or the load balancer) on 127.0.0.1; by default a free one',
      parsePort,
    )
    .option('--flag <component:flag=value>', 'flag of a component, repeatable', collectFlag, {})
    .option(
      '--audit-policy <file>',
      'audit policy of the API server; the log is audit.ndjson beside the others',
    )
    .option('--events-etcd', 'keep events in an etcd of their own')
    .option(
      '--write-pki <dir>',
      'only write the keys and kubeconfig files that docker-compose.yml needs to DIR',
    )
    .action((options: UpOptions) => withInterrupt(host, (signal) => up(options, host, signal)));
}

async function up(options: UpOptions, host: Host, signal: AbortSignal): Promise<void> {
  if (options.writePki !== undefined) {
    const directory = resolve(host.cwd, options.writePki);
    const kubeconfigPath = await writeContainerFiles(directory, options.profile ?? 'production-like');
    host.stderr.write(`wrote keys and kubeconfig files to ${directory}\n`);
    host.stdout.write(`export KUBECONFIG=${kubeconfigPath}\n`);
    return;
  }
  const directory = keptPlaneDirectory(host.env, options.name);
  const startUs = host.clock.nowUs();
  const topology = options.topology === undefined ? undefined : TOPOLOGIES[options.topology].settings;
  for (const warning of topology === undefined ? [] : topologyWarnings(topology))
    host.stderr.write(`warning: ${warning}\n`);
  const { plane, did } = await keepPlane(
    options.name,
    {
      profile: options.profile,
      binaries: { version: options.version },
      apiserverPort: options.port,
      flags: options.flag,
      topology,
      separateEventsEtcd: options.eventsEtcd,
      auditPolicyPath: options.auditPolicy === undefined ? undefined : resolve(host.cwd, options.auditPolicy),
    },
    {
      signal,
      clock: host.clock,
      log: fileLogger(join(directory, 'logs', 'hollowmark.log')),
      env: host.env,
      progress: (line) => host.stderr.write(`${line}\n`),
    },
  );
  const took = formatMs((host.clock.nowUs() - startUs) / 1_000);
  const said = {
    started: `started Kubernetes ${plane.kubernetesVersion} (${plane.profile}) in ${took}`,
    mended: `started the components that had ended, in ${took}`,
    nothing: 'it runs already',
  }[did];
  host.stderr.write(
    `plane "${plane.name}": ${said}\n  API server ${plane.server}${plane.stages.flat().some(({ component }) => component === 'haproxy') ? ' (load balancer)' : ''}, folder ${plane.directory}\n`,
  );
  host.stdout.write(`export KUBECONFIG=${plane.kubeconfigPath}\n`);
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!Number.isInteger(port) || port < 1 || port > 65_535)
    throw new InvalidArgumentError('expected a port from 1 to 65535.');
  return port;
}

function collectFlag(text: string, previous: ComponentFlags): ComponentFlags {
  const match = /^([a-z-]+):(?:--)?([^=]+)=(.*)$/.exec(text);
  const [, component, name, value] = match ?? [];
  if (component === undefined || name === undefined || value === undefined)
    throw new InvalidArgumentError('expected a flag such as kube-apiserver:max-requests-inflight=800.');
  return { ...previous, [component]: { ...previous[component], [name]: value } };
}
