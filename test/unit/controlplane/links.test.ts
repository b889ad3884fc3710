import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { LinkSwitch } from '../../../src/controlplane/links/link-switch.ts';
import { systemClock } from '../../../src/core/index.ts';

const open: (Server | Socket)[] = [];
afterEach(() => {
  for (const one of open.splice(0)) {
    if ('destroy' in one) one.destroy();
    else one.close();
  }
});

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** A server that sends back what it gets, behind a link from `a` to `b`. */
async function echoBehindLink(random = () => 0) {
  const echo = createServer((socket) => {
    open.push(socket);
    socket.on('error', () => {});
    socket.pipe(socket);
  });
  await new Promise<void>((resolve) => echo.listen(0, '127.0.0.1', resolve));
  open.push(echo);
  const port = await freePort();
  const links = new LinkSwitch({ clock: systemClock, random });
  await links.listen({
    control: { port: 0, certPath: '', keyPath: '', caPath: '' },
    peers: [],
    members: [],
    clients: [{ from: 'a', to: 'b', port, targetPort: (echo.address() as AddressInfo).port }],
  });
  return { links, port };
}

function dial(port: number) {
  const socket = connect({ port, host: '127.0.0.1' });
  open.push(socket);
  let received = '';
  let closed = false;
  socket.on('data', (chunk) => {
    received += chunk.toString();
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    closed = true;
  });
  return { socket, received: () => received, closed: () => closed };
}

const soon = () => new Promise((resolve) => setTimeout(resolve, 60));
async function until(condition: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error('not within 5 s');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

describe('a link between two members', () => {
  it('carries bytes both ways, in order, and counts them by direction', async () => {
    const { links, port } = await echoBehindLink();
    const client = dial(port);
    const sent = Array.from({ length: 2_000 }, (_, index) => `${index};`).join('');
    for (let at = 0; at < sent.length; at += 97) client.socket.write(sent.slice(at, at + 97));
    await until(() => client.received().length === sent.length);
    expect(client.received()).toBe(sent);
    expect(links.counts()).toEqual(
      expect.arrayContaining([
        { from: 'a', to: 'b', connectionCount: 1, carriedBytes: sent.length },
        { from: 'b', to: 'a', connectionCount: 1, carriedBytes: sent.length },
      ]),
    );
  });

  it('stalls while it drops one direction, and delivers everything once when it is healed', async () => {
    const { links, port } = await echoBehindLink();
    const client = dial(port);
    client.socket.write('one ');
    await until(() => client.received() === 'one ');
    links.set('b', 'a', { cut: 'drop' });
    client.socket.write('two ');
    // It went there: only the way back is cut.
    await until(() => links.counts().some(({ from, carriedBytes }) => from === 'a' && carriedBytes === 8));
    await soon();
    expect(client.received()).toBe('one ');
    expect(client.closed()).toBe(false);
    links.set('b', 'a', {});
    await until(() => client.received() === 'one two ');
  });

  it('lets nobody know of an end while it drops', async () => {
    const { links, port } = await echoBehindLink();
    const client = dial(port);
    client.socket.write('x');
    await until(() => client.received() === 'x');
    links.set('a', 'b', { cut: 'drop' });
    client.socket.end();
    await soon();
    expect(client.closed()).toBe(false);
    links.set('a', 'b', {});
    await until(client.closed);
  });

  it('lets no connection be made while either direction drops', async () => {
    const { links, port } = await echoBehindLink();
    links.set('b', 'a', { cut: 'drop' });
    const client = dial(port);
    client.socket.write('late');
    await soon();
    expect(client.received()).toBe('');
    links.set('b', 'a', {});
    await until(() => client.received() === 'late');
  });

  it('closes connections and refuses new ones when it resets', async () => {
    const { links, port } = await echoBehindLink();
    const client = dial(port);
    client.socket.write('x');
    await until(() => client.received() === 'x');
    links.set('a', 'b', { cut: 'reset' });
    await until(client.closed);
    const second = dial(port);
    await until(second.closed);
    expect(second.received()).toBe('');
  });

  it('delays each way, holds back what is lost for a retransmission, and keeps the order', async () => {
    let draws = 0;
    const { links, port } = await echoBehindLink(() => (draws++ === 0 ? 0 : 1));
    const client = dial(port);
    client.socket.write('0');
    await until(() => client.received() === '0');
    links.set('a', 'b', { lossRatio: 0.5 });
    const beginMs = performance.now();
    client.socket.write('1');
    await new Promise((resolve) => setTimeout(resolve, 20));
    client.socket.write('2');
    await until(() => client.received() === '012');
    // 200 ms for the first, and the second behind it: neither overtakes.
    expect(performance.now() - beginMs).toBeGreaterThan(190);
    links.set('a', 'b', { delayMs: 100 });
    const againMs = performance.now();
    client.socket.write('3');
    await until(() => client.received() === '0123');
    expect(performance.now() - againMs).toBeGreaterThan(95);
  });

  it('goes no faster than it is throttled to', async () => {
    const { links, port } = await echoBehindLink();
    const client = dial(port);
    links.set('a', 'b', { throttleBytesPerSecond: 100_000 });
    const beginMs = performance.now();
    client.socket.write('x'.repeat(20_000));
    await until(() => client.received().length === 20_000);
    expect(performance.now() - beginMs).toBeGreaterThan(190);
  });
});
