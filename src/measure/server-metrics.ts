/**
 * The control plane's own figures, without Prometheus: each component's /metrics read directly, at the borders of
 * phases, and the difference kept. Components are read one by one under their own names, never as a sum, and what
 * cannot be read is named with the reason.
 */
import { type Clock, describeError, type Logger } from '../core/index.ts';
import { type ClusterAccess, type Connection, openHttp1Pool } from '../kube/index.ts';
import type { ServerComponent } from '../result/index.ts';
import { ServerSums } from './server-sums.ts';

/** One component; a control plane's ComponentInfo fits. */
export interface ScrapeTarget {
  component: string;
  name: string;
  /** Absent: not reachable, `unreachable` says why. */
  metrics?: ClusterAccess;
  /** @default '/metrics' */
  metricsPath?: string;
  unreachable?: string;
}

/** An API server of 5,000 nodes takes seconds to write its page. */
const SCRAPE_TIMEOUT_MS = 30_000;

export class ServerMetrics implements AsyncDisposable {
  readonly #scrapers: readonly ComponentScraper[];

  constructor(targets: readonly ScrapeTarget[], parts: { clock: Clock; log: Logger }) {
    this.#scrapers = targets.map((target) => new ComponentScraper(target, parts));
  }

  /**
   * Reads every component once, all at the same time. Failures are kept and never thrown. With `measured` the SLI
   * histograms count what happened since the scrape before; a phase that is not measured passes false.
   */
  async scrape(options: { measured: boolean; signal: AbortSignal }): Promise<void> {
    await Promise.all(this.#scrapers.map((scraper) => scraper.scrape(options.measured, options.signal)));
  }

  /** What is known so far. */
  components(): ServerComponent[] {
    return this.#scrapers.map((scraper) => scraper.figures());
  }

  /** Idempotent. */
  async close(): Promise<void> {
    await Promise.all(this.#scrapers.map((scraper) => scraper.close()));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }
}

class ComponentScraper {
  readonly #target: ScrapeTarget;
  readonly #parts: { clock: Clock; log: Logger };
  readonly #sums = new ServerSums();
  #connection: Connection | undefined;
  #lastPageUs = 0;
  #failureCount = 0;
  #lastFailure = '';

  constructor(target: ScrapeTarget, parts: { clock: Clock; log: Logger }) {
    this.#target = target;
    this.#parts = parts;
  }

  async scrape(measured: boolean, signal: AbortSignal): Promise<void> {
    const { metrics, name } = this.#target;
    if (metrics === undefined) return;
    const path = this.#target.metricsPath ?? '/metrics';
    const { clock, log } = this.#parts;
    try {
      // HTTP/1.1 on purpose: etcd's metrics port and older components speak nothing else.
      this.#connection ??= await openHttp1Pool(metrics, { clock, connectionCount: 1, compression: true });
      const reply = await this.#connection.request(
        { method: 'GET', path, timeoutMs: SCRAPE_TIMEOUT_MS },
        signal,
      );
      if (reply.status !== 200) throw new Error(`GET ${path} answers ${reply.status}`);
      const atUs = reply.doneUs ?? clock.nowUs();
      this.#sums.add(reply.body, measured, (atUs - this.#lastPageUs) / 1_000);
      this.#lastPageUs = atUs;
    } catch (error) {
      this.#failureCount++;
      this.#lastFailure = describeError(error);
      log.warn({ component: name, error: this.#lastFailure }, 'scrape failed');
    }
  }

  figures(): ServerComponent {
    const { component, name } = this.#target;
    const { scrapeCount } = this.#sums;
    const unreachable =
      scrapeCount > 0 ? undefined : (this.#target.unreachable ?? (this.#lastFailure || undefined));
    return {
      component,
      name,
      // A component that was never reached has no gaps: it is unreachable.
      scrapeGapCount: scrapeCount > 0 ? this.#failureCount : 0,
      ...(unreachable === undefined ? {} : { unreachable }),
      ...this.#sums.figures(),
    };
  }

  async close(): Promise<void> {
    await this.#connection?.close();
    this.#connection = undefined;
  }
}
