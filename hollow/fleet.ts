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
import {
  type ClientIdentity,
  type Connection,
  connectionFor,
  type Impersonation,
  openSharedConnections,
  resolveIdentity,
  type SharedConnections,
} from '../src/kube/index.ts';
import type { CallRecorder, PodInstantSink } from '../src/measure/index.ts';
import type { EncodedHistogram } from '../src/result/index.ts';
import { nodeAddress } from './addresses.ts';
import { FleetCalls } from './calls.ts';
import { type FleetContext, internTable } from './context.ts';
import { FleetCounters, type NodeState } from './counters.ts';
import { imageListJson } from './kubelet/node-object.ts';
import { defaultProfiles, kubemarkProfiles } from './kubelet/pods/pod-behaviour.ts';
import type { PodPhase } from './kubelet/pods/pod-spec.ts';
import { HollowNode } from './node.ts';
import { NetworkProgramming, type NetworkProgrammingWindow } from './proxy/network-programming.ts';
import { PROXY_IDENTITY } from './proxy/proxy.ts';
import { ServiceNetwork } from './proxy/service-network.ts';
import { Ramp, SLOW_REGISTRATION_MS } from './ramp.ts';
import { type FleetShard, nodeName, shardNodeIndexes } from './shard.ts';
import { Timers } from './timers.ts';
import { wireForm } from './wire-form.ts';

export interface FleetOptions {
  readonly clock: Clock;
  readonly log: Logger;
  readonly recorder: CallRecorder;
  readonly podInstants: PodInstantSink;
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
}

const RAMP_TICK_MS = 5;
const SETTLE_MS = 2_000;

export class Fleet implements Component {
  readonly name = 'fleet';
  readonly #shard: FleetShard;
  readonly #context: FleetContext;
  readonly #abort = new AbortController();
  readonly #indexes: number[];
  readonly #nodes: HollowNode[] = [];
  readonly #ramp: Ramp;
  #shared: { kubelet: SharedConnections; proxy: SharedConnections } | undefined;
  #identity: ClientIdentity | undefined;
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
    const form = wireForm(settings.compat, shard.kubernetesVersion);
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
      profileOf: profiles(seed, settings.pods),
      network: new ServiceNetwork(),
      programming: new NetworkProgramming(shard.phase),
      intern: internTable(),
    };
    counters.nodes.waiting = this.#indexes.length;
    const perSecond = settings.rampPerSecond / shard.shard.count;
    this.#ramp = new Ramp({ perSecond, slowMs: SLOW_REGISTRATION_MS }, clock.nowUs());
    // One listener for each wait of each node: thousands are no leak here.
    setMaxListeners(0, this.#abort.signal);
  }

  /** Begins the ramp; resolves once it runs. @throws HM_CONFIG_INVALID, HM_KUBECONFIG_INVALID */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#rampEnd !== undefined) return;
    const { access, settings } = this.#shard;
    const { clock, log } = this.#context;
    this.#checkIdentities();
    this.#identity = await resolveIdentity(access, clock);
    if (settings.connections === 'shared') {
      const open = (userAgent: string) =>
        openSharedConnections(access, { ...this.#http2Options(userAgent), ...this.#identityOption() });
      const { kubeletUserAgent, proxyUserAgent } = this.#context.form;
      this.#shared = { kubelet: await open(kubeletUserAgent), proxy: await open(proxyUserAgent) };
    }
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

  stats(): FleetStats {
    const { calls, counters } = this.#context;
    const sum = { openConnectionCount: 0, reconnectCount: 0, receivedBytes: 0, sentBytes: 0 };
    for (const node of this.#nodes) node.addStats(sum);
    for (const pool of this.#shared === undefined ? [] : [this.#shared.kubelet, this.#shared.proxy]) {
      const stats = pool.stats();
      sum.openConnectionCount += stats.openConnectionCount;
      sum.reconnectCount += stats.reconnectCount;
      sum.receivedBytes += stats.receivedBytes;
      sum.sentBytes += stats.sentBytes;
    }
    return {
      nodeCount: this.#indexes.length,
      nodes: { ...counters.nodes },
      pods: { ...counters.pods },
      watchCount: counters.watchCount,
      connectionCount: sum.openConnectionCount,
      reconnectCount: sum.reconnectCount,
      relistCount: counters.relistCount,
      lostCount: counters.lostCount,
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
    const { registration, leaseLateness, leaseSlip } = this.#context.counters;
    const window = {
      stats: this.stats(),
      registration: registration.toWire(),
      leaseLateness: leaseLateness.toWire(),
      leaseSlip: leaseSlip.toWire(),
      networkProgramming: this.#context.programming.drain(),
    };
    for (const histogram of [registration, leaseLateness, leaseSlip]) histogram.reset();
    return window;
  }

  /** Closes every connection. Nothing is deleted: that is the run's clean-up. */
  stop(): Promise<void> {
    this.#stopping ??= this.#stop();
    return this.#stopping;
  }

  async #stop(): Promise<void> {
    this.#abort.abort(new HarnessError('HM_INTERRUPTED', 'the fleet was stopped'));
    this.#context.timers.stop();
    this.#cancelSettle?.();
    for (const wake of this.#wakeReady.splice(0)) wake();
    await this.#rampEnd?.catch(() => {
      // Ended by the abort just now, or logged when it failed.
    });
    await Promise.all(this.#nodes.map((node) => node.stop()));
    await this.#shared?.kubelet.close();
    await this.#shared?.proxy.close();
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
    const { clock, log } = this.#context;
    const name = nodeName(this.#shard.nodeNamePrefix, index);
    const node = new HollowNode({
      context: this.#context,
      index,
      identity: { name, address: nodeAddress(index), zone: this.#zoneOf(index) },
      kubeletConnection: await this.#connectKubelet(name),
      proxyConnection: this.#shard.settings.proxy ? this.#connectProxy() : undefined,
      signal: this.#abort.signal,
    });
    this.#nodes.push(node);
    const startUs = clock.nowUs();
    node
      .start()
      .catch((error: unknown) => {
        if (!this.#abort.signal.aborted) log.error({ err: error, node: name }, 'node did not start');
      })
      .finally(() => {
        this.#ramp.done((clock.nowUs() - startUs) / 1_000, clock.nowUs());
        this.#settleMemory();
        for (const wake of this.#wakeReady.splice(0)) wake();
      });
  }

  /**
   * Once all nodes are up, and a moment later: their first watch events are part of the ramp. Only then is the fleet
   * ready: the pause of the collection must not fall into what is measured.
   */
  #settleMemory(): void {
    const { clock, counters } = this.#context;
    if (this.#cancelSettle !== undefined || counters.nodes.ready < this.#indexes.length) return;
    this.#cancelSettle = clock.setTimer(() => {
      collectGarbage();
      this.#settled = true;
      for (const wake of this.#wakeReady.splice(0)) wake();
    }, SETTLE_MS);
  }

  async #connectKubelet(name: string): Promise<Connection> {
    const { access, certificates, settings } = this.#shard;
    const { clock, form } = this.#context;
    const options = this.#http2Options(form.kubeletUserAgent);
    if (settings.identity === 'certificate') {
      const certificate = certificates?.[name];
      if (certificate === undefined) throw missingCertificate(name);
      const { impersonate: _, ...plain } = access;
      const own = { ...plain, credential: { type: 'client-certificate' as const, ...certificate } };
      return connectionFor(own, await resolveIdentity(own, clock), options);
    }
    return this.#connectAs({ user: `system:node:${name}`, groups: ['system:nodes'] }, options, 'kubelet');
  }

  #connectProxy(): Connection {
    return this.#connectAs(PROXY_IDENTITY, this.#http2Options(this.#context.form.proxyUserAgent), 'proxy');
  }

  #connectAs(
    impersonate: Impersonation,
    options: { userAgent: string; compression: boolean; clock: Clock },
    component: 'kubelet' | 'proxy',
  ): Connection {
    if (this.#shared !== undefined) return this.#shared[component].view(impersonate);
    if (this.#identity === undefined) throw new HarnessError('HM_INTERNAL', 'the fleet has not been started');
    return connectionFor({ ...this.#shard.access, impersonate }, this.#identity, options);
  }

  #http2Options(userAgent: string): { userAgent: string; compression: boolean; clock: Clock } {
    return { userAgent, compression: this.#shard.settings.compression, clock: this.#context.clock };
  }

  #identityOption(): { identity: ClientIdentity } | Record<string, never> {
    return this.#identity === undefined ? {} : { identity: this.#identity };
  }

  #zoneOf(index: number): string | undefined {
    const { zones } = this.#shard;
    return zones === undefined || zones.length === 0 ? undefined : zones[index % zones.length];
  }

  #checkIdentities(): void {
    const { certificates, nodeNamePrefix, settings } = this.#shard;
    if (settings.identity !== 'certificate') return;
    if (settings.connections === 'shared') {
      throw new HarnessError('HM_USAGE', 'client certificates cannot share connections', {
        hint: 'use identity impersonation, or connections per-node',
      });
    }
    for (const index of this.#indexes) {
      const name = nodeName(nodeNamePrefix, index);
      if (certificates?.[name] === undefined) throw missingCertificate(name);
    }
  }
}

function missingCertificate(name: string): HarnessError {
  return new HarnessError('HM_USAGE', `no client certificate for node ${name} in the shard`);
}
