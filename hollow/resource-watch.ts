/**
 * Watches as hollow components use them: a reflector of src/kube with the fleet's counters around it. Objects are
 * parsed only for those who want them; everything else costs a look at the resource version.
 */
import type { Random } from '../src/core/index.ts';
import {
  type Connection,
  Reflector,
  type ReflectorContext,
  type ReflectorHandlers,
  type ReflectorTarget,
  type TokenBucket,
} from '../src/kube/index.ts';
import type { FleetContext } from './context.ts';

export interface ResourceQuery {
  readonly path: string;
  readonly fieldSelector?: string;
  readonly labelSelector?: string;
  /**
   * `informer`: 5-10 minutes a watch. `object`: 30-60, as for a single ConfigMap. `pods`: as an informer, without the
   * client's own `timeout` parameter, which the kubelet's pod source does not send.
   */
  readonly life: 'informer' | 'object' | 'pods';
}

/** Who is told. A frame's object is parsed for `wantsObjects` only; who has `onFrame` reads the frame itself. */
export interface ResourceSink {
  readonly wantsObjects: boolean;
  onListBegin?(): void;
  onObject?(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: unknown): void;
  /** `frame` is the whole event, valid during the call. `initial`: part of a list. */
  onFrame?(type: 'ADDED' | 'MODIFIED' | 'DELETED', frame: Buffer, initial: boolean): void;
  /** A list is complete, at `resourceVersion`. */
  onListEnd?(resourceVersion: string): void;
}

export interface ResourceWatch {
  /** Ends for good; the sink is not called afterwards. Idempotent. */
  close(): void;
}

export type WatchStarter = (query: ResourceQuery, sink: ResourceSink) => ResourceWatch;

/** Source: pkg/kubelet/util/manager/watch_based_manager.go v1.36.3 */
const OBJECT_WATCH_TIMEOUT_MS = 1_800_000;

/** Opens watches over `connection`, counted against `limiter`. */
export function startResourceWatch(
  fleet: FleetContext,
  connection: Connection,
  limiter: TokenBucket,
  random: Random,
): WatchStarter {
  const context: ReflectorContext = {
    mode: fleet.form.watchList ? 'watch-list' : 'list-watch',
    clock: fleet.clock,
    random,
    limiter,
  };
  return (query, sink) => new CountedWatch(fleet, connection, query, sink, context);
}

class CountedWatch implements ResourceWatch, ReflectorHandlers {
  readonly #fleet: FleetContext;
  readonly #path: string;
  readonly #sink: ResourceSink;
  readonly #reflector: Reflector;
  #closed = false;

  constructor(
    fleet: FleetContext,
    connection: Connection,
    query: ResourceQuery,
    sink: ResourceSink,
    context: ReflectorContext,
  ) {
    this.#fleet = fleet;
    this.#path = query.path;
    this.#sink = sink;
    this.#reflector = new Reflector(connection, targetOf(query), this, context);
    fleet.counters.watchCount++;
    this.#reflector.start();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#fleet.counters.watchCount--;
    this.#reflector.stop();
  }

  onReplace(): void {
    if (this.#reflector.isSynced) this.#fleet.counters.relistCount++;
    this.#sink.onListBegin?.();
  }

  onEvent(type: 'ADDED' | 'MODIFIED' | 'DELETED', frame: Buffer, initial: boolean): void {
    try {
      this.#sink.onFrame?.(type, frame, initial);
      if (!this.#sink.wantsObjects) return;
      const event = JSON.parse(frame.toString('utf8')) as { object: unknown };
      this.#sink.onObject?.(type, event.object);
    } catch (error) {
      // One object that cannot be read must not end the watch of all others.
      this.#fleet.log.error({ err: error, path: this.#path }, 'watch event not handled');
    }
  }

  onSynced(): void {
    this.#sink.onListEnd?.(this.#reflector.resourceVersion);
  }

  onFailure(error: Error): void {
    this.#fleet.log.debug({ err: error, path: this.#path }, 'watch failed');
  }
}

/** Informers of a kind that has nothing of one node in it have one target for all nodes. */
const sharedTargets = new Map<string, ReflectorTarget>();

function targetOf(query: ResourceQuery): ReflectorTarget {
  const { path, fieldSelector, labelSelector, life } = query;
  const key = `${path} ${fieldSelector ?? ''} ${labelSelector ?? ''}`;
  const known = sharedTargets.get(key);
  if (known !== undefined) return known;
  const target: ReflectorTarget = {
    path,
    ...(fieldSelector === undefined ? {} : { fieldSelector }),
    ...(labelSelector === undefined ? {} : { labelSelector }),
    ...(life === 'pods' ? { clientTimeout: false } : {}),
    ...(life === 'object' ? { minWatchTimeoutMs: OBJECT_WATCH_TIMEOUT_MS } : {}),
  };
  if (life === 'informer' && fieldSelector?.startsWith('metadata.name=') !== true) {
    sharedTargets.set(key, target);
  }
  return target;
}
