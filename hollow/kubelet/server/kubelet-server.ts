/**
 * The HTTPS endpoint of all hollow kubelets of a process: one Fastify server and one serving certificate, and for each
 * node a listener of its own. Which node is meant is told by the local address and port of the connection. Nothing listens
 * beyond loopback unless an address is asked for.
 *
 * - `per-node-address` (Linux, where all of 127.0.0.0/8 is local): node i has the address 127.1.0.0 + i + 1, and port
 *   10250 as every kubelet, or a free port where something has that one.
 * - `per-node-port` (elsewhere, and where an address is asked for): every node has the address 127.0.0.1, or that one, and
 *   a free port.
 *
 * Source: endpoints and their answers, pkg/kubelet/server/server.go v1.36.3.
 */
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { TLSSocket } from 'node:tls';
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { type Clock, HarnessError, type Logger } from '../../../src/core/index.ts';
import { loopbackNodeAddress } from '../../addresses.ts';
import type { PodMachine } from '../pods/pod-state.ts';
import type { StatusContext } from '../pods/pod-status.ts';
import { findLog, readLogOptions } from './container-log.ts';
import { podList, statsSummary } from './documents.ts';
import { streamLog } from './log-stream.ts';
import { kubeletMetrics, resourceMetrics } from './metrics-text.ts';
import { type Caller, NodeAccess, type ReviewClient } from './node-access.ts';
import { NodeUsage, podUsage } from './usage.ts';

/** What a fleet process needs to serve the kubelet API; plain JSON. */
export interface KubeletServing {
  certPem: string;
  keyPem: string;
  /** Authority of client certificates; absent: only tokens are taken. */
  clientCaPem?: string;
  addressing: 'per-node-address' | 'per-node-port';
  /** With `per-node-port`: instead of 127.0.0.1. */
  address?: string;
}

/** A node as its endpoint sees it. */
export interface ServedNode extends ReviewClient {
  readonly podStatus: StatusContext;
  pods(): Iterable<PodMachine>;
}

/** Where a node can be reached. */
export interface NodeEndpoint {
  readonly address: string;
  readonly port: number;
}

/** Kubelet port of every real node. Source: pkg/cluster/ports/ports.go v1.36.3 */
export const KUBELET_PORT = 10_250;
const BACKLOG = 16;

export interface KubeletServerOptions {
  readonly serving: KubeletServing;
  readonly clock: Clock;
  readonly log: Logger;
  /** Of usage and logs. */
  readonly seed: string;
  readonly kubernetesVersion: string;
}

interface Entry {
  readonly node: ServedNode;
  readonly startMs: number;
  /** Made for the first caller: most nodes are never asked. */
  access: NodeAccess | undefined;
  usage: NodeUsage | undefined;
}

export class KubeletServer {
  readonly #options: KubeletServerOptions;
  readonly #https: HttpsServer;
  readonly #app: FastifyInstance;
  readonly #listeners: Server[] = [];
  readonly #endpoints = new Map<number, NodeEndpoint>();
  readonly #entries = new Map<string, Entry>();
  readonly #sockets = new Set<Socket>();
  readonly #stopped = new AbortController();

  constructor(options: KubeletServerOptions) {
    this.#options = options;
    const { certPem, keyPem, clientCaPem } = options.serving;
    this.#https = createHttpsServer({
      cert: certPem,
      key: keyPem,
      ...(clientCaPem === undefined ? {} : { ca: clientCaPem, requestCert: true }),
      // Decided per request: a caller without a certificate may have a token.
      rejectUnauthorized: false,
    });
    this.#app = Fastify({
      serverFactory: (handler) => {
        this.#https.on('request', handler);
        return this.#https;
      },
      forceCloseConnections: true,
    });
    this.#routes();
  }

  /** Begins to answer; listeners come with the nodes. */
  async start(): Promise<void> {
    await this.#app.ready();
  }

  /**
   * Opens the endpoint of node `index` (over the whole fleet); a node that starts again keeps its own.
   * @throws HM_USAGE where the address asked for is none of this host's, the system's error
   */
  async listen(index: number): Promise<NodeEndpoint> {
    const known = this.#endpoints.get(index);
    if (known !== undefined) return known;
    const { serving } = this.#options;
    const own = serving.addressing === 'per-node-address';
    const address = own ? loopbackNodeAddress(index) : (serving.address ?? '127.0.0.1');
    let listener: Server;
    try {
      listener = await this.#open(address, own ? KUBELET_PORT : 0);
    } catch (error) {
      if (codeOf(error) === 'EADDRNOTAVAIL')
        throw new HarnessError(
          'HM_USAGE',
          `the kubelet API cannot listen on ${address}: no address of this host`,
          {
            cause: error,
            hint: 'fleet.kubeletAddress is an address of the host that the fleet runs on',
          },
        );
      // Another fleet of this host has the address, or a kubelet has the port on all of them.
      if (!own || codeOf(error) !== 'EADDRINUSE') throw error;
      listener = await this.#open(address, 0);
    }
    const { port } = listener.address() as AddressInfo;
    this.#listeners.push(listener);
    const endpoint = { address, port };
    this.#endpoints.set(index, endpoint);
    return endpoint;
  }

  /** From now on requests to `endpoint` are answered for `node`. */
  serve(endpoint: NodeEndpoint, node: ServedNode): void {
    this.#entries.set(`${endpoint.address}:${endpoint.port}`, {
      node,
      startMs: this.#options.clock.wallMs(),
      access: undefined,
      usage: undefined,
    });
  }

  /** Closes every listener and connection, followed logs too. */
  async stop(): Promise<void> {
    this.#stopped.abort();
    for (const listener of this.#listeners.splice(0)) listener.close();
    for (const socket of this.#sockets) socket.destroy();
    await this.#app.close();
  }

  async #open(address: string, port: number): Promise<Server> {
    const listener = createServer((socket) => this.#accept(socket));
    await new Promise<void>((resolve, reject) => {
      listener.once('error', reject);
      listener.listen({ host: address, port, backlog: BACKLOG }, () => {
        listener.off('error', reject);
        resolve();
      });
    });
    return listener;
  }

  #accept(socket: Socket): void {
    this.#sockets.add(socket);
    socket.once('close', () => this.#sockets.delete(socket));
    this.#https.emit('connection', socket);
  }

  #routes(): void {
    const app = this.#app;
    app.addHook('onRequest', async (request, reply) => this.#guard(request, reply));
    app.setErrorHandler(async (error, _request, reply) => {
      this.#options.log.warn({ err: error }, 'kubelet API request failed');
      return reply.code(500).type('text/plain').send('Internal Error');
    });
    app.setNotFoundHandler(async (_request, reply) =>
      reply.code(404).type('text/plain').send('404 page not found\n'),
    );
    app.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok'));
    app.get('/pods', async (request) => {
      const { node } = this.#entry(request);
      return podList(node.nodeName, [...node.pods()], node.podStatus);
    });
    app.get('/metrics', async (request, reply) => {
      const { node, startMs } = this.#entry(request);
      const gitVersion = this.#options.kubernetesVersion;
      const text = kubeletMetrics({ name: node.nodeName, gitVersion, startMs, pods: [...node.pods()] });
      return reply.type(PROMETHEUS_TEXT).send(text);
    });
    app.get('/metrics/resource', async (request, reply) => {
      const { pods, usage, nowMs } = this.#usage(this.#entry(request));
      return reply.type(PROMETHEUS_TEXT).send(resourceMetrics(usage, pods, nowMs));
    });
    app.get('/stats/summary', async (request) => {
      const entry = this.#entry(request);
      const { pods, usage, nowMs } = this.#usage(entry);
      return statsSummary({ name: entry.node.nodeName, startMs: entry.startMs, usage }, pods, nowMs);
    });
    app.get('/containerLogs/:namespace/:pod/:container', async (request, reply) => this.#log(request, reply));
  }

  /** Lets a request pass that a kubelet would let pass. */
  async #guard(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> {
    const entry = this.#entries.get(localEndpoint(request));
    if (entry === undefined) {
      return reply.code(503).type('text/plain').send('the node behind this address has not started\n');
    }
    const [path = ''] = request.url.split('?');
    entry.access ??= new NodeAccess(entry.node);
    const user = await entry.access.authenticate(callerOf(request));
    if (user === undefined) return reply.code(401).type('text/plain').send('Unauthorized');
    if (await entry.access.authorize(user, request.method, path)) return undefined;
    const what = `user=${user.username}, verb=${request.method.toLowerCase()}, resource=nodes`;
    return reply.code(403).type('text/plain').send(`Forbidden (${what}, path=${path})`);
  }

  async #log(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    const { clock, seed } = this.#options;
    const { node } = this.#entry(request);
    const { namespace, pod: podName, container } = request.params as Record<string, string>;
    const refuse = ({ status, message }: { status: number; message: string }) =>
      reply.code(status).type('text/plain').send(message);
    const options = readLogOptions(request.query as Record<string, unknown>, clock.wallMs());
    if ('status' in options) return refuse(options);
    const pod = [...node.pods()].find(({ spec }) => spec.namespace === namespace && spec.name === podName);
    if (pod === undefined) return refuse({ status: 404, message: `pod "${podName}" does not exist` });
    const log = findLog(seed, pod, container ?? '', options.previous);
    if ('status' in log) return refuse(log);
    const gone = new AbortController();
    const end = () => gone.abort();
    reply.raw.once('close', end);
    this.#stopped.signal.addEventListener('abort', end, { once: true });
    reply.raw.once('close', () => this.#stopped.signal.removeEventListener('abort', end));
    const endMs = () => {
      const now = findLog(seed, pod, container ?? '', false);
      // A run after the one that is followed: that one has ended, when is not asked.
      return 'status' in now || now.seed !== log.seed ? Math.min(log.endMs, clock.wallMs()) : now.endMs;
    };
    const pieces = streamLog({ log, endMs }, options, { clock, signal: gone.signal });
    return reply.type('text/plain').send(Readable.from(pieces, { objectMode: false }));
  }

  #usage(entry: Entry) {
    const { clock, seed } = this.#options;
    const nowMs = clock.wallMs();
    const pods = [...entry.node.pods()].map((pod) => podUsage(seed, pod, nowMs));
    entry.usage ??= new NodeUsage(entry.startMs);
    return { pods, usage: entry.usage.read(pods, nowMs), nowMs };
  }

  #entry(request: FastifyRequest): Entry {
    const entry = this.#entries.get(localEndpoint(request));
    if (entry === undefined) throw new Error(`no node at ${localEndpoint(request)}`);
    return entry;
  }
}

const PROMETHEUS_TEXT = 'text/plain; version=0.0.4; charset=utf-8';

function localEndpoint(request: FastifyRequest): string {
  const { localAddress, localPort } = request.socket;
  return `${localAddress}:${localPort}`;
}

function callerOf(request: FastifyRequest): Caller {
  const { socket } = request;
  const [scheme, token] = (request.headers.authorization ?? '').split(' ');
  const bearer = scheme?.toLowerCase() === 'bearer' && token !== undefined && token !== '' ? { token } : {};
  if (!(socket instanceof TLSSocket) || !socket.authorized) return bearer;
  const { subject } = socket.getPeerCertificate();
  if (subject === undefined) return bearer;
  // An attribute that stands there more than once is a list; the types know only the first form.
  const organizations = subject.O as string | string[] | undefined;
  const groups = organizations === undefined ? [] : [organizations].flat();
  return { certificate: { username: subject.CN, groups: [...groups, 'system:authenticated'] }, ...bearer };
}

/** The system's name of what went wrong. */
function codeOf(error: unknown): unknown {
  return error instanceof Error && 'code' in error ? error.code : undefined;
}
