/**
 * Who a connection speaks as: the headers of each request and the TLS side, from a ClusterAccess. Static credentials
 * are worked out once; those of a kubeconfig are renewed in mid-run (kubeconfig.ts).
 */
import type { SecureContext } from 'node:tls';
import type { Clock } from '../core/index.ts';
import type { ClusterAccess, Impersonation } from './access.ts';
import { KubeconfigIdentity } from './kubeconfig.ts';
import { secureContextFor } from './secure-contexts.ts';

/** Header names in lower case; a list is sent as one header per value. */
export type IdentityHeaders = Readonly<Record<string, string | readonly string[]>>;

/** An identity as transports use it. Shared by any number of connections. */
export interface ClientIdentity {
  /** Goes up with every renewal: what was derived from the headers is then stale. */
  readonly version: number;
  /** Authorization, without impersonation. */
  headers(): IdentityHeaders;
  /** Absent for plain `http://` servers. The same object for all connections until a renewal changes certificates. */
  secureContext(): SecureContext | undefined;
  /** True if the credential must be renewed before the next request. */
  renewalDue(): boolean;
  /** Renews now; concurrent calls share one renewal. @throws HM_KUBECONFIG_INVALID */
  renew(): Promise<void>;
  /** The server answered 401: the next request renews first, if renewing can help. */
  rejected(): void;
}

/**
 * The identity of `access`, ready for use; a kubeconfig's plugin runs here for the first time.
 * @throws HM_KUBECONFIG_INVALID
 */
export async function resolveIdentity(access: ClusterAccess, clock: Clock): Promise<ClientIdentity> {
  if (access.credential.type !== 'kubeconfig') return staticIdentity(access);
  const identity = new KubeconfigIdentity(access, access.credential.path, access.credential.context, clock);
  await identity.renew();
  return identity;
}

/** Impersonation as headers; empty without one. */
export function impersonationHeaders(impersonate: Impersonation | undefined): IdentityHeaders {
  if (impersonate === undefined) return {};
  return { 'impersonate-user': impersonate.user, 'impersonate-group': impersonate.groups };
}

function staticIdentity(access: ClusterAccess): ClientIdentity {
  const { credential } = access;
  const headers: IdentityHeaders =
    credential.type === 'bearer-token' ? { authorization: `Bearer ${credential.token}` } : {};
  const certificate = credential.type === 'client-certificate' ? credential : undefined;
  const context = secureContextFor(access, certificate?.certPem, certificate?.keyPem);
  return {
    version: 1,
    headers: () => headers,
    secureContext: () => context,
    renewalDue: () => false,
    renew: async () => {},
    rejected: () => {},
  };
}
