import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { systemClock } from '../../../src/core/index.ts';
import {
  type ApiReply,
  openConnection,
  openSharedConnections,
  resolveIdentity,
} from '../../../src/kube/index.ts';
import { failureOf, until } from '../../helpers/connection-calls.ts';
import { readBody, replyJson, scriptedHttp2Server, statusBody } from '../../helpers/scripted-server.ts';

describe('requests over HTTP/2', () => {
  it('sends identity, impersonation, body and own headers, and returns the whole reply', async () => {
    await using server = await scriptedHttp2Server((stream, headers) => {
      void readBody(stream).then((body) =>
        replyJson(
          stream,
          201,
          { headers, body },
          { 'x-kubernetes-pf-flowschema-uid': 'fs-1', 'retry-after': '3' },
        ),
      );
    });
    const impersonate = { user: 'system:node:n1', groups: ['system:nodes', 'other'] };
    await using connection = await openConnection(
      { ...server.access, impersonate },
      { userAgent: 'kubelet/v1' },
    );
    const reply = await connection.request({
      method: 'PATCH',
      path: '/api/v1/nodes/n1/status?timeout=10s',
      body: '{"a":"ü"}',
      contentType: 'application/merge-patch+json',
      headers: { 'x-own': 'yes' },
    });
    expect(reply).toMatchObject({ status: 201, flowSchemaUid: 'fs-1', retryAfterMs: 3_000 });
    expect(reply.receivedBytes).toBe(Buffer.byteLength(reply.body));
    expect(reply.doneUs).toBeGreaterThanOrEqual(reply.sentUs ?? Number.POSITIVE_INFINITY);
    const seen = JSON.parse(reply.body);
    expect(seen.body).toBe('{"a":"ü"}');
    expect(seen.headers).toMatchObject({
      ':method': 'PATCH',
      ':path': '/api/v1/nodes/n1/status?timeout=10s',
      authorization: 'Bearer test',
      'impersonate-user': 'system:node:n1',
      'impersonate-group': 'system:nodes, other',
      'content-type': 'application/merge-patch+json',
      'user-agent': 'kubelet/v1',
      'x-own': 'yes',
    });
    expect(seen.headers['accept-encoding']).toBeUndefined();
  });

  it('keeps one connection for many calls at once', async () => {
    await using server = await scriptedHttp2Server((stream) => replyJson(stream, 200, {}));
    await using connection = await openConnection(server.access);
    await Promise.all(Array.from({ length: 50 }, () => connection.request({ method: 'GET', path: '/' })));
    expect(server.connectionCount()).toBe(1);
    expect(connection.stats()).toMatchObject({ openConnectionCount: 1, connectCount: 1, reconnectCount: 0 });
  });

  it('asks for gzip only when told to, and inflates the reply but counts its bytes on the wire', async () => {
    const text = 'x'.repeat(10_000);
    await using server = await scriptedHttp2Server((stream, headers) => {
      const zip = headers['accept-encoding'] === 'gzip';
      stream.respond({ ':status': 200, ...(zip ? { 'content-encoding': 'gzip' } : {}) });
      stream.end(zip ? gzipSync(text) : text);
    });
    await using plain = await openConnection(server.access);
    await using zipped = await openConnection(server.access, { compression: true });
    const request = { method: 'GET', path: '/' } as const;
    expect(await plain.request(request)).toMatchObject({ body: text, receivedBytes: 10_000 });
    const reply = await zipped.request(request);
    expect(reply.body).toBe(text);
    expect(reply.receivedBytes).toBeLessThan(200);
  });

  it('counts a body that is to be discarded, but keeps that of an error', async () => {
    await using server = await scriptedHttp2Server((stream, headers) =>
      headers[':path'] === '/ok'
        ? replyJson(stream, 200, { a: 1 })
        : replyJson(stream, 404, statusBody(404, 'NotFound', 'no')),
    );
    await using connection = await openConnection(server.access);
    const ok = await connection.request({ method: 'GET', path: '/ok', discardBody: true });
    expect(ok).toMatchObject({ status: 200, body: '', receivedBytes: 7 });
    const missing = await connection.request({ method: 'GET', path: '/no', discardBody: true });
    expect(missing.body).toContain('NotFound');
  });

  it('fails at the deadline though bytes trickle in, and resets the stream', async () => {
    let resetCode: number | undefined;
    await using server = await scriptedHttp2Server((stream) => {
      stream.respond({ ':status': 200 });
      const timer = setInterval(() => stream.write('.'), 10);
      stream.on('close', () => {
        clearInterval(timer);
        resetCode = stream.rstCode;
      });
    });
    await using connection = await openConnection(server.access);
    const error = await failureOf(connection.request({ method: 'GET', path: '/slow', timeoutMs: 150 }));
    expect(error).toMatchObject({ class: 'timeout', message: 'GET /slow failed: no whole reply in 150 ms' });
    await until(() => resetCode === 8, 'the reset');
    expect(connection.stats().openConnectionCount).toBe(1);
  });

  it('ends at once when its signal aborts, with the reason as the cause, and when it had aborted before', async () => {
    await using server = await scriptedHttp2Server(() => {});
    await using connection = await openConnection(server.access);
    const controller = new AbortController();
    const work = connection.request({ method: 'GET', path: '/' }, controller.signal);
    setTimeout(() => controller.abort('enough'), 50);
    expect(await failureOf(work)).toMatchObject({ class: 'cancelled', cause: 'enough' });
    const again = connection.request({ method: 'GET', path: '/' }, controller.signal);
    expect(await failureOf(again)).toMatchObject({ class: 'cancelled' });
    await until(() => connection.stats().openStreamCount === 0, 'the stream to close');
  });

  it('names a reset by the server as a connection failure', async () => {
    await using server = await scriptedHttp2Server((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('half');
      setTimeout(() => stream.destroy(new Error('scripted')), 20);
    });
    await using connection = await openConnection(server.access);
    expect(await failureOf(connection.request({ method: 'GET', path: '/' }))).toMatchObject({
      class: 'connection',
    });
  });

  it('does not take a reply that the server stopped in the middle for a whole one', async () => {
    await using server = await scriptedHttp2Server((stream) => {
      stream.respond({ ':status': 200, 'content-length': '100' });
      stream.write('half');
      setTimeout(() => stream.destroy(), 20);
    });
    await using connection = await openConnection(server.access);
    const error = await failureOf(connection.request({ method: 'GET', path: '/' }));
    expect(['connection', 'protocol']).toContain(error.class);
  });

  it('sends a call again that the server refused before it began', async () => {
    let count = 0;
    await using server = await scriptedHttp2Server((stream) => {
      count++;
      if (count === 1) stream.close(7);
      else replyJson(stream, 200, { count });
    });
    await using connection = await openConnection(server.access);
    let sentCount = 0;
    const reply = await new Promise<ApiReply>((resolve, reject) => {
      connection.dispatch(
        { method: 'POST', path: '/', body: '{}' },
        {
          onSent: () => sentCount++,
          onReply: resolve,
          onFailure: reject,
        },
      );
    });
    expect(reply.body).toBe('{"count":2}');
    expect(sentCount).toBe(1);
  });

  it('says that nothing listens, once per call, and connects when something does', async () => {
    const server = await scriptedHttp2Server(() => {});
    await server.close();
    await using connection = await openConnection(server.access);
    const error = await failureOf(connection.request({ method: 'GET', path: '/a' }));
    expect(error.class).toBe('connection');
    expect(error.message).toMatch(
      /^GET \/a failed: connection to https:\/\/127\.0\.0\.1:\d+ failed: connect ECONNREFUSED/,
    );
  });

  it('refuses a certificate that the authority did not sign', async () => {
    await using server = await scriptedHttp2Server((stream) => replyJson(stream, 200, {}));
    const { caPem: _ca, ...withoutAuthority } = server.access;
    await using connection = await openConnection(withoutAuthority);
    const error = await failureOf(connection.request({ method: 'GET', path: '/' }));
    expect(error.message).toContain('self-signed certificate');
    await using trusting = await openConnection({ ...withoutAuthority, insecureSkipTlsVerify: true });
    expect((await trusting.request({ method: 'GET', path: '/' })).status).toBe(200);
  });

  it('checks the certificate against tlsServerName where there is one', async () => {
    await using server = await scriptedHttp2Server((stream) => replyJson(stream, 200, {}));
    await using right = await openConnection({ ...server.access, tlsServerName: 'localhost' });
    expect((await right.request({ method: 'GET', path: '/' })).status).toBe(200);
    await using wrong = await openConnection({ ...server.access, tlsServerName: 'elsewhere.example' });
    expect((await failureOf(wrong.request({ method: 'GET', path: '/' }))).message).toContain(
      'elsewhere.example',
    );
  });

  it('opens a second session when the first has as many streams as the server allows', async () => {
    await using server = await scriptedHttp2Server(
      (stream) => {
        stream.respond({ ':status': 200 });
        stream.write('{"type":"ADDED"}\n');
      },
      { maxConcurrentStreams: 100 },
    );
    await using connection = await openConnection(server.access);
    let openCount = 0;
    for (let i = 0; i < 150; i++) {
      connection.watch('/w', { onOpen: () => openCount++, onFrame: () => {}, onEnd: () => {} });
    }
    await until(() => openCount === 150, 'all watches');
    expect(connection.stats()).toMatchObject({ openConnectionCount: 2, openStreamCount: 150 });
  });

  it('waits for room under a limit that the server lowered', async () => {
    let liveCount = 0;
    let maxLiveCount = 0;
    await using server = await scriptedHttp2Server(
      (stream) => {
        liveCount++;
        maxLiveCount = Math.max(maxLiveCount, liveCount);
        setTimeout(() => {
          liveCount--;
          replyJson(stream, 200, {});
        }, 10);
      },
      { maxConcurrentStreams: 3 },
    );
    await using connection = await openConnection(server.access);
    await connection.request({ method: 'GET', path: '/' });
    await Promise.all(Array.from({ length: 30 }, () => connection.request({ method: 'GET', path: '/' })));
    // Further sessions open for those that wait, each within the limit.
    expect(maxLiveCount).toBeLessThanOrEqual(3 * connection.stats().connectCount);
    expect(connection.stats().connectCount).toBeGreaterThan(1);
  });
});

describe('closing', () => {
  it('lets a call finish within the grace, and cuts it after', async () => {
    await using server = await scriptedHttp2Server((stream, headers) => {
      setTimeout(() => replyJson(stream, 200, {}), headers[':path'] === '/fast' ? 50 : 5_000).unref();
    });
    const connection = await openConnection(server.access);
    const fast = connection.request({ method: 'GET', path: '/fast' });
    const slow = failureOf(connection.request({ method: 'GET', path: '/slow' }));
    await until(() => connection.stats().openStreamCount === 2, 'both calls');
    await connection.close(200);
    expect((await fast).status).toBe(200);
    expect(await slow).toMatchObject({ class: 'cancelled' });
    await connection.close();
    expect(await failureOf(connection.request({ method: 'GET', path: '/' }))).toMatchObject({
      class: 'cancelled',
    });
  });
});

describe('shared sessions', () => {
  it('carries each identity in its own headers over sessions of at most 90 streams', async () => {
    await using server = await scriptedHttp2Server(
      (stream, headers) => {
        stream.respond({ ':status': 200 });
        stream.write(`${JSON.stringify(headers['impersonate-user'])}\n`);
      },
      { maxConcurrentStreams: 100 },
    );
    await using pool = await openSharedConnections(server.access);
    const seen: string[] = [];
    const views = Array.from({ length: 50 }, (_, i) =>
      pool.view({ user: `system:node:n${i}`, groups: ['system:nodes'] }),
    );
    for (const view of views) {
      for (let i = 0; i < 4; i++) {
        view.watch('/w', { onFrame: (frame) => seen.push(frame.toString('utf8')), onEnd: () => {} });
      }
    }
    await until(() => seen.length === 200, 'all frames');
    expect(new Set(seen).size).toBe(50);
    expect(pool.stats()).toMatchObject({ openConnectionCount: 3, openStreamCount: 200 });
    await views[0]?.close();
    expect(pool.stats().openConnectionCount).toBe(3);
    await until(() => pool.stats().openStreamCount === 196, 'the first view to end');
  });
});

it('shares one TLS context between connections of one identity class', async () => {
  await using server = await scriptedHttp2Server(() => {});
  const first = await resolveIdentity(server.access, systemClock);
  const second = await resolveIdentity(
    { ...server.access, impersonate: { user: 'u', groups: [] } },
    systemClock,
  );
  expect(first.secureContext()).toBeDefined();
  expect(second.secureContext()).toBe(first.secureContext());
});
