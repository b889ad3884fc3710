/**
 * Kubeconfigs, resolved by @kubernetes/client-node: contexts, tokens, certificates, exec plugins, in-cluster service
 * accounts. Credentials that age are renewed before they expire and after a 401. Requests never go through client-node.
 */
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import type { SecureContext } from 'node:tls';
import type { KubeConfig, User } from '@kubernetes/client-node';
import { type Clock, describeError, HarnessError } from '../core/index.ts';
import type { ClusterAccess } from './access.ts';
import type { ClientIdentity, IdentityHeaders } from './credentials.ts';
import { secureContextFor } from './secure-contexts.ts';

/** Renew this long before an expiry, so that a request in flight does not meet it. */
export const RENEW_BEFORE_EXPIRY_MS = 60_000;
/** A token file is read again this often. Source: client-go rest/token_source.go reads it each minute. */
export const TOKEN_FILE_PERIOD_MS = 60_000;
/** Least time between two renewals that a 401 asked for: a user without rights must not start a plugin per request. */
export const REJECTED_RENEWAL_PERIOD_MS = 10_000;

/**
 * How to reach the cluster that a kubeconfig names. The credential stays a reference to the file, so that agents renew
 * it themselves. Without a path: $KUBECONFIG, ~/.kube/config, then the pod's service account, as kubectl looks.
 * @throws HM_KUBECONFIG_INVALID naming file and context
 */
export function loadKubeconfig(path: string | undefined, context: string | undefined): ClusterAccess {
  const { config, place } = readKubeconfig(path ?? '', context ?? '');
  const name = config.getCurrentContext();
  const cluster = config.getCurrentCluster();
  if (cluster === null) {
    throw invalid(place, `context "${name}" names no cluster of the file`);
  }
  if (config.getCurrentUser() === null) throw invalid(place, `context "${name}" names no user of the file`);
  const caPem = pemOf(cluster.caData, cluster.caFile, place, 'certificate authority');
  const user = config.getCurrentUser();
  const server = cluster.server.replace(/\/+$/, '');
  if (!/^https?:\/\//.test(server))
    throw invalid(place, `server "${cluster.server}" is no http or https URL`);
  return {
    server,
    members: [server],
    ...(caPem === undefined ? {} : { caPem }),
    ...(cluster.tlsServerName ? { tlsServerName: cluster.tlsServerName } : {}),
    ...(cluster.skipTLSVerify ? { insecureSkipTlsVerify: true } : {}),
    credential: { type: 'kubeconfig', path: path ?? '', context: name },
    ...(user?.impersonateUser ? { impersonate: { user: user.impersonateUser, groups: [] } } : {}),
  };
}

/** The identity that a context of a kubeconfig stands for; renew() once before use. */
export class KubeconfigIdentity implements ClientIdentity {
  version = 0;
  readonly #access: ClusterAccess;
  readonly #path: string;
  readonly #context: string;
  readonly #clock: Clock;
  #headers: IdentityHeaders = {};
  #secureContext: SecureContext | undefined;
  #renewing: Promise<void> | undefined;
  /** Wall time from which on the next request renews; Infinity for credentials that do not age. */
  #renewAtWallMs = Number.POSITIVE_INFINITY;
  #renewedAtWallMs = 0;
  #ages = false;

  constructor(access: ClusterAccess, path: string, context: string, clock: Clock) {
    this.#access = access;
    this.#path = path;
    this.#context = context;
    this.#clock = clock;
  }

  headers(): IdentityHeaders {
    return this.#headers;
  }

  secureContext(): SecureContext | undefined {
    return this.#secureContext;
  }

  renewalDue(): boolean {
    return this.#renewAtWallMs !== Number.POSITIVE_INFINITY && this.#clock.wallMs() >= this.#renewAtWallMs;
  }

  rejected(): void {
    if (!this.#ages) return;
    const earliestWallMs = this.#renewedAtWallMs + REJECTED_RENEWAL_PERIOD_MS;
    this.#renewAtWallMs = Math.min(this.#renewAtWallMs, Math.max(this.#clock.wallMs(), earliestWallMs));
  }

  renew(): Promise<void> {
    this.#renewing ??= this.#resolve().finally(() => {
      this.#renewing = undefined;
    });
    return this.#renewing;
  }

  async #resolve(): Promise<void> {
    // Read afresh each time: client-node's plugins cache in the KubeConfig object, and files may have been rewritten.
    const { config, place } = readKubeconfig(this.#path, this.#context);
    const user = config.getCurrentUser();
    let material: CredentialMaterial;
    try {
      material = await readCredential(config);
    } catch (error) {
      throw invalid(
        place,
        `user "${user?.name ?? ''}" of context "${this.#context}": ${describeError(error).trim()}`,
        error,
      );
    }
    this.#headers = material.authorization === undefined ? {} : { authorization: material.authorization };
    this.#secureContext = secureContextFor(this.#access, material.certPem, material.keyPem);
    this.#renewedAtWallMs = this.#clock.wallMs();
    this.#ages = user?.exec !== undefined || user?.authProvider !== undefined;
    this.#renewAtWallMs = renewalTime(user, this.#renewedAtWallMs, material.expiresAtWallMs);
    this.version++;
  }
}

interface CredentialMaterial {
  authorization: string | undefined;
  certPem: string | undefined;
  keyPem: string | undefined;
  expiresAtWallMs: number | undefined;
}

async function readCredential(config: KubeConfig): Promise<CredentialMaterial> {
  const options: Parameters<KubeConfig['applyToHTTPSOptions']>[0] = { headers: {} };
  await config.applyToHTTPSOptions(options);
  const headers: Record<string, unknown> = { ...options.headers };
  const bearer = headers['Authorization'];
  const basic = options.auth ? `Basic ${Buffer.from(options.auth).toString('base64')}` : undefined;
  const authorization = typeof bearer === 'string' ? bearer.trim() : basic;
  return {
    authorization,
    certPem: pemText(options.cert),
    keyPem: pemText(options.key),
    expiresAtWallMs: await expiryOf(config, authorization),
  };
}

// client-node keeps the plugin's expiry to itself: it answers a second call from its cache, which tells nothing. The
// expiry of a token is in the token where it is a JWT (every cloud's is, and service accounts'), else in the plugin's
// cached status.
async function expiryOf(config: KubeConfig, authorization: string | undefined): Promise<number | undefined> {
  const cached = cachedExecExpiry(config);
  if (cached !== undefined) return cached;
  const payload = authorization?.startsWith('Bearer ') ? authorization.slice(7).split('.')[1] : undefined;
  if (payload === undefined) return undefined;
  try {
    const claims: unknown = JSON.parse(Buffer.from(payload, 'base64url').toString('utf8'));
    if (typeof claims !== 'object' || claims === null || !('exp' in claims)) return undefined;
    return typeof claims.exp === 'number' ? claims.exp * 1_000 : undefined;
  } catch {
    // Not a JWT: an opaque token with dots in it has no expiry that could be read.
    return undefined;
  }
}

function cachedExecExpiry(config: KubeConfig): number | undefined {
  const user = config.getCurrentUser();
  const authenticators: unknown = Reflect.get(config, 'authenticators');
  if (user === null || !Array.isArray(authenticators)) return undefined;
  for (const authenticator of authenticators) {
    const cache: unknown =
      typeof authenticator === 'object' && authenticator !== null
        ? Reflect.get(authenticator, 'tokenCache')
        : undefined;
    const entry: unknown =
      typeof cache === 'object' && cache !== null ? Reflect.get(cache, user.name) : undefined;
    const status: unknown =
      typeof entry === 'object' && entry !== null ? Reflect.get(entry, 'status') : undefined;
    const stamp: unknown =
      typeof status === 'object' && status !== null ? Reflect.get(status, 'expirationTimestamp') : undefined;
    const atWallMs = typeof stamp === 'string' ? Date.parse(stamp) : Number.NaN;
    if (Number.isFinite(atWallMs)) return atWallMs;
  }
  return undefined;
}

function renewalTime(user: User | null, nowWallMs: number, expiresAtWallMs: number | undefined): number {
  if (user?.authProvider?.config?.tokenFile !== undefined) return nowWallMs + TOKEN_FILE_PERIOD_MS;
  if (user?.exec === undefined && user?.authProvider === undefined) return Number.POSITIVE_INFINITY;
  if (expiresAtWallMs === undefined) return Number.POSITIVE_INFINITY;
  // A plugin may hand out tokens shorter than the margin: renew those at half their life, not on every request.
  const lifeMs = expiresAtWallMs - nowWallMs;
  return nowWallMs + Math.max(lifeMs - RENEW_BEFORE_EXPIRY_MS, lifeMs / 2, 1_000);
}

function readKubeconfig(path: string, context: string): { config: KubeConfig; place: string } {
  const config = new (clientNode().KubeConfig)();
  const place =
    path === '' ? `kubeconfig ${process.env['KUBECONFIG'] ?? '~/.kube/config'}` : `kubeconfig ${path}`;
  try {
    if (path === '') config.loadFromDefault();
    else config.loadFromFile(path);
  } catch (error) {
    throw invalid(place, describeError(error), error);
  }
  if (context !== '') config.setCurrentContext(context);
  const name = config.getCurrentContext();
  if (!name) throw invalid(place, 'no context given and no current-context in the file');
  const known = config.getContexts().map((entry) => entry.name);
  if (!known.includes(name)) {
    throw invalid(
      place,
      `no context "${name}"; the file has ${known.map((other) => `"${other}"`).join(', ') || 'none'}`,
    );
  }
  return { config, place };
}

function pemOf(
  data: string | undefined,
  file: string | undefined,
  place: string,
  what: string,
): string | undefined {
  if (data) return Buffer.from(data, 'base64').toString('utf8');
  if (!file) return undefined;
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw invalid(place, `${what} ${file}: ${describeError(error)}`, error);
  }
}

function pemText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('utf8') : undefined;
}

function invalid(place: string, why: string, cause?: unknown): HarnessError {
  return new HarnessError('HM_KUBECONFIG_INVALID', `${place}: ${why}`, {
    hint: 'check the file with kubectl config view, and the context with kubectl config get-contexts',
    ...(cause === undefined ? {} : { cause }),
  });
}

let loadedClientNode: typeof import('@kubernetes/client-node') | undefined;

/** Loaded at the first kubeconfig: it costs 0.9 s and 75 MB, which an agent with given credentials is spared. */
function clientNode(): typeof import('@kubernetes/client-node') {
  loadedClientNode ??= createRequire(import.meta.url)(
    '@kubernetes/client-node',
  ) as typeof import('@kubernetes/client-node');
  return loadedClientNode;
}
