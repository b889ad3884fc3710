/**
 * The watchers of one `watches` action: each a reflector on a stream of its own, whose events are counted and stamped
 * and not parsed. Only what changes counts as an event; the initial state adds to the bytes alone.
 */
import { type LoadPhase, resourceLabel, type WatchesAction } from '../../src/config/index.ts';
import type { Clock, Random } from '../../src/core/index.ts';
import { type Connection, frameResourceVersion, Reflector, resourcePath } from '../../src/kube/index.ts';
import { LatencyHistogram, type WatchFanOut } from '../../src/result/index.ts';
import { type Shard, stripeIndex, stripeLength } from '../pacer/stripe.ts';
import { DeliverySpread } from './delivery-spread.ts';
import { ServerLag } from './server-lag.ts';

/** What one watcher has received. */
export interface WatcherCounts {
  eventCount: number;
  receivedBytes: number;
}

export interface WatchGroupOptions {
  phase: LoadPhase;
  action: WatchesAction;
  shard: Shard;
  /** Watcher i of a namespaced watch takes namespace i mod length. */
  namespaces: readonly string[];
  clock: Clock;
  random: Random;
  /** The connection that the next watcher goes on. */
  nextConnection: () => Connection;
  /** A watcher failed, and goes on trying. */
  onFailure: (error: Error) => void;
}

/** One watcher; `onOpened` is called once, with its initial state or with its first failure. */
export interface Watcher {
  open(onOpened: () => void): void;
  close(): void;
}

export class WatchGroup {
  readonly watchers: readonly Watcher[];
  readonly counts: readonly WatcherCounts[];
  readonly #options: WatchGroupOptions;
  readonly #spread = new LatencyHistogram();
  readonly #serverLag = new ServerLag();
  readonly #spreads: readonly DeliverySpread[];
  readonly #paths: readonly string[];
  #syncedCount = 0;
  #reconnectCount = 0;
  #relistCount = 0;

  constructor(options: WatchGroupOptions) {
    const { action, shard, namespaces } = options;
    const namespaced = action.scope === 'namespace' && action.resource.namespaced && namespaces.length > 0;
    this.#options = options;
    this.#paths = namespaced
      ? namespaces.map((namespace) => resourcePath(action.resource, { namespace }))
      : [resourcePath(action.resource)];
    const indexes = Array.from({ length: stripeLength(action.watcherCount, shard) }, (_, position) =>
      stripeIndex(position, shard),
    );
    const watcherCounts = this.#paths.map(
      (_, place) => indexes.filter((index) => index % this.#paths.length === place).length,
    );
    this.#spreads = watcherCounts.map((watcherCount) => new DeliverySpread(watcherCount, this.#spread));
    this.counts = indexes.map(() => ({ eventCount: 0, receivedBytes: 0 }));
    this.watchers = indexes.map((index, position) => this.#watcher(index, position));
  }

  get syncedCount(): number {
    return this.#syncedCount;
  }

  /** What the result says of the group. */
  fanOut(): WatchFanOut {
    const { phase, action } = this.#options;
    return {
      phase: phase.name,
      resource: resourceLabel(action.resource),
      scope: action.scope === 'namespace' && action.resource.namespaced ? 'namespace' : 'cluster',
      watcherCount: this.watchers.length,
      eventCount: this.counts.reduce((sum, { eventCount }) => sum + eventCount, 0),
      eventsPerWatcher: spanOf(this.counts.map(({ eventCount }) => eventCount)),
      receivedBytes: this.counts.reduce((sum, { receivedBytes }) => sum + receivedBytes, 0),
      reconnectCount: this.#reconnectCount,
      relistCount: this.#relistCount,
      deliverySpread: this.#spread.distribution(),
      ...this.#serverLag.figures(),
    };
  }

  #watcher(index: number, position: number): Watcher {
    const { action, clock, random, nextConnection, onFailure } = this.#options;
    const place = index % this.#paths.length;
    const spread = this.#spreads[place];
    const counts = this.counts[position];
    const path = this.#paths[place];
    if (spread === undefined || counts === undefined || path === undefined)
      throw new RangeError(`watcher ${index} has no place`);
    let reflector: Reflector | undefined;
    let everSynced = false;
    return {
      open: (onOpened) => {
        let opened = () => {
          opened = () => {};
          onOpened();
        };
        reflector = new Reflector(
          nextConnection(),
          { path, fieldSelector: action.fieldSelector, labelSelector: action.labelSelector },
          {
            onReplace: () => {
              if (everSynced) this.#relistCount++;
            },
            onEvent: (type, frame, initial) => {
              counts.receivedBytes += frame.length + 1;
              if (initial) return;
              counts.eventCount++;
              const isFirst = spread.received(frameResourceVersion(frame), clock.nowUs());
              if (isFirst) this.#serverLag.received(type, frame, clock.wallMs());
            },
            onSynced: () => {
              if (!everSynced) this.#syncedCount++;
              everSynced = true;
              opened();
            },
            onResume: () => {
              this.#reconnectCount++;
            },
            onFailure: (error, next) => {
              if (everSynced && next.phase === 'watch') this.#reconnectCount++;
              onFailure(error);
              opened();
            },
          },
          { mode: 'watch-list', clock, random },
        );
        reflector.start();
      },
      close: () => reflector?.stop(),
    };
  }
}

/** All 0 for no counts; of two in the middle the lower one. */
function spanOf(counts: readonly number[]): { min: number; median: number; max: number } {
  const sorted = [...counts].sort((a, b) => a - b);
  return {
    min: sorted[0] ?? 0,
    median: sorted[Math.ceil(sorted.length / 2) - 1] ?? 0,
    max: sorted.at(-1) ?? 0,
  };
}
