import { describe, expect, it } from 'vitest';
import {
  ApiError,
  connectionFor,
  openConnection,
  resolveIdentity,
  TransportError,
} from '../../../src/kube/index.ts';
import { recordWatch, until } from '../../helpers/connection-calls.ts';
import {
  replyJson,
  scriptedHttp2Server,
  silentHttp2Server,
  statusBody,
} from '../../helpers/scripted-server.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

describe('watches over HTTP/2', () => {
  it('hands over frames whole, whatever the chunks, and ends cleanly with the server', async () => {
    await using server = await scriptedHttp2Server((stream) => {
      stream.respond({ ':status': 200 });
      const text = '{"n":1}\n{"n":2}\n{"n":"ü"}\n';
      const bytes = Buffer.from(text);
      let at = 0;
      const timer = setInterval(() => {
        stream.write(bytes.subarray(at, at + 3));
        at += 3;
        if (at >= bytes.length) {
          clearInterval(timer);
          stream.end();
        }
      }, 1);
    });
    await using connection = await openConnection(server.access);
    const watch = recordWatch();
    connection.watch('/w', watch.handlers);
    expect(await watch.ended).toBeUndefined();
    expect(watch).toMatchObject({ statuses: [200], frames: ['{"n":1}', '{"n":2}', '{"n":"ü"}'] });
  });

  it('gives an ApiError with reason and Retry-After when the server says no', async () => {
    await using server = await scriptedHttp2Server((stream) =>
      replyJson(stream, 429, statusBody(429, 'TooManyRequests', 'slow down'), { 'retry-after': '2' }),
    );
    await using connection = await openConnection(server.access);
    const watch = recordWatch();
    connection.watch('/api/v1/pods?watch=true', watch.handlers);
    const error = await watch.ended;
    expect(error).toBeInstanceOf(ApiError);
    expect(error).toMatchObject({ status: 429, reason: 'TooManyRequests', retryAfterMs: 2_000 });
    expect(watch.statuses).toEqual([429]);
  });

  it('calls a stream that ends inside a frame broken', async () => {
    await using server = await scriptedHttp2Server((stream) => {
      stream.respond({ ':status': 200 });
      stream.end('{"n":1}\n{"n"');
    });
    await using connection = await openConnection(server.access);
    const watch = recordWatch();
    connection.watch('/w', watch.handlers);
    expect(await watch.ended).toMatchObject({ class: 'connection' });
    expect(watch.frames).toEqual(['{"n":1}']);
  });

  it('ends once when it is closed by this side, and delivers nothing more', async () => {
    await using server = await scriptedHttp2Server((stream) => {
      stream.respond({ ':status': 200 });
      const timer = setInterval(() => stream.write('{"n":1}\n'), 2);
      stream.on('close', () => clearInterval(timer));
    });
    await using connection = await openConnection(server.access);
    let endCount = 0;
    let frameCount = 0;
    const handle = connection.watch('/w', { onFrame: () => frameCount++, onEnd: () => endCount++ });
    await until(() => frameCount > 2, 'frames');
    handle.close();
    handle.close();
    const framesAtClose = frameCount;
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect({ endCount, frameCount }).toEqual({ endCount: 1, frameCount: framesAtClose });
  });

  it('lets watches run on after GOAWAY and sends new calls over a new session', async () => {
    let streams = 0;
    await using server = await scriptedHttp2Server((stream, headers) => {
      streams++;
      if (headers[':path'] !== '/w') return replyJson(stream, 200, {});
      stream.respond({ ':status': 200 });
      stream.write('{"n":1}\n');
      setTimeout(() => stream.session?.goaway(0), 20);
      setTimeout(() => stream.end('{"n":2}\n'), 200);
    });
    await using connection = await openConnection(server.access);
    const watch = recordWatch();
    connection.watch('/w', watch.handlers);
    await until(() => watch.frames.length === 1, 'the first frame');
    await new Promise((resolve) => setTimeout(resolve, 60));
    expect((await connection.request({ method: 'GET', path: '/' })).status).toBe(200);
    expect(connection.stats()).toMatchObject({ connectCount: 2, reconnectCount: 1 });
    expect(await watch.ended).toBeUndefined();
    expect(watch.frames).toEqual(['{"n":1}', '{"n":2}']);
    expect(streams).toBe(2);
    await until(() => connection.stats().openConnectionCount === 1, 'the drained session to close');
  });

  it('ends all watches when the connection is cut, and connects again for the next call', async () => {
    await using server = await scriptedHttp2Server((stream, headers) => {
      if (headers[':path'] !== '/w') return replyJson(stream, 200, {});
      stream.respond({ ':status': 200 });
      stream.write('{"n":1}\n');
    });
    await using connection = await openConnection(server.access);
    const watches = Array.from({ length: 5 }, () => recordWatch());
    for (const watch of watches) connection.watch('/w', watch.handlers);
    await until(() => watches.every((watch) => watch.frames.length === 1), 'the watches');
    server.cut();
    const errors = await Promise.all(watches.map((watch) => watch.ended));
    expect(errors.map((error) => (error instanceof TransportError ? error.class : error))).toEqual(
      Array.from({ length: 5 }, () => 'connection'),
    );
    expect((await connection.request({ method: 'GET', path: '/' })).status).toBe(200);
    expect(connection.stats().reconnectCount).toBe(1);
    await until(() => connection.stats().openStreamCount === 0, 'the last stream to close');
  });
});

describe('health of a silent connection', () => {
  it('pings after 30 s of silence and cuts a connection that does not answer within 15 s', async () => {
    const clock = virtualClock();
    await using server = await scriptedHttp2Server((stream) => {
      stream.respond({ ':status': 200 });
      stream.write('{"n":1}\n');
    });
    const identity = await resolveIdentity(server.access, clock);
    await using connection = connectionFor(server.access, identity, { clock });
    const watch = recordWatch();
    connection.watch('/w', watch.handlers);
    await until(() => watch.frames.length === 1, 'the watch');
    await clock.advance(2_000);
    let pingCount = 0;
    for (const session of server.sessions) {
      session.on('ping', () => pingCount++);
    }
    await clock.advance(27_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(pingCount).toBe(0);
    await clock.advance(6_000);
    await until(() => pingCount === 1, 'the ping');
    // Answered: another 30 s of silence are needed before the next one.
    await clock.advance(20_000);
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(pingCount).toBe(1);
    expect(watch.frames).toHaveLength(1);
  });

  it('cuts a connection whose ping stays unanswered for 15 s', async () => {
    const clock = virtualClock();
    await using server = await silentHttp2Server();
    const identity = await resolveIdentity(server.access, clock);
    await using connection = connectionFor(server.access, identity, { clock });
    const watch = recordWatch();
    connection.watch('/w', watch.handlers);
    await until(() => connection.stats().openStreamCount === 1, 'the watch');
    await new Promise((resolve) => setTimeout(resolve, 50));
    await clock.advance(44_000);
    expect(connection.stats().openStreamCount).toBe(1);
    await clock.advance(5_000);
    const error = await watch.ended;
    expect(error).toMatchObject({ class: 'timeout' });
    expect(error?.message).toContain('ping unanswered');
  });
});
