/**
 * Who may ask a hollow kubelet what, as a kubelet with kubeadm's configuration decides it: a client certificate signed by
 * the cluster's client authority, or a bearer token that the API server vouches for; then the API server is asked whether
 * that user may reach the subresource of this node. No anonymous caller gets anything. Answers are kept per node, as each
 * real kubelet keeps its own, so a cold caller costs the API server what it would cost a real one.
 * Source: pkg/kubelet/server/auth.go, cmd/kubelet/app/auth.go, pkg/kubelet/apis/config/v1beta1/defaults.go v1.36.3.
 */
import type { Clock } from '../../../src/core/index.ts';
import type { TokenBucket } from '../../../src/kube/index.ts';
import type { CallKind } from '../../calls.ts';
import type { NodeClient } from '../../client.ts';

const TOKEN_TTL_MS = 120_000;
const ALLOWED_TTL_MS = 300_000;
const DENIED_TTL_MS = 30_000;
/** Answers kept per node before the oldest go. */
const CACHE_LIMIT = 256;

export interface UserInfo {
  username: string;
  uid?: string;
  groups?: string[];
  extra?: Record<string, string[]>;
}

/** As whom the node asks the API server. */
export interface ReviewClient {
  readonly nodeName: string;
  readonly client: NodeClient;
  readonly throttle: TokenBucket;
  readonly clock: Clock;
}

/** Who calls: what the connection and the request say. */
export interface Caller {
  /** Subject of a client certificate that the client authority signed. */
  readonly certificate?: UserInfo;
  readonly token?: string;
}

/**
 * Subresources of the node of which one must be allowed, by the path asked for.
 * Source: GetRequestAttributes, pkg/kubelet/server/auth.go v1.36.3.
 */
export function subresourcesOf(path: string): string[] {
  const within = (prefix: string) => path === prefix || path.startsWith(`${prefix}/`);
  if (within('/stats')) return ['stats'];
  if (within('/metrics')) return ['metrics'];
  if (within('/pods')) return ['pods', 'proxy'];
  if (within('/healthz')) return ['healthz', 'proxy'];
  return ['proxy'];
}

export class NodeAccess {
  readonly #reviews: ReviewClient;
  readonly #users = new ExpiringMap<UserInfo | undefined>();
  readonly #decisions = new ExpiringMap<boolean>();

  constructor(reviews: ReviewClient) {
    this.#reviews = reviews;
  }

  /** Who the caller is; undefined for nobody that is known. @throws TransportError */
  async authenticate(caller: Caller): Promise<UserInfo | undefined> {
    if (caller.certificate !== undefined) return caller.certificate;
    const { token } = caller;
    if (token === undefined) return undefined;
    const { clock } = this.#reviews;
    const known = this.#users.get(token, clock.nowUs());
    if (known !== undefined) return known.value;
    const status = await this.#review('createTokenReview', 'authentication', 'TokenReview', { token });
    const user = status['authenticated'] === true ? (status['user'] as UserInfo) : undefined;
    this.#users.set(token, user, clock.nowUs(), TOKEN_TTL_MS);
    return user;
  }

  /** Whether `user` may send `method` to `path` of this node. @throws TransportError */
  async authorize(user: UserInfo, method: string, path: string): Promise<boolean> {
    const verb = VERBS[method] ?? '';
    for (const subresource of subresourcesOf(path)) {
      if (await this.#allowed(user, verb, subresource)) return true;
    }
    return false;
  }

  async #allowed(user: UserInfo, verb: string, subresource: string): Promise<boolean> {
    const { clock, nodeName } = this.#reviews;
    const { username, groups, uid, extra } = user;
    const key = JSON.stringify([username, groups, uid, extra, verb, subresource]);
    const known = this.#decisions.get(key, clock.nowUs());
    if (known !== undefined) return known.value;
    const status = await this.#review('createSubjectAccessReview', 'authorization', 'SubjectAccessReview', {
      resourceAttributes: { verb, version: 'v1', resource: 'nodes', subresource, name: nodeName },
      user: username,
      ...(groups === undefined ? {} : { groups }),
      ...(uid === undefined ? {} : { uid }),
      ...(extra === undefined ? {} : { extra }),
    });
    const allowed = status['allowed'] === true;
    this.#decisions.set(key, allowed, clock.nowUs(), allowed ? ALLOWED_TTL_MS : DENIED_TTL_MS);
    return allowed;
  }

  async #review(call: CallKind, group: string, kind: string, spec: object): Promise<Record<string, unknown>> {
    const { client, throttle } = this.#reviews;
    const apiVersion = `${group}.k8s.io/v1`;
    const reply = await client.send(
      call,
      {
        method: 'POST',
        path: `/apis/${apiVersion}/${kind.toLowerCase()}s`,
        body: JSON.stringify({ kind, apiVersion, metadata: {}, spec, status: {} }),
      },
      throttle,
    );
    if (reply.status >= 300) return {};
    return (JSON.parse(reply.body) as { status?: Record<string, unknown> }).status ?? {};
  }
}

const VERBS: Readonly<Record<string, string>> = {
  GET: 'get',
  HEAD: '',
  POST: 'create',
  PUT: 'update',
  PATCH: 'patch',
  DELETE: 'delete',
};

/** Values that are forgotten some time after they were set. */
class ExpiringMap<V> {
  readonly #entries = new Map<string, { value: V; untilUs: number }>();

  get(key: string, nowUs: number): { value: V } | undefined {
    const entry = this.#entries.get(key);
    if (entry === undefined || entry.untilUs > nowUs) return entry;
    this.#entries.delete(key);
    return undefined;
  }

  set(key: string, value: V, nowUs: number, ttlMs: number): void {
    const [oldest] = this.#entries.keys();
    if (this.#entries.size >= CACHE_LIMIT && oldest !== undefined) this.#entries.delete(oldest);
    this.#entries.set(key, { value, untilUs: nowUs + ttlMs * 1_000 });
  }
}
