/**
 * Instants in the lives of pods, as those who see them hand them in: the load (what it asked for), the fleet (what
 * its kubelets did) and the observer (what a watcher of the cluster was told). They are stamped where they happen,
 * sent in batches, and joined per pod by the coordinator (pod-timelines.ts).
 */
import type { PodKind } from '../result/index.ts';

/**
 * Load: `intended` (when the schedule wanted it), `sent`, `created` (201 is here), `create-failed`, `delete-sent`,
 * `deleted` (the reply is here).
 * Fleet: `kubelet-seen` (its watch delivered the pod), `running-sent` (the Running patch goes out), `terminated` (its
 * containers are stopped).
 * Observer: `seen` (first event of the pod), `scheduled` (first event with a nodeName), `init-started` (first event with
 * an init container that ran), `initialized` (first event with all of them ended well), `running-seen`, `delete-seen` (first event with a deletionTimestamp), `gone`.
 */
export const POD_INSTANTS = [
  'intended',
  'sent',
  'created',
  'create-failed',
  'delete-sent',
  'deleted',
  'kubelet-seen',
  'running-sent',
  'terminated',
  'seen',
  'scheduled',
  'init-started',
  'initialized',
  'running-seen',
  'delete-seen',
  'gone',
] as const;
export type PodInstant = (typeof POD_INSTANTS)[number];

/** What else is known where an instant is noted; each field where it is known, none of them required. */
export interface PodDetail {
  /** Tells apart two pods that had one name after the other. */
  uid?: string;
  /** Observer, with `scheduled`. */
  node?: string;
  /** Observer, with `seen`. */
  kind?: PodKind;
  /** Load, with `intended` or `sent`: the suite's phase that made the pod. */
  phase?: string;
  /** Observer, with `seen`: creationTimestamp minus own wall time at receipt, milliseconds. */
  serverClockDifferenceMs?: number;
}

/** What the observer needs beside the instants themselves. */
export interface ObserverSink extends PodInstantSink {
  /** The watch broke or had to start over: instants in between may be late, merged or lost. */
  noteGap(): void;
}

/** Takes instants; must be cheap, because it is called on the paths that are measured. */
export interface PodInstantSink {
  /** `atUs`: monotonic microseconds of the machine's clock. The first report of an instant counts. */
  note(instant: PodInstant, namespace: string, name: string, atUs: number, detail?: PodDetail): void;
}

/** A batch on its way to the coordinator; JSON as it stands. */
export interface PodInstantBatch {
  /** Subtracted from every instant, so that numbers stay short. */
  baseUs: number;
  /** `namespace/name`. */
  pods: string[];
  /** Triples, flat: index into `pods`, index into POD_INSTANTS, whole microseconds after `baseUs`. */
  rows: number[];
  /** Index of the triple (not of its first number) and its detail. */
  details: [number, PodDetail][];
  /** Instants lost since the last batch because the buffer was full: such a run cannot be trusted. */
  lostCount: number;
  /** Times that the observer's watch had to start over since the last batch. */
  gapCount: number;
}

/** Most instants kept between two drains: 100,000 pods' worth of a load agent's, about 20 MB. */
export const POD_INSTANT_BUFFER_LIMIT = 400_000;

/** Collects instants until they are drained; beyond its limit new ones are counted as lost. */
export class PodInstantBuffer implements ObserverSink {
  readonly #limit: number;
  #batch: PodInstantBatch = emptyBatch();
  #indexByPod = new Map<string, number>();

  constructor(limit: number = POD_INSTANT_BUFFER_LIMIT) {
    this.#limit = limit;
  }

  /** Instants waiting to be drained. */
  get depth(): number {
    return this.#batch.rows.length / 3;
  }

  note(instant: PodInstant, namespace: string, name: string, atUs: number, detail?: PodDetail): void {
    const batch = this.#batch;
    const row = batch.rows.length / 3;
    if (row >= this.#limit) {
      batch.lostCount++;
      return;
    }
    if (row === 0) batch.baseUs = Math.floor(atUs);
    const pod = `${namespace}/${name}`;
    let index = this.#indexByPod.get(pod);
    if (index === undefined) {
      index = batch.pods.length;
      batch.pods.push(pod);
      this.#indexByPod.set(pod, index);
    }
    batch.rows.push(index, INSTANT_CODE[instant], Math.round(atUs - batch.baseUs));
    if (detail !== undefined) batch.details.push([row, detail]);
  }

  noteGap(): void {
    this.#batch.gapCount++;
  }

  /** Everything noted since the last drain, in the order it was noted; undefined if there is nothing to say. */
  drain(): PodInstantBatch | undefined {
    const batch = this.#batch;
    if (batch.rows.length + batch.lostCount + batch.gapCount === 0) return undefined;
    this.#batch = emptyBatch();
    this.#indexByPod = new Map();
    return batch;
  }
}

/** Notes every instant of `batch` in `sink`, in order; rows that make no sense are left out and counted. */
export function replayBatch(batch: PodInstantBatch, sink: PodInstantSink): { malformedCount: number } {
  const details = new Map(batch.details);
  let malformedCount = 0;
  for (let at = 0; at + 2 < batch.rows.length; at += 3) {
    const pod = batch.pods[batch.rows[at] ?? -1];
    const instant = POD_INSTANTS[batch.rows[at + 1] ?? -1];
    const offsetUs = batch.rows[at + 2];
    const slash = pod?.indexOf('/') ?? -1;
    if (pod === undefined || instant === undefined || offsetUs === undefined || slash < 0) {
      malformedCount++;
      continue;
    }
    const detail = details.get(at / 3);
    sink.note(instant, pod.slice(0, slash), pod.slice(slash + 1), batch.baseUs + offsetUs, detail);
  }
  return { malformedCount };
}

const INSTANT_CODE = Object.fromEntries(POD_INSTANTS.map((instant, code) => [instant, code])) as Record<
  PodInstant,
  number
>;

function emptyBatch(): PodInstantBatch {
  return { baseUs: 0, pods: [], rows: [], details: [], lostCount: 0, gapCount: 0 };
}
