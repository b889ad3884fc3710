/**
 * The administrator's side of tests on a real control plane: objects made, read and deleted by path, as kubectl would.
 */
import type { Connection } from '../../src/kube/index.ts';

/** What tests look at of any object. */
export interface ApiObject {
  metadata: {
    name: string;
    uid: string;
    resourceVersion: string;
    creationTimestamp: string;
    deletionTimestamp?: string;
    labels?: Record<string, string>;
    ownerReferences?: { kind: string; uid: string }[];
  };
  /** Of objects that have one; nodeName of pods, taints of nodes. */
  spec: { nodeName?: string; taints?: { key: string }[] } & Record<string, unknown>;
  /** Of objects that have one. */
  status: {
    phase?: string;
    reason?: string;
    message?: string;
    podIP?: string;
    conditions?: ApiCondition[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
  } & Record<string, unknown>;
  [key: string]: unknown;
}

export interface ApiCondition {
  type: string;
  status: string;
  reason?: string;
  message?: string;
  lastTransitionTime: string;
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  state: {
    waiting?: { reason: string; message?: string };
    running?: { startedAt: string };
    terminated?: ContainerEnd;
  };
  lastState: { terminated?: ContainerEnd };
}

export interface ContainerEnd {
  exitCode: number;
  reason: string;
  startedAt: string;
  finishedAt: string;
}

/** Every method throws an Error with method, path and answer unless it says otherwise. */
export class ClusterAdmin {
  readonly #connection: () => Connection;

  /** `connection`: the one that is open now. */
  constructor(connection: () => Connection) {
    this.#connection = connection;
  }

  async create(path: string, body: object): Promise<void> {
    await this.#ask('POST', path, { body: JSON.stringify(body) });
  }

  async get(path: string): Promise<ApiObject> {
    return JSON.parse(await this.#ask('GET', path)) as ApiObject;
  }

  /** Undefined where there is none. */
  async find(path: string): Promise<ApiObject | undefined> {
    const reply = await this.#connection().request({ method: 'GET', path });
    if (reply.status === 404) return undefined;
    if (reply.status !== 200) throw new Error(`GET ${path}: ${reply.status} ${reply.body}`);
    return JSON.parse(reply.body) as ApiObject;
  }

  async list(path: string): Promise<ApiObject[]> {
    return (JSON.parse(await this.#ask('GET', path)) as { items: ApiObject[] }).items;
  }

  /** A merge patch. */
  async merge(path: string, patch: object): Promise<void> {
    await this.#ask('PATCH', path, {
      body: JSON.stringify(patch),
      contentType: 'application/merge-patch+json',
    });
  }

  /** In the background: what it owns goes by the garbage collector. That there is none is as good. */
  async delete(path: string): Promise<void> {
    const reply = await this.#connection().request({
      method: 'DELETE',
      path: `${path}?propagationPolicy=Background`,
    });
    if (reply.status >= 300 && reply.status !== 404) {
      throw new Error(`DELETE ${path}: ${reply.status} ${reply.body}`);
    }
  }

  /** Asks the Eviction API; the status it answers with, 429 where a budget refuses. */
  async evict(podPath: string): Promise<number> {
    const [, namespace, name] = /namespaces\/([^/]+)\/pods\/([^/]+)$/.exec(podPath) ?? [];
    const body = { apiVersion: 'policy/v1', kind: 'Eviction', metadata: { name, namespace } };
    const reply = await this.#connection().request({
      method: 'POST',
      path: `${podPath}/eviction`,
      body: JSON.stringify(body),
    });
    return reply.status;
  }

  async #ask(
    method: 'GET' | 'POST' | 'PATCH',
    path: string,
    rest: { body?: string; contentType?: string } = {},
  ): Promise<string> {
    const reply = await this.#connection().request({ method, path, ...rest });
    if (reply.status >= 300) throw new Error(`${method} ${path}: ${reply.status} ${reply.body}`);
    return reply.body;
  }
}

/** True where the object says so of itself. */
export function conditionTrue(object: ApiObject | undefined, type: string): boolean {
  return object?.status?.conditions?.some((one) => one.type === type && one.status === 'True') === true;
}
