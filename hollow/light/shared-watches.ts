/**
 * The watches of a light fleet: one of nodes and one of pods for all nodes of the process, under the fleet's own
 * credential. A process sees the pods of other processes' nodes too, and drops them.
 */
import { type Random, seededRandom } from '../../src/core/index.ts';
import { type Connection, TokenBucket } from '../../src/kube/index.ts';
import type { FleetContext } from '../context.ts';
import type { ApiPod } from '../kubelet/pods/pod-object.ts';
import { type ResourceSink, type ResourceWatch, startResourceWatch } from '../resource-watch.ts';

/** A node that is told what the watches say of it. */
export interface WatchedNode {
  seeNode(object: unknown): void;
  nodeGone(): void;
  seePod(type: 'ADDED' | 'MODIFIED' | 'DELETED', pod: ApiPod): void;
  podsBegin(): void;
  podsEnd(): void;
}

/** Two watches need no limit of their own. */
const UNLIMITED_PER_SECOND = 1_000;

export class SharedWatches {
  readonly #nodes = new Map<string, WatchedNode>();
  readonly #watches: ResourceWatch[] = [];
  readonly #context: FleetContext;

  constructor(context: FleetContext) {
    this.#context = context;
  }

  /** Opens both; `nodeSelector` is a label selector that all nodes of the fleet match. */
  start(connection: Connection, nodeSelector: string): void {
    const random: Random = seededRandom(`${this.#context.seed}/light`);
    const limiter = new TokenBucket(UNLIMITED_PER_SECOND, UNLIMITED_PER_SECOND);
    const watch = startResourceWatch(this.#context, connection, limiter, random);
    this.#watches.push(
      watch({ path: '/api/v1/nodes', labelSelector: nodeSelector, life: 'informer' }, this.#nodeSink()),
      watch({ path: '/api/v1/pods', fieldSelector: 'spec.nodeName!=', life: 'pods' }, this.#podSink()),
    );
  }

  /** From now on `node` is told; a list that is under way may have passed it by. */
  add(name: string, node: WatchedNode): void {
    this.#nodes.set(name, node);
  }

  /** Forgets `node`, unless another took its name. */
  remove(name: string, node: WatchedNode): void {
    if (this.#nodes.get(name) === node) this.#nodes.delete(name);
  }

  stop(): void {
    for (const watch of this.#watches) watch.close();
    this.#watches.length = 0;
  }

  #nodeSink(): ResourceSink {
    /** Names that the watch has shown, and of those the ones that a list under way has not shown again. */
    const shown = new Set<string>();
    let missing = new Set<string>();
    return {
      wantsObjects: true,
      onListBegin: () => {
        missing = new Set(shown);
      },
      onObject: (type, object) => {
        const name = (object as { metadata?: { name?: string } }).metadata?.name ?? '';
        const node = this.#nodes.get(name);
        missing.delete(name);
        if (type === 'DELETED') {
          shown.delete(name);
          node?.nodeGone();
        } else {
          shown.add(name);
          node?.seeNode(object);
        }
      },
      onListEnd: () => {
        // Only what was there before: a node that registers while a list is under way is not in it, and not gone.
        for (const name of missing) {
          shown.delete(name);
          this.#nodes.get(name)?.nodeGone();
        }
        missing = new Set();
      },
    };
  }

  #podSink(): ResourceSink {
    return {
      wantsObjects: true,
      onListBegin: () => {
        for (const node of this.#nodes.values()) node.podsBegin();
      },
      onObject: (type, object) => {
        const pod = object as ApiPod & { spec?: { nodeName?: string } };
        this.#nodes.get(pod.spec?.nodeName ?? '')?.seePod(type, pod);
      },
      onListEnd: () => {
        for (const node of this.#nodes.values()) node.podsEnd();
      },
    };
  }
}
