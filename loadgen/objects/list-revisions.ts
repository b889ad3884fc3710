/**
 * Recent resourceVersions for exact lists: one small LIST every few seconds, in the background, whose version is then
 * asked for. Old enough to be everywhere, young enough not to be compacted (every 5 minutes).
 */
import { type ResourceRef, resourceLabel } from '../../src/config/index.ts';
import type { Clock } from '../../src/core/index.ts';
import {
  type ApiConnection,
  classifyOutcome,
  listFacts,
  resourcePath,
  TransportError,
} from '../../src/kube/index.ts';
import type { CallRecorder } from '../../src/measure/index.ts';

const REFRESH_INTERVAL_US = 10_000_000;
/** A list's metadata stands in front of its items. */
const METADATA_LENGTH = 4_096;

export interface ListRevisionsOptions {
  clock: Clock;
  connection: ApiConnection;
  recorder: CallRecorder;
  requestTimeoutMs: number;
}

export class ListRevisions {
  readonly #options: ListRevisionsOptions;
  /** Map<resource label, resourceVersion> */
  readonly #known = new Map<string, string>();
  /** Map<resource label, instant of the last look-up> */
  readonly #lookedUpUs = new Map<string, number>();

  constructor(options: ListRevisionsOptions) {
    this.#options = options;
  }

  /** The version to ask for; undefined before the first look-up. */
  of(resource: ResourceRef): string | undefined {
    return this.#known.get(resourceLabel(resource));
  }

  /** True when the version of `resource` is due to be looked up again. */
  isDue(resource: ResourceRef): boolean {
    const lastUs = this.#lookedUpUs.get(resourceLabel(resource));
    return lastUs === undefined || this.#options.clock.nowUs() - lastUs >= REFRESH_INTERVAL_US;
  }

  /**
   * Learns the present version; keeps the one before where the server refuses.
   * @throws the signal's reason
   */
  async lookUp(resource: ResourceRef, phase: string, signal: AbortSignal): Promise<void> {
    const { clock, connection, recorder, requestTimeoutMs } = this.#options;
    const label = resourceLabel(resource);
    const startedUs = clock.nowUs();
    this.#lookedUpUs.set(label, startedUs);
    const series = recorder.series({
      source: 'setup',
      verb: 'list',
      resource: label,
      subresource: '',
      scope: 'cluster',
      variant: 'consistent',
      phase,
    });
    series.offer();
    try {
      const path = resourcePath(resource, {}, { limit: 1 });
      const reply = await connection.request({ method: 'GET', path, timeoutMs: requestTimeoutMs }, signal);
      series.record(startedUs, startedUs, clock.nowUs(), classifyOutcome(reply), reply.receivedBytes, 0);
      if (reply.status !== 200) return;
      const { resourceVersion } = listFacts(Buffer.from(reply.body.slice(0, METADATA_LENGTH)));
      if (resourceVersion !== '') this.#known.set(label, resourceVersion);
    } catch (error) {
      if (!(error instanceof TransportError)) throw error;
      series.record(startedUs, startedUs, clock.nowUs(), classifyOutcome(error), 0, 0);
      signal.throwIfAborted();
    }
  }
}
