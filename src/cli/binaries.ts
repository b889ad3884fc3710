/** `hollowmark binaries`: which control plane programs would be used, and getting or dropping them. */
import { type Command, InvalidArgumentError, Option } from 'commander';
import {
  ALL_PROGRAMS,
  type BinaryRequest,
  DEFAULT_KUBERNETES_VERSION,
  describeBinaries,
  PLANE_PROGRAMS,
  type Program,
  pruneBinaries,
  resolveBinaries,
} from '../controlplane/index.ts';
import { formatBytes, type Host } from '../core/index.ts';
import { withInterrupt } from './interrupt.ts';

interface GetOptions {
  version?: string;
  etcdVersion?: string;
  with: readonly Program[];
  force?: boolean;
}

export function registerBinariesCommand(program: Command, host: Host): void {
  const binaries = program
    .command('binaries')
    .description('Show which control plane programs would be used, and where they came from.')
    .option('--version <version>', 'Kubernetes version', DEFAULT_KUBERNETES_VERSION)
    .option('--json', 'as JSON')
    .action((options: { version: string; json?: boolean }) =>
      withInterrupt(host, (signal) => show(options, host, signal)),
    );
  const get = (name: string, description: string, routes: BinaryRequest['routes']) =>
    binaries
      .command(name)
      .description(description)
      .option('--version <version>', 'Kubernetes version', DEFAULT_KUBERNETES_VERSION)
      .option('--etcd-version <version>', 'etcd version; by default the one that goes with hollowmark')
      .addOption(
        new Option('--with <programs>', 'more programs, separated by commas: kubelet, kubemark, etcdutl')
          .argParser(parsePrograms)
          .default([], 'none'),
      )
      .option('--force', 'also those that the cache holds')
      // The parent has --version too, and takes it where options are not positional.
      .action((_own: unknown, command: Command) =>
        withInterrupt(host, async (signal) => {
          const options = command.opts<GetOptions>();
          const ownVersion = command.getOptionValueSource('version') === 'cli';
          const version = ownVersion ? options.version : command.parent?.opts<GetOptions>().version;
          const set = await resolveBinaries(
            {
              version,
              etcdVersion: options.etcdVersion,
              programs: [...PLANE_PROGRAMS, ...options.with],
              routes,
              refresh: options.force,
              cacheOnly: true,
            },
            { env: host.env, signal, clock: host.clock, progress: (line) => host.stderr.write(`${line}\n`) },
          );
          host.stdout.write(`${set.from}\n`);
        }),
      );
  get('fetch', 'Get them into the cache: official download, else a build from source.', [
    'download',
    'go-build',
  ]);
  get('build', 'Build them from source into the cache with the Go toolchain.', ['go-build']);
  binaries
    .command('prune')
    .description(`Drop cached programs of every version but ${DEFAULT_KUBERNETES_VERSION}.`)
    .option('--all', 'of every version')
    .action((options: { all?: boolean }) => {
      const dropped = pruneBinaries(host.env, options.all === true ? [] : [DEFAULT_KUBERNETES_VERSION]);
      for (const entry of dropped.dropped)
        host.stdout.write(`dropped ${entry.name} (${formatBytes(entry.sizeBytes)})\n`);
      for (const entry of dropped.inUse) host.stdout.write(`kept ${entry.name}: it is being filled\n`);
      if (dropped.dropped.length === 0) host.stdout.write('nothing to drop\n');
    });
}

async function show(
  options: { version: string; json?: boolean },
  host: Host,
  signal: AbortSignal,
): Promise<void> {
  const found = await describeBinaries(options.version, host.env, signal);
  if (options.json === true) {
    host.stdout.write(`${JSON.stringify(found, undefined, 2)}\n`);
    return;
  }
  host.stdout.write(`${found.summary}\n`);
  for (const file of found.files) {
    const origin = [file.version, file.source, file.goVersion, file.origin]
      .filter((part) => part !== undefined)
      .join(', ');
    host.stdout.write(`  ${file.program.padEnd(24)} ${origin === '' ? 'not there' : origin}\n`);
    if (file.sha256 !== undefined) host.stdout.write(`  ${''.padEnd(24)} sha256 ${file.sha256}\n`);
  }
  for (const entry of found.cache)
    host.stdout.write(`cached: ${entry.name} ${formatBytes(entry.sizeBytes)} ${entry.directory}\n`);
}

function parsePrograms(text: string): readonly Program[] {
  return text.split(',').map((name) => {
    const found = ALL_PROGRAMS.find((program) => program === name.trim());
    if (found === undefined)
      throw new InvalidArgumentError(`expected some of ${ALL_PROGRAMS.join(', ')}, got "${name}".`);
    return found;
  });
}
