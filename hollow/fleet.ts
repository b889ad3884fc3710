/**
 * The hollow nodes of one process: registers them at the suite's ramp, keeps them alive, and says how they are.
 */
import { setMaxListeners } from 'node:events';
import {
  type CancelTimer,
  type Clock,
  type Component,
  collectGarbage,
  delay,
  HarnessError,
  type Logger,
  onAbort,
} from '../src/core/index.ts';
import { expiredClientContext } from '../src/kube/index.ts';
import type { CallRecorder, PodInstantSink } from '../src/measure/index.ts';
import type { EncodedHistogram } from '../src/result/index.ts';
import { FleetCalls } from './calls.ts';
import { type FleetContext, internTable } from './context.ts';
import { FleetCounters, type NodeState } from './counters.ts';
import type { FleetNode } from './fleet-node.ts';
import { imageListJson } from './kubelet/node-object.ts';
import { defaultProfiles, kubemarkProfiles } from './kubelet/pods/pod-behaviour.ts';
import type { PodPhase } from './kubelet/pods/pod-object.ts';
import { NodeFactory } from './node-factory.ts';
import { NetworkProgramming, type NetworkProgrammingWindow } from './proxy/network-programming.ts';
import { ServiceNetwork } from './proxy/service-network.ts';
import { Ramp, SLOW_LIGHT_REGISTRATION_MS, SLOW_REGISTRATION_MS } from './ramp.ts';
import { type FleetShard, shardNodeIndexes } from './shard.ts';
import type { FleetCommand, StormEnded, StormStarted } from './storms/fleet-command.ts';
import { NodeDisturbance } from './storms/node-disturbance.ts';
import { selectNodes } from './storms/select-nodes.ts';
import { Storms } from './storms/storms.ts';
import { Timers } from './timers.ts';
import { wireForm } from './wire-form.ts';

export interface FleetOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly recorder: CallRecorder;
  readonly podInstants: PodInstantSink;
  /** Told of each storm's end. */
  readonly onStormEnded?: (ended: StormEnded) => void;
}

/** How the fleet is now; counts of events are since its start. */
export interface FleetStats {
  nodeCount: number;
  nodes: Record<NodeState, number>;
  pods: Record<PodPhase, number>;
  watchCount: number;
  connectionCount: number;
  reconnectCount: number;
  relistCount: number;
  lostCount: number;
  /** Lost to storms: deliberate, so counted apart. */
  stormLostCount: number;
  leaseMissedCount: number;
  inFlightCount: number;
  podsStartedCount: number;
  podsDeletedCount: number;
  receivedBytes: number;
  sentBytes: number;
  /** Registrations that may be under way at once: where it stays low the API server is what limits the ramp. */
  rampWindow: number;
}

/** What FleetSummary is made of: histograms since the last drain, everything else as FleetStats. Plain JSON. */
export interface FleetWindow {
  stats: FleetStats;
  registration: EncodedHistogram;
  leaseLateness: EncodedHistogram;
  leaseSlip: EncodedHistogram;
  /** By phase; empty without proxies. */
  networkProgramming: NetworkProgrammingWindow[];
  recovery: EncodedHistogram;
}

const RAMP_TICK_MS = 5;
const SETTLE_MS = 2_000;

export class Fleet implements Component {
  readonly name = 'fleet';
  readonly #shard: FleetShard;
  readonly #context: FleetContext;
  readonly #abort = new AbortController();
  readonly #indexes: number[];
  /** Nodes that run, by number in the whole fleet. */
  readonly #nodes = new Map<number, FleetNode>();
  readonly #disturbances = new Map<number, NodeDisturbance>();
  readonly #factory: NodeFactory;
  readonly #storms: Storms;
  /** Nodes that were restarted and are on their way out. */
  readonly #leaving = new Set<Promise<void>>();
  /** Traffic of nodes that were restarted. */
  readonly #retired = { openConnectionCount: 0, reconnectCount: 0, receivedBytes: 0, sentBytes: 0 };
  readonly #ramp: Ramp;
  #rampEnd: Promise<void> | undefined;
  #wakeReady: (() => void)[] = [];
  #stopping: Promise<void> | undefined;
  #cancelSettle: CancelTimer | undefined;
  #settled: boolean;

  constructor(shard: FleetShard, options: FleetOptions) {
    const { settings } = shard;
    this.#shard = shard;
    this.#indexes = shardNodeIndexes(settings.nodeCount, shard.shard);
    this.#settled = this.#indexes.length === 0;
    const { clock, log, recorder, podInstants } = options;
    const form = wireForm(settings.fidelity === 'light' ? 'light' : settings.compat, shard.kubernetesVersion);
    const seed = String(shard.seed);
    const counters = new FleetCounters();
    const timers = new Timers(clock, (error) => log.error({ err: error }, 'fleet timer failed'));
    const profiles = settings.compat === 'kubemark' ? kubemarkProfiles : defaultProfiles;
    this.#context = {
      clock,
      timers,
      log,
      seed,
      settings,
      form,
      shape: {
        form,
        kubernetesVersion: shard.kubernetesVersion,
        capacity: settings.capacity,
        labels: shard.labels,
        taints: shard.taints,
        imagesJson: imageListJson(settings.nodeObjectBytes),
      },
      calls: new FleetCalls(recorder, shard.phase),
      counters,
      instants: podInstants,
      network: new ServiceNetwork(),
      programming: new NetworkProgramming(shard.phase),
      profileOf: profiles(seed, settings, ({ namespace, name }, key, message) =>
        log.warn({ namespace, pod: name, key, problem: message }, 'pod asks for a behaviour there is not'),
      ),
      intern: internTable(),
    };
    counters.nodes.waiting = this.#indexes.length;
    counters.onNodeReady = () => this.#settleMemory();
    const perSecond = settings.rampPerSecond / shard.shard.count;
    const slowMs = settings.fidelity === 'light' ? SLOW_LIGHT_REGISTRATION_MS : SLOW_REGISTRATION_MS;
    this.#ramp = new Ramp({ perSecond, slowMs }, clock.nowUs());
    this.#factory = new NodeFactory(shard, this.#context);
    this.#storms = new Storms({
      clock,
      log,
      fleet: {
        nameOf: (index) => this.#factory.nameOf(index),
        disturbance: (index) => this.#disturbance(index),
        node: (index) => this.#nodes.get(index),
        restart: (index) => this.#restartNode(index),
      },
      expiredContext: () => expiredClientContext(shard.access, clock.wallMs()),
      onEnded: (ended) => options.onStormEnded?.(ended),
    });
    // One listener for each wait of each node: thousands are no leak here.
    setMaxListeners(0, this.#abort.signal);
  }

  /** Begins the ramp; resolves once it runs. @throws HM_CONFIG_INVALID, HM_KUBECONFIG_INVALID */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#rampEnd !== undefined) return;
    const { log } = this.#context;
    await this.#factory.start(this.#indexes);
    this.#rampEnd = this.#runRamp();
    this.#rampEnd.catch((error: unknown) => {
      if (!this.#abort.signal.aborted) log.error({ err: error }, 'ramp failed');
    });
  }

  /** Resolves when every node of this shard is Ready. @throws the signal's reason, or the ramp's failure */
  async ready(signal: AbortSignal): Promise<void> {
    const { counters } = this.#context;
    while (counters.nodes.ready < this.#indexes.length || !this.#settled) {
      signal.throwIfAborted();
      await new Promise<void>((resolve, reject) => {
        const stopListening = onAbort(signal, () => reject(signal.reason));
        this.#wakeReady.push(() => {
          stopListening();
          resolve();
        });
      });
      if (this.#abort.signal.aborted) throw this.#abort.signal.reason;
    }
  }

  /** Calls that end from now on are recorded under `phase`. */
  setPhase(phase: string): void {
    this.#context.calls.setPhase(phase);
    this.#context.programming.setPhase(phase);
  }

  /**
   * Begins or ends a storm. Resolves, for the begin of one, with what was done to which nodes of this shard.
   * @throws HM_USAGE where the fleet cannot play it
   */
  async apply(command: FleetCommand): Promise<StormStarted | undefined> {
    if (command.type === 'heal') {
      this.#storms.heal(command.id);
      return undefined;
    }
    const chosen = selectNodes(command.selection, {
      nodeCount: this.#shard.settings.nodeCount,
      nameOf: (index) => this.#factory.nameOf(index),
      zoneOf: (index) => this.#factory.zoneOf(index),
    });
    const own = new Set(this.#indexes);
    return this.#storms.begin(
      command,
      chosen.filter((index) => own.has(index)),
    );
  }

  stats(): FleetStats {
    const { calls, counters } = this.#context;
    const sum = { ...this.#retired, openConnectionCount: 0 };
    for (const node of this.#nodes.values()) node.addStats(sum);
    this.#factory.addStats(sum);
    return {
      nodeCount: this.#indexes.length,
      nodes: { ...counters.nodes },
      pods: { ...counters.pods },
      watchCount: counters.watchCount,
      connectionCount: sum.openConnectionCount,
      reconnectCount: sum.reconnectCount,
      relistCount: counters.relistCount,
      lostCount: counters.lostCount,
      stormLostCount: counters.stormLostCount,
      leaseMissedCount: counters.leaseMissedCount,
      inFlightCount: calls.inFlightCount,
      podsStartedCount: counters.podsStartedCount,
      podsDeletedCount: counters.podsDeletedCount,
      receivedBytes: sum.receivedBytes,
      sentBytes: sum.sentBytes,
      rampWindow: Math.floor(this.#ramp.window),
    };
  }

  /** What happened since the last drain. */
  drain(): FleetWindow {
    const { registration, leaseLateness, leaseSlip, recovery } = this.#context.counters;
    const window = {
      stats: this.stats(),
      registration: registration.toWire(),
      leaseLateness: leaseLateness.toWire(),
      leaseSlip: leaseSlip.toWire(),
      networkProgramming: this.#context.programming.drain(),
      recovery: recovery.toWire(),
    };
    for (const histogram of [registration, leaseLateness, leaseSlip, recovery]) histogram.reset();
    return window;
  }

  /** Closes every connection. Nothing is deleted: that is the run's clean-up. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#abort.abort(new HarnessError('HM_INTERRUPTED', 'the fleet was stopped'));
    this.#storms.stop();
    this.#context.timers.stop();
    this.#cancelSettle?.();
    for (const wake of this.#wakeReady.splice(0)) wake();
    await this.#rampEnd?.catch(() => {
      // Ended by the abort just now, or logged when it failed.
    });
    await Promise.all([...[...this.#nodes.values()].map((node) => node.stop()), ...this.#leaving]);
    await this.#factory.stop();
  }

  /** Starts node after node, each when the rate and the window let it. */
  async #runRamp(): Promise<void> {
    const { clock } = this.#context;
    const { signal } = this.#abort;
    for (const index of this.#indexes) {
      while (!this.#ramp.take(clock.nowUs())) {
        const untilDueMs = (this.#ramp.nextDueUs - clock.nowUs()) / 1_000;
        await delay(Math.max(RAMP_TICK_MS, untilDueMs), { signal, clock });
      }
      await this.#startNode(index);
    }
  }

  async #startNode(index: number): Promise<void> {
    const { clock } = this.#context;
    const node = await this.#factory.make(index, this.#disturbance(index), this.#abort.signal);
    this.#nodes.set(index, node);
    const startUs = clock.nowUs();
    this.#register(index, node, () => this.#ramp.done((clock.nowUs() - startUs) / 1_000, clock.nowUs()));
  }

  #register(index: number, node: FleetNode, done: () => void): void {
    const { log } = this.#context;
    node
      .start()
      .catch((error: unknown) => {
        // A node that was restarted before it was Ready ends so; its successor goes on.
        if (this.#abort.signal.aborted || this.#nodes.get(index) !== node) return;
        log.error({ err: error, node: this.#factory.nameOf(index) }, 'node did not start');
      })
      .finally(done);
  }

  /** The node as after a power cut: nothing is said to the cluster, then a new one registers under its name. */
  #restartNode(index: number): void {
    const old = this.#nodes.get(index);
    const { counters, log } = this.#context;
    if (old === undefined || this.#abort.signal.aborted) return;
    old.addStats(this.#retired);
    const leaving = old.stop().finally(() => this.#leaving.delete(leaving));
    this.#leaving.add(leaving);
    counters.moveNode(undefined, 'waiting');
    this.#factory.make(index, this.#disturbance(index), this.#abort.signal).then(
      (node) => {
        this.#nodes.set(index, node);
        if (this.#abort.signal.aborted) this.#leaving.add(node.stop());
        else this.#register(index, node, () => {});
      },
      (error: unknown) => log.error({ err: error }, 'node not restarted'),
    );
  }

  #disturbance(index: number): NodeDisturbance {
    let disturbance = this.#disturbances.get(index);
    if (disturbance === undefined) {
      disturbance = new NodeDisturbance();
      this.#disturbances.set(index, disturbance);
    }
    return disturbance;
  }

  /**
   * Once all nodes are up, and a moment later: their first watch events are part of the ramp. Only then is the fleet
   * ready: the pause of the collection must not fall into what is measured.
   */
  #settleMemory(): void {
    const { clock, counters } = this.#context;
    if (counters.nodes.ready < this.#indexes.length) return;
    for (const wake of this.#wakeReady.splice(0)) wake();
    if (this.#cancelSettle !== undefined) return;
    this.#cancelSettle = clock.setTimer(() => {
      collectGarbage();
      this.#settled = true;
      for (const wake of this.#wakeReady.splice(0)) wake();
    }, SETTLE_MS);
  }
}
