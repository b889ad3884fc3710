/**
 * etcd's own API as JSON over HTTPS: the gateway that every member serves beside gRPC. Numbers of 64 bits are strings
 * in it, and bytes are base64.
 * Source: api/etcdserverpb/rpc.proto of etcd 3.6 (paths and fields).
 */
import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { request } from 'node:https';
import { pipeline } from 'node:stream/promises';
import { HarnessError, onAbort } from '../../core/index.ts';
import type { ClusterAccess } from '../../kube/index.ts';
import { requestHttps } from '../readiness.ts';

/** Milliseconds for a call that etcd may take long over: a defragmentation, a proposal without a leader (7 s). */
const CALL_TIMEOUT_MS = 60_000;
const SHA256_BYTES = 32;

export type Json = Readonly<Record<string, unknown>>;

/**
 * POSTs to one member and returns the reply.
 * @throws HM_CLUSTER_STATE with etcd's own message, or the network's error
 */
export async function callEtcd(
  access: ClusterAccess,
  path: string,
  body: Json,
  signal: AbortSignal,
): Promise<Json> {
  const asked = { method: 'POST', path, body: JSON.stringify(body), timeoutMs: CALL_TIMEOUT_MS } as const;
  const reply = await requestHttps(access, asked, signal);
  const parsed: unknown = JSON.parse(reply.body);
  const answer = isJson(parsed) ? parsed : {};
  if (reply.status === 200) return answer;
  throw new HarnessError(
    'HM_CLUSTER_STATE',
    `etcd refuses ${path}: ${String(answer['message'] ?? reply.body)}`,
  );
}

/**
 * Streams a snapshot of one member to a file; the size in bytes. etcd ends it with a SHA-256 of what went before.
 * @throws HM_CLUSTER_STATE if the sum is wrong or the stream breaks off
 */
export async function saveSnapshot(
  access: ClusterAccess,
  path: string,
  signal: AbortSignal,
): Promise<number> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  let tail = Buffer.alloc(0);
  async function* content() {
    for await (const message of snapshotMessages(access, signal)) {
      const blob = Buffer.from(String(message['blob'] ?? ''), 'base64');
      sizeBytes += blob.length;
      // The sum is the last 32 bytes, wherever messages are cut.
      const known = Buffer.concat([tail, blob]);
      const cut = Math.max(0, known.length - SHA256_BYTES);
      hash.update(known.subarray(0, cut));
      tail = known.subarray(cut);
      yield blob;
    }
  }
  await pipeline(content, createWriteStream(path, { mode: 0o600 }), { signal });
  if (!hash.digest().equals(tail))
    throw new HarnessError(
      'HM_CLUSTER_STATE',
      `the snapshot of ${access.server} is damaged: its sum differs`,
    );
  return sizeBytes;
}

async function* snapshotMessages(access: ClusterAccess, signal: AbortSignal): AsyncGenerator<Json> {
  const { credential, caPem } = access;
  if (credential.type !== 'client-certificate')
    throw new HarnessError('HM_INTERNAL', 'etcd is asked with a client certificate');
  const call = request(new URL('/v3/maintenance/snapshot', access.server), {
    method: 'POST',
    agent: false,
    ...(caPem === undefined ? {} : { ca: caPem }),
    cert: credential.certPem,
    key: credential.keyPem,
  });
  const stopListening = onAbort(signal, () => call.destroy(signal.reason));
  try {
    const response = await new Promise<NodeJS.ReadableStream>((resolve, reject) => {
      call.once('response', resolve);
      call.once('error', reject);
      call.end('{}');
    });
    let rest = '';
    for await (const chunk of response) {
      rest += String(chunk);
      const lines = rest.split('\n');
      rest = lines.pop() ?? '';
      for (const line of lines) yield resultOf(line);
    }
    if (rest.trim() !== '') yield resultOf(rest);
  } finally {
    stopListening();
  }
}

// Each line is {"result": {...}} or, once and last, {"error": {...}}.
function resultOf(line: string): Json {
  const parsed: unknown = JSON.parse(line);
  const message = isJson(parsed) ? parsed : {};
  if (isJson(message['result'])) return message['result'];
  throw new HarnessError('HM_CLUSTER_STATE', `etcd broke a snapshot off: ${line.slice(0, 200)}`);
}

/** True for a JSON object. */
export function isJson(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
