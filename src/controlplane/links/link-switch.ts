/**
 * All links of a plane and the listeners in front of them: every connection becomes two flows, one for each direction.
 */

import { createServer as createHttpServer } from 'node:http';
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { Clock } from '../../core/index.ts';
import type { LinkRule } from '../levers/levers.ts';
import { Flow, Link } from './flow.ts';
import type { LinkConfig } from './link-plan.ts';

/** How often a connection that cannot be made under the present rules is tried again, as a SYN would be. */
const CONNECT_RETRY_MS = 100;

export class LinkSwitch {
  readonly #links = new Map<string, Link>();
  readonly #parts: { clock: Clock; random: () => number };

  constructor(parts: { clock: Clock; random: () => number }) {
    this.#parts = parts;
  }

  /** Opens every listener of the configuration; resolves when all listen. */
  async listen(config: LinkConfig): Promise<void> {
    const targets = new Map(
      config.members.map(({ name, host, port }) => [`${host}:${port}`, { name, port }]),
    );
    for (const { from, port } of config.peers) {
      const server = createHttpServer();
      server.on('connect', (request, socket, head) => {
        const target = targets.get(request.url ?? '');
        if (target === undefined) {
          socket.end('HTTP/1.1 502 Bad Gateway\r\n\r\n');
          return;
        }
        this.#join(socket as Socket, { from, to: target.name, port: target.port }, (client, upstream) => {
          client.write('HTTP/1.1 200 Connection established\r\n\r\n');
          if (head.length > 0) upstream.write(head);
        });
      });
      await listening(server, port);
    }
    for (const { from, to, port, targetPort } of config.clients) {
      const server = createServer({ pauseOnConnect: true, allowHalfOpen: true }, (socket) =>
        this.#join(socket, { from, to, port: targetPort }, () => {}),
      );
      await listening(server, port);
    }
  }

  set(from: string, to: string, rule: LinkRule): void {
    this.#link(from, to).set(rule);
  }

  counts(): { from: string; to: string; connectionCount: number; carriedBytes: number }[] {
    return [...this.#links.values()].map(({ from, to, flows, carriedBytes }) => ({
      from,
      to,
      connectionCount: flows.size,
      carriedBytes,
    }));
  }

  #link(from: string, to: string): Link {
    const key = `${from} ${to}`;
    const known = this.#links.get(key);
    if (known !== undefined) return known;
    const made = new Link(from, to);
    this.#links.set(key, made);
    return made;
  }

  /** Makes the connection as soon as the rules let a handshake through, which takes packets of both directions. */
  #join(
    client: Socket,
    route: { from: string; to: string; port: number },
    joined: (client: Socket, upstream: Socket) => void,
  ): void {
    client.on('error', () => {});
    const there = this.#link(route.from, route.to);
    const back = this.#link(route.to, route.from);
    const attempt = () => {
      if (client.destroyed) return;
      const cuts = [there.rule.cut, back.rule.cut];
      if (cuts.includes('reset')) client.resetAndDestroy();
      else if (cuts.includes('drop')) this.#parts.clock.setTimer(attempt, CONNECT_RETRY_MS);
      else this.#connect(client, there, back, route.port, joined);
    };
    const roundTripMs = (there.rule.delayMs ?? 0) + (back.rule.delayMs ?? 0);
    if (roundTripMs > 0) this.#parts.clock.setTimer(attempt, roundTripMs);
    else attempt();
  }

  #connect(
    client: Socket,
    there: Link,
    back: Link,
    port: number,
    joined: (client: Socket, upstream: Socket) => void,
  ): void {
    const upstream = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    upstream.on('error', () => {});
    upstream.once('close', (hadError) => {
      // Refused: the member is not there, and its kernel says so.
      if (hadError && upstream.bytesRead === 0 && upstream.bytesWritten === 0) client.resetAndDestroy();
    });
    client.once('close', () => {
      if (upstream.connecting) upstream.destroy();
    });
    upstream.once('connect', () => {
      client.setNoDelay(true);
      joined(client, upstream);
      new Flow(there, { source: client, destination: upstream }, this.#parts);
      new Flow(back, { source: upstream, destination: client }, this.#parts);
      client.resume();
    });
  }
}

function listening(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen({ port, host: '127.0.0.1' }, () => resolve());
  });
}
