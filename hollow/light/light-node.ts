/**
 * A light node: what controllers and schedulers need of a node, at the least cost to the API server. It registers with
 * two requests (the Node, Ready from the start, and its lease), renews the lease, reports status, and writes one PATCH
 * for each pod transition that others wait for. No watches, identity, tokens, events, CSINode or proxy of its own:
 * what a kubelet's traffic does to a server is not what it is for (that is HollowNode).
 */
import { setMaxListeners } from 'node:events';
import type { Pressure } from '../../src/config/index.ts';
import {
  type ChildAbort,
  childAbort,
  delay,
  HarnessError,
  type Random,
  seededRandom,
} from '../../src/core/index.ts';
import {
  type ApiReply,
  type ApiRequest,
  type CuttableConnection,
  TokenBucket,
  TransportError,
} from '../../src/kube/index.ts';
import { PodAddresses } from '../addresses.ts';
import type { CallKind } from '../calls.ts';
import { NodeClient } from '../client.ts';
import type { FleetContext } from '../context.ts';
import type { NodeState } from '../counters.ts';
import type { ConnectionSums, FleetNode } from '../fleet-node.ts';
import { EventPoster } from '../kubelet/events.ts';
import { LeaseKeeper, uidOf } from '../kubelet/lease.ts';
import { type NodeIdentity, nodeBody } from '../kubelet/node-object.ts';
import { NodeStatusReporter, type NodeStatusSource } from '../kubelet/node-status.ts';
import { isReady, type OwnNode, readNode } from '../kubelet/own-node.ts';
import { ObjectWatches } from '../kubelet/pods/object-watches.ts';
import { type PodHost, PodManager } from '../kubelet/pods/pod-manager.ts';
import type { ApiPod } from '../kubelet/pods/pod-object.ts';
import { StatusWriter } from '../kubelet/pods/status-writer.ts';
import type { NodeDisturbance } from '../storms/node-disturbance.ts';
import { slowedBy } from '../storms/slow-profile.ts';
import type { SharedWatches, WatchedNode } from './shared-watches.ts';
import { withoutVolumes } from './shown-pod.ts';

const RETRY_FIRST_MS = 100;
const RETRY_CAP_MS = 7_000;
/** A node whose object was deleted registers again, as a restarted kubelet does. */
const RESTART_MS = { low: 1_000, high: 5_000 };
/** Requests of one node in a second; far above what its pods ask for. */
const NODE_LIMIT = 1_000;

export interface LightNodeOptions {
  readonly context: FleetContext;
  readonly index: number;
  readonly identity: NodeIdentity;
  readonly connection: CuttableConnection;
  readonly watches: SharedWatches;
  readonly disturbance: NodeDisturbance;
  readonly signal: AbortSignal;
}

export class LightNode implements FleetNode, WatchedNode, PodHost, NodeStatusSource {
  readonly certificate = undefined;
  readonly client: NodeClient;
  readonly throttle = new TokenBucket(NODE_LIMIT, NODE_LIMIT);
  readonly events: EventPoster;
  readonly writer: StatusWriter;
  readonly objects: ObjectWatches;
  readonly addresses: PodAddresses;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly ready = true;
  ownNode: OwnNode | undefined;
  readonly #context: FleetContext;
  readonly #identity: NodeIdentity;
  readonly #connection: CuttableConnection;
  readonly #watches: SharedWatches;
  readonly #disturbance: NodeDisturbance;
  readonly #lease: LeaseKeeper;
  readonly #status: NodeStatusReporter;
  readonly #pods: PodManager;
  readonly #abort: ChildAbort;
  #state: NodeState = 'waiting';
  #registering = false;

  constructor(options: LightNodeOptions) {
    const { connection, context, disturbance, identity } = options;
    this.#context = context;
    this.#identity = identity;
    this.#connection = connection;
    this.#watches = options.watches;
    this.#disturbance = disturbance;
    this.#abort = childAbort(options.signal);
    this.signal = this.#abort.signal;
    // One listener for each wait of each of its pods.
    setMaxListeners(0, this.signal);
    const { calls, clock, form, settings } = context;
    const { signal } = this;
    this.random = seededRandom(`${context.seed}/node/${identity.name}`);
    this.client = new NodeClient({ source: 'kubelet', connection, calls, clock, signal, disturbance });
    this.events = new EventPoster(context, this.client, this.throttle, identity.name, signal);
    this.writer = new StatusWriter(
      context,
      this.client,
      this.throttle,
      { form, hostIp: identity.address, hostNetworkIp: identity.hostNetworkAddress },
      signal,
    );
    this.objects = new ObjectWatches(() => ({ close() {} }));
    this.addresses = new PodAddresses(options.index, settings.capacity.podCount);
    this.#lease = new LeaseKeeper(context, this.client, identity.name, this.random, signal);
    this.#status = new NodeStatusReporter(context, this.client, this, this.random, signal);
    this.#pods = new PodManager({ ...context, profileOf: slowedBy(disturbance, context.profileOf) }, this);
  }

  get nodeName(): string {
    return this.#identity.name;
  }

  get podCidr(): string | undefined {
    return this.ownNode?.podCidr;
  }

  get placement() {
    return {
      name: this.nodeName,
      labels: this.ownNode?.labels ?? this.#context.shape.labels,
      taints: this.ownNode?.taints ?? this.#context.shape.taints,
    };
  }

  get pressures(): ReadonlySet<Pressure> {
    return this.#pods.pressures;
  }

  pressuresChanged(): void {
    this.#status.poke();
  }

  postWarning(): void {
    // Light nodes post no events.
  }

  /** Resolves when the Node is there and Ready. @throws the signal's reason */
  async start(): Promise<void> {
    const restarted = !Number.isNaN(this.#disturbance.recoveringSinceUs);
    this.#watches.add(this.nodeName, this);
    await this.#register();
    // The shared watch told its predecessor of the pods that are here.
    if (restarted) await this.#listPods();
  }

  cutConnections(): void {
    this.#connection.cut();
  }

  addStats(_sum: ConnectionSums): void {
    // All connections are shared; the factory counts them.
  }

  async stop(): Promise<void> {
    if (!this.signal.aborted) this.#abort.abort(new HarnessError('HM_INTERRUPTED', 'the node was stopped'));
    this.#abort[Symbol.dispose]();
    this.#watches.remove(this.nodeName, this);
    this.#lease.stop();
    this.#status.stop();
    this.#pods.stop();
    this.#move(undefined);
    await this.#connection.close();
  }

  seeNode(object: unknown): void {
    this.ownNode = readNode(object);
    if (this.#registering || this.#state === 'waiting') return;
    const seenReady = isReady(this.ownNode);
    if (this.#state === 'ready' && !seenReady) this.#lose('node is not ready in the eyes of the cluster');
    else if (this.#state === 'lost' && seenReady) {
      this.#recovered();
      this.#move('ready');
    }
    if (!seenReady) this.#status.poke();
  }

  nodeGone(): void {
    this.ownNode = undefined;
    if (this.#registering || this.#state !== 'ready' || this.signal.aborted) return;
    const { clock, log } = this.#context;
    this.#lose('node object was deleted');
    this.#disturbance.recoveringSinceUs = clock.nowUs();
    delay(this.random.uniform(RESTART_MS.low, RESTART_MS.high), { signal: this.signal, clock })
      .then(() => this.#register())
      .catch((error: unknown) => {
        if (!this.signal.aborted) log.error({ err: error, node: this.nodeName }, 'registration failed');
      });
  }

  seePod(type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: ApiPod): void {
    if (type === 'DELETED') this.#pods.remove(pod.metadata.uid ?? '');
    else this.#pods.see(withoutVolumes(pod));
  }

  podsBegin(): void {
    this.#pods.listBegins();
  }

  podsEnd(): void {
    this.#pods.listEnds();
  }

  async #register(): Promise<void> {
    const { clock, counters, shape } = this.#context;
    const startUs = clock.nowUs();
    this.#registering = true;
    this.#move('registering');
    const body = () => nodeBody(shape, this.#identity, clock.wallMs(), true);
    for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(waitMs * 2, RETRY_CAP_MS)) {
      const made = await this.#try('createNode', { method: 'POST', path: '/api/v1/nodes', body: body() });
      if (made?.status === 201) {
        this.#lease.start(uidOf(made.body));
        this.ownNode = readNode(JSON.parse(made.body));
        this.#status.scheduleNext();
        break;
      }
      if (made?.status === 409 && (await this.#takeOver())) break;
      await delay(waitMs, { signal: this.signal, clock });
    }
    this.#registering = false;
    if (!this.#recovered()) counters.registration.record(clock.nowUs() - startUs);
    this.#move('ready');
  }

  async #takeOver(): Promise<boolean> {
    const path = `/api/v1/nodes/${this.nodeName}`;
    const found = await this.#try('getNode', { method: 'GET', path });
    if (found?.status !== 200) return false;
    this.#lease.start();
    return this.#status.report(readNode(JSON.parse(found.body)));
  }

  async #listPods(): Promise<void> {
    const { clock } = this.#context;
    const selector = encodeURIComponent(`spec.nodeName=${this.nodeName}`);
    const path = `/api/v1/pods?fieldSelector=${selector}&resourceVersion=0`;
    for (let waitMs = RETRY_FIRST_MS; ; waitMs = Math.min(waitMs * 2, RETRY_CAP_MS)) {
      const reply = await this.#try('listPods', { method: 'GET', path });
      if (reply?.status === 200) {
        const { items } = JSON.parse(reply.body) as { items: ApiPod[] };
        for (const pod of items) this.seePod('MODIFIED', pod);
        return;
      }
      await delay(waitMs, { signal: this.signal, clock });
    }
  }

  async #try(kind: CallKind, request: ApiRequest): Promise<ApiReply | undefined> {
    try {
      return await this.client.send(kind, request);
    } catch (error) {
      if (error instanceof TransportError && !this.signal.aborted) return undefined;
      throw error;
    }
  }

  #lose(why: string): void {
    const { clock, counters, log } = this.#context;
    if (this.#disturbance.excused(clock.nowUs())) counters.stormLostCount++;
    else {
      counters.lostCount++;
      log.warn({ node: this.nodeName }, why);
    }
    this.#move('lost');
  }

  #recovered(): boolean {
    const { clock, counters } = this.#context;
    const sinceUs = this.#disturbance.recoveringSinceUs;
    if (Number.isNaN(sinceUs)) return false;
    this.#disturbance.recoveringSinceUs = Number.NaN;
    counters.recovery.record(clock.nowUs() - sinceUs);
    return true;
  }

  #move(to: NodeState | undefined): void {
    this.#context.counters.moveNode(this.#state, to);
    if (to !== undefined) this.#state = to;
  }
}
