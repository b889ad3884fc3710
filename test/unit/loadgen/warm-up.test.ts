import { describe, expect, it } from 'vitest';
import { warmUp } from '../../../loadgen/calls/warm-up.ts';
import { type Connection, TransportError } from '../../../src/kube/index.ts';
import { virtualClock } from '../../helpers/virtual-clock.ts';

/** A connection whose first `cutCount` requests are cut. */
function cutting(cutCount: number) {
  const seen = { requests: 0, closed: false };
  const connection = {
    request: async () => {
      if (++seen.requests <= cutCount) throw new TransportError('connection', 'other side closed');
      return { status: 200 };
    },
    close: async () => {
      seen.closed = true;
    },
  } as unknown as Connection;
  return { connection, seen };
}

describe('connections that are opened before the first arrival', () => {
  it('are opened again where something between cut them', async () => {
    const clock = virtualClock();
    const { connection, seen } = cutting(3);
    const { signal } = new AbortController();
    const warm = warmUp(connection, { connectionCount: 4, timeoutMs: 1_000, signal, clock });
    await clock.advance(1_000);
    await warm;
    expect(seen).toEqual({ requests: 7, closed: false });
  });

  it('are given up with the reason when they are cut again and again', async () => {
    const clock = virtualClock();
    const { connection, seen } = cutting(100);
    const { signal } = new AbortController();
    const warm = warmUp(connection, { connectionCount: 1, timeoutMs: 1_000, signal, clock });
    const ended = expect(warm).rejects.toThrow('other side closed');
    await clock.advance(10_000);
    await ended;
    expect(seen).toEqual({ requests: 5, closed: true });
  });
});
