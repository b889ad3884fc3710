/**
 * The pods of one node: takes what the watch says, runs each pod's state machine, and carries out what it asks for.
 */
import type { Pressure } from '../../../src/config/index.ts';
import type { PodAddresses } from '../../addresses.ts';
import type { FleetContext } from '../../context.ts';
import { shownPart } from '../../light/shown-pod.ts';
import type { EventRequest } from '../event-ledger.ts';
import {
  type Admission,
  type AdmittingNode,
  admissionOf,
  type NodeRoom,
  nodeRoom,
} from './admission/pod-admission.ts';
import { PREEMPTED } from './admission/pod-preemption.ts';
import { WaitingPods } from './admission/waiting-pods.ts';
import { NodePod } from './node-pod.ts';
import { NodePressure, type PressureHost } from './node-pressure.ts';
import type { ObjectWatches } from './object-watches.ts';
import { containerEvent, verdictEvent } from './pod-events.ts';
import { evictPod, newPod, podGone, seePod, tickPod, volumesReady } from './pod-machine.ts';
import { type ApiPod, isTerminalPhase } from './pod-object.ts';
import { shownPhase } from './pod-phase.ts';
import { type PodSpec, readPodSighting, readPodSpec } from './pod-spec.ts';
import { type Instant, isActive, type PodEffect, type PodMachine, type PodVerdict } from './pod-state.ts';
import { mountVolumes, renewTokens, requestTokens, type VolumeHost } from './pod-volumes.ts';
import type { StatusWriter } from './status-writer.ts';

/** What the pods need of their node. */
export interface PodHost extends VolumeHost {
  readonly podCidr: string | undefined;
  readonly writer: StatusWriter;
  readonly objects: ObjectWatches;
  readonly addresses: PodAddresses;
  /** The node as pods are held against it. */
  readonly placement: Pick<AdmittingNode, 'name' | 'labels' | 'taints'>;
  /** Which resources the node is short of has changed: `pressures` of the manager. */
  pressuresChanged(): void;
  /** An event about the node. */
  postWarning(reason: string, message: string): void;
}

const NO_PRESSURES: ReadonlySet<Pressure> = new Set();

export class PodManager implements PressureHost {
  readonly #context: FleetContext;
  readonly #host: PodHost;
  readonly #pods = new Map<string, NodePod>();
  readonly #waiting = new WaitingPods();
  /** Made when the first pod exhausts something. */
  #pressure: NodePressure | undefined;
  /** Counts lists: a pod that the newest one did not show is gone. */
  #round = 0;

  constructor(context: FleetContext, host: PodHost) {
    this.#context = context;
    this.#host = host;
  }

  get count(): number {
    return this.#pods.size;
  }

  /** What the node is short of. */
  get pressures(): ReadonlySet<Pressure> {
    return this.#pressure?.pressures ?? NO_PRESSURES;
  }

  get room(): NodeRoom {
    return roomOf(this.#context);
  }

  get random() {
    return this.#host.random;
  }

  /** A whole list begins. */
  listBegins(): void {
    this.#round++;
  }

  /** The list that began last is complete. */
  listEnds(): void {
    this.#waiting.keepOnly(this.#round);
    for (const pod of this.#pods.values()) if (pod.round !== this.#round) this.#gone(pod);
  }

  /** A pod bound to this node, new or changed. */
  see(object: ApiPod): void {
    const uid = object.metadata.uid ?? '';
    const known = this.#pods.get(uid);
    if (known !== undefined) {
      const seen = readPodSighting(object);
      known.round = this.#round;
      this.#keepShown(known, object);
      this.#change(known, seePod(known.machine, seen, this.#now()));
      known.compare(seen);
      if (known.mismatched) this.#host.writer.recheckLater(known);
      return;
    }
    if (!this.#waiting.update(object, this.#round)) this.#consider(object);
  }

  /** A pod is gone, or no longer of this node. */
  remove(uid: string): void {
    this.#waiting.remove(uid);
    const pod = this.#pods.get(uid);
    if (pod !== undefined) this.#gone(pod);
  }

  /** Forgets everything, sends nothing: the fleet ends. */
  stop(): void {
    for (const pod of this.#pods.values()) this.#drop(pod);
    this.#pressure?.stop();
    this.#host.writer.stop();
  }

  *machines(): Iterable<PodMachine> {
    for (const pod of this.#pods.values()) yield pod.machine;
  }

  evict(machine: PodMachine, verdict: PodVerdict, graceSeconds: number): void {
    const pod = this.#pods.get(machine.spec.uid);
    if (pod !== undefined) this.#change(pod, evictPod(machine, verdict, graceSeconds, this.#now()));
  }

  pressuresChanged(): void {
    this.#host.pressuresChanged();
  }

  postWarning(reason: string, message: string): void {
    this.#host.postWarning(reason, message);
  }

  #tick(pod: NodePod): void {
    const { clock } = this.#context;
    if (pod.machine.dueUs <= clock.nowUs()) this.#change(pod, tickPod(pod.machine, this.#now()));
    if (pod.tokenDueUs <= clock.nowUs()) {
      const renewal = renewTokens(pod, this.#context, this.#host);
      this.#run(
        renewal.then(() => this.#arm(pod)),
        pod,
      );
    }
    this.#arm(pod);
  }

  /** A pod that is new on this node: takes it, refuses it, or makes room for it first. */
  #consider(object: ApiPod): void {
    const { clock, instants, intern } = this.#context;
    const spec = readPodSpec(object, intern);
    const seen = readPodSighting(object);
    instants.note('kubelet-seen', spec.namespace, spec.name, clock.nowUs(), { uid: spec.uid });
    if (seen.deleting || isTerminalPhase(seen.phase)) {
      this.#add(object, spec);
      return;
    }
    const { placement } = this.#host;
    const node: AdmittingNode = { ...placement, capacity: this.room, pressures: this.pressures };
    const { rejection, victims }: Admission = admissionOf(object, spec, node, this.machines());
    if (victims.length === 0) {
      this.#add(object, spec, rejection);
      return;
    }
    this.#waiting.add(object, victims, this.#round);
    for (const victim of victims) this.evict(victim, PREEMPTED, victim.spec.graceSeconds);
  }

  #add(object: ApiPod, spec: PodSpec, rejection?: PodVerdict): void {
    const { counters, form, profileOf } = this.#context;
    const { addresses } = this.#host;
    const seen = readPodSighting(object);
    const at = this.#now();
    if (seen.podIp !== undefined && !spec.hostNetwork) addresses.claim(seen.podIp);
    const podIp =
      spec.hostNetwork || rejection !== undefined
        ? ''
        : (form.fixedPodIp ?? seen.podIp ?? addresses.take(this.#host.podCidr));
    const profile = profileOf(spec);
    const status = object.status ?? {};
    const { pod: machine, effects } = newPod(spec, profile, seen, status, podIp, at, rejection);
    const pod = new NodePod((due) => this.#tick(due), machine, this.#round);
    this.#keepShown(pod, object);
    // What the server has already is not written again.
    if (effects.length === 0) pod.writtenVersion = machine.version;
    this.#pods.set(spec.uid, pod);
    counters.movePod(undefined, pod.phase);
    if (rejection === undefined) {
      pod.watched = spec.objects.map((ref) => this.#host.objects.acquire(ref, spec.namespace));
    }
    if (machine.stage === 'mounting') this.#run(this.#mount(pod), pod);
    else if (spec.tokens.length > 0 && machine.stage === 'running') this.#run(this.#resumeTokens(pod), pod);
    this.#change(pod, effects);
  }

  #change(pod: NodePod, effects: readonly PodEffect[]): void {
    const { counters, clock, instants } = this.#context;
    const { machine } = pod;
    const { namespace, name, uid } = machine.spec;
    for (const effect of effects) this.#carryOut(pod, effect);
    const phase = shownPhase(machine);
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
    this.#letIn();
  }

  /** Takes the critical pods for which there is room now, without a second look. */
  #letIn(): void {
    const isOver = (victim: PodMachine) =>
      this.#pods.get(victim.spec.uid)?.machine !== victim || !isActive(victim);
    for (const object of this.#waiting.takeReady(isOver)) {
      this.#add(object, readPodSpec(object, this.#context.intern));
    }
  }

  #keepShown(pod: NodePod, object: ApiPod): void {
    const { settings, intern } = this.#context;
    if (settings.fidelity === 'light') pod.shown = shownPart(object, intern);
  }

  #carryOut(pod: NodePod, effect: PodEffect): void {
    switch (effect.effect) {
      case 'status':
      case 'remove':
        this.#host.writer.enqueue(pod);
        return;
      case 'event':
        this.#post(
          pod,
          containerEvent(pod.machine, effect.reason, effect.container, effect.probe, effect.message),
        );
        return;
      case 'verdict':
        this.#post(pod, verdictEvent(pod.machine));
        return;
      case 'pressure':
        this.#pressure ??= new NodePressure(this.#context, this);
        this.#pressure.note();
        return;
      case 'forget':
        this.#drop(pod);
    }
  }

  #post(pod: NodePod, request: EventRequest | undefined): void {
    if (request !== undefined) this.#host.events.post(pod.subject, pod.ledger(), request);
  }

  #arm(pod: NodePod): void {
    if (!pod.dropped) this.#context.timers.arm(pod.timer, Math.min(pod.machine.dueUs, pod.tokenDueUs));
  }

  #gone(pod: NodePod): void {
    for (const effect of podGone()) this.#carryOut(pod, effect);
    this.#letIn();
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

  async #mount(pod: NodePod): Promise<void> {
    const mounted = await mountVolumes(pod, this.#context, this.#host);
    if (mounted) this.#change(pod, volumesReady(pod.machine, this.#now()));
  }

  async #resumeTokens(pod: NodePod): Promise<void> {
    await requestTokens(pod, this.#context, this.#host);
    this.#arm(pod);
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

const rooms = new WeakMap<object, NodeRoom>();

/** The same for all nodes of a fleet. */
function roomOf(context: FleetContext): NodeRoom {
  const { capacity } = context.settings;
  let room = rooms.get(capacity);
  if (room === undefined) {
    room = nodeRoom(capacity);
    rooms.set(capacity, room);
  }
  return room;
}
