/**
 * Makes the hollow nodes of one shard: name, address and zone by number, and connections under the identity that the
 * suite asks for. What nodes share of connections lives here, and the server of their kubelet APIs.
 */
import { type Clock, HarnessError } from '../src/core/index.ts';
import {
  type ClientIdentity,
  type CuttableConnection,
  connectionFor,
  type Impersonation,
  openSharedConnections,
  resolveIdentity,
  type SharedConnections,
} from '../src/kube/index.ts';
import { nodeAddress } from './addresses.ts';
import type { FleetContext } from './context.ts';
import type { ConnectionSums, FleetNode } from './fleet-node.ts';
import { KUBELET_PORT, KubeletServer } from './kubelet/server/kubelet-server.ts';
import { LightNode } from './light/light-node.ts';
import { SharedWatches } from './light/shared-watches.ts';
import { HollowNode } from './node.ts';
import { PROXY_IDENTITY } from './proxy/proxy.ts';
import { type FleetShard, nodeName, RUN_LABEL } from './shard.ts';
import { DisturbedConnection } from './storms/disturbed-connection.ts';
import { NodeCertificate } from './storms/node-certificate.ts';
import type { NodeDisturbance } from './storms/node-disturbance.ts';

export class NodeFactory {
  readonly #shard: FleetShard;
  readonly #context: FleetContext;
  #identity: ClientIdentity | undefined;
  /** Of light nodes. */
  #watches: SharedWatches | undefined;
  #shared: { kubelet: SharedConnections; proxy: SharedConnections } | undefined;

  readonly #kubeletServer: KubeletServer | undefined;

  constructor(shard: FleetShard, context: FleetContext) {
    this.#shard = shard;
    this.#context = context;
    const { kubeletApi: serving, kubernetesVersion } = shard;
    const { clock, log, seed } = context;
    this.#kubeletServer =
      serving === undefined ? undefined : new KubeletServer({ serving, clock, log, seed, kubernetesVersion });
  }

  /**
   * Resolves the credential and opens what is shared.
   * @throws HM_USAGE where the shard's identities cannot work, HM_KUBECONFIG_INVALID
   */
  async start(indexes: readonly number[]): Promise<void> {
    this.#checkIdentities(indexes);
    const { access, settings } = this.#shard;
    this.#identity = await resolveIdentity(access, this.#context.clock);
    await this.#kubeletServer?.start();
    if (settings.connections !== 'shared') return;
    const identity = this.#identity;
    const open = (userAgent: string) =>
      openSharedConnections(access, { ...this.#http2Options(userAgent), identity });
    const { kubeletUserAgent, proxyUserAgent } = this.#context.form;
    this.#shared = { kubelet: await open(kubeletUserAgent), proxy: await open(proxyUserAgent) };
    if (settings.fidelity !== 'light') return;
    this.#watches = new SharedWatches(this.#context);
    this.#watches.start(this.#shared.kubelet.view(), `${RUN_LABEL}=${this.#shard.runId}`);
  }

  /** Node `index` of the fleet, not started. `signal` ends it with the fleet. */
  async make(index: number, disturbance: NodeDisturbance, signal: AbortSignal): Promise<FleetNode> {
    const name = this.nameOf(index);
    const endpoint = await this.#kubeletServer?.listen(index);
    const hostNetworkAddress = nodeAddress(index);
    const identity = {
      name,
      address: endpoint?.address ?? hostNetworkAddress,
      kubeletPort: endpoint?.port ?? KUBELET_PORT,
      hostNetworkAddress,
      zone: this.zoneOf(index),
    };
    if (this.#watches !== undefined && this.#shared !== undefined) {
      const connection = new DisturbedConnection(
        this.#shared.kubelet.view(),
        disturbance,
        this.#context.clock,
      );
      return new LightNode({
        context: this.#context,
        index,
        identity,
        connection,
        watches: this.#watches,
        disturbance,
        signal,
      });
    }
    const certificate = await this.#certificateOf(name);
    const disturbed = (connection: CuttableConnection) =>
      new DisturbedConnection(connection, disturbance, this.#context.clock);
    const node = new HollowNode({
      context: this.#context,
      index,
      identity,
      kubeletConnection: disturbed(this.#connectKubelet(name, certificate)),
      proxyConnection: this.#shard.settings.proxy ? disturbed(this.#connectProxy()) : undefined,
      disturbance,
      certificate,
      signal,
    });
    if (endpoint !== undefined) this.#kubeletServer?.serve(endpoint, node.kubelet);
    return node;
  }

  nameOf(index: number): string {
    return nodeName(this.#shard.nodeNamePrefix, index);
  }

  zoneOf(index: number): string | undefined {
    const { zones } = this.#shard;
    return zones === undefined || zones.length === 0 ? undefined : zones[index % zones.length];
  }

  /** Adds the connections that nodes share. */
  addStats(sum: ConnectionSums): void {
    for (const pool of this.#shared === undefined ? [] : [this.#shared.kubelet, this.#shared.proxy]) {
      const stats = pool.stats();
      sum.openConnectionCount += stats.openConnectionCount;
      sum.reconnectCount += stats.reconnectCount;
      sum.receivedBytes += stats.receivedBytes;
      sum.sentBytes += stats.sentBytes;
    }
  }

  async stop(): Promise<void> {
    this.#watches?.stop();
    await this.#kubeletServer?.stop();
    await this.#shared?.kubelet.close();
    await this.#shared?.proxy.close();
  }

  async #certificateOf(name: string): Promise<NodeCertificate | undefined> {
    const { access, certificates, settings } = this.#shard;
    if (settings.identity !== 'certificate') return undefined;
    const pair = certificates?.[name];
    if (pair === undefined) throw missingCertificate(name);
    const own = { ...access, credential: { type: 'client-certificate' as const, ...pair } };
    return new NodeCertificate(await resolveIdentity(own, this.#context.clock));
  }

  #connectKubelet(name: string, certificate: NodeCertificate | undefined): CuttableConnection {
    const options = this.#http2Options(this.#context.form.kubeletUserAgent);
    if (certificate !== undefined) {
      const { impersonate: _, ...plain } = this.#shard.access;
      return connectionFor(plain, certificate, options);
    }
    return this.#connectAs({ user: `system:node:${name}`, groups: ['system:nodes'] }, options, 'kubelet');
  }

  #connectProxy(): CuttableConnection {
    return this.#connectAs(PROXY_IDENTITY, this.#http2Options(this.#context.form.proxyUserAgent), 'proxy');
  }

  #connectAs(
    impersonate: Impersonation,
    options: { userAgent: string; compression: boolean; clock: Clock },
    component: 'kubelet' | 'proxy',
  ): CuttableConnection {
    if (this.#shared !== undefined) return this.#shared[component].view(impersonate);
    if (this.#identity === undefined) throw new HarnessError('HM_INTERNAL', 'the fleet has not been started');
    return connectionFor({ ...this.#shard.access, impersonate }, this.#identity, options);
  }

  #http2Options(userAgent: string): { userAgent: string; compression: boolean; clock: Clock } {
    return { userAgent, compression: this.#shard.settings.compression, clock: this.#context.clock };
  }

  #checkIdentities(indexes: readonly number[]): void {
    const { certificates, settings } = this.#shard;
    if (settings.identity !== 'certificate') return;
    if (settings.connections === 'shared') {
      throw new HarnessError('HM_USAGE', 'client certificates cannot share connections', {
        hint: 'use identity impersonation, or connections per-node',
      });
    }
    for (const index of indexes) {
      const name = this.nameOf(index);
      if (certificates?.[name] === undefined) throw missingCertificate(name);
    }
  }
}

function missingCertificate(name: string): HarnessError {
  return new HarnessError('HM_USAGE', `no client certificate for node ${name} in the shard`);
}
