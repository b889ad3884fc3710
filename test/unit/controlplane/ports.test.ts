import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { candidateRange, PortReservation } from '../../../src/controlplane/ports.ts';

let directory: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'hollowmark-ports-test-'));
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

function listen(port: number): Promise<Server> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(port, '127.0.0.1', () => resolve(server));
  });
}

describe('a port reservation', () => {
  it('never gives out a port twice, not even to another reservation', async () => {
    using first = new PortReservation(directory);
    using second = new PortReservation(directory);
    const ports = await Promise.all(
      Array.from({ length: 40 }, (_, i) => (i % 2 === 0 ? first : second).reserve()),
    );
    expect(new Set(ports).size).toBe(40);
  });

  it('gives ports that can be bound', async () => {
    using reservation = new PortReservation(directory);
    const server = await listen(await reservation.reserve());
    server.close();
  });

  it('refuses a wanted port that somebody listens on, and says how to find who', async () => {
    const server = await listen(0);
    const address = server.address();
    const port = typeof address === 'object' && address !== null ? address.port : 0;
    using reservation = new PortReservation(directory);
    await expect(reservation.reserve(port)).rejects.toMatchObject({
      code: 'HM_PORT_UNAVAILABLE',
      message: `port 127.0.0.1:${port} is taken`,
      hint: expect.stringContaining('ss -ltnp'),
    });
    server.close();
  });

  it('gives a port back when it is disposed of', async () => {
    const first = new PortReservation(directory);
    const port = await first.reserve();
    using second = new PortReservation(directory);
    await expect(second.reserve(port)).rejects.toMatchObject({ code: 'HM_PORT_UNAVAILABLE' });
    first[Symbol.dispose]();
    expect(await second.reserve(port)).toBe(port);
  });
});

describe('the range that ports are chosen from', () => {
  it.each([
    { lowest: 32_768, first: 20_000, last: 32_767, why: 'Linux as it comes' },
    { lowest: 49_152, first: 20_000, last: 49_151, why: 'macOS' },
    { lowest: 10_000, first: 1_100, last: 9_999, why: 'widened for many connections' },
    { lowest: 1_024, first: 20_000, last: 59_999, why: 'nothing is left below' },
  ])('is $first-$last when ephemeral ports begin at $lowest: $why', ({ lowest, first, last }) => {
    const range = candidateRange(lowest);
    expect([range.first, range.first + range.count - 1]).toEqual([first, last]);
  });
});
