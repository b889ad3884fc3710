/**
 * Read-your-write: an object is written at a fixed rate through the balanced path; the moment a write is acknowledged,
 * every path is asked for it by a consistent GET and a consistent LIST. An answer that is older than what was
 * acknowledged is stale. Consistent reads may never be: etcd is linearizable, and a server that answers them from its
 * watch cache first waits for it to catch up.
 */
import { listItems, objectFacts, resourcePath } from '../../src/kube/index.ts';
import type { ReadBack } from '../../src/result/index.ts';
import type { CallEnd } from '../calls/load-caller.ts';
import { EndlessStream } from '../pacer/endless-stream.ts';
import {
  CONFIG_MAPS,
  type OpenPath,
  type ProbeContext,
  probeSeries,
  sequencePatch,
} from './probe-context.ts';

export interface ReadBackSettings {
  ratePerSecond: number;
}

/** The object that is written and read. */
export const READ_BACK_OBJECT = 'read-your-write';

export class ReadBackProbe {
  readonly stream: EndlessStream;
  readonly #context: ProbeContext;
  readonly #readers: readonly Reader[];

  constructor(writePath: OpenPath, settings: ReadBackSettings, zeroUs: number, context: ProbeContext) {
    const { namespace, tally, timeoutMs } = context;
    const series = probeSeries(context, {
      verb: 'patch',
      resource: CONFIG_MAPS.plural,
      scope: 'resource',
      variant: 'read-your-write',
    });
    this.#context = context;
    this.#readers = context.paths.flatMap((path) => [
      new Reader(path, 'get', context),
      new Reader(path, 'list', context),
    ]);
    this.stream = new EndlessStream({
      zeroUs,
      ratePerSecond: settings.ratePerSecond,
      onArrival: (dueUs, index) => {
        writePath.caller.offer(series, tally);
        writePath.caller.start({
          request: {
            method: 'PATCH',
            path: resourcePath(CONFIG_MAPS, { namespace, name: READ_BACK_OBJECT }),
            body: sequencePatch(index),
            contentType: 'application/merge-patch+json',
            timeoutMs,
          },
          series,
          tally,
          intendedUs: dueUs,
          onEnd: (end) => this.#written(end),
        });
      },
    });
  }

  /** Since the last call. */
  drain(): ReadBack[] {
    return this.#readers.map((reader) => reader.drain());
  }

  #written({ outcome, reply }: CallEnd): void {
    if (outcome !== 'ok' || reply === undefined) return;
    const version = versionOf(Buffer.from(reply.body));
    if (version === undefined) return;
    const dueUs = this.#context.clock.nowUs();
    for (const reader of this.#readers) reader.read(version, dueUs);
  }
}

class Reader {
  readonly #path: OpenPath;
  readonly #verb: 'get' | 'list';
  readonly #context: ProbeContext;
  readonly #series: ReturnType<typeof probeSeries>;
  readonly #requestPath: string;
  #readCount = 0;
  #staleCount = 0;
  #failedCount = 0;

  constructor(path: OpenPath, verb: 'get' | 'list', context: ProbeContext) {
    const { namespace } = context;
    this.#path = path;
    this.#verb = verb;
    this.#context = context;
    this.#series = probeSeries(context, {
      verb,
      resource: CONFIG_MAPS.plural,
      scope: verb === 'get' ? 'resource' : 'namespace',
      variant: path.name,
    });
    this.#requestPath =
      verb === 'get'
        ? resourcePath(CONFIG_MAPS, { namespace, name: READ_BACK_OBJECT })
        : resourcePath(CONFIG_MAPS, { namespace }, { fieldSelector: `metadata.name=${READ_BACK_OBJECT}` });
  }

  /** Asks for the object, of which `version` has been acknowledged. */
  read(version: number, dueUs: number): void {
    const { tally, timeoutMs } = this.#context;
    this.#path.caller.offer(this.#series, tally);
    this.#path.caller.start({
      request: { method: 'GET', path: this.#requestPath, timeoutMs },
      series: this.#series,
      tally,
      intendedUs: dueUs,
      onEnd: (end) => this.#ended(version, end),
    });
  }

  drain(): ReadBack {
    const counts: ReadBack = {
      path: this.#path.name,
      verb: this.#verb,
      readCount: this.#readCount,
      staleCount: this.#staleCount,
      failedCount: this.#failedCount,
    };
    this.#readCount = 0;
    this.#staleCount = 0;
    this.#failedCount = 0;
    return counts;
  }

  #ended(version: number, { outcome, reply }: CallEnd): void {
    if (outcome === 'cancelled') return;
    // An acknowledged object that is not found is as stale as an old one.
    const answered = reply !== undefined && (reply.status === 200 || reply.status === 404);
    if (!answered) {
      this.#failedCount++;
      return;
    }
    this.#readCount++;
    const body = Buffer.from(reply.body);
    const object = reply.status === 404 ? undefined : this.#verb === 'get' ? body : listItems(body)[0];
    const shown = object === undefined ? undefined : versionOf(object);
    if (shown === undefined || shown < version) this.#staleCount++;
  }
}

/** resourceVersions of one resource can be compared as numbers. Source: KEP-5504, which says so officially. */
function versionOf(object: Buffer): number | undefined {
  const version = Number(objectFacts(object).resourceVersion);
  return Number.isInteger(version) && version > 0 ? version : undefined;
}
