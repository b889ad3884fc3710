/**
 * What a node does that is short of memory or disk because of one of its pods: it says so in its conditions, refuses
 * pods, and evicts one pod each ten seconds until those that caused it are gone. The condition stays for five minutes
 * after the shortage was seen last.
 * Source: pkg/kubelet/eviction/{eviction_manager,helpers}.go, pkg/kubelet/kubelet.go (evictionMonitoringPeriod),
 * pkg/kubelet/apis/config/v1beta1/defaults.go v1.36.3
 */
import { PRESSURES, type Pressure } from '../../../src/config/index.ts';
import type { Random } from '../../../src/core/index.ts';
import type { FleetContext } from '../../context.ts';
import { Timer, type TimerTarget } from '../../timers.ts';
import type { NodeRoom } from './admission/pod-admission.ts';
import {
  type ContainerRun,
  CRITICAL_PRIORITY,
  isActive,
  isBeforeStop,
  type PodMachine,
  type PodVerdict,
} from './pod-state.ts';

/** What the manager needs of the node's pods. */
export interface PressureHost {
  readonly room: NodeRoom;
  readonly random: Random;
  machines(): Iterable<PodMachine>;
  evict(pod: PodMachine, verdict: PodVerdict, graceSeconds: number): void;
  /** Which resources the node is short of has changed. */
  pressuresChanged(): void;
  /** An event about the node. */
  postWarning(reason: string, message: string): void;
}

const PERIOD_MS = 10_000;
const TRANSITION_MS = 300_000;
/** Of a hard threshold; the runtime makes two seconds of it. */
const GRACE_SECONDS = 1;
const MEBIBYTE = 2 ** 20;

/** Thresholds of a kubelet's defaults. Source: pkg/kubelet/eviction/defaults_linux.go */
const MEMORY_THRESHOLD_BYTES = 100 * MEBIBYTE;
const DISK_THRESHOLD_RATIO = 0.1;

const RESOURCE_NAMES = { memory: 'memory', disk: 'ephemeral-storage' } as const;

export class NodePressure implements TimerTarget {
  /** What the node is short of, or was until five minutes ago. */
  readonly pressures = new Set<Pressure>();
  readonly #context: FleetContext;
  readonly #host: PressureHost;
  readonly #timer = new Timer(this, 0);
  readonly #seenUs = new Map<Pressure, number>();

  constructor(context: FleetContext, host: PressureHost) {
    this.#context = context;
    this.#host = host;
  }

  /** A pod has begun to exhaust something: looked at with the next round. */
  note(): void {
    if (this.#timer.place !== -1) return;
    const { clock, timers } = this.#context;
    timers.arm(this.#timer, clock.nowUs() + this.#host.random.next() * PERIOD_MS * 1_000);
  }

  stop(): void {
    this.#context.timers.cancel(this.#timer);
  }

  onTimer(): void {
    const { clock, timers } = this.#context;
    const nowUs = clock.nowUs();
    const short = new Set<Pressure>();
    for (const pod of this.#host.machines()) {
      for (const run of pod.runs)
        if (run.pressing && run.plan.pressure) short.add(run.plan.pressure.resource);
    }
    for (const resource of short) this.#seenUs.set(resource, nowUs);
    this.#update(nowUs);
    // Memory is reclaimed first.
    const resource = PRESSURES.find((pressure) => short.has(pressure));
    if (resource !== undefined) this.#reclaim(resource);
    if (this.pressures.size > 0) timers.arm(this.#timer, nowUs + PERIOD_MS * 1_000);
  }

  #update(nowUs: number): void {
    let changed = false;
    for (const [resource, seenUs] of this.#seenUs) {
      const holds = nowUs - seenUs < TRANSITION_MS * 1_000;
      if (!holds) this.#seenUs.delete(resource);
      if (this.pressures.has(resource) === holds) continue;
      changed = true;
      if (holds) this.pressures.add(resource);
      else this.pressures.delete(resource);
    }
    if (changed) this.#host.pressuresChanged();
  }

  #reclaim(resource: Pressure): void {
    const name = RESOURCE_NAMES[resource];
    this.#host.postWarning('EvictionThresholdMet', `Attempting to reclaim ${name}`);
    const candidates = [...this.#host.machines()].filter(
      (pod) => isBeforeStop(pod.stage) && pod.spec.priority < CRITICAL_PRIORITY,
    );
    // Those over their requests first, which only the ones that cause it are, then by priority.
    candidates.sort(
      (a, b) =>
        Number(presses(b, resource) !== undefined) - Number(presses(a, resource) !== undefined) ||
        a.spec.priority - b.spec.priority,
    );
    const pod = candidates[0];
    if (pod === undefined) return;
    this.#host.evict(
      pod,
      { kind: 'evicted', reason: 'Evicted', message: this.#message(pod, resource) },
      GRACE_SECONDS,
    );
  }

  #message(pod: PodMachine, resource: Pressure): string {
    const { room, random } = this.#host;
    const name = RESOURCE_NAMES[resource];
    const [capacity, threshold] =
      resource === 'memory'
        ? [room.memoryBytes, MEMORY_THRESHOLD_BYTES]
        : [room.ephemeralStorageBytes, Math.floor(room.ephemeralStorageBytes * DISK_THRESHOLD_RATIO)];
    const available = Math.floor((threshold * random.uniform(0.2, 0.9)) / 1_024) * 1_024;
    let message = `The node was low on resource: ${name}. Threshold quantity: ${binary(threshold)}, available: ${binary(available)}. `;
    const run = presses(pod, resource);
    const container = run === undefined ? undefined : pod.spec.containers[pod.runs.indexOf(run)];
    if (container === undefined) return message;
    let others = 0;
    for (const other of this.#host.machines()) {
      if (other !== pod && isActive(other)) others += requested(other, resource);
    }
    // What is neither available nor asked for by others is the container's.
    const used = Math.max(capacity - available - others, requested(pod, resource) + MEBIBYTE);
    message += `Container ${container.name} was using ${binary(used)}, request is ${binary(requested(pod, resource))}, has larger consumption of ${name}. `;
    return message;
  }
}

function presses(pod: PodMachine, resource: Pressure): ContainerRun | undefined {
  return pod.runs.find((run) => run.pressing && run.plan.pressure?.resource === resource);
}

function requested(pod: PodMachine, resource: Pressure): number {
  return resource === 'memory' ? pod.spec.requests.memoryBytes : pod.spec.requests.ephemeralStorageBytes;
}

/** Bytes as Kubernetes writes them: the largest binary unit without a fraction. */
function binary(bytes: number): string {
  let rest = bytes;
  for (const unit of ['', 'Ki', 'Mi', 'Gi', 'Ti']) {
    if (rest % 1_024 !== 0 || rest === 0 || unit === 'Ti') return `${rest}${unit}`;
    rest /= 1_024;
  }
  return String(bytes);
}
