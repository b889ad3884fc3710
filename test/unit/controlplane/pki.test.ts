import { createPublicKey, X509Certificate } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { CertificateAuthority } from '../../../src/controlplane/pki/authority.ts';
import { pkiPaths, readPlaneIdentities, writePlanePki } from '../../../src/controlplane/pki/plane-pki.ts';

const directory = mkdtempSync(join(tmpdir(), 'hollowmark-pki-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

describe.each(['rsa-2048', 'ec-p256'] as const)('an authority with %s keys', (kind) => {
  it('signs certificates that verify against it, with subject, usage and names', async () => {
    const authority = await CertificateAuthority.create('test-ca', kind);
    const { certPem } = await authority.issue({
      commonName: 'system:node:n1',
      organizations: ['system:nodes'],
      usage: 'server-and-client',
      dnsNames: ['localhost'],
      addresses: ['127.0.0.1', '192.0.2.1'],
    });
    const certificate = new X509Certificate(certPem);
    const root = new X509Certificate(authority.certPem);
    expect(root.ca).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.checkIssued(root)).toBe(true);
    expect(certificate.verify(root.publicKey)).toBe(true);
    expect(certificate.subject.split('\n')).toEqual(['O=system:nodes', 'CN=system:node:n1']);
    expect(certificate.checkIP('192.0.2.1')).toBe('192.0.2.1');
    expect(certificate.checkHost('localhost')).toBe('localhost');
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  });

  it('gives every certificate a key and a serial number of its own', async () => {
    const authority = await CertificateAuthority.create('test-ca', kind);
    const issued = await Promise.all(
      Array.from({ length: 20 }, (_, index) => authority.issue({ commonName: `n${index}`, usage: 'client' })),
    );
    expect(new Set(issued.map(({ keyPem }) => keyPem)).size).toBe(20);
    expect(new Set(issued.map(({ certPem }) => new X509Certificate(certPem).serialNumber)).size).toBe(20);
  });

  it('carries a mutual TLS handshake', async () => {
    const authority = await CertificateAuthority.create('test-ca', kind);
    const server = await authority.issue({
      commonName: 's',
      usage: 'server',
      addresses: ['127.0.0.1'],
      keyKind: kind,
    });
    const client = await authority.issue({ commonName: 'c', organizations: ['g'], usage: 'client' });
    const listener = createServer({
      cert: server.certPem,
      key: server.keyPem,
      ca: authority.certPem,
      requestCert: true,
      rejectUnauthorized: true,
    });
    const seen = new Promise<string>((resolve, reject) => {
      listener.on('tlsClientError', reject);
      listener.on('secureConnection', (socket: TLSSocket) => {
        resolve(String(socket.getPeerCertificate().subject.CN));
        socket.end();
      });
    });
    await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
    const address = listener.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    const socket = connect({
      host: '127.0.0.1',
      port,
      ca: authority.certPem,
      cert: client.certPem,
      key: client.keyPem,
    });
    try {
      expect(await seen).toBe('c');
      expect(socket.authorized).toBe(true);
    } finally {
      socket.destroy();
      listener.close();
    }
  });
});

describe('the files of a plane', () => {
  it.each([
    ['production-like', 'rsa'],
    ['fast', 'ec'],
  ] as const)(
    'have in %s %s keys where their kind is felt, and none that others may read',
    async (profile, type) => {
      const at = join(directory, profile);
      await writePlanePki({
        directory: at,
        profile,
        server: 'https://127.0.0.1:6443',
        extraAddresses: ['192.0.2.1'],
      });
      const paths = pkiPaths(at);
      expect(createPublicKey(readFileSync(paths.serviceAccountPublicKey)).asymmetricKeyType).toBe(type);
      const serving = new X509Certificate(readFileSync(paths.apiserver.cert));
      expect(serving.publicKey.asymmetricKeyType).toBe(type);
      expect(serving.checkIP('192.0.2.1')).toBe('192.0.2.1');
      expect(serving.checkHost('kubernetes.default.svc')).toBe('kubernetes.default.svc');
      for (const name of readdirSync(at)) expect(statSync(join(at, name)).mode & 0o077, name).toBe(0);
    },
  );

  it('let the administrator and the controllers in by kubeconfig files that hold everything', async () => {
    const at = join(directory, 'kubeconfigs');
    const pki = await writePlanePki({ directory: at, profile: 'fast', server: 'https://127.0.0.1:6443' });
    const subjects = Object.fromEntries(
      [
        pkiPaths(at).adminKubeconfig,
        pkiPaths(at).controllerManagerKubeconfig,
        pkiPaths(at).schedulerKubeconfig,
      ].map((path) => {
        const config = parse(readFileSync(path, 'utf8'));
        expect(config.clusters[0].cluster.server).toBe('https://127.0.0.1:6443');
        const pem = Buffer.from(config.users[0].user['client-certificate-data'], 'base64');
        return [config['current-context'], new X509Certificate(pem).subject];
      }),
    );
    expect(subjects).toEqual({
      hollowmark: 'O=system:masters\nCN=hollowmark-admin',
      'kube-controller-manager': 'CN=system:kube-controller-manager',
      'kube-scheduler': 'CN=system:kube-scheduler',
    });
    expect(readPlaneIdentities(at)).toEqual({
      caPem: pki.caPem,
      admin: pki.admin,
      etcdCaPem: pki.etcdCaPem,
      etcdClient: pki.etcdClient,
    });
  });

  it('say where they cannot be written', async () => {
    const file = join(directory, 'file');
    writeFileSync(file, '');
    await expect(
      writePlanePki({ directory: join(file, 'pki'), profile: 'fast', server: 'https://127.0.0.1:1' }),
    ).rejects.toMatchObject({ code: 'HM_INTERNAL', message: expect.stringContaining(join(file, 'pki')) });
  });
});
