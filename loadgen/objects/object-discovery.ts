/**
 * Finds objects to GET that this load did not create itself: nodes, leases, pods that a Deployment made. One small
 * metadata-only LIST, first of the run's own objects and, where there are none, of anybody's (to be read only); asked for again at most
 * every few seconds, so that a load which reads what keeps changing does not become a load of LISTs.
 */
import { type ResourceRef, resourceLabel } from '../../src/config/index.ts';
import type { Clock } from '../../src/core/index.ts';
import { type ApiConnection, classifyOutcome, resourcePath, TransportError } from '../../src/kube/index.ts';
import type { CallRecorder } from '../../src/measure/index.ts';
import type { LiveObjects } from './live-objects.ts';

/** Names looked up at once: parsing them takes about 1 ms of the pacing thread. */
const LOOKUP_LIMIT = 200;
const LOOKUP_INTERVAL_US = 5_000_000;
const METADATA_ONLY = 'application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1';

export interface ObjectDiscoveryOptions {
  clock: Clock;
  connection: ApiConnection;
  recorder: CallRecorder;
  live: LiveObjects;
  /** Of the run; looked for first. */
  labels: Readonly<Record<string, string>>;
  requestTimeoutMs: number;
}

export class ObjectDiscovery {
  readonly #options: ObjectDiscoveryOptions;
  /** Map<resource label, instant of the last look-up> */
  readonly #lookedUpUs = new Map<string, number>();

  constructor(options: ObjectDiscoveryOptions) {
    this.#options = options;
  }

  /** True when a look-up of `resource` is due again. */
  isDue(resource: ResourceRef): boolean {
    const lastUs = this.#lookedUpUs.get(resourceLabel(resource));
    return lastUs === undefined || this.#options.clock.nowUs() - lastUs >= LOOKUP_INTERVAL_US;
  }

  /**
   * Adds existing objects of `resource` to the live ones and returns how many it found; 0 also when the server
   * refuses, because a load that finds nothing to read says so in its dropped arrivals.
   * @throws the signal's reason
   */
  async lookUp(resource: ResourceRef, phase: string, signal: AbortSignal): Promise<number> {
    this.#lookedUpUs.set(resourceLabel(resource), this.#options.clock.nowUs());
    const selector = Object.entries(this.#options.labels)
      .map(([key, value]) => `${key}=${value}`)
      .join(',');
    const found = await this.#list(resource, selector, phase, signal);
    return found > 0 || selector === '' ? found : this.#list(resource, '', phase, signal);
  }

  async #list(resource: ResourceRef, selector: string, phase: string, signal: AbortSignal): Promise<number> {
    const own = selector !== '';
    const { clock, connection, recorder, live, requestTimeoutMs } = this.#options;
    const label = resourceLabel(resource);
    const series = recorder.series({
      source: 'setup',
      verb: 'list',
      resource: label,
      subresource: '',
      scope: 'cluster',
      variant: 'consistent',
      phase,
    });
    // No resourceVersion=0: lists from the cache ignore the limit and would bring every object there is.
    const query = { limit: LOOKUP_LIMIT, labelSelector: selector };
    const startedUs = clock.nowUs();
    series.offer();
    try {
      const reply = await connection.request(
        {
          method: 'GET',
          path: resourcePath(resource, {}, query),
          headers: { accept: METADATA_ONLY },
          timeoutMs: requestTimeoutMs,
        },
        signal,
      );
      series.record(startedUs, startedUs, clock.nowUs(), classifyOutcome(reply), reply.receivedBytes, 0);
      if (reply.status !== 200) return 0;
      const objects = objectsIn(reply.body).slice(0, LOOKUP_LIMIT);
      if (own) for (const object of objects) live.of(label).add(object, Number.NEGATIVE_INFINITY);
      else live.of(label).setForeign(objects);
      return objects.length;
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      series.record(startedUs, startedUs, clock.nowUs(), classifyOutcome(error), 0, 0);
      signal.throwIfAborted();
      return 0;
    }
  }
}

function objectsIn(body: string): { namespace: string; name: string }[] {
  const list: unknown = JSON.parse(body);
  if (typeof list !== 'object' || list === null || !('items' in list) || !Array.isArray(list.items))
    return [];
  return list.items.flatMap((item: { metadata?: { namespace?: string; name?: string } }) =>
    item.metadata?.name === undefined
      ? []
      : [{ namespace: item.metadata.namespace ?? '', name: item.metadata.name }],
  );
}
