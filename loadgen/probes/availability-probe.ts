/**
 * API availability on one path: a request at a fixed rate, good if it is answered 200 in time. The schedule is open: a
 * probe that hangs delays none after it.
 */
import type { CallEnd } from '../calls/load-caller.ts';
import { EndlessStream } from '../pacer/endless-stream.ts';
import { OutageMeter, type ProbeVerdict } from './outage-meter.ts';
import { type OpenPath, type ProbeContext, probeSeries } from './probe-context.ts';
import type { AvailabilityWindow } from './probe-window.ts';

export interface AvailabilitySettings {
  ratePerSecond: number;
  /** Path and query that are asked for: `/readyz`. */
  endpoint: string;
}

export class AvailabilityProbe {
  readonly stream: EndlessStream;
  readonly #path: OpenPath;
  readonly #endpoint: string;
  readonly #outages: OutageMeter;
  #goodCount = 0;
  #badCount = 0;

  /** Due at `zeroUs` first; paths take turns within a period by theirs. */
  constructor(path: OpenPath, settings: AvailabilitySettings, zeroUs: number, context: ProbeContext) {
    const { ratePerSecond, endpoint } = settings;
    const { tally, timeoutMs } = context;
    const series = probeSeries(context, {
      verb: 'get',
      resource: endpoint.replace(/^\//, '').replace(/\?.*$/, ''),
      scope: 'cluster',
      variant: path.name,
    });
    this.#path = path;
    this.#endpoint = endpoint;
    this.#outages = new OutageMeter(1e6 / ratePerSecond);
    this.stream = new EndlessStream({
      zeroUs,
      ratePerSecond,
      onArrival: (dueUs, index) => {
        path.caller.offer(series, tally);
        const started = path.caller.start({
          request: { method: 'GET', path: endpoint, timeoutMs, discardBody: true },
          series,
          tally,
          intendedUs: dueUs,
          onEnd: (end) => this.#ended(index, verdictOf(end)),
        });
        if (!started) this.#ended(index, 'unknown');
      },
    });
  }

  /** Since the last call; outages since the start. */
  drain(): AvailabilityWindow {
    const window: AvailabilityWindow = {
      path: this.#path.name,
      endpoint: this.#endpoint,
      goodCount: this.#goodCount,
      badCount: this.#badCount,
      outageCount: this.#outages.outageCount,
      longestOutageUs: Math.round(this.#outages.longestUs),
    };
    this.#goodCount = 0;
    this.#badCount = 0;
    return window;
  }

  #ended(index: number, verdict: ProbeVerdict): void {
    if (verdict === 'good') this.#goodCount++;
    else if (verdict === 'bad') this.#badCount++;
    this.#outages.ended(index, verdict);
  }
}

function verdictOf({ outcome, reply }: CallEnd): ProbeVerdict {
  if (outcome === 'cancelled') return 'unknown';
  return outcome === 'ok' && reply?.status === 200 ? 'good' : 'bad';
}
