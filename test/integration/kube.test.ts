/** The transports, the reflector and certificate requests against a real API server. */
import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type LocalControlPlane, startLocalControlPlane } from '../../src/controlplane/index.ts';
import { seededRandom, silentLogger, systemClock } from '../../src/core/index.ts';
import {
  type Connection,
  clusterUid,
  frameFacts,
  JsonClient,
  nodeCertificateWanted,
  openConnection,
  openHttp1Pool,
  Reflector,
  requestClientCertificates,
  resolveIdentity,
  serverVersion,
  type WatchMode,
} from '../../src/kube/index.ts';

const NEVER = new AbortController().signal;
const CONFIGMAPS = { group: '', version: 'v1', plural: 'configmaps', namespaced: true } as const;
const NODES = { group: '', version: 'v1', plural: 'nodes', namespaced: false } as const;

let directory: string;
let plane: LocalControlPlane;
let admin: Connection;
let client: JsonClient;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-kube-'));
  plane = await startLocalControlPlane(
    { directory, profile: 'fast' },
    { signal: NEVER, clock: systemClock, log: silentLogger(), env: process.env },
  );
  admin = await openConnection(plane.admin);
  client = new JsonClient(admin);
}, 120_000);

afterAll(async () => {
  await admin?.close();
  await plane?.stop();
  rmSync(directory, { recursive: true, force: true });
});

async function until(condition: () => boolean, what: string): Promise<void> {
  for (let turn = 0; turn < 600; turn++) {
    if (condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`never came: ${what}`);
}

/** The names in a namespace as a reflector knows them. */
function mirror(mode: WatchMode, namespace: string) {
  const names = new Set<string>();
  let syncCount = 0;
  const reflector = new Reflector(
    admin,
    { path: `/api/v1/namespaces/${namespace}/configmaps`, fieldSelector: 'metadata.name!=kube-root-ca.crt' },
    {
      onReplace: () => names.clear(),
      onEvent: (type, frame) => {
        const { name } = frameFacts(frame);
        if (type === 'DELETED') names.delete(name);
        else names.add(name);
      },
      onSynced: () => syncCount++,
    },
    { mode, clock: systemClock, random: seededRandom(1) },
  );
  return { names, reflector, syncCount: () => syncCount };
}

describe('a reflector on a real API server', () => {
  it.each(['watch-list', 'list-watch'] as const)('follows what is created and deleted (%s)', async (mode) => {
    const namespace = `mirror-${mode}`;
    await client.create({ ...NODES, plural: 'namespaces' }, { metadata: { name: namespace } });
    const make = (name: string) => client.create(CONFIGMAPS, { metadata: { name } }, { namespace });
    await make('before');
    const seen = mirror(mode, namespace);
    seen.reflector.start();
    await until(() => seen.syncCount() === 1, 'the initial state');
    expect([...seen.names]).toEqual(['before']);
    await Promise.all(Array.from({ length: 20 }, (_, i) => make(`later-${i}`)));
    await client.delete(CONFIGMAPS, { namespace, name: 'before' });
    await until(() => seen.names.size === 20 && !seen.names.has('before'), 'all events');
    const list = await client.list(CONFIGMAPS, { namespace, limit: 7 });
    const listed = list.items.map((item) => item.metadata.name).filter((name) => name !== 'kube-root-ca.crt');
    expect([...seen.names].sort()).toEqual(listed.sort());
    expect(Number(seen.reflector.resourceVersion)).toBeGreaterThan(0);
    seen.reflector.stop();
  });

  it('resumes from the last event, without asking for everything again, after its connection is cut', async () => {
    const target = new URL(plane.admin.server);
    const sockets = new Set<Socket>();
    const relay = createServer((near) => {
      const far = connect(Number(target.port), target.hostname);
      sockets.add(near);
      near.on('error', () => {}).on('close', () => far.destroy());
      far.on('error', () => {}).on('close', () => near.destroy());
      near.pipe(far).pipe(near);
    });
    await new Promise<void>((resolve) => relay.listen(0, '127.0.0.1', resolve));
    const address = relay.address();
    if (address === null || typeof address === 'string') throw new Error('the relay has no port');
    const connection = await openConnection({ ...plane.admin, server: `https://127.0.0.1:${address.port}` });
    const names: string[] = [];
    let replaceCount = 0;
    let resumeCount = 0;
    const reflector = new Reflector(
      connection,
      { path: '/api/v1/namespaces/default/configmaps' },
      {
        onReplace: () => replaceCount++,
        onEvent: (_type, frame) => names.push(frameFacts(frame).name),
        onResume: () => resumeCount++,
      },
      { mode: 'watch-list', clock: systemClock, random: seededRandom(1) },
    );
    reflector.start();
    await until(() => reflector.isSynced, 'the initial state');
    // A watch that lives less than a second would count as a failure.
    await new Promise((resolve) => setTimeout(resolve, 1_100));
    for (const socket of sockets) socket.destroy();
    await client.create(CONFIGMAPS, { metadata: { name: 'resumed' } }, { namespace: 'default' });
    await until(() => names.includes('resumed'), 'the event');
    expect({ replaceCount, resumeCount, again: connection.stats().reconnectCount }).toEqual({
      replaceCount: 1,
      resumeCount: 1,
      again: 1,
    });
    reflector.stop();
    await connection.close();
    for (const socket of sockets) socket.destroy();
    relay.close();
  });
});

describe('both transports', () => {
  it('read the same list, and bring flow schema and compressed bytes', async () => {
    const data = 'x'.repeat(200_000);
    await client.create(CONFIGMAPS, { metadata: { name: 'big' }, data: { data } }, { namespace: 'default' });
    const path = '/api/v1/namespaces/default/configmaps?fieldSelector=metadata.name%3Dbig';
    const identity = await resolveIdentity(plane.admin, systemClock);
    const access = { ...plane.admin, impersonate: { user: 'reader', groups: ['system:masters'] } };
    await using plain = await openConnection(access, { identity });
    await using zipped = await openConnection(access, { identity, compression: true });
    await using http1 = await openHttp1Pool(access, { identity, compression: true, connectionCount: 2 });
    const replies = await Promise.all(
      [plain, zipped, http1].map((one) => one.request({ method: 'GET', path })),
    );
    for (const reply of replies) expect(JSON.parse(reply.body).items[0].data.data).toBe(data);
    const [first, second, third] = replies.map((reply) => reply.receivedBytes);
    expect(first).toBeGreaterThan(200_000);
    expect(second).toBeLessThan(20_000);
    expect(third).toBeLessThan(20_000);
    expect(replies[0]?.flowSchemaUid).toMatch(/^[0-9a-f-]{36}$/);
    expect(replies[2]?.flowSchemaUid).toBe(replies[0]?.flowSchemaUid);
  });

  it('say as whom they were refused', async () => {
    const access = { ...plane.admin, impersonate: { user: 'system:node:n1', groups: ['system:nodes'] } };
    await using connection = await openConnection(access);
    await expect(new JsonClient(connection).list(CONFIGMAPS)).rejects.toThrow(
      /403 Forbidden .*system:node:n1/,
    );
  });
});

it('knows the cluster by version and UID', async () => {
  expect(await serverVersion(client)).toMatchObject({ gitVersion: 'v1.36.3', major: 1, minor: 36 });
  expect(await clusterUid(client)).toMatch(/^[0-9a-f-]{36}$/);
});

it('gets client certificates from the cluster that let a node be itself', async () => {
  const wanted = ['n1', 'n2', 'n3'].map((name) => nodeCertificateWanted(name, 'run1'));
  const issued = await requestClientCertificates(client, wanted, { signal: NEVER, labels: { run: 'run1' } });
  expect([...issued.keys()].sort()).toEqual(['system:node:n1', 'system:node:n2', 'system:node:n3']);
  const pair = issued.get('system:node:n2');
  if (pair === undefined) throw new Error('no certificate');
  expect(new X509Certificate(pair.certPem).subject).toBe('O=system:nodes\nCN=system:node:n2');
  const { impersonate: _none, ...access } = plane.admin;
  await using node = await openConnection({ ...access, credential: { type: 'client-certificate', ...pair } });
  const own = await new JsonClient(node).create(NODES, { metadata: { name: 'n2' } });
  expect(own.metadata.name).toBe('n2');
  await expect(new JsonClient(node).create(NODES, { metadata: { name: 'n1' } })).rejects.toThrow('403');
  const left = await client.getJson('/apis/certificates.k8s.io/v1/certificatesigningrequests');
  expect(left['items']).toEqual([]);
});
