/** `hollowmark clean`: removes what a run left in a cluster. */
import type { Command } from 'commander';
import { keptPlaneDirectory, readKeptPlane } from '../controlplane/index.ts';
import { HarnessError, type Host, silentLogger } from '../core/index.ts';
import { loadKubeconfig } from '../kube/index.ts';
import { cleanUpAfterCrash, runsInCluster } from '../run/index.ts';
import { withInterrupt } from './interrupt.ts';

interface CleanFlags {
  run?: string;
  all: boolean;
  kubeconfig?: string;
  context?: string;
}

export function registerCleanCommand(program: Command, host: Host): void {
  program
    .command('clean')
    .description('Remove what a run left in a cluster; without --run, list the runs that left something.')
    .option('--run <id>', 'the run whose objects to remove')
    .option('--all', 'every run’s', false)
    .option('--kubeconfig <file>', 'the cluster; otherwise KUBECONFIG, or the plane of hollowmark up')
    .option('--context <name>', 'context in the kubeconfig; its current one otherwise')
    .action((flags: CleanFlags) => withInterrupt(host, (signal) => clean(flags, host, signal)));
}

async function clean(flags: CleanFlags, host: Host, signal: AbortSignal): Promise<void> {
  const kept = readKeptPlane(keptPlaneDirectory(host.env, 'default'));
  // Nothing but labelled objects of hollowmark's own is touched, so that no consent is asked for.
  const admin = loadKubeconfig(
    flags.kubeconfig ?? host.env['KUBECONFIG'] ?? kept?.kubeconfigPath,
    flags.context,
  );
  const found = await runsInCluster(admin, signal, host.clock);
  const wanted = flags.all ? found : flags.run === undefined ? [] : [flags.run];
  if (wanted.length === 0) {
    host.stdout.write(
      found.length === 0
        ? `no run has left anything in the cluster at ${admin.server}\n`
        : `runs that left something in the cluster at ${admin.server}:\n${found.map((run) => `  hollowmark clean --run ${run}\n`).join('')}`,
    );
    return;
  }
  for (const runId of wanted) {
    const outcome = await cleanUpAfterCrash(
      { admin, runId },
      { clock: host.clock, log: silentLogger(), signal, onDetail: () => {} },
    );
    host.stdout.write(`${runId}: ${outcome.text}\n`);
    if (outcome.state === 'left') {
      throw new HarnessError('HM_CLUSTER_STATE', `run ${runId} could not be removed from the cluster`);
    }
  }
}
