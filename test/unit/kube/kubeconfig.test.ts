import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { HarnessError } from '../../../src/core/index.ts';
import {
  type ClusterAccess,
  connectionFor,
  JsonClient,
  loadKubeconfig,
  openHttp1Pool,
  resolveIdentity,
} from '../../../src/kube/index.ts';
import {
  replyJson,
  scriptedHttp1Server,
  scriptedHttp2Server,
  statusBody,
} from '../../helpers/scripted-server.ts';
import { testCertificate } from '../../helpers/test-certificates.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

let folder = '';
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'hollowmark-kubeconfig-'));
});
afterEach(async () => {
  await rm(folder, { recursive: true });
});

async function writeKubeconfig(
  access: Pick<ClusterAccess, 'server' | 'caPem'>,
  user: object,
): Promise<string> {
  const path = join(folder, 'config');
  const ca = Buffer.from(access.caPem ?? '').toString('base64');
  await writeFile(
    path,
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      'current-context': 'main',
      clusters: [{ name: 'c', cluster: { server: access.server, 'certificate-authority-data': ca } }],
      users: [{ name: 'u', user }],
      contexts: [
        { name: 'main', context: { cluster: 'c', user: 'u' } },
        { name: 'orphan', context: { cluster: 'gone', user: 'u' } },
      ],
    }),
  );
  return path;
}

/** An exec plugin that hands out token-1, token-2, … each good for `lifeSeconds`. */
async function execPlugin(lifeSeconds: number): Promise<object> {
  const script = join(folder, 'plugin.cjs');
  await writeFile(
    script,
    `const fs = require('node:fs'); const file = ${JSON.stringify(join(folder, 'count'))};
     const count = fs.existsSync(file) ? Number(fs.readFileSync(file, 'utf8')) + 1 : 1; fs.writeFileSync(file, String(count));
     console.log(JSON.stringify({ apiVersion: 'client.authentication.k8s.io/v1', kind: 'ExecCredential', status: {
       token: 'token-' + count, expirationTimestamp: new Date(Date.now() + ${lifeSeconds * 1_000}).toISOString() } }));`,
  );
  return {
    exec: { apiVersion: 'client.authentication.k8s.io/v1', command: process.execPath, args: [script] },
  };
}

function refusal(work: () => unknown): HarnessError {
  try {
    work();
  } catch (error) {
    if (error instanceof HarnessError) return error;
  }
  throw new Error('expected a HarnessError');
}

describe('loading a kubeconfig', () => {
  it('gives server, authority and a credential that refers to the file', async () => {
    const { certPem } = await testCertificate();
    const path = await writeKubeconfig(
      { server: 'https://127.0.0.1:6443/', caPem: certPem },
      { token: 'abc' },
    );
    expect(loadKubeconfig(path, undefined)).toEqual({
      server: 'https://127.0.0.1:6443',
      members: ['https://127.0.0.1:6443'],
      caPem: certPem,
      credential: { type: 'kubeconfig', path, context: 'main' },
    });
  });

  it('names file and context in what is wrong', async () => {
    const path = await writeKubeconfig({ server: 'https://h:1' }, { token: 'abc' });
    const other = refusal(() => loadKubeconfig(path, 'nope'));
    expect(other).toMatchObject({ code: 'HM_KUBECONFIG_INVALID', exitCode: 5 });
    expect(other.message).toBe(`kubeconfig ${path}: no context "nope"; the file has "main", "orphan"`);
    expect(refusal(() => loadKubeconfig(path, 'orphan')).message).toContain(
      'context "orphan" names no cluster',
    );
    expect(refusal(() => loadKubeconfig(join(folder, 'absent'), undefined)).message).toContain('ENOENT');
    const broken = join(folder, 'broken');
    await writeFile(broken, 'clusters: [');
    expect(refusal(() => loadKubeconfig(broken, undefined)).code).toBe('HM_KUBECONFIG_INVALID');
  });
});

describe('credentials of a kubeconfig', () => {
  it('are a token, a password or a client certificate', async () => {
    const clock = virtualClock();
    const { certPem, keyPem } = await testCertificate();
    const encode = (text: string) => Buffer.from(text).toString('base64');
    const path = await writeKubeconfig({ server: 'https://h:1', caPem: certPem }, { token: 'abc' });
    expect((await resolveIdentity(loadKubeconfig(path, undefined), clock)).headers()).toEqual({
      authorization: 'Bearer abc',
    });
    await writeKubeconfig({ server: 'https://h:1', caPem: certPem }, { username: 'a', password: 'b' });
    expect((await resolveIdentity(loadKubeconfig(path, undefined), clock)).headers()).toEqual({
      authorization: `Basic ${encode('a:b')}`,
    });
    await writeKubeconfig(
      { server: 'https://h:1', caPem: certPem },
      { 'client-certificate-data': encode(certPem), 'client-key-data': encode(keyPem) },
    );
    const identity = await resolveIdentity(loadKubeconfig(path, undefined), clock);
    expect(identity.headers()).toEqual({});
    expect(identity.secureContext()).toBeDefined();
  });

  it('of an exec plugin are renewed before they expire, once for all calls that wait', async () => {
    const clock = virtualClock(Date.now());
    await using server = await scriptedHttp2Server((stream, headers) =>
      replyJson(stream, 200, { token: headers.authorization }),
    );
    const path = await writeKubeconfig(server.access, await execPlugin(600));
    const access = loadKubeconfig(path, undefined);
    const identity = await resolveIdentity(access, clock);
    await using connection = connectionFor(access, identity, { clock });
    const ask = async () => JSON.parse((await connection.request({ method: 'GET', path: '/' })).body).token;
    expect(await ask()).toBe('Bearer token-1');
    await clock.advance(500_000);
    expect(await ask()).toBe('Bearer token-1');
    await clock.advance(50_000);
    expect(await Promise.all([ask(), ask(), ask()])).toEqual([
      'Bearer token-2',
      'Bearer token-2',
      'Bearer token-2',
    ]);
  });

  it('of an exec plugin are renewed after a 401, over both transports, and the client repeats the request', async () => {
    const isGood = (token: string | undefined) => token === 'Bearer token-2';
    await using http2 = await scriptedHttp2Server((stream, headers) =>
      isGood(headers.authorization)
        ? replyJson(stream, 200, { ok: true })
        : replyJson(stream, 401, statusBody(401, 'Unauthorized', 'no')),
    );
    const clock = virtualClock(Date.now());
    const access = loadKubeconfig(await writeKubeconfig(http2.access, await execPlugin(3_600)), undefined);
    const identity = await resolveIdentity(access, clock);
    await using connection = connectionFor(access, identity, { clock });
    await clock.advance(11_000);
    expect(await new JsonClient(connection, clock).getJson('/version')).toEqual({ ok: true });

    await rm(join(folder, 'count'));
    await using http1 = await scriptedHttp1Server((request, response) => {
      response.writeHead(isGood(request.headers.authorization) ? 200 : 401);
      response.end('{"ok":true}');
    });
    const other = loadKubeconfig(await writeKubeconfig(http1.access, await execPlugin(3_600)), undefined);
    await using pool = await openHttp1Pool(other, { clock });
    await clock.advance(11_000);
    expect((await pool.request({ method: 'GET', path: '/' })).status).toBe(401);
    expect((await pool.request({ method: 'GET', path: '/' })).status).toBe(200);
  });

  it('say what an exec plugin that fails wrote', async () => {
    const path = await writeKubeconfig(
      { server: 'https://h:1' },
      { exec: { command: process.execPath, args: ['-e', 'console.error("no login"); process.exit(3)'] } },
    );
    await expect(resolveIdentity(loadKubeconfig(path, undefined), virtualClock())).rejects.toThrow(
      `kubeconfig ${path}: user "u" of context "main": no login`,
    );
  });
});
