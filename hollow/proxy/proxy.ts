/**
 * One hollow kube-proxy: the four watches of a real one, as the ServiceAccount that kubeadm gives it, its one event, and
 * the syncs of rules that the watches cause. ServiceCIDRs are only counted: in iptables mode they change no rule.
 * Source: cmd/kube-proxy/app/server.go, pkg/proxy/config/config.go v1.36.3; reference captures.
 */
import type { Random } from '../../src/core/index.ts';
import { type Connection, frameMember, TokenBucket, TransportError } from '../../src/kube/index.ts';
import { NodeClient } from '../client.ts';
import type { FleetContext } from '../context.ts';
import { eventName } from '../kubelet/event-name.ts';
import { rfc3339Micros } from '../kubelet/timestamps.ts';
import {
  type ResourceQuery,
  type ResourceSink,
  type ResourceWatch,
  startResourceWatch,
} from '../resource-watch.ts';
import type { NodeDisturbance } from '../storms/node-disturbance.ts';
import { RuleTracker } from './rule-tracker.ts';

/** Who a kube-proxy is: group system:authenticated is added by the server. */
export const PROXY_IDENTITY = {
  user: 'system:serviceaccount:kube-system:kube-proxy',
  groups: ['system:serviceaccounts', 'system:serviceaccounts:kube-system'],
} as const;

export interface ProxyOptions {
  readonly context: FleetContext;
  readonly nodeName: string;
  readonly connection: Connection;
  readonly random: Random;
  readonly signal: AbortSignal;
  readonly disturbance: NodeDisturbance;
}

const COUNTED: ResourceSink = { wantsObjects: false };
const ZONE_LABEL = 'topology.kubernetes.io/zone';

export class HollowProxy {
  readonly #options: ProxyOptions;
  readonly #client: NodeClient;
  readonly #throttle: TokenBucket;
  readonly #watches: ResourceWatch[] = [];
  #rules: RuleTracker | undefined;
  #zone = '';

  constructor(options: ProxyOptions) {
    const { context, connection, disturbance, signal } = options;
    this.#options = options;
    const { calls, clock, form } = context;
    this.#client = new NodeClient({ source: 'kube-proxy', connection, calls, clock, signal, disturbance });
    this.#throttle = new TokenBucket(form.proxyLimit.perSecond, form.proxyLimit.burst);
  }

  /** Opens the watches and posts the event; nothing of it is waited for. */
  start(): void {
    const { context, connection, nodeName, random, signal } = this.#options;
    const { form, log } = context;
    const rules = new RuleTracker(context);
    this.#rules = rules;
    const startWatch = startResourceWatch(context, connection, this.#throttle, random);
    const watch = (query: ResourceQuery, sink: ResourceSink) => this.#watches.push(startWatch(query, sink));
    watch(
      {
        path: '/apis/discovery.k8s.io/v1/endpointslices',
        labelSelector: form.proxyEndpointSliceSelector,
        life: 'informer',
      },
      rules.slices,
    );
    watch({ path: '/apis/networking.k8s.io/v1/servicecidrs', life: 'informer' }, COUNTED);
    watch(
      {
        path: '/api/v1/services',
        fieldSelector: 'spec.clusterIP!=None',
        labelSelector: form.proxyServiceSelector,
        life: 'informer',
      },
      rules.services,
    );
    if (form.proxyWatchesNode) {
      const ownNode = { wantsObjects: false, onFrame: (_: string, frame: Buffer) => this.#seeNode(frame) };
      watch({ path: '/api/v1/nodes', fieldSelector: `metadata.name=${nodeName}`, life: 'informer' }, ownNode);
    }
    this.#postStarting().catch((error: unknown) => {
      if (!signal.aborted && !(error instanceof TransportError)) {
        log.error({ err: error, node: nodeName }, 'proxy event not posted');
      }
    });
  }

  stop(): void {
    for (const watch of this.#watches) watch.close();
    this.#watches.length = 0;
    this.#rules?.stop();
  }

  /** Of the own node only its zone matters: it decides which endpoints a Service with hints is served by. */
  #seeNode(frame: Buffer): void {
    const labels = frameMember(frame, ['object', 'metadata', 'labels']);
    const parsed: Record<string, string> = labels === undefined ? {} : JSON.parse(labels);
    const zone = parsed[ZONE_LABEL] ?? '';
    if (zone === this.#zone) return;
    this.#zone = zone;
    this.#rules?.requestSync();
  }

  async #postStarting(): Promise<void> {
    const { context, nodeName } = this.#options;
    // Not an event of the kubelet's recorder: upstream's hollow proxy posts it too.
    if (!context.settings.events && !context.form.proxyAlwaysPosts) return;
    const wallMs = context.clock.wallMs();
    const body = {
      kind: 'Event',
      apiVersion: 'events.k8s.io/v1',
      metadata: { name: eventName(nodeName, wallMs), namespace: 'default' },
      eventTime: rfc3339Micros(wallMs),
      reportingController: 'kube-proxy',
      reportingInstance: `kube-proxy-${nodeName}`,
      action: 'StartKubeProxy',
      reason: 'Starting',
      regarding: { kind: 'Node', name: nodeName, apiVersion: 'v1' },
      type: 'Normal',
    };
    await this.#client.send(
      'createProxyEvent',
      {
        method: 'POST',
        path: '/apis/events.k8s.io/v1/namespaces/default/events',
        body: JSON.stringify(body),
        discardBody: true,
      },
      this.#throttle,
    );
  }
}
