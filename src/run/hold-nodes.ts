/**
 * A fleet without a run around it: hollow nodes kept up for other tools, on a cluster that is there already, until
 * somebody has had enough of them.
 */
import { HOLLOW_TAINT, RUN_LABEL } from '../../hollow/index.ts';
import type { Suite } from '../config/index.ts';
import { type AttachOptions, attachControlPlane } from '../controlplane/index.ts';
import { type Clock, describeError, HarnessError, type Logger, onAbort } from '../core/index.ts';
import { JsonClient, openConnection } from '../kube/index.ts';
import type { FleetSummary } from '../result/index.ts';
import { Agents } from './agents.ts';
import { fleetAssignments } from './assignments.ts';
import { type CleanUpOutcome, combine, removeNodes, removeWorkloads } from './clean-up.ts';
import { allowProxies } from './cluster-setup.ts';
import { FleetSums } from './fleet-sums.ts';

export interface HoldNodesOptions {
  /** Label of everything that is made; what `hollowmark clean --run` takes. */
  runId: string;
  suite: Suite;
  attach: AttachOptions;
  /** Without it any pod may be scheduled to the nodes. */
  tainted: boolean;
  program: { execPath: string; script: string };
  logDirectory: string;
}

export interface HoldNodesContext {
  clock: Clock;
  log: Logger;
  /** Nodes are wanted until this aborts; then they are removed. */
  until: AbortSignal;
  /** Clean-up is given up. */
  hard: AbortSignal;
  /** About once a second and process: how the fleet is. */
  onFleet: (fleet: FleetSummary, readyCount: number) => void;
  onDetail: (text: string) => void;
}

/**
 * Resolves when the nodes have been held until they were not wanted any more, and removed.
 * @throws what attachControlPlane throws; HM_AGENT_LOST when a process of the fleet ended, after removing the nodes
 */
export async function holdNodes(
  options: HoldNodesOptions,
  context: HoldNodesContext,
): Promise<CleanUpOutcome> {
  const { runId, suite } = options;
  const { clock, hard, log, onDetail, until } = context;
  const plane = await attachControlPlane(options.attach, { signal: until, clock, log });
  for (const warning of plane.warnings ?? []) onDetail(warning);
  const sums = new FleetSums(suite.fleet.nodeCount);
  const failure = new AbortController();
  const agents = new Agents({
    program: options.program,
    logDirectory: options.logDirectory,
    clock,
    log,
    handlers: {
      onReport: (agentId, report) => {
        if (report.fleet !== undefined) sums.note(agentId, report.fleet);
        if (report.window?.fleet !== undefined) sums.add(report.window.fleet, '');
        context.onFleet(sums.summary(), sums.readyCount());
      },
      onLost: (agentId, reason) => {
        // A fleet that is told to end while its last nodes register says that it failed; nobody waits for it then.
        if (until.aborted) return;
        failure.abort(new HarnessError('HM_AGENT_LOST', `agent ${agentId} lost: ${reason}`));
      },
    },
  });
  const target = { admin: plane.admin, runId };
  const cleanUp = { clock, log, signal: hard, onDetail };
  let outcome: CleanUpOutcome;
  try {
    if (suite.fleet.proxy) {
      await using connection = await openConnection(plane.admin);
      await allowProxies(new JsonClient(connection, clock), runId, { [RUN_LABEL]: runId }, until);
    }
    await agents.start(
      fleetAssignments(
        {
          runId,
          seed: suite.seed,
          settings: suite.fleet,
          zones: suite.fleet.zones,
          taints: options.tainted ? [HOLLOW_TAINT] : [],
          certificates: undefined,
          kubeletApi: [],
        },
        plane,
        clock.nowUs(),
      ),
    );
    await aborted([until, failure.signal]);
  } catch (error) {
    if (!until.aborted) throw error;
    log.info({ reason: describeError(error) }, 'interrupted while starting');
  } finally {
    onDetail('removing the nodes');
    await agents.stop('fleet', hard);
    await agents.close(hard);
    const roles = await removeWorkloads(
      { ...target, podsEndByThemselves: false, waitForNamespaces: false },
      cleanUp,
    );
    outcome = combine(roles, await removeNodes(target, cleanUp));
    await plane.stop();
  }
  failure.signal.throwIfAborted();
  return outcome;
}

/** Resolves when any of the signals has aborted. */
function aborted(signals: readonly AbortSignal[]): Promise<void> {
  return new Promise((resolve) => {
    for (const signal of signals) onAbort(signal, resolve);
  });
}
