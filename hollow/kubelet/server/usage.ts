/**
 * CPU and memory that a hollow node says it uses. Nothing runs, so each container has a constant rate and size drawn from
 * the fleet's seed; a node has a base of its own on top. Counters rise as long as what they count is there.
 */
import { seededRandom } from '../../../src/core/index.ts';
import type { PodMachine } from '../pods/pod-state.ts';

export interface Usage {
  /** Cores in use now. */
  cpuCores: number;
  /** Core-seconds since the start. */
  cpuSeconds: number;
  memoryBytes: number;
}

export interface ContainerUsage extends Usage {
  readonly name: string;
  /** Wall time in ms. */
  readonly startMs: number;
}

export interface PodUsage extends Usage {
  readonly pod: PodMachine;
  /** Of the containers that run now. */
  readonly containers: readonly ContainerUsage[];
}

const CONTAINER_CORES = { low: 0.001, high: 0.02 };
const CONTAINER_BYTES = { low: 5_000_000, high: 50_000_000 };
/** Operating system, kubelet and runtime of the node. */
const NODE_CORES = 0.1;
const NODE_BYTES = 400_000_000;

/** What the containers of `pod` that run now use. */
export function podUsage(seed: string, pod: PodMachine, nowMs: number): PodUsage {
  const containers: ContainerUsage[] = [];
  for (const [index, { name }] of pod.spec.containers.entries()) {
    const run = pod.runs[index];
    if (run?.state !== 'running') continue;
    const random = seededRandom(`${seed}/usage/${pod.spec.uid}/${name}`);
    const cpuCores = random.uniform(CONTAINER_CORES.low, CONTAINER_CORES.high);
    containers.push({
      name,
      startMs: run.startedAtMs,
      cpuCores,
      cpuSeconds: (cpuCores * Math.max(0, nowMs - run.startedAtMs)) / 1_000,
      memoryBytes: Math.round(random.uniform(CONTAINER_BYTES.low, CONTAINER_BYTES.high)),
    });
  }
  return { pod, containers, ...total(containers) };
}

/** The node's own counter: what its pods use flows into it between two readings, so that it never goes back. */
export class NodeUsage {
  readonly #startMs: number;
  #podSeconds = 0;
  #readMs: number;

  constructor(startMs: number) {
    this.#startMs = startMs;
    this.#readMs = startMs;
  }

  /** Usage of the node with `pods` on it. */
  read(pods: readonly PodUsage[], nowMs: number): Usage {
    const sum = total(pods);
    this.#podSeconds += (sum.cpuCores * Math.max(0, nowMs - this.#readMs)) / 1_000;
    this.#readMs = Math.max(this.#readMs, nowMs);
    return {
      cpuCores: NODE_CORES + sum.cpuCores,
      cpuSeconds: (NODE_CORES * (this.#readMs - this.#startMs)) / 1_000 + this.#podSeconds,
      memoryBytes: NODE_BYTES + sum.memoryBytes,
    };
  }
}

function total(parts: readonly Usage[]): Usage {
  const sum: Usage = { cpuCores: 0, cpuSeconds: 0, memoryBytes: 0 };
  for (const { cpuCores, cpuSeconds, memoryBytes } of parts) {
    sum.cpuCores += cpuCores;
    sum.cpuSeconds += cpuSeconds;
    sum.memoryBytes += memoryBytes;
  }
  return sum;
}
