/**
 * One hollow kubelet: its clients, its watches, its registration, lease, status and pods, under the node's identity.
 */
import type { Pressure } from '../../src/config/index.ts';
import { type Clock, delay, type Random } from '../../src/core/index.ts';
import { type Connection, TokenBucket } from '../../src/kube/index.ts';
import { PodAddresses } from '../addresses.ts';
import { NodeClient } from '../client.ts';
import type { FleetContext } from '../context.ts';
import type { NodeState } from '../counters.ts';
import {
  type ResourceSink,
  type ResourceWatch,
  startResourceWatch,
  type WatchStarter,
} from '../resource-watch.ts';
import type { NodeDisturbance } from '../storms/node-disturbance.ts';
import { slowedBy } from '../storms/slow-profile.ts';
import { EventLedger } from './event-ledger.ts';
import { EventPoster, type EventSubject } from './events.ts';
import { LeaseKeeper } from './lease.ts';
import { NODE_CONDITIONS, type NodeIdentity } from './node-object.ts';
import { NodeStatusReporter, type NodeStatusSource } from './node-status.ts';
import { isReady, type OwnNode, readNode } from './own-node.ts';
import { ObjectWatches } from './pods/object-watches.ts';
import { type PodHost, PodManager } from './pods/pod-manager.ts';
import type { ApiPod } from './pods/pod-object.ts';
import type { PodMachine } from './pods/pod-state.ts';
import type { StatusContext } from './pods/pod-status.ts';
import { StatusWriter } from './pods/status-writer.ts';
import { type Registrant, registerNode } from './register.ts';
import type { ServedNode } from './server/kubelet-server.ts';

/** The pod source waits for the node informer, looking once a second. Source: pkg/kubelet/config/apiserver.go v1.36.3 */
const NODE_SYNC_POLL_MS = 1_000;
/** A kubelet whose node was deleted comes back as a service manager restarts it. */
const RESTART_MS = { low: 1_000, high: 5_000 };

export interface KubeletOptions {
  readonly context: FleetContext;
  readonly index: number;
  readonly identity: NodeIdentity;
  readonly connection: Connection;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly disturbance: NodeDisturbance;
}

export class HollowKubelet implements Registrant, PodHost, NodeStatusSource, ServedNode {
  readonly context: FleetContext;
  readonly identity: NodeIdentity;
  readonly client: NodeClient;
  readonly throttle: TokenBucket;
  readonly status: NodeStatusReporter;
  readonly events: EventPoster;
  readonly podStatus: StatusContext;
  readonly writer: StatusWriter;
  readonly objects: ObjectWatches;
  readonly addresses: PodAddresses;
  readonly random: Random;
  readonly signal: AbortSignal;
  ready = false;
  ownNode: OwnNode | undefined;
  state: NodeState = 'waiting';
  readonly #lease: LeaseKeeper;
  readonly #pods: PodManager;
  readonly #disturbance: NodeDisturbance;
  readonly #ledger = new EventLedger();
  readonly #watches: ResourceWatch[] = [];
  readonly #startWatch: WatchStarter;
  #registering = false;
  /** The node is cordoned, as far as an event has said so. */
  #unschedulable = false;

  constructor(options: KubeletOptions) {
    const { context, connection, disturbance, identity, random, signal } = options;
    this.#disturbance = disturbance;
    this.context = context;
    this.identity = identity;
    this.random = random;
    this.signal = signal;
    const { calls, clock, form, settings } = context;
    this.client = new NodeClient({ source: 'kubelet', connection, calls, clock, signal, disturbance });
    this.throttle = new TokenBucket(form.kubeletLimit.perSecond, form.kubeletLimit.burst);
    this.status = new NodeStatusReporter(context, this.client, this, random, signal);
    this.events = new EventPoster(
      context,
      this.client,
      new TokenBucket(form.kubeletLimit.perSecond, form.kubeletLimit.burst),
      identity.name,
      signal,
    );
    this.podStatus = { form, hostIp: identity.address, hostNetworkIp: identity.hostNetworkAddress };
    this.writer = new StatusWriter(context, this.client, this.throttle, this.podStatus, signal);
    this.#startWatch = startResourceWatch(context, connection, this.throttle, random);
    this.objects = new ObjectWatches(this.#startWatch);
    this.addresses = new PodAddresses(options.index, settings.capacity.podCount);
    this.#lease = new LeaseKeeper(context, this.client, identity.name, random, signal);
    this.#pods = new PodManager({ ...context, profileOf: slowedBy(disturbance, context.profileOf) }, this);
  }

  get nodeName(): string {
    return this.identity.name;
  }

  get podCidr(): string | undefined {
    return this.ownNode?.podCidr;
  }

  get placement() {
    const { context, identity, ownNode } = this;
    return {
      name: identity.name,
      labels: ownNode?.labels ?? context.shape.labels,
      taints: ownNode?.taints ?? context.shape.taints,
    };
  }

  get pressures(): ReadonlySet<Pressure> {
    return this.#pods.pressures;
  }

  get clock(): Clock {
    return this.context.clock;
  }

  pods(): Iterable<PodMachine> {
    return this.#pods.machines();
  }

  get podCount(): number {
    return this.#pods.count;
  }

  /** Registers and begins to serve; resolves when the Ready status is acknowledged. @throws the signal's reason */
  async start(): Promise<void> {
    const { name } = this.identity;
    this.#watch(
      { path: '/api/v1/services', fieldSelector: 'spec.clusterIP!=None', life: 'informer' },
      COUNTED,
    );
    const nodeSynced = new Promise<void>((resolve) => {
      this.#watch(
        { path: '/api/v1/nodes', fieldSelector: `metadata.name=${name}`, life: 'informer' },
        new NodeSink(this, resolve),
      );
    });
    const pods = this.#watchPods(nodeSynced);
    pods.catch(() => {
      // Only an abort ends it early, and then the registration below fails with the same reason.
    });
    await this.#register();
    await pods;
  }

  /** Closes watches and timers; the connection is the node's. */
  stop(): void {
    for (const watch of this.#watches) watch.close();
    this.#watches.length = 0;
    this.objects.stop();
    this.#lease.stop();
    this.status.stop();
    this.#pods.stop();
    this.#move(undefined);
  }

  serverReached(): void {
    this.#lease.start();
    // A re-registration finds them open.
    if (this.#watches.length > 3) return;
    this.#watch({ path: '/apis/node.k8s.io/v1/runtimeclasses', life: 'informer' }, COUNTED);
    this.#watch({ path: '/apis/storage.k8s.io/v1/csidrivers', life: 'informer' }, COUNTED);
  }

  csiNodeReady(): void {
    this.ready = true;
  }

  postNodeEvents(step: 'starting' | 'conditions' | 'allocatable' | 'ready'): void {
    const post = (reason: string, message: string) =>
      this.events.post(this.#subject, this.#ledger, { reason, message, type: 'Normal', fieldPath: '' });
    if (step === 'starting') post('Starting', 'Starting kubelet.');
    if (step === 'allocatable') {
      post('NodeAllocatableEnforced', 'Updated Node Allocatable limit across pods');
    }
    if (step === 'ready') post('NodeReady', `Node ${this.nodeName} status is now: NodeReady`);
    if (step !== 'conditions') return;
    for (const type of NODE_CONDITIONS) {
      if (type === 'Ready') continue;
      const reason = type === 'MemoryPressure' ? 'NodeHasSufficientMemory' : CONDITION_EVENTS[type];
      post(reason, `Node ${this.nodeName} status is now: ${reason}`);
    }
  }

  pressuresChanged(): void {
    for (const [type, [short, fine]] of Object.entries(PRESSURE_EVENTS)) {
      const before = this.ownNode?.conditions.get(type)?.status === 'True';
      const now = this.pressures.has(type === 'MemoryPressure' ? 'memory' : 'disk');
      if (before !== now) this.#postNodeEvent(now ? short : fine);
    }
    this.status.poke();
  }

  postWarning(reason: string, message: string): void {
    this.events.post(this.#subject, this.#ledger, { reason, message, type: 'Warning', fieldPath: '' });
  }

  /** Source: recordNodeSchedulableEvent, pkg/kubelet/kubelet_node_status.go v1.36.3 */
  statusTick(): void {
    if (!this.#isCordonUntold()) return;
    this.#unschedulable = !this.#unschedulable;
    this.#postNodeEvent(this.#unschedulable ? 'NodeNotSchedulable' : 'NodeSchedulable');
  }

  /** The watch shows the node. */
  seeNode(object: unknown): void {
    const before = this.ownNode;
    this.ownNode = readNode(object);
    if (this.#registering || this.state === 'waiting') return;
    const seenReady = isReady(this.ownNode);
    if (this.state === 'ready' && isReady(before) && !seenReady) {
      this.#lose('node is not ready in the eyes of the cluster');
    } else if (this.state === 'lost' && seenReady) {
      this.#recovered();
      this.#move('ready');
    }
    if (!seenReady || this.#isCordonUntold()) this.status.poke();
  }

  /** The watch says that the node object is gone. */
  nodeDeleted(): void {
    this.ownNode = undefined;
    if (this.#registering || this.state === 'waiting' || this.signal.aborted) return;
    this.#lose('node object was deleted');
    this.#disturbance.recoveringSinceUs = this.context.clock.nowUs();
    this.#restart().catch((error: unknown) => {
      if (!this.signal.aborted)
        this.context.log.error({ err: error, node: this.nodeName }, 'registration failed');
    });
  }

  seePod(type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: ApiPod): void {
    if (type === 'DELETED') this.#pods.remove(pod.metadata.uid ?? '');
    else this.#pods.see(pod);
  }

  podsBegin(): void {
    this.#pods.listBegins();
  }

  podsEnd(): void {
    this.#pods.listEnds();
  }

  get #subject(): EventSubject {
    return { kind: 'Node', namespace: '', name: this.nodeName, uid: this.nodeName, resourceVersion: '' };
  }

  #isCordonUntold(): boolean {
    return this.ownNode !== undefined && this.ownNode.unschedulable !== this.#unschedulable;
  }

  #postNodeEvent(reason: string): void {
    const message = `Node ${this.nodeName} status is now: ${reason}`;
    this.events.post(this.#subject, this.#ledger, { reason, message, type: 'Normal', fieldPath: '' });
  }

  async #register(): Promise<void> {
    const { clock, counters } = this.context;
    const startUs = clock.nowUs();
    this.#registering = true;
    this.#unschedulable = false;
    this.ready = false;
    this.#move('registering');
    await registerNode(this);
    this.#registering = false;
    if (!this.#recovered()) counters.registration.record(clock.nowUs() - startUs);
    this.#move('ready');
    // What the watch showed meanwhile was not acted on.
    if (this.ownNode === undefined) return;
    if (!isReady(this.ownNode) || this.#isCordonUntold()) this.status.poke();
  }

  async #restart(): Promise<void> {
    const { clock } = this.context;
    await delay(this.random.uniform(RESTART_MS.low, RESTART_MS.high), { signal: this.signal, clock });
    await this.#register();
  }

  async #watchPods(nodeSynced: Promise<void>): Promise<void> {
    await nodeSynced;
    await delay(NODE_SYNC_POLL_MS, { signal: this.signal, clock: this.context.clock });
    this.#watch(
      { path: '/api/v1/pods', fieldSelector: `spec.nodeName=${this.nodeName}`, life: 'pods' },
      new PodSink(this),
    );
  }

  #watch(query: Parameters<WatchStarter>[0], sink: ResourceSink): void {
    if (this.signal.aborted) return;
    this.#watches.push(this.#startWatch(query, sink));
  }

  #lose(why: string): void {
    const { clock, counters, log } = this.context;
    if (this.#disturbance.excused(clock.nowUs())) counters.stormLostCount++;
    else {
      counters.lostCount++;
      log.warn({ node: this.nodeName }, why);
    }
    this.#move('lost');
  }

  /** Notes how long the way back took; false if the node was on none. */
  #recovered(): boolean {
    const { clock, counters } = this.context;
    const sinceUs = this.#disturbance.recoveringSinceUs;
    if (Number.isNaN(sinceUs)) return false;
    this.#disturbance.recoveringSinceUs = Number.NaN;
    counters.recovery.record(clock.nowUs() - sinceUs);
    return true;
  }

  #move(to: NodeState | undefined): void {
    this.context.counters.moveNode(this.state, to);
    if (to !== undefined) this.state = to;
  }
}

/** Reasons of events when a node is short of something, and when it no longer is. */
const PRESSURE_EVENTS = {
  MemoryPressure: ['NodeHasInsufficientMemory', 'NodeHasSufficientMemory'],
  DiskPressure: ['NodeHasDiskPressure', 'NodeHasNoDiskPressure'],
} as const;

const CONDITION_EVENTS = {
  DiskPressure: 'NodeHasNoDiskPressure',
  PIDPressure: 'NodeHasSufficientPID',
} as const;

/** A resource that is watched and counted, and not decoded: what it says would change nothing on a hollow node. */
const COUNTED: ResourceSink = { wantsObjects: false };

class NodeSink implements ResourceSink {
  readonly wantsObjects = true;
  readonly #kubelet: HollowKubelet;
  readonly #synced: () => void;
  #listed = false;

  constructor(kubelet: HollowKubelet, synced: () => void) {
    this.#kubelet = kubelet;
    this.#synced = synced;
  }

  onListBegin(): void {
    this.#listed = false;
  }

  onObject(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: unknown): void {
    if (type === 'DELETED') {
      this.#kubelet.nodeDeleted();
      return;
    }
    this.#listed = true;
    this.#kubelet.seeNode(object);
  }

  onListEnd(): void {
    // Deleted while no watch was open.
    if (!this.#listed && this.#kubelet.ownNode !== undefined) this.#kubelet.nodeDeleted();
    this.#synced();
  }
}

class PodSink implements ResourceSink {
  readonly wantsObjects = true;
  readonly #kubelet: HollowKubelet;

  constructor(kubelet: HollowKubelet) {
    this.#kubelet = kubelet;
  }

  onListBegin(): void {
    this.#kubelet.podsBegin();
  }

  onObject(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: unknown): void {
    this.#kubelet.seePod(type, object as ApiPod);
  }

  onListEnd(): void {
    this.#kubelet.podsEnd();
  }
}
