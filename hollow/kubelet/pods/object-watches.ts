/**
 * ConfigMaps and Secrets that pods of this node refer to: one watch per object while something refers to it, as the
 * kubelet's watch-based manager does. Whether it is there is all that is kept; an immutable object is watched no more
 * once it was seen.
 * Source: pkg/kubelet/util/manager/watch_based_manager.go v1.36.3
 */
import type { ResourceSink, ResourceWatch, WatchStarter } from '../../resource-watch.ts';
import type { ObjectReference } from './pod-spec.ts';

export interface WatchedObject {
  readonly key: string;
  readonly ref: ObjectReference;
  /** `unknown` until the first list is here. */
  readonly state: 'unknown' | 'present' | 'absent';
}

export class ObjectWatches {
  readonly #start: WatchStarter;
  readonly #objects = new Map<string, SharedObject>();

  constructor(start: WatchStarter) {
    this.#start = start;
  }

  get count(): number {
    return this.#objects.size;
  }

  /** The object, watched from now on; each acquire needs a release. */
  acquire(ref: ObjectReference, namespace: string): WatchedObject {
    const key = `${namespace}/${ref.resource}/${ref.name}`;
    let shared = this.#objects.get(key);
    if (shared === undefined) {
      shared = new SharedObject();
      this.#objects.set(key, shared);
      shared.watch = this.#start(
        {
          path: `/api/v1/namespaces/${namespace}/${ref.resource}`,
          fieldSelector: `metadata.name=${ref.name}`,
          life: 'object',
        },
        shared,
      );
    }
    shared.useCount++;
    return new ObjectUse(key, ref, shared);
  }

  release(object: WatchedObject): void {
    const shared = this.#objects.get(object.key);
    if (shared === undefined || --shared.useCount > 0) return;
    this.#objects.delete(object.key);
    shared.watch?.close();
  }

  stop(): void {
    for (const shared of this.#objects.values()) shared.watch?.close();
    this.#objects.clear();
  }
}

class SharedObject implements ResourceSink {
  readonly wantsObjects = true;
  useCount = 0;
  state: WatchedObject['state'] = 'unknown';
  watch: ResourceWatch | undefined;
  #seenInList = false;

  onListBegin(): void {
    this.#seenInList = false;
  }

  onObject(type: 'ADDED' | 'MODIFIED' | 'DELETED', object: unknown): void {
    this.#seenInList = type !== 'DELETED';
    this.state = type === 'DELETED' ? 'absent' : 'present';
    if (type !== 'DELETED' && (object as { immutable?: boolean }).immutable === true) this.watch?.close();
  }

  onListEnd(): void {
    this.state = this.#seenInList ? 'present' : 'absent';
  }
}

/** One pod's use of an object that several may share. */
class ObjectUse implements WatchedObject {
  readonly key: string;
  readonly ref: ObjectReference;
  readonly #shared: SharedObject;

  constructor(key: string, ref: ObjectReference, shared: SharedObject) {
    this.key = key;
    this.ref = ref;
    this.#shared = shared;
  }

  get state(): WatchedObject['state'] {
    return this.#shared.state;
  }
}
