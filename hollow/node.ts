/**
 * One hollow node: a kubelet and, where the suite wants one, a kube-proxy, each with its own identity and connection.
 */
import { setMaxListeners } from 'node:events';
import { type ChildAbort, childAbort, HarnessError, type Random, seededRandom } from '../src/core/index.ts';
import type { ConnectionStats, CuttableConnection } from '../src/kube/index.ts';
import type { FleetContext } from './context.ts';
import type { ConnectionSums, FleetNode } from './fleet-node.ts';
import { HollowKubelet } from './kubelet/kubelet.ts';
import type { NodeIdentity } from './kubelet/node-object.ts';
import { HollowProxy } from './proxy/proxy.ts';
import type { NodeCertificate } from './storms/node-certificate.ts';
import type { NodeDisturbance } from './storms/node-disturbance.ts';

export interface HollowNodeOptions {
  readonly context: FleetContext;
  /** Number in the whole fleet. */
  readonly index: number;
  readonly identity: NodeIdentity;
  readonly kubeletConnection: CuttableConnection;
  /** Absent: no proxy. */
  readonly proxyConnection: CuttableConnection | undefined;
  readonly disturbance: NodeDisturbance;
  /** With client certificates. */
  readonly certificate: NodeCertificate | undefined;
  /** Ends the node with its fleet. */
  readonly signal: AbortSignal;
}

export class HollowNode implements FleetNode {
  readonly kubelet: HollowKubelet;
  readonly certificate: NodeCertificate | undefined;
  readonly #proxy: HollowProxy | undefined;
  readonly #connections: readonly CuttableConnection[];
  /** Aborts when this node ends, be it for its successor after a restart. */
  readonly #abort: ChildAbort;

  constructor(options: HollowNodeOptions) {
    const { context, disturbance, identity, kubeletConnection, proxyConnection } = options;
    const random: Random = seededRandom(`${context.seed}/node/${identity.name}`);
    this.#abort = childAbort(options.signal);
    const { signal } = this.#abort;
    // One listener for each wait of each of its pods.
    setMaxListeners(0, signal);
    this.certificate = options.certificate;
    this.kubelet = new HollowKubelet({
      context,
      index: options.index,
      identity,
      connection: kubeletConnection,
      random,
      signal,
      disturbance,
    });
    this.#proxy =
      proxyConnection === undefined
        ? undefined
        : new HollowProxy({
            context,
            nodeName: identity.name,
            connection: proxyConnection,
            random,
            signal,
            disturbance,
          });
    this.#connections =
      proxyConnection === undefined ? [kubeletConnection] : [kubeletConnection, proxyConnection];
  }

  /** Starts both; resolves when the node is Ready. @throws the signal's reason */
  start(): Promise<void> {
    this.#proxy?.start();
    return this.kubelet.start();
  }

  /** The network is gone for an instant. */
  cutConnections(): void {
    for (const connection of this.#connections) connection.cut();
  }

  /** Adds this node's connections to `sum`. */
  addStats(sum: ConnectionSums): void {
    for (const connection of this.#connections) {
      const stats: ConnectionStats = connection.stats();
      sum.openConnectionCount += stats.openConnectionCount;
      sum.reconnectCount += stats.reconnectCount;
      sum.receivedBytes += stats.receivedBytes;
      sum.sentBytes += stats.sentBytes;
    }
  }

  /** Closes watches and connections; nothing is deleted from the cluster. Idempotent. */
  async stop(): Promise<void> {
    if (!this.#abort.signal.aborted)
      this.#abort.abort(new HarnessError('HM_INTERRUPTED', 'the node was stopped'));
    this.#abort[Symbol.dispose]();
    this.kubelet.stop();
    this.#proxy?.stop();
    await Promise.all(this.#connections.map((connection) => connection.close()));
  }
}
