/** `hollowmark run`: a suite from nothing to a report. */
import { basename, join, relative, resolve } from 'node:path';
import type { Command } from 'commander';
import { renderTerminal, writeReports } from '../../reports/index.ts';
import {
  describeError,
  EXIT_CODE,
  fileLogger,
  HarnessError,
  type Host,
  isHarnessError,
  type TextSink,
} from '../core/index.ts';
import { createResultFolder, makeRunId } from '../result/index.ts';
import { initialProgress, planRun, type RunOptions, runSuite } from '../run/index.ts';
import { startDisplay } from './display.ts';
import { type FinishedRun, runGated } from './gate-runs.ts';
import { addSuiteOptions, loadNamedSuite, type SuiteOptions } from './suite-options.ts';
import { VERSION } from './version.ts';

interface RunFlags extends SuiteOptions {
  out: string;
  kubeconfig?: string;
  context?: string;
  allowCluster?: string;
  allowFaults?: string;
  strict: boolean;
  gate?: string;
  accept: boolean;
}

export function registerRunCommand(program: Command, host: Host, setExitCode: (code: number) => void): void {
  addSuiteOptions(
    program
      .command('run')
      .description('Run a suite: control plane, hollow nodes, load, verdicts, report.')
      .argument('[suite]', 'path of a suite, or the name of one that ships', 'quickstart'),
  )
    .option('--out <dir>', 'where result folders go', 'results')
    .option(
      '--kubeconfig <file>',
      'run against the cluster of this kubeconfig instead of a local control plane',
    )
    .option('--context <name>', 'context in the kubeconfig; its current one otherwise')
    .option('--allow-cluster <uid>', 'consent: UID of the namespace kube-system of the cluster')
    .option(
      '--allow-faults <uid>',
      "consent to the suite's own commands that break that cluster: its UID again",
    )
    .option('--strict', 'a DEGRADED run counts as INVALID (exit code 3)', false)
    .option('--gate <history>', 'then hold the run against this history; a suspect one is run twice more')
    .option('--accept', 'with --gate: put the run into the history if it passes; makes the folder', false)
    .action(async (suite: string, flags: RunFlags) => setExitCode(await run(suite, flags, host)));
}

async function run(suite: string, flags: RunFlags, host: Host): Promise<number> {
  const { gate: historyPath, accept } = flags;
  const runOnce = () => runSuiteOnce(suite, flags, host);
  if (historyPath !== undefined) return runGated({ historyPath, accept, runOnce }, host);
  if (accept) throw new HarnessError('HM_USAGE', '--accept is for --gate, which names the history');
  return (await runOnce()).exitCode;
}

async function runSuiteOnce(suiteName: string, flags: RunFlags, host: Host): Promise<FinishedRun> {
  const attach =
    flags.kubeconfig !== undefined || flags.context !== undefined || flags.allowCluster !== undefined;
  const loaded = loadNamedSuite(suiteName, { ...flags, attach }, host);
  const root = resolve(host.cwd, flags.out);
  const directory = await createResultFolder(root, makeRunId(host.clock.wallMs(), loaded.suite.name));
  return executeRun(
    {
      runId: basename(directory),
      loaded,
      plan: planRun(loaded.suite),
      directory,
      attach: {
        kubeconfigPath: flags.kubeconfig,
        context: flags.context,
        allowClusterUid: flags.allowCluster,
        allowFaultsUid: flags.allowFaults,
      },
      program: { execPath: process.execPath, script: process.argv[1] ?? '' },
      command: repeatCommand(loaded.path, flags),
      version: VERSION,
      strict: flags.strict,
    },
    host,
  );
}

/**
 * One run with its live display, its interrupts and its reports; `summary` prints the run's own summary at the end.
 * @throws what kept the run from starting
 */
export async function executeRun(
  options: RunOptions,
  host: Host,
  { summary }: { summary: boolean } = { summary: true },
): Promise<FinishedRun> {
  const { suite } = options.loaded;
  const { directory } = options;
  const progress = initialProgress({
    nowUs: host.clock.nowUs(),
    nodeCount: suite.fleet.nodeCount,
    phaseCount: suite.load.phases.length,
  });
  const graceful = new AbortController();
  const hard = new AbortController();
  const sink = host.stderr;
  const stopListening = host.onInterrupt(() => {
    if (!graceful.signal.aborted) {
      progress.notices.push('interrupted: cleaning up and writing what there is; once more to stop at once');
      graceful.abort(new HarnessError('HM_INTERRUPTED', 'interrupted'));
    } else if (!hard.signal.aborted) {
      progress.notices.push(
        `stopping at once; remove what is left with: hollowmark clean --run ${options.runId}`,
      );
      hard.abort(new HarnessError('HM_INTERRUPTED', 'interrupted twice'));
    }
  });
  const display = startDisplay(progress, {
    sink,
    clock: host.clock,
    colour: wantsColour(sink, host),
    interactive: sink.isTTY === true && host.env['CI'] === undefined,
  });
  const log = fileLogger(join(options.directory, 'logs', 'run.log'));
  try {
    const outcome = await runSuite(options, {
      clock: host.clock,
      log,
      env: host.env,
      progress,
      stop: { graceful: graceful.signal, hard: hard.signal },
    });
    display.stop();
    const files = await writeReports(outcome.result, options.directory);
    if (summary) {
      host.stdout.write(
        renderTerminal(outcome.result, {
          colour: wantsColour(host.stdout, host),
          files: files.map((file) => relative(host.cwd, file)),
        }),
      );
    }
    if (outcome.error !== undefined) explain(outcome.error, host);
    return { exitCode: outcome.result.verdicts.exitCode, directory, result: outcome.result };
  } catch (error) {
    display.stop();
    if (graceful.signal.aborted && isHarnessError(error) && error.code === 'HM_INTERRUPTED') {
      host.stderr.write('hollowmark: interrupted before the run had begun; everything started was stopped\n');
      return { exitCode: EXIT_CODE.interrupted, directory };
    }
    throw error;
  } finally {
    display.stop();
    stopListening();
  }
}

function explain(error: unknown, host: Host): void {
  host.stderr.write(`hollowmark: ${describeError(error)}\n`);
  if (isHarnessError(error) && error.hint !== undefined) host.stderr.write(`  ${error.hint}\n`);
}

/** Colours where a person looks, unless NO_COLOR says otherwise (no-color.org). */
export function wantsColour(sink: TextSink, host: Host): boolean {
  const noColour = host.env['NO_COLOR'];
  return sink.isTTY === true && (noColour === undefined || noColour === '');
}

function repeatCommand(path: string, flags: RunFlags): string[] {
  return [
    'hollowmark',
    'run',
    path,
    ...flags.set.flatMap((text) => ['--set', text]),
    ...(flags.nodes === undefined ? [] : ['--nodes', flags.nodes]),
    ...(flags.kubeconfig === undefined ? [] : ['--kubeconfig', flags.kubeconfig]),
    ...(flags.context === undefined ? [] : ['--context', flags.context]),
    ...(flags.allowCluster === undefined ? [] : ['--allow-cluster', flags.allowCluster]),
    ...(flags.allowFaults === undefined ? [] : ['--allow-faults', flags.allowFaults]),
    ...(flags.strict ? ['--strict'] : []),
  ];
}
