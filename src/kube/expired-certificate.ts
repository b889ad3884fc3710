/**
 * A client certificate that no API server accepts: its time is over, and no authority stands behind it. To a server
 * both are one failure of verification, answered with 401; so what happens to a node whose certificate expired can be
 * played on any cluster, without its authority's key.
 * Source: k8s.io/apiserver pkg/authentication/request/x509 v0.36.3 (AuthenticateRequest returns the error of Verify)
 */
import { webcrypto } from 'node:crypto';
import type { SecureContext } from 'node:tls';
import type { ClusterAccess } from './access.ts';
import { secureContextFor } from './secure-contexts.ts';

const DAY_MS = 86_400_000;

/** A TLS context that presents such a certificate; undefined for a server without TLS. `nowMs` is wall time. */
export async function expiredClientContext(
  access: Pick<ClusterAccess, 'server' | 'caPem'>,
  nowMs: number,
): Promise<SecureContext | undefined> {
  // Loaded when needed: no other part of a fleet uses the libraries, and they take megabytes.
  await import('reflect-metadata');
  const { PemConverter, X509CertificateGenerator } = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    name: 'CN=system:node:expired, O=system:nodes',
    notBefore: new Date(nowMs - 2 * DAY_MS),
    notAfter: new Date(nowMs - DAY_MS),
    signingAlgorithm: algorithm,
    keys,
  });
  const key = await webcrypto.subtle.exportKey('pkcs8', keys.privateKey);
  return secureContextFor(access, certificate.toString('pem'), PemConverter.encode(key, 'PRIVATE KEY'));
}
