/**
 * One hollow node: a kubelet and, where the suite wants one, a kube-proxy, each with its own identity and connection.
 */
import { type Random, seededRandom } from '../src/core/index.ts';
import type { Connection, ConnectionStats } from '../src/kube/index.ts';
import type { FleetContext } from './context.ts';
import { HollowKubelet } from './kubelet/kubelet.ts';
import type { NodeIdentity } from './kubelet/node-object.ts';
import { HollowProxy } from './proxy/proxy.ts';

export interface HollowNodeOptions {
  readonly context: FleetContext;
  /** Number in the whole fleet. */
  readonly index: number;
  readonly identity: NodeIdentity;
  readonly kubeletConnection: Connection;
  /** Absent: no proxy. */
  readonly proxyConnection: Connection | undefined;
  readonly signal: AbortSignal;
}

export class HollowNode {
  readonly kubelet: HollowKubelet;
  readonly #proxy: HollowProxy | undefined;
  readonly #connections: readonly Connection[];

  constructor(options: HollowNodeOptions) {
    const { context, identity, kubeletConnection, proxyConnection, signal } = options;
    const random: Random = seededRandom(`${context.seed}/node/${identity.name}`);
    this.kubelet = new HollowKubelet({
      context,
      index: options.index,
      identity,
      connection: kubeletConnection,
      random,
      signal,
    });
    this.#proxy =
      proxyConnection === undefined
        ? undefined
        : new HollowProxy({ context, nodeName: identity.name, connection: proxyConnection, random, signal });
    this.#connections =
      proxyConnection === undefined ? [kubeletConnection] : [kubeletConnection, proxyConnection];
  }

  /** Starts both; resolves when the node is Ready. @throws the signal's reason */
  start(): Promise<void> {
    this.#proxy?.start();
    return this.kubelet.start();
  }

  /** Adds this node's connections to `sum`. */
  addStats(sum: {
    openConnectionCount: number;
    reconnectCount: number;
    receivedBytes: number;
    sentBytes: number;
  }): void {
    for (const connection of this.#connections) {
      const stats: ConnectionStats = connection.stats();
      sum.openConnectionCount += stats.openConnectionCount;
      sum.reconnectCount += stats.reconnectCount;
      sum.receivedBytes += stats.receivedBytes;
      sum.sentBytes += stats.sentBytes;
    }
  }

  /** Closes watches and connections; nothing is deleted from the cluster. */
  async stop(): Promise<void> {
    this.kubelet.stop();
    this.#proxy?.stop();
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }
}
