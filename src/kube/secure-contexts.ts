/**
 * TLS contexts, shared: thousands of connections of one identity class (impersonating ones, bearer tokens) use one.
 */
import { createSecureContext, type SecureContext } from 'node:tls';
import { describeError, HarnessError } from '../core/index.ts';
import type { ClusterAccess } from './access.ts';

/** Contexts of identity classes that many connections share (impersonating, bearer tokens); own certificates pass through. */
const SHARED_CONTEXT_COUNT = 64;
const sharedContexts = new Map<string, SecureContext>();

/**
 * The TLS context of an identity class: the same object for the same authority and client certificate, because a
 * context of its own costs each connection tens of kilobytes and a parse of the authority.
 */
export function secureContextFor(
  access: Pick<ClusterAccess, 'server' | 'caPem'>,
  certPem: string | undefined,
  keyPem: string | undefined,
): SecureContext | undefined {
  if (!access.server.startsWith('https:')) return undefined;
  const key = `${access.caPem ?? ''}\0${certPem ?? ''}\0${keyPem ?? ''}`;
  let context = sharedContexts.get(key);
  if (context === undefined) {
    try {
      context = createSecureContext({
        ...(access.caPem === undefined ? {} : { ca: access.caPem }),
        ...(certPem === undefined ? {} : { cert: certPem }),
        ...(keyPem === undefined ? {} : { key: keyPem }),
        minVersion: 'TLSv1.2',
      });
    } catch (error) {
      throw new HarnessError(
        'HM_KUBECONFIG_INVALID',
        `TLS material for ${access.server}: ${describeError(error)}`,
        {
          cause: error,
        },
      );
    }
    const oldest =
      sharedContexts.size >= SHARED_CONTEXT_COUNT ? sharedContexts.keys().next().value : undefined;
    if (oldest !== undefined) sharedContexts.delete(oldest);
    sharedContexts.set(key, context);
  }
  return context;
}
