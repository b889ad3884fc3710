/**
 * The long watches of a load, held in a process of their own so that reading them never delays the pacing. A phase's
 * watchers are opened when it starts, a few at a time, and closed when it ends.
 */
import type { LoadPhase } from '../../src/config/index.ts';
import {
  type Clock,
  type Component,
  delay,
  HarnessError,
  type Logger,
  onAbort,
  seededRandom,
} from '../../src/core/index.ts';
import {
  type ClientIdentity,
  type Connection,
  connectionFor,
  resolveIdentity,
} from '../../src/kube/index.ts';
import type { WatchFanOut } from '../../src/result/index.ts';
import type { LoadShard } from '../load-shard.ts';
import { type Watcher, WatchGroup } from './watch-group.ts';

export interface WatchLoadOptions {
  clock: Clock;
  log: Logger;
  /**
   * Watches on one HTTP/2 connection, at most 90 (a stock API server allows 100 streams): a controller process holds
   * about this many. Fewer cost more memory and handshakes on both sides. @default 10
   */
  streamsPerConnection?: number;
}

/** A glance at the watches of the phase that runs. */
export interface WatchLoadStats {
  watcherCount: number;
  /** Watchers that have had their initial state. */
  syncedCount: number;
  eventCount: number;
  receivedBytes: number;
  /** Events of the watcher that has received the fewest, and of the one with the most. */
  minEventCount: number;
  maxEventCount: number;
}

export const DEFAULT_STREAMS_PER_CONNECTION = 10;

/** Watchers without an initial state at once: their initial events and handshakes are load too. */
const OPENING_LIMIT = 50;
/** Failures that a phase writes to the log. */
const LOGGED_FAILURE_LIMIT = 20;
const USER_AGENT = 'hollowmark-watch';

interface PhaseWatches {
  groups: WatchGroup[];
  connections: Connection[];
  /** Ends the opening and the wait for it. */
  ended: AbortController;
}

export class WatchLoad implements Component {
  readonly name = 'watches';
  readonly #shard: LoadShard;
  readonly #options: WatchLoadOptions;
  #identity: ClientIdentity | undefined;
  #phase: PhaseWatches | undefined;

  constructor(shard: LoadShard, options: WatchLoadOptions) {
    this.#shard = shard;
    this.#options = options;
  }

  /**
   * Resolves the load's credential; connections are opened by phases. Idempotent.
   * @throws HM_KUBECONFIG_INVALID, or the signal's reason
   */
  async start(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    this.#identity ??= await resolveIdentity(this.#shard.access, this.#options.clock);
    signal.throwIfAborted();
  }

  /**
   * Opens the watchers of the `watches` actions of `phase`. Resolves when each has its initial state or has failed to
   * get it once (it goes on trying), when endPhase() comes first, or after `phase.settleTimeoutMs` at the latest.
   * @throws the signal's reason, with the watchers closed
   */
  async startPhase(phase: LoadPhase, signal?: AbortSignal): Promise<void> {
    signal?.throwIfAborted();
    const identity = this.#identity;
    if (identity === undefined || this.#phase !== undefined)
      throw new HarnessError(
        'HM_INTERNAL',
        `phase ${phase.name} began before the watches were ${identity === undefined ? 'started' : 'ended'}`,
      );
    const ended = new AbortController();
    const connections: Connection[] = [];
    const groups = this.#makeGroups(phase, identity, connections);
    this.#phase = { groups, connections, ended };
    const stopListening = signal === undefined ? () => {} : onAbort(signal, () => ended.abort());
    try {
      await this.#openAll(
        groups.flatMap((group) => group.watchers),
        phase.settleTimeoutMs,
        ended.signal,
      );
    } finally {
      stopListening();
    }
    if (signal?.aborted) {
      await this.endPhase();
      throw signal.reason;
    }
  }

  /** Closes the watchers and says what they received, one entry per action; empty when no phase was started. */
  async endPhase(): Promise<WatchFanOut[]> {
    const phase = this.#phase;
    if (phase === undefined) return [];
    this.#phase = undefined;
    phase.ended.abort();
    for (const group of phase.groups) for (const watcher of group.watchers) watcher.close();
    const fanOuts = phase.groups.map((group) => group.fanOut());
    await Promise.all(phase.connections.map((connection) => connection.close(0)));
    return fanOuts;
  }

  stats(): WatchLoadStats {
    const groups = this.#phase?.groups ?? [];
    const stats = { watcherCount: 0, syncedCount: 0, eventCount: 0, receivedBytes: 0 };
    let minEventCount = Number.POSITIVE_INFINITY;
    let maxEventCount = 0;
    for (const group of groups) {
      stats.watcherCount += group.watchers.length;
      stats.syncedCount += group.syncedCount;
      for (const { eventCount, receivedBytes } of group.counts) {
        stats.eventCount += eventCount;
        stats.receivedBytes += receivedBytes;
        minEventCount = Math.min(minEventCount, eventCount);
        maxEventCount = Math.max(maxEventCount, eventCount);
      }
    }
    return { ...stats, minEventCount: stats.watcherCount === 0 ? 0 : minEventCount, maxEventCount };
  }

  /** Closes everything. Idempotent. */
  async stop(): Promise<void> {
    await this.endPhase();
  }

  #makeGroups(phase: LoadPhase, identity: ClientIdentity, connections: Connection[]): WatchGroup[] {
    const { access, seed, shard, namespaces } = this.#shard;
    const { clock, log } = this.#options;
    const streamsPerConnection = this.#options.streamsPerConnection ?? DEFAULT_STREAMS_PER_CONNECTION;
    let streamCount = 0;
    let loggedCount = 0;
    let current: Connection | undefined;
    const nextConnection = () => {
      if (current === undefined || streamCount % streamsPerConnection === 0) {
        current = connectionFor(access, identity, { clock, userAgent: USER_AGENT });
        connections.push(current);
      }
      streamCount++;
      return current;
    };
    return phase.actions
      .filter((action) => action.action === 'watches')
      .map(
        (action, position) =>
          new WatchGroup({
            phase,
            action,
            shard,
            namespaces,
            clock,
            random: seededRandom(JSON.stringify([seed, phase.name, action.name, position])),
            nextConnection,
            onFailure: (error) => {
              // A server that goes down ends every watch at once: the result has their number.
              if (loggedCount++ < LOGGED_FAILURE_LIMIT)
                log.warn({ action: action.name, error: error.message }, 'a watch of the load failed');
            },
          }),
      );
  }

  /** Opens the watchers, so many at once; returns when all are open, the time is over or `ended` aborts. */
  #openAll(watchers: readonly Watcher[], timeoutMs: number, ended: AbortSignal): Promise<void> {
    const opened = new AbortController();
    let openedCount = 0;
    let nextIndex = 0;
    const openNext = () => {
      const watcher = ended.aborted ? undefined : watchers[nextIndex++];
      watcher?.open(() => {
        openedCount++;
        if (openedCount === watchers.length) opened.abort();
        else openNext();
      });
    };
    if (watchers.length === 0) return Promise.resolve();
    for (let slot = 0; slot < OPENING_LIMIT; slot++) openNext();
    const stopListening = onAbort(ended, () => opened.abort());
    return delay(timeoutMs, { signal: opened.signal, clock: this.#options.clock })
      .catch((error: unknown) => {
        if (!opened.signal.aborted) throw error;
      })
      .finally(stopListening);
  }
}
