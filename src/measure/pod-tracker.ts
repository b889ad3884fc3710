/**
 * The observer: watches the run's pods as any client of the cluster would, and notes when it was told of what. Runs
 * in an agent process of its own, away from the pacing of the load, because the receipt of an event is the end of
 * pod startup and must not wait for anything. Each event is stamped before it is looked at.
 *
 * Pods that are there before the first sync belong to nobody's measurement and are left out. When the watch breaks or
 * has to start over, what happened in between arrives late or merged: such gaps are counted and degrade the run.
 */
import { type Clock, delay, describeError, type Logger, seededRandom } from '../core/index.ts';
import {
  type ClusterAccess,
  type Connection,
  openConnection,
  Reflector,
  type ReflectorHandlers,
} from '../kube/index.ts';
import type { ObserverSink, PodDetail, PodInstant } from './pod-instants.ts';
import { hasStarted, initProgress, type ObservedPod, podKind } from './pod-state.ts';

export interface PodTrackerOptions {
  access: ClusterAccess;
  /** `hollowmark.dev/run=20261122-120400-quickstart` */
  labelSelector: string;
  /** For the jitter of watch timeouts and backoff. */
  seed: string | number;
}

export interface PodTrackerParts {
  clock: Clock;
  log: Logger;
  podInstants: ObserverSink;
}

/** How often start() looks whether the first sync is there. */
const SYNC_POLL_MS = 50;

export class PodTracker {
  readonly #options: PodTrackerOptions;
  readonly #parts: PodTrackerParts;
  readonly #observer: PodObserver;
  #connection: Connection | undefined;
  #reflector: Reflector | undefined;

  constructor(options: PodTrackerOptions, parts: PodTrackerParts) {
    this.#options = options;
    this.#parts = parts;
    this.#observer = new PodObserver(parts);
  }

  /** Pods that are followed now. */
  get podCount(): number {
    return this.#observer.podCount;
  }

  /**
   * Resolves once the watch is in step with the cluster. Connection failures before that are tried again until
   * `signal` aborts.
   * @throws HM_KUBECONFIG_INVALID, or the signal's reason
   */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#reflector !== undefined) return;
    const { access, labelSelector, seed } = this.#options;
    const { clock } = this.#parts;
    this.#connection = await openConnection(access, { clock });
    this.#reflector = new Reflector(
      this.#connection,
      { path: '/api/v1/pods', labelSelector },
      this.#observer,
      { mode: 'watch-list', clock, random: seededRandom(`${seed}/pod-tracker`) },
    );
    this.#reflector.start();
    while (!this.#reflector.isSynced) await delay(SYNC_POLL_MS, { signal, clock });
  }

  /** Idempotent. */
  async stop(): Promise<void> {
    this.#reflector?.stop();
    await this.#connection?.close();
  }
}

/** Instants of a pod that were noted, as bits. */
const NOTED = {
  scheduled: 1,
  'running-seen': 2,
  'delete-seen': 4,
  'init-started': 8,
  initialized: 16,
} as const satisfies Partial<Record<PodInstant, number>>;

interface FollowedPod {
  readonly namespace: string;
  readonly name: string;
  readonly uid: string;
  noted: number;
  /** False while a relist has not mentioned it. */
  confirmed: boolean;
  /** There before the first sync. */
  ignored: boolean;
}

/** The reflector's handlers: events in, instants out. */
export class PodObserver implements ReflectorHandlers {
  readonly #parts: PodTrackerParts;
  readonly #pods = new Map<string, FollowedPod>();
  #isSynced = false;

  constructor(parts: PodTrackerParts) {
    this.#parts = parts;
  }

  get podCount(): number {
    return this.#pods.size;
  }

  onEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', frame: Buffer): void {
    const atUs = this.#parts.clock.nowUs();
    const pod = parsePod(frame);
    if (pod === undefined) {
      // The API server does not send such frames; what was in it is lost to the measurement.
      this.#parts.log.error({ frame: frame.toString('utf8', 0, 200) }, 'pod event could not be read');
      this.#parts.podInstants.noteGap();
      return;
    }
    const { namespace, name, uid } = pod.metadata;
    const key = `${namespace}/${name}`;
    let followed = this.#pods.get(key);
    if (followed !== undefined && followed.uid !== uid) {
      this.#gone(key, followed, atUs);
      followed = undefined;
    }
    if (type === 'DELETED') {
      if (followed !== undefined) this.#gone(key, followed, atUs);
      return;
    }
    if (followed === undefined) {
      followed = { namespace, name, uid, noted: 0, confirmed: true, ignored: !this.#isSynced };
      this.#pods.set(key, followed);
      this.#note(followed, 'seen', atUs, this.#firstDetail(pod));
    }
    followed.confirmed = true;
    const node = pod.spec?.nodeName;
    if (node !== undefined && node !== '') this.#noteOnce(followed, 'scheduled', atUs, { uid, node });
    const init = initProgress(pod);
    if (init !== 'none') this.#noteOnce(followed, 'init-started', atUs, { uid });
    if (init === 'done') this.#noteOnce(followed, 'initialized', atUs, { uid });
    if (hasStarted(pod)) this.#noteOnce(followed, 'running-seen', atUs, { uid });
    if (pod.metadata.deletionTimestamp !== undefined) this.#noteOnce(followed, 'delete-seen', atUs, { uid });
  }

  onReplace(): void {
    for (const pod of this.#pods.values()) pod.confirmed = false;
  }

  onSynced(): void {
    const atUs = this.#parts.clock.nowUs();
    this.#isSynced = true;
    for (const [key, pod] of this.#pods) if (!pod.confirmed) this.#gone(key, pod, atUs);
  }

  onFailure(error: Error): void {
    const { log, podInstants } = this.#parts;
    log.warn({ error: describeError(error), synced: this.#isSynced }, 'watch of the pods starts over');
    // Before the first sync there was nothing to miss.
    if (this.#isSynced) podInstants.noteGap();
  }

  onResume(cause: Error | undefined): void {
    // The server ends a watch every few minutes, and nothing is late by that.
    if (cause === undefined) return;
    const { log, podInstants } = this.#parts;
    log.warn({ error: describeError(cause) }, 'watch of the pods broke');
    // Nothing is lost, but what happened while it was away is stamped when it was back.
    if (this.#isSynced) podInstants.noteGap();
  }

  #firstDetail(pod: ObservedPod): PodDetail {
    const { uid, creationTimestamp } = pod.metadata;
    const createdWallMs = Date.parse(creationTimestamp ?? '');
    return {
      uid,
      kind: podKind(pod),
      ...(Number.isNaN(createdWallMs)
        ? {}
        : { serverClockDifferenceMs: Math.round(createdWallMs - this.#parts.clock.wallMs()) }),
    };
  }

  #gone(key: string, pod: FollowedPod, atUs: number): void {
    this.#pods.delete(key);
    this.#note(pod, 'gone', atUs, { uid: pod.uid });
  }

  #noteOnce(pod: FollowedPod, instant: keyof typeof NOTED, atUs: number, detail: PodDetail): void {
    if ((pod.noted & NOTED[instant]) !== 0) return;
    pod.noted |= NOTED[instant];
    this.#note(pod, instant, atUs, detail);
  }

  #note(pod: FollowedPod, instant: PodInstant, atUs: number, detail: PodDetail): void {
    if (!pod.ignored) this.#parts.podInstants.note(instant, pod.namespace, pod.name, atUs, detail);
  }
}

function parsePod(frame: Buffer): ObservedPod | undefined {
  try {
    const event = JSON.parse(frame.toString('utf8')) as { object?: ObservedPod };
    return typeof event.object?.metadata?.uid === 'string' ? event.object : undefined;
  } catch {
    // The caller says what it did with a frame that is no pod.
    return undefined;
  }
}
