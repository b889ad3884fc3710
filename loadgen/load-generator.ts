/**
 * The load of one agent: connections, the registry of what exists, and phases one after the other. Each phase runs
 * this shard's exact share of every paced action on one absolute clock, whatever the server does.
 */
import { type LoadPhase, objectsOfUnit, type ResourceRef, resourceLabel } from '../src/config/index.ts';
import {
  type Clock,
  type Component,
  childAbort,
  describeError,
  HarnessError,
  type Logger,
  seededRandom,
} from '../src/core/index.ts';
import {
  type ClusterAccess,
  type Connection,
  connectionFor,
  openHttp1Pool,
  resolveIdentity,
} from '../src/kube/index.ts';
import type { CallRecorder, PodInstantSink } from '../src/measure/index.ts';
import { LatencyHistogram } from '../src/result/index.ts';
import type { BegunAction } from './actions/action.ts';
import { beginAction, isPaced, type PacedAction } from './actions/action-kinds.ts';
import { ActionTally, DROP_REASONS } from './calls/action-tally.ts';
import { LoadCaller } from './calls/load-caller.ts';
import { StreamingLists } from './calls/streaming-lists.ts';
import { warmUp } from './calls/warm-up.ts';
import type { LoadActionOutcome, LoadPhaseOutcome, LoadShard, LoadStats } from './load-shard.ts';
import { ListRevisions } from './objects/list-revisions.ts';
import { LiveObjects } from './objects/live-objects.ts';
import { ObjectDiscovery } from './objects/object-discovery.ts';
import { Pacer } from './pacer/pacer.ts';
import { stripeLength } from './pacer/stripe.ts';

export interface LoadGeneratorOptions {
  clock: Clock;
  log: Logger;
  recorder: CallRecorder;
  podInstants: PodInstantSink;
  /** See PacerOptions. @default 0 */
  spinLastUs?: number;
  /** Makes the connections that the calls go over. @default HTTP/1.1 */
  connect?: (access: ClusterAccess, connectionCount: number, clock: Clock) => Promise<Connection>;
}

/** A stock API server allows 100 streams on one; four take 400 streaming lists at once, and more wait for a place. */
const STREAMING_CONNECTION_COUNT = 4;
/** How audit logs and the API server's metrics tell the load from the fleet. */
const USER_AGENT = 'hollowmark-load';

/** One action while its phase runs and after. */
interface ActionRun {
  action: PacedAction;
  begun: BegunAction;
  tally: ActionTally;
}

interface PhaseRun {
  pacer: Pacer;
  actions: ActionRun[];
  /** Aborts when the wait for calls in flight is over. */
  graceMs: number;
  stopped: boolean;
}

export class LoadGenerator implements Component {
  readonly name = 'load';
  readonly #shard: LoadShard;
  readonly #options: LoadGeneratorOptions;
  readonly #live: LiveObjects;
  readonly #tallies: ActionTally[] = [];
  #connection: Connection | undefined;
  #caller: LoadCaller | undefined;
  #discovery: ObjectDiscovery | undefined;
  #revisions: ListRevisions | undefined;
  #streamingConnections: readonly Connection[] = [];
  #phaseRun: PhaseRun | undefined;

  constructor(shard: LoadShard, options: LoadGeneratorOptions) {
    this.#shard = shard;
    this.#options = options;
    // Shards know different objects: their picks need not agree, only repeat.
    this.#live = new LiveObjects(seededRandom(`${shard.seed}/live/${shard.shard.index}`));
  }

  /**
   * Opens this shard's connections, TLS handshakes included, so that the first calls do not pay for them. Idempotent.
   * @throws TransportError when the server cannot be reached, or the signal's reason
   */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#connection !== undefined) return;
    const { settings, access, labels } = this.#shard;
    const { clock, recorder } = this.#options;
    const { requestTimeoutMs } = settings;
    const connectionCount = this.#shareOf(settings.connectionCount);
    const connect = this.#options.connect ?? connectHttp1;
    const connection = await connect(access, connectionCount, clock);
    await warmUp(connection, { connectionCount, timeoutMs: requestTimeoutMs, signal, clock });
    this.#connection = connection;
    this.#streamingConnections = await this.#openStreaming(signal);
    this.#caller = new LoadCaller({
      clock,
      dispatcher: connection,
      streamingLists: new StreamingLists(this.#streamingConnections, clock),
      maxInFlightCount: this.#shareOf(settings.maxInFlightCount),
      honourRetryAfter: settings.honourRetryAfter,
      requestTimeoutMs,
    });
    this.#revisions = new ListRevisions({ clock, connection, recorder, requestTimeoutMs });
    this.#discovery = new ObjectDiscovery({
      clock,
      connection,
      recorder,
      live: this.#live,
      labels,
      requestTimeoutMs,
    });
  }

  /**
   * Finds objects for the GETs of `phase` that the load itself does not create, so that the first of them have
   * something to ask for. Optional, before runPhase().
   * @throws the signal's reason
   */
  async preparePhase(phase: LoadPhase, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { discovery, revisions } = this.#started();
    for (const resource of exactlyListed(phase)) await revisions.lookUp(resource, phase.name, signal);
    for (const resource of resourcesToFind(phase)) {
      if (this.#live.of(resourceLabel(resource)).isEmpty)
        await discovery.lookUp(resource, phase.name, signal);
    }
  }

  /**
   * Runs this shard's share of the paced actions of `phase` from `startUs`, a monotonic instant that all shards are
   * given, best a little ahead of now. Resolves when the schedules are exhausted and no call is in flight; calls that
   * still run `phase.settleTimeoutMs` after the last arrival are cancelled and recorded so.
   * @throws the signal's reason at once on abort, with what was in flight cancelled and recorded
   */
  async runPhase(phase: LoadPhase, startUs: number, signal: AbortSignal): Promise<LoadPhaseOutcome> {
    signal.throwIfAborted();
    const { caller } = this.#started();
    if (this.#phaseRun !== undefined)
      throw new HarnessError('HM_INTERNAL', `phase ${phase.name} began before the one in progress ended`);
    using background = childAbort(signal);
    const actions = phase.actions
      .filter(isPaced)
      .map((action, position) => this.#begin(action, position, phase, startUs, background.signal));
    const pacer = new Pacer(
      actions.flatMap(({ begun }) => begun.streams),
      { clock: this.#options.clock, spinLastUs: this.#options.spinLastUs ?? 0 },
    );
    const phaseRun: PhaseRun = { pacer, actions, graceMs: phase.settleTimeoutMs, stopped: false };
    this.#phaseRun = phaseRun;
    caller.setStopped(false);
    try {
      await pacer.run(signal);
      await caller.drain(phaseRun.graceMs, signal);
      return {
        phase: phase.name,
        state: phaseRun.stopped ? 'stopped' : 'completed',
        actions: actions.map(outcomeOf),
        placements: caller.placements.drain(),
      };
    } catch (error) {
      caller.setStopped(true);
      caller.cancelAll();
      throw error;
    } finally {
      background.abort();
      this.#phaseRun = undefined;
    }
  }

  /** Ends the schedule of the phase that runs now: nothing that is due later, but deletes of what a churn has created. */
  curtailPhase(): void {
    this.#phaseRun?.pacer.curtail(this.#options.clock.nowUs());
  }

  /** Starts nothing new in the phase that runs; what is in flight has `graceMs` to end before it is cancelled. */
  stopNewWork(graceMs: number): void {
    const phaseRun = this.#phaseRun;
    if (phaseRun === undefined || phaseRun.stopped) return;
    phaseRun.stopped = true;
    phaseRun.graceMs = graceMs;
    this.#caller?.setStopped(true);
    phaseRun.pacer.stop();
  }

  /** What the actions of the phase that runs have done so far; empty between phases. */
  progress(): LoadActionOutcome[] {
    return this.#phaseRun?.actions.map(outcomeOf) ?? [];
  }

  stats(): LoadStats {
    const stats: LoadStats = {
      offeredCount: 0,
      achievedCount: 0,
      failedCount: 0,
      droppedCount: 0,
      inFlightCount: this.#caller?.inFlightCount ?? 0,
      maxInFlightCount: this.#caller?.maxInFlightSeenCount ?? 0,
      createdObjectCount: 0,
      lastSlipUs: this.#caller?.lastSlipUs ?? 0,
    };
    for (const tally of this.#tallies) {
      stats.offeredCount += tally.offeredCount;
      stats.achievedCount += tally.doneCount + tally.failedCount;
      stats.failedCount += tally.failedCount;
      stats.droppedCount += tally.droppedCount;
      stats.createdObjectCount += tally.createdCount;
    }
    return stats;
  }

  /** Sent minus intended over all actions and phases so far. */
  slip(): LatencyHistogram {
    return LatencyHistogram.merged(this.#tallies.map((tally) => tally.slip));
  }

  /** Cancels what is in flight and closes the connections. Idempotent. */
  async stop(): Promise<void> {
    this.stopNewWork(0);
    this.#caller?.setStopped(true);
    this.#caller?.cancelAll();
    const connections = [this.#connection, ...this.#streamingConnections];
    this.#connection = undefined;
    this.#streamingConnections = [];
    await Promise.all(connections.map((connection) => connection?.close(0)));
  }

  #begin(
    action: PacedAction,
    position: number,
    phase: LoadPhase,
    startUs: number,
    signal: AbortSignal,
  ): ActionRun {
    const { runId, seed, shard, settings, namespaces, labels, podPlacement } = this.#shard;
    const { recorder, podInstants, log } = this.#options;
    const { caller, discovery, revisions } = this.#started();
    const tally = new ActionTally();
    const actionKey = `${action.name}-${position}`;
    const inBackground = (source: ObjectDiscovery | ListRevisions, resource: ResourceRef) => {
      if (!source.isDue(resource) || signal.aborted) return;
      source.lookUp(resource, phase.name, signal).catch((error: unknown) => {
        if (!signal.aborted)
          log.warn({ resource: resource.plural, error: describeError(error) }, 'look-up failed');
      });
    };
    const begun = beginAction(action, {
      runId,
      shard,
      phase: phase.name,
      actionKey,
      seed: JSON.stringify([seed, phase.name, actionKey]),
      zeroUs: startUs,
      namespaces,
      marks: { labels, podPlacement },
      requestTimeoutMs: settings.requestTimeoutMs,
      caller,
      recorder,
      podInstants,
      live: this.#live,
      tally,
      discover: (resource) => inBackground(discovery, resource),
      revisionOf: (resource) => {
        inBackground(revisions, resource);
        return revisions.of(resource);
      },
    });
    this.#tallies.push(tally);
    return { action, begun, tally };
  }

  #started(): { caller: LoadCaller; discovery: ObjectDiscovery; revisions: ListRevisions } {
    const [caller, discovery, revisions] = [this.#caller, this.#discovery, this.#revisions];
    if (
      this.#connection === undefined ||
      caller === undefined ||
      discovery === undefined ||
      revisions === undefined
    )
      throw new HarnessError('HM_INTERNAL', 'the load generator is not started');
    return { caller, discovery, revisions };
  }

  /** HTTP/2 connections for streaming lists, handshakes done; none where the suite has no such lists. */
  async #openStreaming(signal: AbortSignal): Promise<Connection[]> {
    const { settings, access } = this.#shard;
    if (!settings.phases.some(hasStreamingLists)) return [];
    const { clock } = this.#options;
    const identity = await resolveIdentity(access, clock);
    const connections = Array.from({ length: STREAMING_CONNECTION_COUNT }, () =>
      connectionFor(access, identity, { clock, userAgent: USER_AGENT }),
    );
    await Promise.all(
      connections.map((connection) =>
        connection.request(
          { method: 'GET', path: '/version', timeoutMs: settings.requestTimeoutMs, discardBody: true },
          signal,
        ),
      ),
    );
    return connections;
  }

  // Each shard needs at least one connection and one place, or its arrivals could never start.
  #shareOf(total: number): number {
    return Math.max(1, stripeLength(total, this.#shard.shard));
  }
}

function connectHttp1(access: ClusterAccess, connectionCount: number, clock: Clock): Promise<Connection> {
  return openHttp1Pool(access, { connectionCount, clock, userAgent: USER_AGENT });
}

function hasStreamingLists(phase: LoadPhase): boolean {
  return phase.actions.some(
    (action) =>
      action.action === 'reads' && action.mix.some(({ consistency }) => consistency === 'streaming'),
  );
}

/** Resources that the phase lists as of a version. */
function exactlyListed(phase: LoadPhase): ResourceRef[] {
  const wanted = new Map<string, ResourceRef>();
  for (const action of phase.actions) {
    if (action.action !== 'reads') continue;
    for (const { consistency, resource } of action.mix)
      if (consistency === 'exact') wanted.set(resourceLabel(resource), resource);
  }
  return [...wanted.values()];
}

/** Resources that the phase GETs or changes and does not create by itself. */
function resourcesToFind(phase: LoadPhase): ResourceRef[] {
  const created = new Set<string>();
  const wanted = new Map<string, ResourceRef>();
  for (const action of phase.actions) {
    if (action.action === 'create' || action.action === 'churn')
      for (const object of objectsOfUnit(action.object)) created.add(resourceLabel(object.resource));
    if (action.action === 'update' || action.action === 'scale')
      wanted.set(resourceLabel(action.resource), action.resource);
    if (action.action !== 'reads') continue;
    for (const { verb, resource } of action.mix)
      if (verb === 'get') wanted.set(resourceLabel(resource), resource);
  }
  return [...wanted].filter(([label]) => !created.has(label)).map(([, resource]) => resource);
}

function outcomeOf({ action, begun, tally }: ActionRun): LoadActionOutcome {
  const droppedByReason = { ...tally.droppedCounts };
  return {
    action: action.action,
    name: action.name,
    description: begun.description,
    offeredCount: tally.offeredCount,
    doneCount: tally.doneCount,
    failedCount: tally.failedCount,
    droppedCount: DROP_REASONS.reduce((sum, reason) => sum + droppedByReason[reason], 0),
    droppedByReason,
    retriedCount: tally.retriedCount,
    deferredCount: tally.deferredCount,
    voidedCount: tally.voidedCount,
    notOfferedCount: tally.notOfferedCount,
    expectedPodCount: begun.expectedPodCount,
    acknowledgedPodCount: begun.expectedPodCount === 0 ? 0 : tally.createdPodCount,
    slip: tally.slip.summary(),
    slipHistogram: tally.slip.toWire(),
  };
}
