/**
 * Connections opened before the first arrival. A load balancer that takes a server for hung cuts what goes through it,
 * which is no reason for a run to end before it has begun: what was cut is asked again.
 */
import { type Clock, delay, onAbort } from '../../src/core/index.ts';
import { type Connection, TransportError } from '../../src/kube/index.ts';

const ATTEMPT_COUNT = 5;
const PAUSE_MS = 1_000;

export interface WarmUpOptions {
  connectionCount: number;
  timeoutMs: number;
  signal: AbortSignal;
  clock: Clock;
}

/**
 * As many calls at once as connections: each makes the pool open one. Closes the connection if it fails.
 * @throws the last attempt's TransportError, or the signal's reason
 */
export async function warmUp(connection: Connection, options: WarmUpOptions): Promise<void> {
  const { connectionCount, timeoutMs, signal, clock } = options;
  const request = { method: 'GET', path: '/version', timeoutMs, discardBody: true } as const;
  const open = async () => {
    for (let attempt = 1; ; attempt++) {
      try {
        await connection.request(request);
        return;
      } catch (error) {
        const isCut = error instanceof TransportError && error.class === 'connection';
        if (!isCut || attempt === ATTEMPT_COUNT || signal.aborted) throw error;
      }
      await delay(PAUSE_MS, { signal, clock });
    }
  };
  // One listener for all: closing cancels what is in flight.
  const stopListening = onAbort(signal, () => void connection.close(0));
  try {
    await Promise.all(Array.from({ length: connectionCount }, open));
  } catch (error) {
    await connection.close(0);
    signal.throwIfAborted();
    throw error;
  } finally {
    stopListening();
  }
}
