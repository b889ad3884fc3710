/**
 * Client certificates for hollow nodes of a cluster whose authority's key is not at hand: through the
 * CertificateSigningRequest API, as a bootstrapping kubelet gets its own. An administrator's client creates, approves
 * and reads each request, and deletes it afterwards.
 */
import { createPrivateKey, webcrypto } from 'node:crypto';
import pLimit from 'p-limit';
import { type Clock, delay, HarnessError, systemClock } from '../core/index.ts';
import { ApiError } from './api-error.ts';
import type { JsonClient, KubeObject } from './json-client.ts';

export interface CertificateWanted {
  /** Name of the CertificateSigningRequest object. */
  requestName: string;
  commonName: string;
  organizations: readonly string[];
}

export interface ClientCertificate {
  certPem: string;
  keyPem: string;
}

export interface CertificateOptions {
  signal: AbortSignal;
  clock?: Clock;
  /** @default kubernetes.io/kube-apiserver-client-kubelet */
  signerName?: string;
  /** Requests at a time. @default 16 */
  concurrency?: number;
  /** For one certificate, from approval to issue. @default 60_000 */
  issueTimeoutMs?: number;
  /** Put on each request object, so that clean-up finds what a crash left. */
  labels?: Readonly<Record<string, string>>;
  /** Told after each certificate. */
  onIssued?(issuedCount: number): void;
}

/** Signs client certificates of the group system:nodes only. */
export const KUBELET_CLIENT_SIGNER = 'kubernetes.io/kube-apiserver-client-kubelet';
const DEFAULT_CONCURRENCY = 16;
const DEFAULT_ISSUE_TIMEOUT_MS = 60_000;
const POLL_MS = 100;
const MAX_APPROVAL_COUNT = 5;

const REQUESTS = {
  group: 'certificates.k8s.io',
  version: 'v1',
  plural: 'certificatesigningrequests',
  namespaced: false,
} as const;

/** What a hollow node `name` asks for. */
export function nodeCertificateWanted(nodeName: string, runId: string): CertificateWanted {
  return {
    requestName: `hollowmark-${runId}-${nodeName}`,
    commonName: `system:node:${nodeName}`,
    organizations: ['system:nodes'],
  };
}

/**
 * A certificate per entry of `wanted`, by commonName.
 * @throws HM_CLUSTER_STATE if the signer refuses or does not answer; ApiError without the right to create or approve
 */
export async function requestClientCertificates(
  client: JsonClient,
  wanted: readonly CertificateWanted[],
  options: CertificateOptions,
): Promise<Map<string, ClientCertificate>> {
  const limit = pLimit({ concurrency: options.concurrency ?? DEFAULT_CONCURRENCY, rejectOnClear: true });
  const issued = new Map<string, ClientCertificate>();
  const work = wanted.map((one) =>
    limit(async () => {
      issued.set(one.commonName, await requestOne(client, one, options));
      options.onIssued?.(issued.size);
    }),
  );
  try {
    await Promise.all(work);
  } finally {
    // After a failure those that have not begun are called off, and those that have are waited for.
    limit.clearQueue();
    await Promise.allSettled(work);
  }
  return issued;
}

async function requestOne(
  client: JsonClient,
  wanted: CertificateWanted,
  options: CertificateOptions,
): Promise<ClientCertificate> {
  const { signal, clock = systemClock, signerName = KUBELET_CLIENT_SIGNER } = options;
  const { keyPem, requestPem } = await makeRequest(wanted);
  const name = wanted.requestName;
  // What an earlier run left under this name holds another key.
  await client.delete(REQUESTS, { name }, { signal });
  const created = await client.create(
    REQUESTS,
    {
      apiVersion: 'certificates.k8s.io/v1',
      kind: 'CertificateSigningRequest',
      metadata: { name, ...(options.labels === undefined ? {} : { labels: options.labels }) },
      spec: {
        request: Buffer.from(requestPem).toString('base64'),
        signerName,
        // EC keys only sign: the kubelet asks for the same two.
        usages: ['digital signature', 'client auth'],
      },
    },
    {},
    { signal },
  );
  try {
    await approve(client, created, signal);
    const certPem = await waitForIssue(client, wanted, clock, options);
    return { certPem, keyPem };
  } finally {
    // Best effort: the controller removes issued requests after an hour anyway.
    await client.delete(REQUESTS, { name }).catch(() => false);
  }
}

async function waitForIssue(
  client: JsonClient,
  wanted: CertificateWanted,
  clock: Clock,
  options: CertificateOptions,
): Promise<string> {
  const timeoutMs = options.issueTimeoutMs ?? DEFAULT_ISSUE_TIMEOUT_MS;
  const endUs = clock.nowUs() + timeoutMs * 1_000;
  for (;;) {
    const current = await client.get(REQUESTS, { name: wanted.requestName }, { signal: options.signal });
    const status = isRecord(current['status']) ? current['status'] : {};
    if (typeof status['certificate'] === 'string')
      return Buffer.from(status['certificate'], 'base64').toString('utf8');
    const refusal = refusalOf(status['conditions']);
    if (refusal !== undefined) throw signerError(wanted, refusal);
    if (clock.nowUs() >= endUs)
      throw signerError(wanted, `no certificate within ${timeoutMs} ms of approval`);
    await delay(POLL_MS, { signal: options.signal, clock });
  }
}

/** Approves; again on a fresh copy when a controller wrote to the object meanwhile (it does, in its first moments). */
async function approve(client: JsonClient, created: KubeObject, signal: AbortSignal): Promise<void> {
  const { name } = created.metadata;
  for (let request = created, attempt = 1; ; attempt++) {
    try {
      await client.update(REQUESTS, { name, subresource: 'approval' }, approved(request), { signal });
      return;
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 409 || attempt === MAX_APPROVAL_COUNT) throw error;
      request = await client.get(REQUESTS, { name }, { signal });
    }
  }
}

function approved(request: KubeObject): object {
  return {
    ...request,
    status: {
      conditions: [
        {
          type: 'Approved',
          status: 'True',
          reason: 'HollowmarkFleet',
          message: 'client certificate of a hollow node',
        },
      ],
    },
  };
}

function refusalOf(conditions: unknown): string | undefined {
  if (!Array.isArray(conditions)) return undefined;
  for (const condition of conditions) {
    if (isRecord(condition) && (condition['type'] === 'Denied' || condition['type'] === 'Failed')) {
      return `${String(condition['type'])}: ${String(condition['message'] ?? condition['reason'] ?? '')}`;
    }
  }
  return undefined;
}

function signerError(wanted: CertificateWanted, why: string): HarnessError {
  return new HarnessError('HM_CLUSTER_STATE', `certificate for ${wanted.commonName} not issued: ${why}`, {
    hint: 'check that kube-controller-manager has a cluster signing key, or use fleet.identity: impersonation',
  });
}

/** A new EC P-256 key and a request over it; EC because RSA keys take a thousand times as long to make. */
async function makeRequest(wanted: CertificateWanted): Promise<{ keyPem: string; requestPem: string }> {
  // Loaded when needed: most agents never make a request, and the libraries take megabytes.
  await import('reflect-metadata');
  const { Pkcs10CertificateRequestGenerator } = await import('@peculiar/x509');
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const request = await Pkcs10CertificateRequestGenerator.create({
    name: [
      { CN: [wanted.commonName] },
      ...wanted.organizations.map((organization) => ({ O: [organization] })),
    ],
    keys,
    signingAlgorithm: algorithm,
  });
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey));
  const key = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' });
  return {
    keyPem: key.export({ format: 'pem', type: 'pkcs8' }).toString(),
    requestPem: request.toString('pem'),
  };
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
