/**
 * The administrator's side of the scenarios: objects made, read and deleted by path, as kubectl would.
 */
import type { Connection } from '../../../src/kube/index.ts';

/** What tests look at of any object. */
export interface ApiObject {
  metadata: {
    name: string;
    uid: string;
    creationTimestamp: string;
    labels?: Record<string, string>;
    deletionTimestamp?: string;
  };
  spec?: Record<string, unknown>;
  status?: {
    phase?: string;
    conditions?: { type: string; status: string }[];
    containerStatuses?: ContainerStatus[];
    initContainerStatuses?: ContainerStatus[];
    [key: string]: unknown;
  };
  [key: string]: unknown;
}

export interface ContainerStatus {
  name: string;
  ready: boolean;
  restartCount: number;
  state: Record<string, { reason?: string }>;
}

export class Admin {
  readonly #connection: () => Connection;

  /** `connection`: the one that is open now. */
  constructor(connection: () => Connection) {
    this.#connection = connection;
  }

  async create(path: string, body: object): Promise<void> {
    const reply = await this.#connection().request({ method: 'POST', path, body: JSON.stringify(body) });
    if (reply.status >= 300) throw new Error(`POST ${path}: ${reply.status} ${reply.body}`);
  }

  /** Undefined where there is none. */
  async find(path: string): Promise<ApiObject | undefined> {
    const reply = await this.#connection().request({ method: 'GET', path });
    if (reply.status === 404) return undefined;
    if (reply.status !== 200) throw new Error(`GET ${path}: ${reply.status} ${reply.body}`);
    return JSON.parse(reply.body) as ApiObject;
  }

  async list(path: string): Promise<ApiObject[]> {
    const reply = await this.#connection().request({ method: 'GET', path });
    if (reply.status !== 200) throw new Error(`GET ${path}: ${reply.status} ${reply.body}`);
    return (JSON.parse(reply.body) as { items: ApiObject[] }).items;
  }

  async merge(path: string, patch: object): Promise<void> {
    const reply = await this.#connection().request({
      method: 'PATCH',
      path,
      body: JSON.stringify(patch),
      contentType: 'application/merge-patch+json',
    });
    if (reply.status >= 300) throw new Error(`PATCH ${path}: ${reply.status} ${reply.body}`);
  }

  /** In the background: what it owns goes by the garbage collector. */
  async delete(path: string): Promise<void> {
    const reply = await this.#connection().request({
      method: 'DELETE',
      path: `${path}?propagationPolicy=Background`,
    });
    if (reply.status >= 300 && reply.status !== 404) {
      throw new Error(`DELETE ${path}: ${reply.status} ${reply.body}`);
    }
  }
}

export function conditionTrue(object: ApiObject | undefined, type: string): boolean {
  return object?.status?.conditions?.some((one) => one.type === type && one.status === 'True') === true;
}
