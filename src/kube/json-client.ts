/**
 * A small client for set-up and clean-up code: objects in, objects out, errors thrown, repeats as client-go makes
 * them. Measured calls do not go through it.
 */
import type { ResourceRef } from '../config/index.ts';
import { type Clock, delay, HarnessError, systemClock } from '../core/index.ts';
import { replyError } from './api-error.ts';
import type { ApiConnection, ApiReply, ApiRequest, HttpMethod } from './connection.ts';
import { LIST_PAGE_SIZE } from './reflector-state.ts';
import { type QueryParameters, type ResourceTarget, resourcePath } from './resource-path.ts';
import { retryDelayMs } from './retry.ts';

/** The parts of any object that this code looks at. */
export interface KubeObject {
  apiVersion?: string;
  kind?: string;
  metadata: {
    name: string;
    namespace?: string;
    uid?: string;
    resourceVersion?: string;
    generation?: number;
    creationTimestamp?: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    annotations?: Record<string, string>;
    [key: string]: unknown;
  };
  [key: string]: unknown;
}

export type PatchType = 'merge' | 'strategic' | 'json';

export interface CallOptions {
  signal?: AbortSignal;
  timeoutMs?: number;
  query?: QueryParameters;
}

export interface ListSelection {
  namespace?: string;
  labelSelector?: string;
  fieldSelector?: string;
  /** `0`: from the cache, whole. Absent: consistent, in pages. */
  resourceVersion?: string;
  /** @default 500 */
  limit?: number;
}

export interface KubeList {
  resourceVersion: string;
  items: KubeObject[];
}

export interface DeleteOptions extends CallOptions {
  /** 0 with `force`: at once, without the kubelet. */
  gracePeriodSeconds?: number;
  propagationPolicy?: 'Background' | 'Foreground' | 'Orphan';
  uid?: string;
}

const PATCH_CONTENT_TYPES: Record<PatchType, string> = {
  merge: 'application/merge-patch+json',
  strategic: 'application/strategic-merge-patch+json',
  json: 'application/json-patch+json',
};

/** Every method throws ApiError on a status of 400 and more, TransportError without a reply. */
export class JsonClient {
  readonly #connection: Pick<ApiConnection, 'request'>;
  readonly #clock: Clock;

  constructor(connection: Pick<ApiConnection, 'request'>, clock: Clock = systemClock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  get(
    resource: ResourceRef,
    target: ResourceTarget & { name: string },
    options: CallOptions = {},
  ): Promise<KubeObject> {
    return this.#object('get', 'GET', resourcePath(resource, target, options.query), undefined, options);
  }

  /** As get, or undefined where there is none (404). */
  async find(
    resource: ResourceRef,
    target: ResourceTarget & { name: string },
    options: CallOptions = {},
  ): Promise<KubeObject | undefined> {
    const path = resourcePath(resource, target, options.query);
    const reply = await this.send({ method: 'GET', path }, options.signal, options.timeoutMs);
    if (reply.status === 404) return undefined;
    return parseObject('get', path, reply);
  }

  /** All pages of a list, joined. */
  async list(
    resource: ResourceRef,
    selection: ListSelection = {},
    options: CallOptions = {},
  ): Promise<KubeList> {
    const items: KubeObject[] = [];
    for await (const page of this.pages(resource, selection, options)) {
      // Not push(...items): a page may be the whole list, and an argument list has a limit.
      for (const item of page.items) items.push(item);
      if (page.last) return { resourceVersion: page.resourceVersion, items };
    }
    return { resourceVersion: '', items };
  }

  /** A list page by page, for those that need not hold it whole. */
  async *pages(
    resource: ResourceRef,
    selection: ListSelection = {},
    options: CallOptions = {},
  ): AsyncGenerator<KubeList & { last: boolean }> {
    const { namespace, labelSelector, fieldSelector, resourceVersion, limit = LIST_PAGE_SIZE } = selection;
    const target = namespace === undefined ? {} : { namespace };
    for (let token = ''; ; ) {
      const path = resourcePath(resource, target, {
        ...options.query,
        continue: token,
        fieldSelector,
        labelSelector,
        limit,
        resourceVersion: token === '' ? resourceVersion : undefined,
      });
      const reply = await this.send({ method: 'GET', path }, options.signal, options.timeoutMs);
      const list = parseRecord('list', path, reply);
      const metadata = isRecord(list['metadata']) ? list['metadata'] : {};
      const items = Array.isArray(list['items']) ? list['items'].filter(isKubeObject) : [];
      token = typeof metadata['continue'] === 'string' ? metadata['continue'] : '';
      yield { resourceVersion: String(metadata['resourceVersion'] ?? ''), items, last: token === '' };
      if (token === '') return;
    }
  }

  create(
    resource: ResourceRef,
    object: object,
    target: ResourceTarget = {},
    options: CallOptions = {},
  ): Promise<KubeObject> {
    return this.#object('create', 'POST', resourcePath(resource, target, options.query), object, options);
  }

  /** Replaces the object; its resourceVersion decides about conflicts. */
  update(
    resource: ResourceRef,
    target: ResourceTarget & { name: string },
    object: object,
    options: CallOptions = {},
  ): Promise<KubeObject> {
    return this.#object('update', 'PUT', resourcePath(resource, target, options.query), object, options);
  }

  async patch(
    resource: ResourceRef,
    target: ResourceTarget & { name: string },
    patch: object,
    type: PatchType,
    options: CallOptions = {},
  ): Promise<KubeObject> {
    const path = resourcePath(resource, target, options.query);
    const request: ApiRequest = {
      method: 'PATCH',
      path,
      body: JSON.stringify(patch),
      contentType: PATCH_CONTENT_TYPES[type],
    };
    return parseObject('patch', path, await this.send(request, options.signal, options.timeoutMs));
  }

  /** True if it existed. */
  async delete(
    resource: ResourceRef,
    target: ResourceTarget & { name: string },
    options: DeleteOptions = {},
  ): Promise<boolean> {
    const path = resourcePath(resource, target, options.query);
    const request: ApiRequest = { method: 'DELETE', path, body: JSON.stringify(deleteBody(options)) };
    const reply = await this.send(request, options.signal, options.timeoutMs);
    if (reply.status === 404) return false;
    parseRecord('delete', path, reply);
    return true;
  }

  /** Deletes what `selection` matches, on the server's side. */
  async deleteCollection(
    resource: ResourceRef,
    selection: Pick<ListSelection, 'namespace' | 'labelSelector' | 'fieldSelector'>,
    options: DeleteOptions = {},
  ): Promise<void> {
    const { namespace, labelSelector, fieldSelector } = selection;
    const target = namespace === undefined ? {} : { namespace };
    const path = resourcePath(resource, target, { ...options.query, labelSelector, fieldSelector });
    const request: ApiRequest = { method: 'DELETE', path, body: JSON.stringify(deleteBody(options)) };
    parseRecord('deletecollection', path, await this.send(request, options.signal, options.timeoutMs));
  }

  /** Parsed JSON of any path: `/version`, `/apis`. */
  async getJson(path: string, options: CallOptions = {}): Promise<Record<string, unknown>> {
    return parseRecord(
      'get',
      path,
      await this.send({ method: 'GET', path }, options.signal, options.timeoutMs),
    );
  }

  /** Text of any path: `/readyz`, `/metrics`. */
  async getText(path: string, options: CallOptions = {}): Promise<string> {
    const reply = await this.send(
      { method: 'GET', path, headers: { accept: 'text/plain, */*' } },
      options.signal,
      options.timeoutMs,
    );
    if (reply.status >= 400) throw replyError({ verb: 'get', subject: path }, reply);
    return reply.body;
  }

  /** The reply of a request, repeated as client-go would; once more after a 401, when a renewed credential may help. */
  async send(request: ApiRequest, signal?: AbortSignal, timeoutMs?: number): Promise<ApiReply> {
    const whole = timeoutMs === undefined ? request : { ...request, timeoutMs };
    let renewed = false;
    for (let attempt = 0; ; attempt++) {
      let outcome: ApiReply | Error;
      try {
        outcome = await this.#connection.request(whole, signal);
      } catch (error) {
        if (!(error instanceof Error) || signal?.aborted) throw error;
        outcome = error;
      }
      const delayMs = retryDelayMs(request.method, outcome, attempt);
      if (delayMs === undefined) {
        if (outcome instanceof Error) throw outcome;
        if (outcome.status !== 401 || renewed) return outcome;
        renewed = true;
      } else if (delayMs > 0) {
        await delay(delayMs, { signal: signal ?? NEVER_ABORTED, clock: this.#clock });
      }
    }
  }

  async #object(
    verb: string,
    method: HttpMethod,
    path: string,
    body: object | undefined,
    options: CallOptions,
  ): Promise<KubeObject> {
    const request: ApiRequest =
      body === undefined ? { method, path } : { method, path, body: JSON.stringify(body) };
    return parseObject(verb, path, await this.send(request, options.signal, options.timeoutMs));
  }
}

/** The optional outer edge of a signal: code without one waits without one. */
const NEVER_ABORTED = new AbortController().signal;

function deleteBody(options: DeleteOptions): object {
  const { gracePeriodSeconds, propagationPolicy, uid } = options;
  return {
    apiVersion: 'v1',
    kind: 'DeleteOptions',
    ...(gracePeriodSeconds === undefined ? {} : { gracePeriodSeconds }),
    ...(propagationPolicy === undefined ? {} : { propagationPolicy }),
    ...(uid === undefined ? {} : { preconditions: { uid } }),
  };
}

function parseObject(verb: string, path: string, reply: ApiReply): KubeObject {
  const value = parseRecord(verb, path, reply);
  if (!isKubeObject(value)) throw unexpected(verb, path, 'the reply is no object with metadata');
  return value;
}

function parseRecord(verb: string, path: string, reply: ApiReply): Record<string, unknown> {
  if (reply.status >= 400) throw replyError({ verb, subject: path }, reply);
  let value: unknown;
  try {
    value = JSON.parse(reply.body);
  } catch (error) {
    throw unexpected(verb, path, `the reply is no JSON: ${String(error)}`);
  }
  if (!isRecord(value)) throw unexpected(verb, path, 'the reply is no JSON object');
  return value;
}

function unexpected(verb: string, path: string, why: string): HarnessError {
  return new HarnessError('HM_API_ERROR', `${verb} ${path} failed: ${why}`);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

// TokenRequests and some others come back without a name, or with metadata that is empty.
function isKubeObject(value: unknown): value is KubeObject {
  return isRecord(value) && isRecord(value['metadata']);
}
