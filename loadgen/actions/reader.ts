/**
 * One entry of a read mix: builds the path of each read, makes the call and keeps the pages of a paged LIST going.
 * Bodies are counted and dropped; of a page only the continue token is looked at, which stands in front of the items.
 */
import { type ReadTemplate, resourceLabel } from '../../src/config/index.ts';
import { listFacts, type QueryParameters, resourcePath } from '../../src/kube/index.ts';
import type { CallSeriesRecorder } from '../../src/measure/index.ts';
import type { DropReason } from '../calls/action-tally.ts';
import type { CallEnd } from '../calls/load-caller.ts';
import type { ActionContext } from './action.ts';

export interface Reader {
  /** Offers one read, due at `dueUs`, and starts or drops it. */
  read(index: number, dueUs: number): void;
  /** Offers one read and drops it. */
  drop(reason: DropReason): void;
}

/** Continue tokens older than this are not used: etcd's compaction, every 5 minutes, would turn them into 410s. */
const TOKEN_LIFETIME_US = 120_000_000;
/** A list's metadata stands in front of its items; tokens are a few hundred bytes. */
const METADATA_LENGTH = 4_096;

/** The reader of `template`. */
export function makeReader(template: ReadTemplate, context: ActionContext): Reader {
  return template.verb === 'get' ? new GetReader(template, context) : new ListReader(template, context);
}

class GetReader implements Reader {
  readonly #template: ReadTemplate;
  readonly #context: ActionContext;
  readonly #series: CallSeriesRecorder;
  readonly #label: string;
  readonly #query: QueryParameters;

  constructor(template: ReadTemplate, context: ActionContext) {
    const consistency = template.consistency === 'cached' ? 'cached' : 'consistent';
    this.#template = template;
    this.#context = context;
    this.#label = resourceLabel(template.resource);
    this.#query = consistency === 'cached' ? { resourceVersion: '0' } : {};
    this.#series = context.recorder.series({
      source: 'load',
      verb: 'get',
      resource: this.#label,
      subresource: '',
      scope: 'resource',
      variant: consistency,
      phase: context.phase,
    });
  }

  read(_index: number, dueUs: number): void {
    const { caller, tally, requestTimeoutMs, live } = this.#context;
    caller.offer(this.#series, tally);
    const objects = live.of(this.#label);
    const object = objects.pick(dueUs);
    if (object === undefined) {
      caller.drop(this.#series, tally, 'no-object');
      this.#context.discover(this.#template.resource);
      return;
    }
    caller.start({
      request: {
        method: 'GET',
        path: resourcePath(this.#template.resource, object, this.#query),
        timeoutMs: requestTimeoutMs,
        discardBody: true,
      },
      series: this.#series,
      tally,
      intendedUs: dueUs,
      // Somebody else deleted it: an answer like any other, but nothing to ask for again.
      onEnd: (end) => {
        if (end.reply?.status === 404) objects.remove(object);
      },
    });
  }

  drop(reason: DropReason): void {
    this.#context.caller.offer(this.#series, this.#context.tally);
    this.#context.caller.drop(this.#series, this.#context.tally, reason);
  }
}

/** A list that has pages left. */
interface OpenList {
  namespace: string;
  token: string;
  receivedUs: number;
}

class ListReader implements Reader {
  readonly #template: ReadTemplate;
  readonly #context: ActionContext;
  readonly #series: CallSeriesRecorder;
  /** One empty name where the list is of the whole cluster. */
  readonly #namespaces: readonly string[];
  readonly #query: QueryParameters;
  /** Oldest first: every list that was begun is carried on before a new one begins. */
  readonly #openLists: OpenList[] = [];

  constructor(template: ReadTemplate, context: ActionContext) {
    const { resource, scope, consistency, labelSelector, fieldSelector } = template;
    const namespaced = scope === 'namespace' && resource.namespaced;
    this.#template = template;
    this.#context = context;
    this.#namespaces = namespaced ? context.namespaces : [''];
    this.#query = { labelSelector, fieldSelector, ...consistencyQuery(template) };
    this.#series = context.recorder.series({
      source: 'load',
      // As the API server counts it.
      verb: consistency === 'streaming' ? 'watch' : 'list',
      resource: resourceLabel(resource),
      subresource: '',
      scope: namespaced ? 'namespace' : 'cluster',
      variant: consistency,
      phase: context.phase,
    });
  }

  read(index: number, dueUs: number): void {
    const { caller, tally, requestTimeoutMs } = this.#context;
    const { resource, consistency } = this.#template;
    caller.offer(this.#series, tally);
    const paged = consistency === 'paged';
    const openList = paged ? this.#nextPage(dueUs) : undefined;
    const namespace = openList?.namespace ?? this.#namespaces[index % this.#namespaces.length] ?? '';
    const query = this.#queryFor(openList);
    if (query === undefined) {
      caller.drop(this.#series, tally, 'no-object');
      return;
    }
    caller.start({
      request: {
        method: 'GET',
        path: resourcePath(resource, { namespace }, query),
        timeoutMs: requestTimeoutMs,
        discardBody: true,
        ...(paged ? { keepHeadBytes: METADATA_LENGTH } : {}),
      },
      ...(consistency === 'streaming' ? { streaming: true } : {}),
      series: this.#series,
      tally,
      intendedUs: dueUs,
      ...(paged ? { onEnd: (end: CallEnd) => this.#keepToken(namespace, end) } : {}),
    });
  }

  drop(reason: DropReason): void {
    this.#context.caller.offer(this.#series, this.#context.tally);
    this.#context.caller.drop(this.#series, this.#context.tally, reason);
  }

  /** Undefined where an exact list has no version to ask for. */
  #queryFor(openList: OpenList | undefined): QueryParameters | undefined {
    if (openList !== undefined) return { ...this.#query, continue: openList.token };
    if (this.#template.consistency !== 'exact') return this.#query;
    const resourceVersion = this.#context.revisionOf(this.#template.resource);
    return resourceVersion === undefined ? undefined : { ...this.#query, resourceVersion };
  }

  #nextPage(nowUs: number): OpenList | undefined {
    for (let openList = this.#openLists.shift(); openList !== undefined; openList = this.#openLists.shift()) {
      if (nowUs - openList.receivedUs < TOKEN_LIFETIME_US) return openList;
    }
    return undefined;
  }

  #keepToken(namespace: string, end: CallEnd): void {
    if (end.reply?.status !== 200) return;
    const { continueToken } = listFacts(Buffer.from(end.reply.body.slice(0, METADATA_LENGTH)));
    if (continueToken === '') return;
    this.#openLists.push({ namespace, token: continueToken, receivedUs: end.doneUs });
  }
}

function consistencyQuery({ consistency, limit }: ReadTemplate): QueryParameters {
  switch (consistency) {
    case 'cached':
      return { resourceVersion: '0' };
    case 'consistent':
      return {};
    case 'paged':
      return { limit };
    case 'exact':
      return { resourceVersionMatch: 'Exact' };
    case 'streaming':
      return {
        watch: true,
        sendInitialEvents: true,
        allowWatchBookmarks: true,
        resourceVersionMatch: 'NotOlderThan',
      };
  }
}
