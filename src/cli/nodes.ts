/** `hollowmark nodes`: a fleet for other tools, kept up until it is interrupted. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { keptPlaneDirectory, readKeptPlane } from '../controlplane/index.ts';
import { fileLogger, HarnessError, type Host } from '../core/index.ts';
import { makeRunId } from '../result/index.ts';
import { holdNodes } from '../run/index.ts';
import { addSuiteOptions, loadNamedSuite, type SuiteOptions } from './suite-options.ts';

interface NodesFlags extends SuiteOptions {
  plane: string;
  kubeconfig?: string;
  context?: string;
  allowCluster?: string;
  taint?: boolean;
}

/** A line each time that figures changed, and no more often. */
const LINE_PERIOD_MS = 10_000;

export function registerNodesCommand(program: Command, host: Host): void {
  addSuiteOptions(
    program
      .command('nodes')
      .description(
        'Keep the hollow nodes of a suite up for other tools, without its load, until interrupted; then remove them.',
      )
      .argument('[suite]', 'path of a suite, or the name of one that ships: its fleet', 'quickstart'),
  )
    .option('--plane <name>', 'the local control plane of `hollowmark up` to use', 'default')
    .option('--kubeconfig <file>', 'the cluster of this kubeconfig instead')
    .option('--context <name>', 'context in the kubeconfig; its current one otherwise')
    .option('--allow-cluster <uid>', 'consent: UID of the namespace kube-system of the cluster')
    .option('--taint', 'taint the nodes; the default with --kubeconfig')
    .option('--no-taint', 'do not taint the nodes: any pod may be scheduled to them')
    .action((suite: string, flags: NodesFlags) => nodes(suite, flags, host));
}

async function nodes(suiteName: string, flags: NodesFlags, host: Host): Promise<void> {
  const { suite } = loadNamedSuite(suiteName, { ...flags, attach: true }, host);
  if (suite.fleet.identity === 'certificate')
    throw new HarnessError('HM_USAGE', 'nodes for other tools have no certificates of their own', {
      hint: 'use --set fleet.identity=impersonation',
    });
  const foreign = flags.kubeconfig !== undefined || flags.context !== undefined;
  const attach = foreign
    ? { kubeconfigPath: flags.kubeconfig, context: flags.context, allowClusterUid: flags.allowCluster }
    : keptPlane(flags.plane, host);
  const runId = makeRunId(host.clock.wallMs(), 'nodes');
  const logDirectory = join(keptPlaneDirectory(host.env, 'default'), '..', 'nodes', runId);
  mkdirSync(logDirectory, { recursive: true });
  const say = (text: string) => host.stderr.write(`${text}\n`);
  const until = new AbortController();
  const hard = new AbortController();
  const stopListening = host.onInterrupt(() => {
    if (!until.signal.aborted) until.abort(new HarnessError('HM_INTERRUPTED', 'interrupted'));
    else hard.abort(new HarnessError('HM_INTERRUPTED', 'interrupted twice'));
  });
  const line = liveLine(host, suite.fleet.nodeCount);
  try {
    say(`${suite.fleet.nodeCount} hollow nodes, ${suite.fleet.fidelity}; Ctrl-C removes them (run ${runId})`);
    const outcome = await holdNodes(
      {
        runId,
        suite,
        attach,
        tainted: flags.taint ?? foreign,
        program: { execPath: process.execPath, script: process.argv[1] ?? '' },
        logDirectory,
      },
      {
        clock: host.clock,
        log: fileLogger(join(logDirectory, 'nodes.log')),
        until: until.signal,
        hard: hard.signal,
        onFleet: line.show,
        onDetail: say,
      },
    );
    line.end();
    say(outcome.text);
    if (outcome.state === 'left')
      throw new HarnessError('HM_CLUSTER_STATE', 'some nodes could not be removed', {
        hint: `hollowmark clean --run ${runId}`,
      });
  } finally {
    stopListening();
  }
}

function keptPlane(name: string, host: Host) {
  const kept = readKeptPlane(keptPlaneDirectory(host.env, name));
  if (kept === undefined)
    throw new HarnessError('HM_USAGE', `there is no local control plane "${name}"`, {
      hint: 'start one with `hollowmark up`, or name a cluster with --kubeconfig',
    });
  // It is the user's own throw-away plane: to have started it is consent.
  return { kubeconfigPath: kept.kubeconfigPath, context: undefined, allowClusterUid: kept.clusterUid };
}

/** One line that is drawn over on a terminal; elsewhere a line each ten seconds, and one when all are Ready. */
function liveLine(host: Host, nodeCount: number) {
  const sink = host.stderr;
  const redraws = sink.isTTY === true && host.env['CI'] === undefined;
  let shownUs = Number.NEGATIVE_INFINITY;
  let allReady = false;
  return {
    show(
      fleet: { lostCount: number; watchCount: number; podsStartedCount: number; podsDeletedCount: number },
      readyCount: number,
    ): void {
      const text = `${readyCount}/${nodeCount} nodes Ready, ${fleet.lostCount} lost, ${fleet.watchCount} watches, ${fleet.podsStartedCount} pods started, ${fleet.podsDeletedCount} deleted`;
      const nowUs = host.clock.nowUs();
      const turned = (readyCount === nodeCount) !== allReady;
      allReady = readyCount === nodeCount;
      if (redraws) sink.write(`\r\u001b[2K${text}`);
      else if (turned || nowUs - shownUs >= LINE_PERIOD_MS * 1_000) {
        shownUs = nowUs;
        sink.write(`${text}\n`);
      }
    },
    end(): void {
      if (redraws) sink.write('\n');
    },
  };
}
