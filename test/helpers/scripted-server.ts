/**
 * TLS servers that do what a test says, for faults that a real API server cannot be asked for: HTTP/2 and HTTP/1.1, on
 * a free port of 127.0.0.1. Dispose of them (`await using`) at the end of the test.
 */

import { createServer as createHttp1Server, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createSecureServer as createHttp2Server,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type Settings,
} from 'node:http2';
import { createServer as createHttpsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import type { ClusterAccess } from '../../src/kube/index.ts';
import { testCertificate } from './test-certificates.ts';

export interface ScriptedServer extends AsyncDisposable {
  /** Ready to be given to openConnection and the like; a bearer token that says `test`. */
  readonly access: ClusterAccess;
  readonly port: number;
  /** Number of connections that are open, and that ever were. */
  openConnectionCount(): number;
  connectionCount(): number;
  /** Cuts every connection. */
  cut(): void;
  close(): Promise<void>;
}

export interface ScriptedHttp2Server extends ScriptedServer {
  readonly sessions: Set<ServerHttp2Session>;
}

export type StreamScript = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

/** An HTTP/2 server whose streams are handled by `script`. */
export async function scriptedHttp2Server(
  script: StreamScript,
  settings: Settings = {},
): Promise<ScriptedHttp2Server> {
  const { certPem, keyPem } = await testCertificate();
  const server = createHttp2Server({ cert: certPem, key: keyPem, settings });
  const sessions = new Set<ServerHttp2Session>();
  server.on('session', (session) => {
    sessions.add(session);
    session.on('close', () => sessions.delete(session));
    // A client that cuts the connection is part of the script.
    session.on('error', () => {});
  });
  server.on('stream', (stream, headers) => {
    stream.on('error', () => {});
    script(stream, headers);
  });
  return { ...(await listen(server, 'https', certPem)), sessions };
}

/** Speaks TLS and HTTP/2's first frame, then never answers anything: a peer that is gone without a word. */
export async function silentHttp2Server(): Promise<ScriptedServer> {
  const { certPem, keyPem } = await testCertificate();
  const server = createTlsServer({ cert: certPem, key: keyPem, ALPNProtocols: ['h2'] }, (socket) => {
    socket.on('error', () => {});
    socket.resume();
    // An empty SETTINGS frame.
    socket.write(Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]));
  });
  return listen(server, 'https', certPem);
}

export type RequestScript = (request: IncomingMessage, response: ServerResponse) => void;

/** An HTTP/1.1 server over TLS. */
export async function scriptedHttp1Server(script: RequestScript): Promise<ScriptedServer> {
  const { certPem, keyPem } = await testCertificate();
  return listen(createHttpsServer({ cert: certPem, key: keyPem }, script), 'https', certPem);
}

/** An HTTP/1.1 server without TLS: what a wrong port answers. */
export async function scriptedPlainServer(script: RequestScript): Promise<ScriptedServer> {
  return listen(createHttp1Server(script), 'http', undefined);
}

/** Answers a stream with a JSON body. */
export function replyJson(
  stream: ServerHttp2Stream,
  status: number,
  body: unknown,
  headers: Record<string, string> = {},
): void {
  if (stream.destroyed || stream.closed) return;
  stream.respond({ ':status': status, 'content-type': 'application/json', ...headers });
  stream.end(JSON.stringify(body));
}

/** A Status object as the API server sends it. */
export function statusBody(code: number, reason: string, message: string): object {
  return { kind: 'Status', apiVersion: 'v1', metadata: {}, status: 'Failure', message, reason, code };
}

/** The whole body of a request stream, as text. */
export async function readBody(stream: AsyncIterable<Buffer>): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

interface Listener {
  listen(port: number, host: string, callback: () => void): unknown;
  close(callback: () => void): unknown;
  address(): AddressInfo | string | null;
  on(event: 'connection', listener: (socket: Socket) => void): unknown;
}

async function listen(
  server: Listener,
  scheme: string,
  certPem: string | undefined,
): Promise<ScriptedServer> {
  const sockets = new Set<Socket>();
  let connectionCount = 0;
  server.on('connection', (socket) => {
    connectionCount++;
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('the scripted server has no port');
  const url = `${scheme}://127.0.0.1:${address.port}`;
  const cut = () => {
    for (const socket of sockets) socket.destroy();
  };
  const close = async () => {
    const closed = new Promise<void>((resolve) => server.close(resolve));
    cut();
    await closed;
  };
  return {
    access: {
      server: url,
      members: [url],
      ...(certPem === undefined ? {} : { caPem: certPem }),
      credential: { type: 'bearer-token', token: 'test' },
    },
    port: address.port,
    openConnectionCount: () => sockets.size,
    connectionCount: () => connectionCount,
    cut,
    close,
    [Symbol.asyncDispose]: close,
  };
}
