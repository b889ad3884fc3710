import { type AddressInfo, createServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { ApiError, type ApiReply, openHttp1Pool, TransportError } from '../../../src/kube/index.ts';
import { scriptedHttp1Server, scriptedPlainServer, statusBody } from '../../helpers/scripted-server.ts';

async function failureOf(work: Promise<ApiReply>): Promise<TransportError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof TransportError)) throw new Error(`expected a TransportError, got ${String(error)}`);
  return error;
}

describe('calls over HTTP/1.1', () => {
  it('send identity and body and bring back body, facts and instants', async () => {
    await using server = await scriptedHttp1Server((request, response) => {
      let body = '';
      request.on('data', (chunk) => {
        body += chunk;
      });
      request.on('end', () => {
        response.writeHead(201, {
          'Retry-After': '4',
          'X-Kubernetes-PF-FlowSchema-UID': 'fs',
          'X-Kubernetes-PF-PriorityLevel-UID': 'pl',
        });
        response.end(
          JSON.stringify({
            headers: request.headers,
            raw: request.rawHeaders,
            url: request.url,
            method: request.method,
            body,
          }),
        );
      });
    });
    const impersonate = { user: 'load', groups: ['a', 'b'] };
    await using pool = await openHttp1Pool({ ...server.access, impersonate }, { connectionCount: 2 });
    const reply = await pool.request({
      method: 'POST',
      path: '/api/v1/namespaces/ns/pods?x=1',
      body: '{"ü":1}',
      headers: { accept: 'text/plain' },
    });
    expect(reply).toMatchObject({
      status: 201,
      retryAfterMs: 4_000,
      flowSchemaUid: 'fs',
      priorityLevelUid: 'pl',
    });
    expect(reply.doneUs).toBeGreaterThan(reply.sentUs ?? Number.POSITIVE_INFINITY);
    const seen = JSON.parse(reply.body);
    expect(seen).toMatchObject({ method: 'POST', url: '/api/v1/namespaces/ns/pods?x=1', body: '{"ü":1}' });
    expect(seen.headers).toMatchObject({
      authorization: 'Bearer test',
      accept: 'text/plain',
      'content-type': 'application/json',
      'impersonate-user': 'load',
    });
    expect(
      seen.raw.filter((_: string, i: number) => seen.raw[i - 1]?.toLowerCase() === 'impersonate-group'),
    ).toEqual(['a', 'b']);
  });

  it('use no more connections than told, and tell when a call that waited was sent', async () => {
    await using server = await scriptedHttp1Server((_request, response) => {
      setTimeout(() => response.end('{}'), 30);
    });
    await using pool = await openHttp1Pool(server.access, { connectionCount: 2 });
    const replies = await Promise.all(
      Array.from({ length: 6 }, () => pool.request({ method: 'GET', path: '/' })),
    );
    expect(server.connectionCount()).toBe(2);
    const sent = replies.map((reply) => reply.sentUs ?? 0).sort((a, b) => a - b);
    expect((sent.at(-1) ?? 0) - (sent[0] ?? 0)).toBeGreaterThan(40_000);
    for (const reply of replies) expect((reply.doneUs ?? 0) - (reply.sentUs ?? 0)).toBeGreaterThan(25_000);
  });

  it('count a discarded body without keeping it', async () => {
    await using server = await scriptedHttp1Server((_request, response) => response.end('x'.repeat(300_000)));
    await using pool = await openHttp1Pool(server.access);
    const reply = await pool.request({ method: 'GET', path: '/', discardBody: true });
    expect(reply).toMatchObject({ status: 200, body: '', receivedBytes: 300_000 });
  });

  it('inflate gzip when they asked for it', async () => {
    await using server = await scriptedHttp1Server((request, response) => {
      if (request.headers['accept-encoding'] !== 'gzip') return response.end('plain');
      response.writeHead(200, { 'Content-Encoding': 'gzip' });
      return response.end(gzipSync('zipped'));
    });
    await using pool = await openHttp1Pool(server.access, { compression: true });
    expect((await pool.request({ method: 'GET', path: '/' })).body).toBe('zipped');
  });

  it('fail at the deadline while the body trickles, and free the connection', async () => {
    await using server = await scriptedHttp1Server((request, response) => {
      if (request.url === '/ok') return void response.end('{}');
      const timer = setInterval(() => response.write('.'), 10);
      response.on('close', () => clearInterval(timer));
    });
    await using pool = await openHttp1Pool(server.access, { connectionCount: 1 });
    const error = await failureOf(pool.request({ method: 'GET', path: '/slow', timeoutMs: 120 }));
    expect(error).toMatchObject({ class: 'timeout', message: 'GET /slow failed: no whole reply in 120 ms' });
    expect((await pool.request({ method: 'GET', path: '/ok' })).status).toBe(200);
    expect(pool.stats().openStreamCount).toBe(0);
  });

  it('end when their signal aborts', async () => {
    await using server = await scriptedHttp1Server(() => {});
    await using pool = await openHttp1Pool(server.access);
    const controller = new AbortController();
    const work = pool.request({ method: 'GET', path: '/' }, controller.signal);
    setTimeout(() => controller.abort('enough'), 30);
    expect(await failureOf(work)).toMatchObject({ class: 'cancelled', cause: 'enough' });
  });

  it('name a connection that is cut in mid-reply, and one that nobody takes', async () => {
    const server = await scriptedHttp1Server((request, response) => {
      response.writeHead(200, { 'Content-Length': '1000' });
      response.write('half');
      setTimeout(() => request.socket.destroy(), 20);
    });
    await using pool = await openHttp1Pool(server.access);
    expect(await failureOf(pool.request({ method: 'GET', path: '/' }))).toMatchObject({
      class: 'connection',
    });
    await server.close();
    const error = await failureOf(pool.request({ method: 'POST', path: '/', body: '{}' }));
    expect(error.message).toMatch(/^POST \/ failed: connect ECONNREFUSED/);
  });

  it('call bytes that are no HTTP a protocol failure', async () => {
    await using server = await scriptedPlainServer((request) => {
      request.socket.end('nonsense\r\n\r\n');
    });
    await using pool = await openHttp1Pool(server.access);
    expect(await failureOf(pool.request({ method: 'GET', path: '/' }))).toMatchObject({ class: 'protocol' });
  });
});

describe('connections of HTTP/1.1', () => {
  it('are used again, and replaced where the server has closed them in between', async () => {
    await using server = await scriptedHttp1Server((request, response) => {
      response.end('{}');
      if (request.url === '/last') setTimeout(() => request.socket.destroy(), 5);
    });
    await using pool = await openHttp1Pool(server.access, { connectionCount: 4 });
    for (const path of ['/a', '/b', '/last']) await pool.request({ method: 'GET', path });
    expect(server.connectionCount()).toBe(1);
    while (pool.stats().openConnectionCount > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect((await pool.request({ method: 'GET', path: '/again' })).status).toBe(200);
    expect(pool.stats()).toMatchObject({ connectCount: 2, openConnectionCount: 1, openStreamCount: 0 });
  });

  it('end with a reply that says so', async () => {
    await using server = await scriptedHttp1Server((_request, response) => {
      response.writeHead(200, { Connection: 'close' });
      response.end('{}');
    });
    await using pool = await openHttp1Pool(server.access, { connectionCount: 1 });
    const calls = Array.from({ length: 3 }, () => pool.request({ method: 'GET', path: '/' }));
    for (const { body } of await Promise.all(calls)) expect(body).toBe('{}');
    expect(pool.stats().connectCount).toBe(3);
  });

  it('carry a body that ends with them', async () => {
    await using server = await scriptedPlainServer((request) => {
      request.socket.end('HTTP/1.1 200 OK\r\n\r\nall of it');
    });
    await using pool = await openHttp1Pool(server.access);
    expect((await pool.request({ method: 'GET', path: '/' })).body).toBe('all of it');
  });

  it('bring every reply to its own call, however many wait', async () => {
    await using server = await scriptedHttp1Server((request, response) => {
      setTimeout(
        () => response.end(`for ${request.url}${'.'.repeat(Math.random() * 100_000)}`),
        Math.random() * 20,
      );
    });
    await using pool = await openHttp1Pool(server.access, { connectionCount: 5 });
    const paths = Array.from({ length: 200 }, (_, index) => `/${index}`);
    const replies = await Promise.all(paths.map((path) => pool.request({ method: 'GET', path })));
    expect(replies.map(({ body }) => body.replace(/\.*$/, ''))).toEqual(paths.map((path) => `for ${path}`));
  });

  it('are not sent what would be another line, and stay of use', async () => {
    await using server = await scriptedHttp1Server((_request, response) => response.end('{}'));
    await using pool = await openHttp1Pool(server.access, { connectionCount: 1 });
    const split = pool.request({ method: 'GET', path: '/a HTTP/1.1\r\nx: y' });
    expect(await failureOf(split)).toMatchObject({ class: 'protocol' });
    const header = pool.request({ method: 'GET', path: '/', headers: { accept: 'a\r\nx: y' } });
    expect(await failureOf(header)).toMatchObject({ class: 'protocol' });
    expect((await pool.request({ method: 'GET', path: '/' })).status).toBe(200);
    expect(server.connectionCount()).toBe(1);
  });

  it('that cannot be opened in time fail the call that waits', async () => {
    // A server that accepts and never shakes hands.
    const server = createServer(() => {});
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const { port } = server.address() as AddressInfo;
    const access = {
      server: `https://127.0.0.1:${port}`,
      members: [],
      credential: { type: 'bearer-token', token: 't' },
    } as const;
    await using pool = await openHttp1Pool(access, { connectTimeoutMs: 60 });
    expect(await failureOf(pool.request({ method: 'GET', path: '/' }))).toMatchObject({
      class: 'timeout',
      message: expect.stringContaining(`no connection to 127.0.0.1:${port} in 60 ms`),
    });
    await pool.close();
    server.close();
  });
});

describe('watches over HTTP/1.1', () => {
  it('do not keep calls waiting, and bring frames whole', async () => {
    await using server = await scriptedHttp1Server((request, response) => {
      if (request.url !== '/w') return void response.end('{}');
      response.write('{"n":1}\n{"n"');
      setTimeout(() => response.end(':2}\n'), 40);
    });
    await using pool = await openHttp1Pool(server.access, { connectionCount: 1 });
    const frames: string[] = [];
    const ended = new Promise<Error | undefined>((resolve) => {
      pool.watch('/w', { onFrame: (frame) => frames.push(frame.toString('utf8')), onEnd: resolve });
    });
    expect((await pool.request({ method: 'GET', path: '/' })).status).toBe(200);
    expect(await ended).toBeUndefined();
    expect(frames).toEqual(['{"n":1}', '{"n":2}']);
  });

  it('give an ApiError when the server says no', async () => {
    await using server = await scriptedHttp1Server((_request, response) => {
      response.writeHead(410, { 'Content-Type': 'application/json' });
      response.end(JSON.stringify(statusBody(410, 'Expired', 'too old')));
    });
    await using pool = await openHttp1Pool(server.access);
    const error = await new Promise<Error | undefined>((resolve) => {
      pool.watch('/w', { onFrame: () => {}, onEnd: resolve });
    });
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 410, reason: 'Expired' });
  });

  it('are cut when the pool is closed, each told once', async () => {
    await using server = await scriptedHttp1Server((_request, response) => void response.write('{"n":1}\n'));
    const pool = await openHttp1Pool(server.access);
    const ends: unknown[] = [];
    let openCount = 0;
    for (let i = 0; i < 3; i++) {
      pool.watch('/w', { onFrame: () => openCount++, onEnd: (error) => ends.push(error) });
    }
    while (openCount < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    await pool.close();
    await pool.close();
    expect(ends).toHaveLength(3);
    expect(ends[0]).toMatchObject({ class: 'cancelled' });
  });
});
