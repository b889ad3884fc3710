/**
 * The local provider against the real programs, and what else holds on to a plane: attaching, keeping, ending.
 */
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  attachControlPlane,
  type LocalControlPlane,
  startLocalControlPlane,
} from '../../src/controlplane/index.ts';
import { askHttps } from '../../src/controlplane/readiness.ts';
import { silentLogger, systemClock } from '../../src/core/index.ts';
import type { ClusterAccess } from '../../src/kube/index.ts';

const signal = new AbortController().signal;
const context = { signal, clock: systemClock, log: silentLogger(), env: process.env };
let directory: string;
let plane: LocalControlPlane;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-plane-'));
  const auditPolicyPath = join(directory, 'policy.yaml');
  writeFileSync(auditPolicyPath, 'apiVersion: audit.k8s.io/v1\nkind: Policy\nrules: [{level: Metadata}]\n');
  plane = await startLocalControlPlane(
    {
      directory: join(directory, 'run'),
      separateEventsEtcd: true,
      auditPolicyPath,
      flags: { 'kube-apiserver': { 'max-requests-inflight': '777' } },
    },
    context,
  );
}, 180_000);
afterAll(async () => {
  await plane?.stop();
  rmSync(directory, { recursive: true, force: true });
}, 60_000);

const get = async (path: string, access: ClusterAccess = plane.admin) => {
  const { status, body } = await askHttps(access, path, signal);
  return { status, body, json: body.startsWith('{') ? JSON.parse(body) : undefined };
};

describe('a local control plane', () => {
  it('serves the version that was asked for, with its first namespaces and service account', async () => {
    expect(plane.kubernetesVersion).toBe('v1.36.3');
    const names = (await get('/api/v1/namespaces')).json.items.map(
      (one: { metadata: { name: string } }) => one.metadata.name,
    );
    expect(names.sort()).toEqual(['default', 'kube-node-lease', 'kube-public', 'kube-system']);
    expect((await get('/api/v1/namespaces/kube-system')).json.metadata.uid).toBe(plane.clusterUid);
    expect((await get('/api/v1/namespaces/default/serviceaccounts/default')).status).toBe(200);
  });

  it('lets the metrics of every component be read, and knows each by pid, arguments and log', async () => {
    expect(plane.components.map(({ name }) => name)).toEqual([
      'etcd-0',
      'etcd-events-0',
      'kube-apiserver-0',
      'kube-controller-manager-0',
      'kube-scheduler-0',
    ]);
    for (const { name, metrics, pid, args, logPath } of plane.components) {
      const { status, body } = await get('/metrics', metrics);
      expect(status, name).toBe(200);
      expect(body, name).toContain('process_resident_memory_bytes');
      expect(readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').slice(1, -1)).toEqual(args);
      expect(existsSync(logPath ?? ''), name).toBe(true);
    }
  });

  it('takes user flags, and keeps an audit log where there is a policy', async () => {
    const apiserver = plane.components.find(({ name }) => name === 'kube-apiserver-0');
    expect(apiserver?.args).toContain('--max-requests-inflight=777');
    expect(readFileSync(plane.auditLogPath ?? '', 'utf8')).toContain('"kind":"Event"');
  });

  it('advertises an address that endpoints accept, while it listens on 127.0.0.1', async () => {
    const slices = await get('/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes');
    expect(slices.json.endpoints[0].addresses).toEqual(['192.0.2.1']);
  });

  it('cannot be reached from any other address of this machine', async () => {
    const others = Object.values(networkInterfaces())
      .flatMap((list) => list ?? [])
      .filter(({ internal, family }) => !internal && family === 'IPv4');
    for (const { metrics } of plane.components) {
      const port = Number(new URL(metrics?.server ?? '').port);
      for (const { address } of others) {
        const outcome = await new Promise((resolve) => {
          const socket = connect({ host: address, port });
          socket.once('connect', () => resolve(socket.destroy() && 'connected'));
          socket.once('error', () => resolve('refused'));
        });
        expect(outcome, `${address}:${port}`).toBe('refused');
      }
    }
  });

  it('knows holders of the certificates that it issues, and holds nodes to their own objects', async () => {
    const { certPem, keyPem } = await plane.issueClientCertificate({
      commonName: 'system:node:n1',
      organizations: ['system:nodes'],
    });
    expect(new X509Certificate(certPem).subject).toBe('O=system:nodes\nCN=system:node:n1');
    const asNode: ClusterAccess = {
      ...plane.admin,
      credential: { type: 'client-certificate', certPem, keyPem },
    };
    // Absent, but allowed to ask; somebody else's is not even that.
    expect((await get('/api/v1/nodes/n1', asNode)).status).toBe(404);
    expect((await get('/api/v1/nodes/n2', asNode)).status).toBe(403);
    expect((await get('/api/v1/secrets', asNode)).status).toBe(403);
  });

  it('keeps keys from other users', () => {
    expect(statSync(plane.kubeconfigPath).mode & 0o077).toBe(0);
    expect(statSync(join(plane.directory, 'pki')).mode & 0o077).toBe(0);
  });
});

describe('attaching to a cluster by its kubeconfig', () => {
  it('is refused without consent, and the refusal prints the flag that gives it', async () => {
    await expect(attachControlPlane({ kubeconfigPath: plane.kubeconfigPath }, context)).rejects.toMatchObject(
      {
        code: 'HM_CONSENT_MISSING',
        hint: expect.stringContaining(`--allow-cluster ${plane.clusterUid}`),
      },
    );
  });

  it('is refused when the consent is for another cluster', async () => {
    const allowClusterUid = '00000000-0000-0000-0000-000000000000';
    await expect(
      attachControlPlane({ kubeconfigPath: plane.kubeconfigPath, allowClusterUid }, context),
    ).rejects.toMatchObject({
      code: 'HM_CONSENT_MISSING',
      message: expect.stringContaining(allowClusterUid),
    });
  });

  it('gives the same cluster, whose end is not ours', async () => {
    const options = { kubeconfigPath: plane.kubeconfigPath, allowClusterUid: plane.clusterUid };
    const attached = await attachControlPlane(options, context);
    expect(attached).toMatchObject({
      provider: 'kubeconfig',
      profile: 'attached',
      clusterUid: plane.clusterUid,
      kubernetesVersion: 'v1.36.3',
      warnings: [],
    });
    const byName = new Map(attached.components.map((one) => [one.component, one]));
    expect(byName.get('kube-apiserver')).toMatchObject({
      metricsPath: '/metrics',
      metrics: { server: plane.admin.server },
    });
    expect(byName.get('kube-scheduler')?.unreachable).toBe('it runs out of sight of the cluster');
    await attached.stop();
    expect((await get('/readyz')).status).toBe(200);
  });

  it('says which cluster does not answer', async () => {
    const path = join(directory, 'dead.kubeconfig');
    const text = readFileSync(plane.kubeconfigPath, 'utf8').replace(/127\.0\.0\.1:\d+/, '127.0.0.1:9');
    writeFileSync(path, text);
    await expect(
      attachControlPlane({ kubeconfigPath: path, allowClusterUid: 'x' }, context),
    ).rejects.toMatchObject({
      code: 'HM_CLUSTER_UNREACHABLE',
      message: 'cluster at https://127.0.0.1:9 does not answer',
    });
  });
});
