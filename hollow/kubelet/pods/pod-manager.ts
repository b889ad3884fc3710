/**
 * The pods of one node: takes what the watch says, runs each pod's state machine, and carries out what it asks for.
 */
import { delay, type Random } from '../../../src/core/index.ts';
import { type TokenBucket, TransportError } from '../../../src/kube/index.ts';
import type { PodAddresses } from '../../addresses.ts';
import type { NodeClient } from '../../client.ts';
import type { FleetContext } from '../../context.ts';
import { Timer, type TimerTarget } from '../../timers.ts';
import { EventLedger } from '../event-ledger.ts';
import type { EventPoster, EventSubject } from '../events.ts';
import type { ObjectWatches, WatchedObject } from './object-watches.ts';
import { newPod, podGone, seePod, tickPod, volumesReady } from './pod-machine.ts';
import { type ApiPod, type PodPhase, readPodSighting, readPodSpec } from './pod-spec.ts';
import { type Instant, type PodEffect, type PodMachine, phaseOf } from './pod-state.ts';
import type { StatusWriter, WritablePod } from './status-writer.ts';

/** What the pods need of their node. */
export interface PodHost {
  readonly nodeName: string;
  readonly podCidr: string | undefined;
  readonly client: NodeClient;
  readonly throttle: TokenBucket;
  readonly events: EventPoster;
  readonly writer: StatusWriter;
  readonly objects: ObjectWatches;
  readonly addresses: PodAddresses;
  readonly random: Random;
  readonly signal: AbortSignal;
}

/** The volume manager's loop. Source: reconcilerLoopSleepPeriod, pkg/kubelet/volumemanager v1.36.3 */
const VOLUME_TICK_MS = 100;
/** Back-off of a volume that cannot be mounted. Source: pkg/util/goroutinemap/exponentialbackoff v1.36.3 */
const MOUNT_BACK_OFF_FIRST_MS = 500;
const MOUNT_BACK_OFF_CAP_MS = 122_000;
/** A first look at an object normally takes milliseconds; while it is on its way it is looked for at this period. */
const SYNC_POLL_MS = 100;
/** A token is renewed at this share of its life. Source: pkg/kubelet/token/token_manager.go v1.36.3 */
const TOKEN_RENEWAL_RATIO = 0.8;
const TOKEN_RETRY_MS = 10_000;

export class PodManager {
  readonly #context: FleetContext;
  readonly #host: PodHost;
  readonly #pods = new Map<string, NodePod>();
  /** Counts lists: a pod that the newest one did not show is gone. */
  #round = 0;

  constructor(context: FleetContext, host: PodHost) {
    this.#context = context;
    this.#host = host;
  }

  get count(): number {
    return this.#pods.size;
  }

  /** A whole list begins. */
  listBegins(): void {
    this.#round++;
  }

  /** The list that began last is complete. */
  listEnds(): void {
    for (const pod of this.#pods.values()) if (pod.round !== this.#round) this.#gone(pod);
  }

  /** A pod bound to this node, new or changed. */
  see(object: ApiPod): void {
    const uid = object.metadata.uid ?? '';
    const known = this.#pods.get(uid);
    if (known !== undefined) {
      known.round = this.#round;
      this.#change(known, seePod(known.machine, readPodSighting(object), this.#now()));
      known.compare(readPodSighting(object));
      if (known.mismatched) this.#host.writer.recheckLater(known);
      return;
    }
    this.#add(object);
  }

  /** A pod is gone, or no longer of this node. */
  remove(uid: string): void {
    const pod = this.#pods.get(uid);
    if (pod !== undefined) this.#gone(pod);
  }

  /** Forgets everything, sends nothing: the fleet ends. */
  stop(): void {
    for (const pod of this.#pods.values()) this.#drop(pod);
    this.#host.writer.stop();
  }

  /** A pod's timer fired. */
  tick(pod: NodePod): void {
    const { clock } = this.#context;
    if (pod.machine.dueUs <= clock.nowUs()) this.#change(pod, tickPod(pod.machine, this.#now()));
    if (pod.tokenDueUs <= clock.nowUs()) {
      pod.tokenDueUs = Number.POSITIVE_INFINITY;
      this.#run(this.#renewTokens(pod), pod);
    }
    this.#arm(pod);
  }

  #add(object: ApiPod): void {
    const { clock, counters, instants, intern, profileOf, form } = this.#context;
    const { addresses } = this.#host;
    const spec = readPodSpec(object, intern);
    const seen = readPodSighting(object);
    const at = this.#now();
    instants.note('kubelet-seen', spec.namespace, spec.name, clock.nowUs(), { uid: spec.uid });
    if (seen.podIp !== undefined && !spec.hostNetwork) addresses.claim(seen.podIp);
    const podIp = spec.hostNetwork
      ? ''
      : (form.fixedPodIp ?? seen.podIp ?? addresses.take(this.#host.podCidr));
    const { pod: machine, effects } = newPod(spec, profileOf(spec), seen, object.status ?? {}, podIp, at);
    const pod = new NodePod(this, machine, this.#round);
    // What the server has already is not written again.
    if (effects.length === 0) pod.writtenVersion = machine.version;
    this.#pods.set(spec.uid, pod);
    counters.movePod(undefined, pod.phase);
    pod.watched = spec.objects.map((ref) => this.#host.objects.acquire(ref, spec.namespace));
    if (machine.stage === 'mounting') this.#run(this.#mount(pod), pod);
    else if (spec.tokens.length > 0 && machine.stage === 'running') this.#run(this.#requestTokens(pod), pod);
    this.#change(pod, effects);
  }

  #change(pod: NodePod, effects: readonly PodEffect[]): void {
    const { counters, clock, instants } = this.#context;
    const { machine } = pod;
    const { namespace, name, uid } = machine.spec;
    for (const effect of effects) {
      if (effect.effect === 'status' || effect.effect === 'remove') this.#host.writer.enqueue(pod);
      else if (effect.effect === 'event') this.#post(pod, effect.reason, effect.container);
    }
    const phase = phaseOf(machine);
    if (phase !== pod.phase) {
      counters.movePod(pod.phase, phase);
      if (phase === 'Running') counters.podsStartedCount++;
      pod.phase = phase;
    }
    if (machine.stage === 'stopped' && !pod.noted) {
      pod.noted = true;
      instants.note('terminated', namespace, name, clock.nowUs(), { uid });
    }
    this.#arm(pod);
  }

  #arm(pod: NodePod): void {
    if (!pod.dropped) this.#context.timers.arm(pod.timer, Math.min(pod.machine.dueUs, pod.tokenDueUs));
  }

  #gone(pod: NodePod): void {
    for (const effect of podGone()) if (effect.effect === 'forget') this.#drop(pod);
  }

  #drop(pod: NodePod): void {
    pod.dropped = true;
    this.#context.timers.cancel(pod.timer);
    this.#context.counters.movePod(pod.phase, undefined);
    for (const object of pod.watched) this.#host.objects.release(object);
    pod.watched = [];
    if (pod.machine.podIp !== '') this.#host.addresses.free(pod.machine.podIp);
    this.#pods.delete(pod.machine.spec.uid);
  }

  /** Tokens first, then whatever else the pod mounts or reads; gives up only when the pod does. */
  async #mount(pod: NodePod): Promise<void> {
    const { clock } = this.#context;
    const { random, signal } = this.#host;
    const stillWanted = () => !pod.dropped && pod.machine.stage === 'mounting' && !signal.aborted;
    if (pod.machine.volumesReady) return;
    await delay(VOLUME_TICK_MS * (1 + random.next()), { signal, clock });
    let backOffMs = MOUNT_BACK_OFF_FIRST_MS;
    while (stillWanted() && !(await this.#requestTokens(pod))) {
      await delay(backOffMs, { signal, clock });
      backOffMs = Math.min(backOffMs * 2, MOUNT_BACK_OFF_CAP_MS);
    }
    backOffMs = MOUNT_BACK_OFF_FIRST_MS;
    while (stillWanted()) {
      const state = readiness(pod);
      if (state === 'ready') {
        this.#change(pod, volumesReady(pod.machine, this.#now()));
        return;
      }
      if (state === 'unknown') {
        await delay(SYNC_POLL_MS, { signal, clock });
        continue;
      }
      this.#postMissing(pod);
      await delay(backOffMs, { signal, clock });
      backOffMs = Math.min(backOffMs * 2, MOUNT_BACK_OFF_CAP_MS);
    }
  }

  /** Asks for each token of the pod; true if all are there. */
  async #requestTokens(pod: NodePod): Promise<boolean> {
    const { clock } = this.#context;
    const { spec } = pod.machine;
    const path = `/api/v1/namespaces/${spec.namespace}/serviceaccounts/${spec.serviceAccount}/token`;
    for (const token of spec.tokens) {
      const body = {
        kind: 'TokenRequest',
        apiVersion: 'authentication.k8s.io/v1',
        metadata: {},
        spec: {
          audiences: token.audience === '' ? null : [token.audience],
          expirationSeconds: token.expirationSeconds,
          boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: spec.name, uid: spec.uid },
        },
        status: { token: '', expirationTimestamp: null },
      };
      try {
        const reply = await this.#host.client.send(
          'createToken',
          { method: 'POST', path, body: JSON.stringify(body), discardBody: true },
          this.#host.throttle,
        );
        // The Node authorizer learns of a pod by its own watch: right after binding it may still say 403.
        if (reply.status >= 300) return false;
      } catch (error) {
        if (error instanceof TransportError) return false;
        throw error;
      }
      const renewUs = clock.nowUs() + token.expirationSeconds * TOKEN_RENEWAL_RATIO * 1_000_000;
      pod.tokenDueUs = Math.min(pod.tokenDueUs, renewUs);
    }
    this.#arm(pod);
    return true;
  }

  async #renewTokens(pod: NodePod): Promise<void> {
    if (await this.#requestTokens(pod)) return;
    pod.tokenDueUs = this.#context.clock.nowUs() + TOKEN_RETRY_MS * 1_000;
    this.#arm(pod);
  }

  #post(pod: NodePod, reason: 'Pulled' | 'Created' | 'Started' | 'Killing' | 'BackOff', index: number): void {
    const container = pod.machine.spec.containers[index];
    if (container === undefined) return;
    const list = container.kind === 'main' ? 'containers' : 'initContainers';
    const messages = {
      Pulled: `Container image "${container.image}" already present on machine`,
      Created: 'Container created',
      Started: 'Container started',
      Killing: `Stopping container ${container.name}`,
      BackOff: `Back-off restarting failed container ${container.name}`,
    };
    this.#host.events.post(pod.subject, pod.ledger(), {
      reason,
      message: messages[reason],
      type: reason === 'BackOff' ? 'Warning' : 'Normal',
      fieldPath: `spec.${list}{${container.name}}`,
    });
  }

  #postMissing(pod: NodePod): void {
    const missing = pod.watched.find((object) => object.state === 'absent' && !object.ref.optional);
    if (missing === undefined) return;
    const { resource, name, volume } = missing.ref;
    const kind = resource === 'secrets' ? 'secret' : 'configmap';
    this.#host.events.post(pod.subject, pod.ledger(), {
      reason: volume === undefined ? 'Failed' : 'FailedMount',
      message:
        volume === undefined
          ? `${kind} "${name}" not found`
          : `volume "${volume}": ${kind} "${name}" not found`,
      type: 'Warning',
      fieldPath: '',
    });
  }

  #run(work: Promise<unknown>, pod: NodePod): void {
    work.catch((error: unknown) => {
      if (this.#host.signal.aborted) return;
      const { namespace, name } = pod.machine.spec;
      this.#context.log.error({ err: error, namespace, pod: name }, 'pod work failed');
    });
  }

  #now(): Instant {
    return { nowUs: this.#context.clock.nowUs(), wallMs: this.#context.clock.wallMs() };
  }
}

/** One pod on its node: the machine and what is kept beside it. */
class NodePod implements WritablePod, TimerTarget {
  readonly machine: PodMachine;
  readonly timer = new Timer(this, 0);
  writtenVersion = -1;
  mismatched = false;
  queued = false;
  dropped = false;
  removed = false;
  round: number;
  phase: PodPhase;
  /** The instant of termination has been noted. */
  noted = false;
  tokenDueUs = Number.POSITIVE_INFINITY;
  watched: WatchedObject[] = [];
  readonly #manager: PodManager;
  #ledger: EventLedger | undefined;

  constructor(manager: PodManager, machine: PodMachine, round: number) {
    this.#manager = manager;
    this.machine = machine;
    this.round = round;
    this.phase = phaseOf(machine);
  }

  get subject(): EventSubject {
    const { namespace, name, uid, resourceVersion } = this.machine.spec;
    return { kind: 'Pod', namespace, name, uid, resourceVersion };
  }

  ledger(): EventLedger {
    this.#ledger ??= new EventLedger();
    return this.#ledger;
  }

  onTimer(): void {
    this.#manager.tick(this);
  }

  /** Notes whether the server shows what was written last: the node controller may have called the pod not ready. */
  compare(seen: { phase: PodPhase; ready: boolean }): void {
    const { machine } = this;
    if (machine.stage !== 'running' || this.writtenVersion !== machine.version) return;
    this.mismatched = seen.ready !== (machine.conditionTrue[2] ?? false) || seen.phase !== phaseOf(machine);
  }
}

function readiness(pod: NodePod): 'ready' | 'unknown' | 'missing' {
  let state: 'ready' | 'unknown' | 'missing' = 'ready';
  for (const object of pod.watched) {
    if (object.state === 'unknown') return 'unknown';
    if (object.state === 'absent' && !object.ref.optional) state = 'missing';
  }
  return state;
}
