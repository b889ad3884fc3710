/**
 * Asking a component whether it is ready, and an API server the few things that starting needs. Plain HTTPS requests
 * on connections of their own, so that they work before and while the client library has anything to connect to.
 */
import { request } from 'node:https';
import { HarnessError, onAbort } from '../core/index.ts';
import type { ClusterAccess } from '../kube/index.ts';

/** Milliseconds after which an unanswered question counts as unanswered. */
const QUESTION_TIMEOUT_MS = 5_000;

/**
 * GETs `path` of an access with a client certificate; the body as text.
 * @throws the network's error, or the signal's reason.
 */
export function askHttps(
  access: ClusterAccess,
  path: string,
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  return requestHttps(access, { method: 'GET', path }, signal);
}

/**
 * One request with a client certificate on a connection of its own; the body as text. `timeoutMs` is for a silent
 * connection. @throws the network's error, or the signal's reason.
 */
export function requestHttps(
  access: ClusterAccess,
  asked: { method: 'GET' | 'POST'; path: string; body?: string; timeoutMs?: number },
  signal: AbortSignal,
): Promise<{ status: number; body: string }> {
  const { method, path, body, timeoutMs = QUESTION_TIMEOUT_MS } = asked;
  const { credential } = access;
  if (credential.type !== 'client-certificate')
    throw new HarnessError('HM_INTERNAL', `askHttps needs a client certificate, got ${credential.type}`);
  return new Promise((resolve, reject) => {
    if (signal.aborted) {
      reject(signal.reason);
      return;
    }
    const call = request(new URL(path, access.server), {
      ...(access.caPem === undefined ? {} : { ca: access.caPem }),
      cert: credential.certPem,
      key: credential.keyPem,
      agent: false,
      method,
      timeout: timeoutMs,
      ...(body === undefined ? {} : { headers: { 'Content-Type': 'application/json' } }),
    });
    const stopListening = onAbort(signal, () => call.destroy(signal.reason));
    const settle = (finish: () => void) => {
      stopListening();
      finish();
    };
    call.on('timeout', () => call.destroy(new Error(`no answer within ${timeoutMs / 1_000} s`)));
    call.on('error', (error) => settle(() => reject(error)));
    call.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (error) => settle(() => reject(error)));
      response.on('end', () =>
        settle(() =>
          resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString('utf8') }),
        ),
      );
    });
    call.end(body);
  });
}

/** Whether GET `path` answers 200; otherwise why not, for people. */
export async function askReady(
  access: ClusterAccess,
  path: string,
  signal: AbortSignal,
): Promise<{ ready: true } | { ready: false; reason: string }> {
  try {
    const answer = await askHttps(access, path, signal);
    if (answer.status === 200) return { ready: true };
    return { ready: false, reason: `${path} answers ${answer.status}${failedChecks(answer.body)}` };
  } catch (error) {
    signal.throwIfAborted();
    return { ready: false, reason: `${path}: ${error instanceof Error ? error.message : String(error)}` };
  }
}

// The verbose body of a failed /readyz lists each check as `[-]name failed: reason withheld`.
function failedChecks(body: string): string {
  const failed = [...body.matchAll(/^\[-\](\S+)/gm)].map((match) => match[1]);
  return failed.length === 0 ? '' : ` (${failed.join(', ')})`;
}
